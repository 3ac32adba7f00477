//! Errors of the registry under the names that Varlink has for them.

use varlink_serve::Failure;

use crate::error::Error;

/// The error as a reply. Where the name does not say all, a `message` does.
pub(super) fn failure(error: Error) -> Failure {
    let message = error.to_string();
    let of_machine = |name: &str| Failure::named(format!("io.systemd.Machine.{name}"));
    match error {
        Error::NoSuchMachine(_) | Error::NoMachineForPid(_) => of_machine("NoSuchMachine"),
        Error::MachineExists(_) => of_machine("MachineExists"),
        Error::NoPrivateNetworking(_) => of_machine("NoPrivateNetworking"),
        Error::NoOsRelease(_) => of_machine("NoOSReleaseInformation"),
        Error::NoUidShift(_) => of_machine("NoUIDShift"),
        Error::NotAvailable(_) => of_machine("NotAvailable"),
        Error::NotSupported(_) => of_machine("NotSupported").with("message", message),
        Error::NoIpc(_) => of_machine("NoIPC").with("message", message),
        Error::NoSuchUserMapping(_) => of_machine("NoSuchUser"),
        Error::NoSuchGroupMapping(_) => of_machine("NoSuchGroup"),
        Error::UserInHostRange(_) => of_machine("UserInHostRange"),
        Error::GroupInHostRange(_) => of_machine("GroupInHostRange"),
        Error::LimitsExceeded(_) => of_machine("TooManyOperations"),
        Error::NoSuchImage(_) => Failure::named("io.systemd.MachineImage.NoSuchImage"),
        Error::InvalidArgs(_) => {
            Failure::invalid_parameter(parameter_of(&message)).with("message", message)
        }
        Error::AccessDenied(_) => Failure::permission_denied(),
        Error::InteractiveAuthorizationRequired(_) => {
            Failure::named("io.systemd.InteractiveAuthenticationRequired")
        }
        Error::TimedOut(_) => Failure::named("io.systemd.TimedOut").with("message", message),
        Error::Io(_, error) => Failure::system(&error).with("message", message),
        Error::JobFailed(_) => {
            let error = rustix::io::Errno::IO.into();
            Failure::system(&error).with("message", message)
        }
    }
}

/// The parameter that an error of the registry is about, by the words it begins with.
fn parameter_of(message: &str) -> &'static str {
    const WORDS: [(&str, &str); 17] = [
        ("Invalid machine name", "name"),
        ("Invalid machine class", "class"),
        ("Invalid signal", "signal"),
        ("Invalid process id", "leader"),
        ("Process ", "leader"),
        ("The leader", "leader"),
        ("The supervisor", "supervisor"),
        ("The root directory", "rootDirectory"),
        ("The service", "service"),
        ("The SSH address", "sshAddress"),
        ("The SSH private key path", "sshPrivateKeyPath"),
        ("Source path", "source"),
        ("Destination path", "destination"),
        ("Invalid user name", "user"),
        ("Specified path", "path"),
        ("Argument", "args"),
        ("Invalid environment", "environment"),
    ];
    let found = WORDS.iter().find(|(words, _)| message.starts_with(words));
    found.map_or("parameters", |(_, parameter)| parameter)
}
