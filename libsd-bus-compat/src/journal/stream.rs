//! A descriptor whose lines are entries: sd_journal_stream_fd(3).

use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType, connect, shutdown,
    socket_with,
};

use crate::{Errno, Result};

/// What is said of a stream at its beginning.
#[derive(Clone, Copy, Debug)]
pub struct Stream<'a> {
    pub identifier: &'a [u8],
    pub priority: u8,
    /// Whether a line may begin with its own priority, `<3>`.
    pub prefixes: bool,
}

impl Stream<'_> {
    /// Begins one.
    ///
    /// # Errors
    /// Of the socket: ENOENT where there is no journal.
    pub fn open(&self, path: &str) -> Result<OwnedFd> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        connect(&socket, &SocketAddrUnix::new(path)?)?;
        shutdown(&socket, Shutdown::Read)?;
        super::enlarge(&socket);
        // Behind the identifier and a unit, which only the manager may name: what the lines are forwarded to, nothing.
        let rest = [
            b'\n',
            b'\n',
            b'0' + self.priority,
            b'\n',
            b'0' + u8::from(self.prefixes),
            b'\n',
            b'0',
            b'\n',
            b'0',
            b'\n',
            b'0',
            b'\n',
        ];
        for part in [self.identifier, &rest] {
            let send = |bytes: &[u8]| rustix::net::send(&socket, bytes, SendFlags::NOSIGNAL);
            write_all(part, send)?;
        }
        Ok(socket)
    }
}

/// Writes all of something.
pub fn write_all(mut bytes: &[u8], write: impl Fn(&[u8]) -> Result<usize>) -> Result<()> {
    while !bytes.is_empty() {
        match write(bytes) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Whether there can be a journal of this name: what may stand between `@` and `.service` in a unit's.
pub fn is_namespace(name: &str) -> bool {
    let is_of_it = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@+".contains(&byte);
    !matches!(name, "" | "." | "..") && name.bytes().all(is_of_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces() {
        for good in ["a", "a.b", "x-1", "a\\x2d"] {
            assert!(is_namespace(good), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a b", "ä"] {
            assert!(!is_namespace(bad), "{bad}");
        }
    }
}
