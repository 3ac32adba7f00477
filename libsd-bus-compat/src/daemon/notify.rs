//! What a service tells its manager by `$NOTIFY_SOCKET` (sd_notify(3)): datagrams to a socket of this machine, or a message to
//! one of the machine that this one is a guest of.

mod vsock;

use std::ffi::OsStr;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown,
    SocketAddrUnix, SocketFlags, SocketType, UCred, recv, sendmsg, sendmsg_addr, shutdown,
    socket_with, sockopt,
};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, getegid, geteuid, getgid, getpid, getuid};

use crate::{Errno, Result};

/// The largest number of descriptors that go with one message (SCM_MAX_FD of the kernel).
const DESCRIPTORS: usize = 253;

/// What is told.
#[derive(Clone, Copy, Debug)]
pub struct Notification<'a> {
    /// For whom, if not for this process; only root may speak for others.
    pub pid: Option<Pid>,
    /// Assignments, each a line.
    pub state: &'a [u8],
    /// What the manager is to keep.
    pub descriptors: &'a [BorrowedFd<'a>],
}

/// The manager's socket.
#[derive(Clone, Debug)]
pub struct Address(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Unix(SocketAddrUnix),
    Vsock(vsock::Address),
}

impl Address {
    /// What `$NOTIFY_SOCKET` says: a path, `@` and an abstract name, or `vsock:CID:PORT`.
    ///
    /// # Errors
    /// EINVAL if it is none of these, ENAMETOOLONG, ERANGE.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let unix = match text {
            [b'@', name @ ..] if !name.is_empty() => SocketAddrUnix::new_abstract_name(name),
            [b'/', ..] => SocketAddrUnix::new(OsStr::from_bytes(text)),
            _ => return vsock::Address::parse(text).map(|address| Self(Kind::Vsock(address))),
        };
        unix.map(|address| Self(Kind::Unix(address)))
    }

    /// A socket for it, and how what is sent there ends.
    fn socket(&self) -> Result<(OwnedFd, End)> {
        match &self.0 {
            Kind::Unix(_) => {
                let (kind, flags) = (SocketType::DGRAM, SocketFlags::CLOEXEC);
                let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
                Ok((socket, End::OfDatagram))
            }
            Kind::Vsock(address) => address.socket(),
        }
    }
}

/// What says to the manager that a message is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Each is addressed, and one alone.
    OfDatagram,
    /// The end of a connection in which it is the only one.
    OfConnection,
}

/// Tells it.
///
/// # Errors
/// Of the socket.
pub fn notify(address: &Address, told: &Notification<'_>) -> Result<()> {
    if told.descriptors.len() > DESCRIPTORS {
        return Err(Errno::INVAL);
    }
    let (socket, end) = address.socket()?;
    // A long state should not fail by the default of some machine; if it may not be more, then it is what it is.
    let _ = sockopt::set_socket_send_buffer_size(&socket, 8 << 20);

    let pid = told.pid.unwrap_or(getpid());
    let is_other = pid != getpid() || getuid() != geteuid() || getgid() != getegid();
    let send = |state: &[u8], with_descriptors: bool, with_credentials: bool| {
        let mut space =
            [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS), ScmCredentials(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if with_descriptors && !told.descriptors.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(told.descriptors));
        }
        if with_credentials {
            control.push(SendAncillaryMessage::ScmCredentials(UCred {
                pid,
                uid: getuid(),
                gid: getgid(),
            }));
        }
        let (state, flags) = ([IoSlice::new(state)], SendFlags::NOSIGNAL);
        match (end, &address.0) {
            (End::OfConnection, _) => sendmsg(&socket, &state, &mut control, flags),
            (_, Kind::Unix(to)) => sendmsg_addr(&socket, to, &state, &mut control, flags),
            (_, Kind::Vsock(to)) => sendmsg_addr(&socket, &to.to, &state, &mut control, flags),
        }
    };
    let sent = send(told.state, true, is_other);
    // Who may not speak for another speaks for itself: the manager decides whether that counts.
    let mut sent = match sent {
        Err(_) if is_other => send(told.state, true, false),
        sent => sent,
    }?;
    if end == End::OfConnection {
        // A stream may take it by parts.
        while let Some(rest) = told.state.get(sent..).filter(|rest| !rest.is_empty()) {
            match send(rest, false, false)? {
                0 => return Err(Errno::IO),
                more => sent += more,
            }
        }
        finish(&socket)?;
    }
    Ok(())
}

/// Ends the connection, and waits until the manager has.
fn finish(socket: &OwnedFd) -> Result<()> {
    shutdown(socket, Shutdown::Write)?;
    match recv(socket, &mut [0_u8; 1], RecvFlags::empty())? {
        (_, 0) => Ok(()),
        _ => Err(Errno::PROTO),
    }
}

/// Waits until the manager has taken in all that was told before; `told` without a state is what says so.
///
/// # Errors
/// ETIMEDOUT, and those of [`notify`].
pub fn barrier(address: &Address, pid: Option<Pid>, timeout: Option<Duration>) -> Result<()> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    {
        let write = write;
        let told = Notification {
            pid,
            state: b"BARRIER=1",
            descriptors: &[std::os::fd::AsFd::as_fd(&write)],
        };
        notify(address, &told)?;
    }
    // The manager closes its copy, the last one, when it comes to this message: POLLHUP, which needs not be asked for.
    let mut waited = [PollFd::new(&read, PollFlags::empty())];
    let timeout = match timeout {
        Some(timeout) => Some(Timespec::try_from(timeout).map_err(|_| Errno::INVAL)?),
        None => None,
    };
    match poll(&mut waited, timeout.as_ref())? {
        0 => Err(Errno::TIMEDOUT),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn a_state_arrives() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let told = Notification {
            pid: None,
            state: b"READY=1",
            descriptors: &[],
        };
        notify(&Address::parse(path.as_os_str().as_bytes()).unwrap(), &told).unwrap();
        let mut bytes = [0; 16];
        let length = manager.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"READY=1");
    }

    #[test]
    fn a_barrier_ends_when_the_message_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let address = &Address::parse(path.as_os_str().as_bytes()).unwrap();
        let manager = UnixDatagram::bind(&path).unwrap();
        let instant = Some(Duration::from_millis(1));
        assert_eq!(barrier(address, None, instant), Err(Errno::TIMEDOUT));
        // The kernel drops a descriptor that the receiver has no room for.
        let taking = std::thread::spawn(move || {
            let mut bytes = [0; 16];
            manager.recv(&mut bytes).unwrap();
            manager.recv(&mut bytes).unwrap();
        });
        assert_eq!(barrier(address, None, None), Ok(()));
        taking.join().unwrap();
    }

    #[test]
    fn addresses() {
        for wrong in [&b""[..], b"@", b"relative", b"vsock:2"] {
            assert_eq!(Address::parse(wrong).err(), Some(Errno::INVAL));
        }
        let long = Address::parse(&[b'/'; 200]);
        assert_eq!(long.err(), Some(Errno::NAMETOOLONG));
    }
}
