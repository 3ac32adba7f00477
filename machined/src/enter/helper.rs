//! The process `machined-enter`: how it is started, asked and ended.

use std::{
    env, fs, io,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::net,
    },
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use machined_enter::{Fault, Reply, Request, socket};
use rustix::{io::Errno, pipe::PipeFlags};
use tokio::{
    io::Interest,
    net::UnixDatagram,
    process::{Child, Command},
    time::timeout,
};

use crate::error::Error;

/// How long an operation may take that does not depend on how much there is to copy.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Where the program is installed, if it is not beside ours.
const INSTALLED: &str = match option_env!("SWITCHYARD_LIBEXECDIR") {
    Some(directory) => directory,
    None => "/usr/libexec/switchyard",
};

const NAME: &str = "machined-enter";

/// What a process may leave behind as its last words.
const LAST_WORDS: usize = 4096;

/// How much of a text from a machine goes into a message, in characters.
const LONGEST_TEXT: usize = 512;

/// One operation under way. Dropping it kills the process, unless it has become somebody's session.
#[derive(Debug)]
pub struct Helper {
    child: Child,
    /// Of type SOCK_SEQPACKET: to wait for, the two are the same.
    socket: UnixDatagram,
    errors: OwnedFd,
}

impl Helper {
    /// Starts the process and tells it what to do.
    pub fn start(request: &Request, fds: &[BorrowedFd<'_>]) -> Result<Self, Error> {
        let message = request.encode().map_err(error)?;
        let (ours, theirs) = socket::pair().map_err(failed())?;
        let ours = net::UnixDatagram::from(ours);
        ours.set_nonblocking(true).map_err(failed())?;
        let flags = PipeFlags::CLOEXEC | PipeFlags::NONBLOCK;
        let (errors, last_words) = rustix::pipe::pipe_with(flags).map_err(failed())?;
        let child = Command::new(program())
            .env_clear()
            .current_dir("/")
            .stdin(theirs)
            .stdout(Stdio::null())
            .stderr(last_words)
            // A session outlives the call that opened it, and us.
            .kill_on_drop(!matches!(request, Request::Session { .. }))
            .spawn()
            .map_err(failed())?;
        socket::send(&ours, &message, fds).map_err(failed())?;
        Ok(Self {
            child,
            socket: UnixDatagram::from_std(ours).map_err(failed())?,
            errors,
        })
    }

    /// Waits for the reply, however long it takes.
    pub async fn reply(&mut self) -> Result<Reply, Error> {
        let received = self
            .socket
            .async_io(Interest::READABLE, || {
                socket::receive(&self.socket).map_err(io::Error::from)
            })
            .await;
        match received {
            Ok((message, fds)) if !message.is_empty() => {
                Reply::decode(&message, fds).map_err(error)
            }
            Ok(_) => Err(self.died().await),
            Err(errno) => Err(Error::Io(format!("Failed to hear from {NAME}"), errno)),
        }
    }

    /// Waits for the reply until the deadline.
    pub async fn reply_in_time(mut self, what: &str) -> Result<Reply, Error> {
        match timeout(DEADLINE, self.reply()).await {
            Ok(reply) => reply,
            Err(_) => {
                // Not waited for: a process that hangs in a file system of the machine ends when that lets it.
                let _ = self.child.start_kill();
                Err(Error::TimedOut(format!(
                    "Timed out: {what} took longer than {} s",
                    DEADLINE.as_secs()
                )))
            }
        }
    }

    /// Why it ended without a reply.
    async fn died(&mut self) -> Error {
        let status = match timeout(DEADLINE, self.child.wait()).await {
            Ok(Ok(status)) => status.to_string(),
            _ => "no status".to_owned(),
        };
        let mut words = [0; LAST_WORDS];
        let length = rustix::io::read(&self.errors, &mut words).unwrap_or(0);
        let words = String::from_utf8_lossy(words.get(..length).unwrap_or_default());
        let what = format!("{NAME} failed ({status}) {}", printable(words.trim()));
        Error::Io(what.trim_end().to_owned(), Errno::IO.into())
    }
}

/// Starts a process, and waits for its reply until the deadline. `what` is told when it is missed: "reading os-release".
pub async fn run(request: &Request, fds: &[BorrowedFd<'_>], what: &str) -> Result<Reply, Error> {
    Helper::start(request, fds)?.reply_in_time(what).await
}

/// Exactly `N` descriptors of a reply.
pub fn descriptors<const N: usize>(fds: Vec<OwnedFd>) -> Result<[OwnedFd; N], Error> {
    fds.try_into().map_err(|_| unexpected())
}

/// The error for a reply without the descriptors it should have.
pub fn unexpected() -> Error {
    let what = format!("{NAME} sent other descriptors than asked for");
    Error::Io(what, Errno::BADMSG.into())
}

fn failed<E: Into<io::Error>>() -> impl FnOnce(E) -> Error {
    Error::io(format!("Failed to start {NAME}"))
}

fn error(fault: Fault) -> Error {
    let what = printable(&fault.what);
    match fault.errno {
        Errno::OPNOTSUPP => Error::NotSupported(what),
        errno => Error::Io(what, errno.into()),
    }
}

/// Text that may hold names from inside a machine, without what would steer a terminal or fill a log.
fn printable(text: &str) -> String {
    text.chars()
        .take(LONGEST_TEXT)
        .flat_map(|character| {
            let control = character.is_control();
            let escaped = control.then(|| character.escape_default());
            let plain = (!control).then_some(character);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// Beside our own program, so that an installation works wherever it is; where the files of ours were replaced by an
/// update, the new one.
fn program() -> PathBuf {
    let beside = fs::read_link("/proc/self/exe")
        .or_else(|_| env::current_exe())
        .ok()
        .and_then(|path| Some(path.parent()?.join(NAME)))
        .filter(|path| path.is_file());
    beside.unwrap_or_else(|| Path::new(INSTALLED).join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_machine_steers_no_terminal() {
        assert_eq!(
            printable("a\x1b[2J\nb\u{9b}c é"),
            "a\\u{1b}[2J\\nb\\u{9b}c é"
        );
        assert_eq!(printable(&"x".repeat(9999)).len(), LONGEST_TEXT);
    }
}
