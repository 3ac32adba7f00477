//! What a service tells its manager, as datagrams to `$NOTIFY_SOCKET` (sd_notify(3)).

use std::ffi::OsStr;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType, UCred, sendmsg_addr, socket_with, sockopt,
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
pub struct Address(SocketAddrUnix);

impl Address {
    /// What `$NOTIFY_SOCKET` says: a path, or `@` and an abstract name.
    ///
    /// # Errors
    /// EINVAL if it is neither, ENAMETOOLONG.
    pub fn parse(text: &[u8]) -> Result<Self> {
        match text {
            [b'@', name @ ..] if !name.is_empty() => SocketAddrUnix::new_abstract_name(name),
            [b'/', ..] => SocketAddrUnix::new(OsStr::from_bytes(text)),
            _ => Err(Errno::INVAL),
        }
        .map(Self)
    }
}

/// Tells it.
///
/// # Errors
/// Of the socket.
pub fn notify(address: &Address, told: &Notification<'_>) -> Result<()> {
    if told.descriptors.len() > DESCRIPTORS {
        return Err(Errno::INVAL);
    }
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    // A long state should not fail by the default of some machine; if it may not be more, then it is what it is.
    let _ = sockopt::set_socket_send_buffer_size(&socket, 8 << 20);

    let pid = told.pid.unwrap_or(getpid());
    let is_other = pid != getpid() || getuid() != geteuid() || getgid() != getegid();
    let send = |with_credentials: bool| {
        let mut space =
            [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS), ScmCredentials(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !told.descriptors.is_empty() {
            control.push(SendAncillaryMessage::ScmRights(told.descriptors));
        }
        if with_credentials {
            control.push(SendAncillaryMessage::ScmCredentials(UCred {
                pid,
                uid: getuid(),
                gid: getgid(),
            }));
        }
        let state = [IoSlice::new(told.state)];
        sendmsg_addr(
            &socket,
            &address.0,
            &state,
            &mut control,
            SendFlags::NOSIGNAL,
        )
    };
    let sent = send(is_other);
    // Who may not speak for another speaks for itself: the manager decides whether that counts.
    let sent = match sent {
        Err(_) if is_other => send(false),
        sent => sent,
    };
    sent.map(drop)
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
        for wrong in [&b""[..], b"@", b"relative", b"vsock:2:1"] {
            assert_eq!(Address::parse(wrong).err(), Some(Errno::INVAL));
        }
        let long = Address::parse(&[b'/'; 200]);
        assert_eq!(long.err(), Some(Errno::NAMETOOLONG));
    }
}
