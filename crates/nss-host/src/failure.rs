//! Why there is no answer, and how C is told.

/// `enum nss_status` (`nss.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    /// Ask again: now with a larger buffer, or later.
    TryAgain = -2,
    /// The service can't be asked.
    Unavailable = -1,
    /// The service knows no such thing.
    NotFound = 0,
    /// The answer stands in the caller's memory.
    Success = 1,
}

/// `h_errno` (`netdb.h`).
pub(crate) mod h_errno {
    pub(crate) const NETDB_INTERNAL: i32 = -1;
    pub(crate) const SUCCESS: i32 = 0;
    pub(crate) const HOST_NOT_FOUND: i32 = 1;
    pub(crate) const TRY_AGAIN: i32 = 2;
    pub(crate) const NO_RECOVERY: i32 = 3;
    pub(crate) const NO_DATA: i32 = 4;
}

/// Why there is no answer. Error numbers are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No such host, user or group.
    NotFound,
    /// The host exists, but has no address of the family asked for.
    NoData,
    /// The service can't tell for now, for this reason.
    TryAgain(i32),
    /// The service can't be asked, for this reason.
    Unavailable(i32),
    /// A family of addresses that the service does not know.
    UnknownFamily,
    /// The caller's buffer is too small.
    BufferTooSmall,
}

impl Failure {
    /// What the entry point returns.
    pub fn status(self) -> Status {
        match self {
            Failure::NotFound | Failure::NoData => Status::NotFound,
            Failure::TryAgain(_) | Failure::BufferTooSmall => Status::TryAgain,
            Failure::Unavailable(_) | Failure::UnknownFamily => Status::Unavailable,
        }
    }

    /// What goes to `*errnop`, if anything. `ERANGE` goes with [`Failure::BufferTooSmall`] alone:
    /// with anything else glibc takes it for the caller's mistake (`nss/getXXbyYY_r.c`).
    pub fn errno(self) -> Option<i32> {
        match self {
            Failure::NotFound | Failure::NoData => None,
            Failure::TryAgain(libc::ERANGE) | Failure::Unavailable(libc::ERANGE) => {
                Some(libc::EBADMSG)
            }
            Failure::TryAgain(errno) | Failure::Unavailable(errno) => Some(errno),
            Failure::UnknownFamily => Some(libc::EAFNOSUPPORT),
            Failure::BufferTooSmall => Some(libc::ERANGE),
        }
    }

    /// What goes to `*h_errnop`.
    pub fn h_errno(self) -> i32 {
        match self {
            Failure::NotFound => h_errno::HOST_NOT_FOUND,
            Failure::NoData => h_errno::NO_DATA,
            Failure::TryAgain(_) => h_errno::TRY_AGAIN,
            Failure::Unavailable(_) | Failure::UnknownFamily => h_errno::NO_RECOVERY,
            Failure::BufferTooSmall => h_errno::NETDB_INTERNAL,
        }
    }
}
