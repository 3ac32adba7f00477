//! A connection from its beginning to its end, a step at a time. What is done with its messages is decided elsewhere.

mod opening;
mod transfer;

use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use dbus::address::Guid;
use dbus::authentication::Side;
use dbus::connection::{Incoming, Outgoing, Replies, Serials};
use dbus::{Basic, Kind};

pub use self::opening::local_signal;
use super::container::Inside;
use super::errno;
use super::message::Sealed;
use super::program::Program;
use super::route::{Line, Route};
use super::socket::Socket;
use super::watch::Watch;
pub use crate::ffi::sys::now;
use crate::{Errno, Result};

/// How long a call waits for its answer, in µs, if nobody says otherwise.
pub const TIMEOUT: u64 = 25_000_000;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It was not begun.
    Unset,
    /// The server's socket is not there yet.
    Watching,
    /// The server is being connected to.
    Opening,
    /// Both sides say who they are.
    Authenticating,
    /// The bus was asked for a name.
    Hello,
    /// Messages go.
    Running,
    /// It is over, and what waits for it is to be told.
    Closing,
    /// It is over.
    Closed,
}

/// What waits for the answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiter {
    /// This connection, for its name.
    Hello,
    /// A slot, by its number.
    Slot(u64),
}

/// What a step has come to.
#[derive(Debug)]
pub enum Step {
    /// There was nothing to do.
    Idle,
    /// Something was done.
    Done,
    /// A message is to be looked at.
    Received(Sealed),
    /// The answer to a call.
    Answered(u64, Sealed),
    /// It is too late for the answer to a call of this number.
    TimedOut(u64, u32),
    /// A call of this number is not answered any more: the connection is over.
    Abandoned(u64, u32),
    /// The connection is over, for the first time.
    Over,
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    pub(crate) phase: Phase,
    /// A program that speaks for the server.
    pub(crate) exec: Option<Line>,
    /// Servers, one after the other until one is there.
    pub(crate) addresses: Option<CString>,
    /// A container's bus, if no other is there.
    pub(crate) inside: Option<Inside>,
    /// Whether a socket that is not there yet is waited for.
    pub(crate) waits_for_bind: bool,
    route: Option<Route>,
    watch: Option<Watch>,
    socket: Option<Socket>,
    /// Behind the socket, whose end it may be waiting for.
    program: Option<Program>,
    authentication: Option<Side>,
    /// When authentication takes too long.
    deadline: u64,
    incoming: Incoming<OwnedFd>,
    outgoing: Outgoing<Sealed>,
    /// What is to be sent once authentication is over.
    early: Vec<Sealed>,
    received: VecDeque<Sealed>,
    serials: Serials,
    replies: Replies<Waiter>,
    /// Whether this is the server, and who it says it is.
    pub(crate) serves: Option<Guid>,
    /// Whether the server is a bus.
    pub(crate) is_client: bool,
    /// Whether it only looks on.
    pub(crate) is_monitor: bool,
    /// Whether a signal tells that it stands.
    pub(crate) tells_connected: bool,
    pub(crate) is_anonymous: bool,
    pub(crate) wants_descriptors: bool,
    /// Whether who is on the other side is of this machine.
    pub(crate) is_local: bool,
    can_descriptors: bool,
    server: Guid,
    pub(crate) unique_name: Option<CString>,
    pub(crate) timeout: u64,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            phase: Phase::Unset,
            exec: None,
            addresses: None,
            inside: None,
            waits_for_bind: false,
            route: None,
            watch: None,
            socket: None,
            program: None,
            authentication: None,
            deadline: u64::MAX,
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
            early: Vec::new(),
            received: VecDeque::new(),
            serials: Serials::default(),
            replies: Replies::default(),
            serves: None,
            is_client: false,
            is_monitor: false,
            tells_connected: false,
            is_anonymous: false,
            wants_descriptors: true,
            is_local: false,
            can_descriptors: false,
            server: Guid::default(),
            unique_name: None,
            timeout: TIMEOUT,
        }
    }
}

impl Connection {
    /// Takes descriptors that are connected already.
    ///
    /// # Errors
    /// EPERM once it was begun; of fcntl(2).
    pub fn set_socket(&mut self, input: OwnedFd, output: Option<OwnedFd>) -> Result<()> {
        self.unset()?;
        self.socket = Some(Socket::of(input, output)?);
        Ok(())
    }

    /// Sees that it was not begun.
    ///
    /// # Errors
    /// EPERM
    pub fn unset(&self) -> Result<()> {
        match self.phase {
            Phase::Unset => Ok(()),
            _ => Err(Errno::PERM),
        }
    }

    /// Whether messages may be given to it.
    pub fn is_open(&self) -> bool {
        (Phase::Watching..=Phase::Running).contains(&self.phase)
    }

    /// Sees that messages may be given to it.
    ///
    /// # Errors
    /// ENOTCONN
    pub fn check_open(&self) -> Result<()> {
        match self.is_open() {
            true => Ok(()),
            false => Err(Errno::NOTCONN),
        }
    }

    /// Its socket; or what is to be waited for until it has one.
    ///
    /// # Errors
    /// ENOTCONN if it has none.
    pub fn socket(&self) -> Result<&Socket> {
        let watch = self.watch.as_ref().map(Watch::descriptor);
        watch.or(self.socket.as_ref()).ok_or(Errno::NOTCONN)
    }

    /// Who the server says it is.
    pub fn server(&self) -> Guid {
        self.server
    }

    /// Whether descriptors may go with messages.
    pub fn can_descriptors(&self) -> bool {
        self.can_descriptors
    }

    /// How many messages were received, and are to be sent.
    pub fn queued(&self) -> (usize, usize) {
        (self.received.len(), self.outgoing.len() + self.early.len())
    }

    /// Whether there are messages that need not be waited for: one read may have brought several.
    pub fn has_received(&self) -> bool {
        !self.received.is_empty() || self.incoming.is_ready()
    }

    /// Whether there are bytes that could be written.
    pub fn wants_to_write(&self) -> bool {
        let saying = |side: &Side| !side.output().is_empty();
        match self.phase {
            Phase::Opening => true,
            Phase::Authenticating => self.authentication.as_ref().is_some_and(saying),
            Phase::Hello | Phase::Running => !self.outgoing.is_empty(),
            _ => false,
        }
    }

    /// When it has to be looked at without anything to read, in µs of CLOCK_MONOTONIC; `u64::MAX` for never.
    pub fn wake(&self) -> u64 {
        match self.phase {
            Phase::Authenticating => self.deadline,
            Phase::Hello | Phase::Running if self.has_received() => 0,
            Phase::Hello | Phase::Running => self.replies.deadline().unwrap_or(u64::MAX),
            Phase::Closing => 0,
            Phase::Unset | Phase::Watching | Phase::Opening | Phase::Closed => u64::MAX,
        }
    }

    /// The number for the next message.
    pub fn next_serial(&mut self) -> u32 {
        self.serials.next(&self.replies)
    }

    /// Sends a message, as soon as that can be.
    ///
    /// # Errors
    /// ENOTCONN; EINVAL if it is none; ENOBUFS if too many wait; EOPNOTSUPP if it has descriptors and the peer takes none; of sendmsg(2).
    pub fn send(&mut self, message: Sealed) -> Result<()> {
        self.check_open()?;
        if message.message().header().kind() == Kind::Other(0) {
            return Err(Errno::INVAL); // libsystemd sends it, and nobody can read it
        }
        let has_descriptors = !message.descriptors().is_empty();
        if has_descriptors && self.phase >= Phase::Hello && !self.can_descriptors {
            return Err(Errno::OPNOTSUPP);
        }
        if self.phase < Phase::Hello {
            if self.early.len() >= dbus::connection::MAX_QUEUE {
                return Err(Errno::NOBUFS);
            }
            self.early.push(message);
            return Ok(());
        }
        self.outgoing.push(message).map_err(errno)?;
        if self.write().is_err() {
            self.fail();
            return Err(Errno::CONNRESET);
        }
        Ok(())
    }

    /// Waits for an answer; `deadline` in µs of CLOCK_MONOTONIC.
    ///
    /// # Errors
    /// ENOBUFS if too many are waited for.
    pub fn await_reply(&mut self, serial: u32, deadline: u64, waiter: Waiter) -> Result<()> {
        let awaited = self.replies.insert(serial, deadline, waiter);
        awaited.map_err(errno)
    }

    /// Waits no more for an answer.
    pub fn forget_reply(&mut self, serial: u32) {
        self.replies.take(serial);
    }

    /// One thing of what there is to do.
    ///
    /// # Errors
    /// Of authentication: the connection goes no further then. That the peer refuses or has gone is none, as later on.
    pub fn step(&mut self) -> Result<Step> {
        match self.phase {
            Phase::Unset => Err(Errno::NOTCONN),
            Phase::Closed => Err(Errno::CONNRESET),
            Phase::Watching | Phase::Opening | Phase::Authenticating => match self.go_on() {
                Ok(true) => Ok(Step::Done),
                Ok(false) => Ok(Step::Idle),
                Err(errno) => {
                    self.fail();
                    // Who is refused is told so by the connection's end, as in sd-bus, where the bus has hung up.
                    match errno == Errno::PERM || is_disconnect(errno) {
                        true => Ok(Step::Done),
                        false => Err(errno),
                    }
                }
            },
            Phase::Hello | Phase::Running => match self.exchange() {
                Ok(step) => Ok(step),
                Err(_) => {
                    self.fail();
                    Ok(Step::Done)
                }
            },
            Phase::Closing => Ok(match self.replies.abandon() {
                Some((serial, Waiter::Slot(slot))) => Step::Abandoned(slot, serial),
                Some((_, Waiter::Hello)) => Step::Done,
                None => {
                    self.close();
                    Step::Over
                }
            }),
        }
    }

    fn exchange(&mut self) -> Result<Step> {
        if let Some(deadline) = self.replies.deadline()
            && let now = now()
            && deadline <= now
            && let Some((serial, waiter)) = self.replies.expire(now)
        {
            return match waiter {
                Waiter::Slot(slot) => Ok(Step::TimedOut(slot, serial)),
                Waiter::Hello => Err(Errno::TIMEDOUT),
            };
        }
        let wrote = self.write()?;
        if self.received.is_empty() {
            self.read()?;
        }
        match self.received.pop_front() {
            Some(message) => self.sort(message),
            None if wrote => Ok(Step::Done),
            None => Ok(Step::Idle),
        }
    }

    /// To whom a message is.
    fn sort(&mut self, message: Sealed) -> Result<Step> {
        let header = message.message().header();
        let waiter = match header.kind() {
            Kind::MethodReturn | Kind::Error => {
                let serial = header.reply_serial();
                serial.and_then(|serial| self.replies.take(serial))
            }
            _ => None,
        };
        match waiter {
            Some(Waiter::Hello) => self.named(&message).map(|()| Step::Done),
            Some(Waiter::Slot(slot)) => Ok(Step::Answered(slot, message)),
            None => Ok(Step::Received(message)),
        }
    }

    /// The answer to Hello.
    fn named(&mut self, message: &Sealed) -> Result<()> {
        let body = message.message();
        if body.header().kind() == Kind::Error {
            return Err(Errno::PERM);
        }
        let name = body.cursor().read_basic(body, b's').map_err(errno)?;
        let Some(Basic::String(name)) = name else {
            return Err(Errno::BADMSG);
        };
        if !dbus::name::is_unique(name.to_bytes()) {
            return Err(Errno::BADMSG);
        }
        self.unique_name = Some(name.to_owned());
        self.run()
    }

    /// Takes the answer to this call out of what was received, wherever it stands.
    ///
    /// # Errors
    /// Of the connection, which is closed then.
    pub fn take_reply(&mut self, serial: u32) -> Result<Option<Sealed>> {
        let is_it = |message: &Sealed| {
            let header = message.message().header();
            matches!(header.kind(), Kind::MethodReturn | Kind::Error)
                && header.reply_serial() == Some(serial)
        };
        let mut looked = 0;
        loop {
            let found = self.received.iter().skip(looked).position(is_it);
            if let Some(index) = found {
                return Ok(self.received.remove(looked + index));
            }
            looked = self.received.len();
            match self.read() {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(_) => {
                    self.fail();
                    return Err(Errno::CONNRESET);
                }
            }
        }
    }

    /// It goes no further. What waits is to be told yet, and its descriptors stay, for whoever waits for these.
    pub fn fail(&mut self) {
        if self.is_open() {
            self.phase = Phase::Closing;
        }
    }

    /// How many calls wait for their answers, those of this connection itself too.
    pub fn awaited(&self) -> usize {
        self.replies.len()
    }

    /// Ends it. What was not sent is not sent.
    pub fn close(&mut self) {
        if self.phase != Phase::Unset {
            self.phase = Phase::Closed;
        }
        self.socket = None;
        self.watch = None;
        self.program = None;
        self.outgoing = Outgoing::default();
        self.early.clear();
        self.received.clear();
    }

    /// The name that the bus has given.
    pub fn name(&self) -> Option<&CStr> {
        self.unique_name.as_deref()
    }
}

/// Whether the peer has gone, or there is no way to it.
fn is_disconnect(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::CONNABORTED
            | Errno::CONNREFUSED
            | Errno::CONNRESET
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::NETDOWN
            | Errno::NETRESET
            | Errno::NETUNREACH
            | Errno::NOTCONN
            | Errno::PIPE
            | Errno::PROTO
            | Errno::SHUTDOWN
            | Errno::TIMEDOUT
    )
}
