//! The errors of the registry by their names on the bus.

use std::{borrow::Cow, io};

use rustix::io::Errno;

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
        Error::InvalidArgs(_) => dbus!("InvalidArgs"),
        Error::AccessDenied(_) => dbus!("AccessDenied"),
        Error::InteractiveAuthorizationRequired(_) => dbus!("InteractiveAuthorizationRequired"),
        Error::LimitsExceeded(_) => dbus!("LimitsExceeded"),
        Error::JobFailed(_) => "org.freedesktop.systemd1.JobFailed",
        Error::TimedOut(_) => dbus!("Timeout"),
        Error::Io(_, error) => return of_system(error),
    };
    Cow::Borrowed(name)
}

/// The name that sd_bus_error_set_errno(3) gives an error of the system.
fn of_system(error: &io::Error) -> Cow<'static, str> {
    let Some(errno) = Errno::from_io_error(error) else {
        return Cow::Borrowed(dbus!("Failed"));
    };
    Cow::Borrowed(match errno {
        Errno::NOMEM => dbus!("NoMemory"),
        Errno::PERM | Errno::ACCESS => dbus!("AccessDenied"),
        Errno::INVAL => dbus!("InvalidArgs"),
        Errno::SRCH => dbus!("UnixProcessIdUnknown"),
        Errno::NOENT => dbus!("FileNotFound"),
        Errno::EXIST => dbus!("FileExists"),
        Errno::TIMEDOUT | Errno::TIME => dbus!("Timeout"),
        Errno::IO => dbus!("IOError"),
        Errno::NETRESET | Errno::CONNABORTED | Errno::CONNRESET => dbus!("Disconnected"),
        Errno::OPNOTSUPP => dbus!("NotSupported"),
        Errno::ADDRNOTAVAIL => dbus!("BadAddress"),
        Errno::NOBUFS => dbus!("LimitsExceeded"),
        Errno::ADDRINUSE => dbus!("AddressInUse"),
        Errno::BADMSG => dbus!("InconsistentMessage"),
        // The rest of what copying, mounting and entering a container run into.
        Errno::AGAIN => "System.Error.EAGAIN",
        Errno::BUSY => "System.Error.EBUSY",
        Errno::DQUOT => "System.Error.EDQUOT",
        Errno::FBIG => "System.Error.EFBIG",
        Errno::ISDIR => "System.Error.EISDIR",
        Errno::LOOP => "System.Error.ELOOP",
        Errno::MFILE => "System.Error.EMFILE",
        Errno::NAMETOOLONG => "System.Error.ENAMETOOLONG",
        Errno::NFILE => "System.Error.ENFILE",
        Errno::NODEV => "System.Error.ENODEV",
        Errno::NOSPC => "System.Error.ENOSPC",
        Errno::NOSYS => "System.Error.ENOSYS",
        Errno::NOTDIR => "System.Error.ENOTDIR",
        Errno::NOTEMPTY => "System.Error.ENOTEMPTY",
        Errno::NXIO => "System.Error.ENXIO",
        Errno::PIPE => "System.Error.EPIPE",
        Errno::ROFS => "System.Error.EROFS",
        Errno::TXTBSY => "System.Error.ETXTBSY",
        Errno::XDEV => "System.Error.EXDEV",
        _ => dbus!("Failed"),
    })
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
        let other = io::Error::other("x");
        assert_eq!(
            name(Error::io("y")(other)),
            "org.freedesktop.DBus.Error.Failed"
        );
    }
}
