//! Telling the service manager how far we are: the protocol of sd_notify(3), which s6, OpenRC's supervise-daemon and
//! container runtimes speak too.

use std::{
    env,
    io::{self, ErrorKind},
    os::{
        linux::net::SocketAddrExt,
        unix::{ffi::OsStrExt, net::SocketAddr, net::UnixDatagram},
    },
};

use rustix::time::{ClockId, clock_gettime};

/// The daemon answers from now on.
pub const READY: &str = "READY=1";
/// The daemon is about to end.
pub const STOPPING: &str = "STOPPING=1";

/// The configuration is being read again, since now; [`READY`] follows. (`Type=notify-reload` of systemd.service(5))
#[must_use]
pub fn reloading() -> String {
    let now = clock_gettime(ClockId::Monotonic);
    let microseconds = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
    format!("RELOADING=1\nMONOTONIC_USEC={microseconds}")
}

/// Sends `state` to `$NOTIFY_SOCKET`; nothing where that is not set.
///
/// # Errors
/// Of the socket, or [`ErrorKind::Unsupported`] for an address that is neither a path nor abstract. The daemon runs
/// just as well without: log it and go on.
pub fn notify(state: &str) -> io::Result<()> {
    let Some(address) = env::var_os("NOTIFY_SOCKET") else {
        return Ok(());
    };
    let address = address_of(address.as_bytes())?;
    UnixDatagram::unbound()?
        .send_to_addr(state.as_bytes(), &address)
        .map(drop)
}

fn address_of(text: &[u8]) -> io::Result<SocketAddr> {
    match text {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(text)),
        _ => Err(io::Error::new(
            ErrorKind::Unsupported,
            "NOTIFY_SOCKET is neither a path nor an abstract name",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn both_kinds_of_address() {
        let path = address_of(b"/run/notify").unwrap();
        assert_eq!(path.as_pathname(), Some(Path::new("/run/notify")));
        let hidden = address_of(b"@name").unwrap();
        assert_eq!(hidden.as_abstract_name(), Some(&b"name"[..]));
        assert!(address_of(b"vsock:2:1").is_err());
        assert!(address_of(b"").is_err());
    }
}
