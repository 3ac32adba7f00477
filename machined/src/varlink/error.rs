//! Errors of the registry under the names that Varlink has for them.

use varlink_serve::Failure;

use crate::{argument::Argument, error::Error};

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
        Error::InvalidArgument(argument, _) => {
            Failure::invalid_parameter(parameter_of(argument)).with("message", message)
        }
        Error::InvalidArgs(_) => Failure::invalid_parameter("parameters").with("message", message),
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

/// What io.systemd.Machine calls it.
fn parameter_of(argument: Argument) -> &'static str {
    match argument {
        Argument::Name => "name",
        Argument::Class => "class",
        Argument::Leader => "leader",
        Argument::Supervisor => "supervisor",
        Argument::RootDirectory => "rootDirectory",
        Argument::Interfaces => "ifIndices",
        Argument::Service => "service",
        Argument::SshAddress => "sshAddress",
        Argument::SshPrivateKeyPath => "sshPrivateKeyPath",
        Argument::Signal => "signal",
        Argument::Source => "source",
        Argument::Destination => "destination",
        Argument::User => "user",
        Argument::Path => "path",
        Argument::Args => "args",
        Argument::Environment => "environment",
    }
}
