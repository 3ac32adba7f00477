//! A program that speaks for a server through its standard input and output.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{self, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};

use super::socket::Socket;
use crate::ffi::sys;
use crate::{Errno, Result, errno_of};

/// How long it may take to end when it is asked to, in seconds.
const PATIENCE: i64 = 3;

/// A program that runs. It ends with this.
#[derive(Debug)]
pub struct Program {
    /// Whose child it is: a process that is forked of that one has no say.
    parent: u32,
    pidfd: OwnedFd,
}

impl Program {
    /// Starts it, `argv[0]` first of its arguments.
    ///
    /// # Errors
    /// Of execve(2); EPERM if it would be looked for in a $PATH that is not to be believed.
    pub fn start(path: &[u8], arguments: &[Vec<u8>]) -> Result<(Socket, Self)> {
        let (name, rest) = arguments.split_first().ok_or(Errno::INVAL)?;
        if !path.contains(&b'/') && sys::is_secure() {
            return Err(Errno::PERM);
        }
        let (ours, its) = socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        let output = its.try_clone().map_err(|error| errno_of(&error))?;
        let mut command = Command::new(OsStr::from_bytes(path));
        command
            .arg0(OsStr::from_bytes(name))
            .args(rest.iter().map(|argument| OsStr::from_bytes(argument)))
            .stdin(Stdio::from(its))
            .stdout(Stdio::from(output));
        sys::start_clean(&mut command);
        let mut child = command.spawn().map_err(|error| errno_of(&error))?;
        match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(pidfd) => {
                let parent = process::id();
                Ok((Socket::of(ours, None)?, Self { parent, pidfd }))
            }
            Err(errno) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(errno)
            }
        }
    }

    /// Waits for its end for so long. Whether it is there.
    fn has_ended(&self, seconds: i64) -> bool {
        let timeout = Timespec {
            tv_sec: seconds,
            tv_nsec: 0,
        };
        let mut ends = [PollFd::new(&self.pidfd, PollFlags::IN)];
        // A signal makes the wait shorter, and no more.
        poll(&mut ends, Some(&timeout)).is_ok_and(|count| count > 0)
    }
}

impl Drop for Program {
    /// Ends it, and leaves nothing of it behind.
    fn drop(&mut self) {
        if process::id() != self.parent {
            return;
        }
        let _ = pidfd_send_signal(&self.pidfd, Signal::TERM);
        // One that is stopped hears only this.
        let _ = pidfd_send_signal(&self.pidfd, Signal::CONT);
        if !self.has_ended(PATIENCE) {
            let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
            self.has_ended(PATIENCE);
        }
        use std::os::fd::AsFd;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        // ECHILD: the program around us waits for all of its children.
        let _ = waitid(WaitId::PidFd(self.pidfd.as_fd()), options);
    }
}
