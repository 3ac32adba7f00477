//! The names of errors of the system.

use std::{borrow::Cow, io};

use rustix::io::Errno;

/// Joins the prefix that all standard errors share.
macro_rules! dbus {
    ($name:literal) => {
        concat!("org.freedesktop.DBus.Error.", $name)
    };
}

/// The name that sd_bus_error_set_errno(3) gives an error of the system.
#[must_use]
pub fn name_of_system_error(error: &io::Error) -> Cow<'static, str> {
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
        // Those that files, mounts, namespaces and sockets run into.
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
        Errno::NETUNREACH => "System.Error.ENETUNREACH",
        Errno::HOSTUNREACH => "System.Error.EHOSTUNREACH",
        Errno::CONNREFUSED => "System.Error.ECONNREFUSED",
        Errno::XDEV => "System.Error.EXDEV",
        _ => dbus!("Failed"),
    })
}

#[cfg(test)]
mod tests {
    use super::name_of_system_error;
    use std::io;

    #[test]
    fn names() {
        let missing = io::Error::from_raw_os_error(2);
        let name = name_of_system_error(&missing);
        assert_eq!(name, "org.freedesktop.DBus.Error.FileNotFound");
        let other = name_of_system_error(&io::Error::other("x"));
        assert_eq!(other, "org.freedesktop.DBus.Error.Failed");
    }
}
