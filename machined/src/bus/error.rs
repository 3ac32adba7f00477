//! The errors of the registry by their names on the bus.

use std::borrow::Cow;

use crate::error::Error;

impl From<Error> for dbus_serve::Error {
    fn from(error: Error) -> Self {
        Self::new(name(&error), error.to_string())
    }
}

/// Joins the prefix that all standard errors share.
macro_rules! dbus {
    ($name:literal) => {
        concat!("org.freedesktop.DBus.Error.", $name)
    };
}

/// Joins the prefix of our own.
macro_rules! machine1 {
    ($name:literal) => {
        concat!("org.freedesktop.machine1.", $name)
    };
}

fn name(error: &Error) -> Cow<'static, str> {
    let name = match error {
        Error::NoSuchMachine(_) => machine1!("NoSuchMachine"),
        Error::NoMachineForPid(_) => machine1!("NoMachineForPID"),
        Error::NoSuchImage(_) => machine1!("NoSuchImage"),
        Error::MachineExists(_) => machine1!("MachineExists"),
        Error::NoPrivateNetworking(_) => machine1!("NoPrivateNetworking"),
        Error::NoSuchUserMapping(_) | Error::UserInHostRange(_) => machine1!("NoSuchUserMapping"),
        Error::NoSuchGroupMapping(_) | Error::GroupInHostRange(_) => {
            machine1!("NoSuchGroupMapping")
        }
        Error::NoOsRelease(_) | Error::NoUidShift(_) | Error::NoIpc(_) | Error::NotSupported(_) => {
            dbus!("NotSupported")
        }
        Error::NotAvailable(_) => dbus!("FileNotFound"),
        Error::InvalidArgs(_) | Error::InvalidArgument(..) => dbus!("InvalidArgs"),
        Error::AccessDenied(_) => dbus!("AccessDenied"),
        Error::InteractiveAuthorizationRequired(_) => dbus!("InteractiveAuthorizationRequired"),
        Error::LimitsExceeded(_) => dbus!("LimitsExceeded"),
        Error::JobFailed(_) => "org.freedesktop.systemd1.JobFailed",
        Error::TimedOut(_) => dbus!("Timeout"),
        Error::Io(_, error) => return dbus_serve::name_of_system_error(error),
    };
    Cow::Borrowed(name)
}

#[cfg(test)]
mod tests {
    use super::Error;
    use std::io;

    #[test]
    fn names() {
        let name = |error: Error| dbus_serve::Error::from(error).name.into_owned();
        let no_machine = Error::NoSuchMachine("x".to_owned());
        assert_eq!(name(no_machine), "org.freedesktop.machine1.NoSuchMachine");
        let missing = io::Error::from_raw_os_error(2);
        assert_eq!(
            name(Error::io("Failed to open x")(missing)),
            "org.freedesktop.DBus.Error.FileNotFound"
        );
    }
}
