//! The process `machined-enter`: how it is started, asked and ended.

use std::{
    env, fs, io,
    net::Shutdown,
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
    runtime::Handle,
    time::timeout,
};

use super::slots::Slot;
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
    /// Taken when it is dropped.
    child: Option<Child>,
    /// Whether it outlives the call that opened it, and us.
    is_session: bool,
    /// Its place, until it has replied or ended.
    slot: Option<Slot>,
    /// Of type SOCK_SEQPACKET: to wait for, the two are the same.
    socket: UnixDatagram,
    errors: OwnedFd,
}

impl Helper {
    /// Starts the process and tells it what to do.
    pub fn start(request: &Request, fds: &[BorrowedFd<'_>], slot: &Slot) -> Result<Self, Error> {
        let message = request.encode().map_err(error)?;
        let (ours, theirs) = socket::pair().map_err(failed())?;
        let ours = net::UnixDatagram::from(ours);
        ours.set_nonblocking(true).map_err(failed())?;
        let flags = PipeFlags::CLOEXEC | PipeFlags::NONBLOCK;
        let (errors, last_words) = rustix::pipe::pipe_with(flags).map_err(failed())?;
        let is_session = matches!(request, Request::Session { .. });
        let child = Command::new(program())
            .env_clear()
            .current_dir("/")
            .stdin(theirs)
            .stdout(Stdio::null())
            .stderr(last_words)
            .kill_on_drop(!is_session)
            .spawn()
            .map_err(failed())?;
        socket::send(&ours, &message, fds).map_err(failed())?;
        Ok(Self {
            child: Some(child),
            is_session,
            slot: Some(slot.clone()),
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
                self.slot = None;
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
            Err(_) => Err(Error::TimedOut(format!(
                "Timed out: {what} took longer than {} s",
                DEADLINE.as_secs()
            ))),
        }
    }

    /// Tells it that what it does is not wanted any more. Its reply, when it comes, is an error then, or too late.
    pub fn cancel(&self) {
        // One that has ended can't be told.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Why it ended without a reply.
    async fn died(&mut self) -> Error {
        let ended = async { self.child.as_mut()?.wait().await.ok() };
        let status = match timeout(DEADLINE, ended).await {
            Ok(Some(status)) => status.to_string(),
            _ => "no status".to_owned(),
        };
        let mut words = [0; LAST_WORDS];
        let length = rustix::io::read(&self.errors, &mut words).unwrap_or(0);
        let words = String::from_utf8_lossy(words.get(..length).unwrap_or_default());
        let what = format!("{NAME} failed ({status}) {}", printable(words.trim()));
        Error::Io(what.trim_end().to_owned(), Errno::IO.into())
    }
}

impl Drop for Helper {
    /// A process that hangs in a file system of the machine (FUSE) may not end when it is killed, but when that lets it.
    /// Until then it keeps its place, or such a machine could fill the system with them.
    ///
    /// Each is waited for here. What is left to tokio is looked for when the daemon next wakes up, and an idle one need not for
    /// hours: a zombie for so long.
    fn drop(&mut self) {
        let slot = self.slot.take();
        let Some(mut child) = self.child.take() else {
            return;
        };
        if slot.is_some() || !self.is_session {
            let _ = child.start_kill();
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let _ = child.wait().await;
                drop(slot);
            });
        }
    }
}

/// Starts a process, and waits for its reply until the deadline. `what` is told when it is missed: "reading os-release".
pub async fn run(
    request: &Request,
    fds: &[BorrowedFd<'_>],
    slot: &Slot,
    what: &str,
) -> Result<Reply, Error> {
    Helper::start(request, fds, slot)?.reply_in_time(what).await
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
    use crate::enter::slots;

    #[test]
    fn text_from_a_machine_steers_no_terminal() {
        assert_eq!(
            printable("a\x1b[2J\nb\u{9b}c é"),
            "a\\u{1b}[2J\\nb\\u{9b}c é"
        );
        assert_eq!(printable(&"x".repeat(9999)).len(), LONGEST_TEXT);
    }

    fn helper(slot: Option<Slot>, is_session: bool, program: &str) -> (Helper, PathBuf) {
        let line = format!("exec {program}");
        let child = Command::new("sh").args(["-c", &line]).spawn().unwrap();
        let process = PathBuf::from(format!("/proc/{}", child.id().unwrap()));
        let (ours, _theirs) = socket::pair().unwrap();
        let (errors, _) = rustix::pipe::pipe().unwrap();
        let ours = net::UnixDatagram::from(ours);
        ours.set_nonblocking(true).unwrap();
        let helper = Helper {
            child: Some(child),
            is_session,
            slot,
            socket: UnixDatagram::from_std(ours).unwrap(),
            errors,
        };
        (helper, process)
    }

    /// Killed or not, a process has its place for as long as it is there.
    #[tokio::test]
    async fn a_place_is_free_when_its_process_is_gone() {
        let slot = slots::SHORT.take("a-machine-of-its-own").unwrap();
        let (helper, process) = helper(Some(slot), false, "sleep 60");
        let is_taken = || slots::SHORT.holds("a-machine-of-its-own");
        drop(helper);
        assert!(is_taken() && process.exists());
        while is_taken() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(!process.exists());
    }

    /// Looked at from outside of the runtime, which nothing else wakes up.
    async fn is_reaped(process: PathBuf) -> bool {
        let gone = move || {
            (0..3000).any(|_| {
                std::thread::sleep(Duration::from_millis(1));
                !process.exists()
            })
        };
        tokio::task::spawn_blocking(gone).await.unwrap()
    }

    #[tokio::test]
    async fn one_that_has_replied_is_waited_for() {
        let (helper, process) = helper(None, false, "sleep 60");
        drop(helper);
        assert!(is_reaped(process).await);
    }

    #[tokio::test]
    async fn a_session_goes_on_and_is_waited_for() {
        let (helper, process) = helper(None, true, "sleep 0.5");
        drop(helper);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(process.exists());
        assert!(is_reaped(process).await);
    }
}
