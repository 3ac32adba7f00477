//! A connection until messages go: the way to the server, authentication, and a name.

use std::io::IoSlice;

use dbus::Builder;
use dbus::address::Guid;
use dbus::authentication::{Client, Identity, Server, Side};
use dbus::connection::Incoming;
use dbus::message::Field;

use super::{Connection, Phase, Waiter, now};
use crate::bus::errno;
use crate::bus::message::{MADE_UP, Sealed};
use crate::bus::route::{Found, Route, connected};
use crate::bus::socket::Socket;
use crate::ffi::peer;
use crate::{Errno, Result};

/// How long authentication may take, in µs.
const AUTHENTICATION: u64 = 90_000_000;
/// How much of authentication is read at a time.
const PIECE: usize = 1024;

impl Connection {
    /// Begins.
    ///
    /// # Errors
    /// EPERM if it was begun; EINVAL without a server, and for a server that is to be a bus's client; of the last server.
    pub fn start(&mut self) -> Result<()> {
        self.unset()?;
        let has_way = self.socket.is_some()
            || self.exec.is_some()
            || self.addresses.is_some()
            || self.inside.is_some();
        if !has_way || self.serves.is_some() && self.is_client {
            // It was begun, even so: sdbus-c++ makes its messages of such a bus.
            self.phase = Phase::Closed;
            return Err(Errno::INVAL);
        }
        let begun = self.begin();
        if begun.is_err() {
            self.phase = Phase::Closing;
            self.close();
        }
        begun
    }

    fn begin(&mut self) -> Result<()> {
        if self.socket.is_some() {
            return self.meet(None);
        }
        let list = self.addresses.as_deref().unwrap_or_default();
        self.route = Some(Route::new(
            self.exec.clone(),
            list.to_bytes(),
            self.inside.clone(),
            self.waits_for_bind,
        ));
        self.try_next()
    }

    /// Goes the next way to a server.
    fn try_next(&mut self) -> Result<()> {
        let route = self.route.as_mut().ok_or(Errno::NOTCONN)?;
        let found = route.follow()?;
        let guid = route.guid();
        match found {
            Found::Server(socket) => self.reach(socket, guid),
            Found::Program(socket, program) => {
                self.program = Some(program);
                self.reach(socket, guid)
            }
            Found::Connecting(socket) => {
                self.socket = Some(socket);
                self.phase = Phase::Opening;
                Ok(())
            }
            Found::Awaited(watch) => {
                self.watch = Some(watch);
                self.phase = Phase::Watching;
                Ok(())
            }
        }
    }

    /// Goes on towards the first message. Whether anything was done.
    pub(super) fn go_on(&mut self) -> Result<bool> {
        match self.phase {
            Phase::Watching => self.look_again(),
            Phase::Opening => self.ask_again(),
            _ if now() >= self.deadline => Err(Errno::TIMEDOUT),
            _ => self.authenticate(),
        }
    }

    fn look_again(&mut self) -> Result<bool> {
        let watch = self.watch.as_mut().ok_or(Errno::NOTCONN)?;
        if !watch.has_changed()? {
            return Ok(false);
        }
        if let Some(socket) = watch.connect()? {
            let guid = self.route.as_ref().and_then(Route::guid);
            self.watch = None;
            self.reach(socket, guid)?;
        }
        Ok(true)
    }

    fn ask_again(&mut self) -> Result<bool> {
        let socket = self.socket.as_ref().ok_or(Errno::NOTCONN)?;
        match connected(socket) {
            Ok(None) => return Ok(false),
            Ok(Some(())) => self.meet(self.route.as_ref().and_then(Route::guid))?,
            Err(errno) => {
                self.socket = None;
                if let Some(route) = &mut self.route {
                    route.failed(errno);
                }
                self.try_next()?;
            }
        }
        Ok(true)
    }

    fn reach(&mut self, socket: Socket, guid: Option<Guid>) -> Result<()> {
        self.socket = Some(socket);
        self.meet(guid)
    }

    /// Begins to say who is who.
    fn meet(&mut self, expected: Option<Guid>) -> Result<()> {
        let socket = self.socket.as_ref().ok_or(Errno::NOTCONN)?;
        let is_unix = socket.passes_descriptors();
        if is_unix {
            socket.enlarge();
        }
        self.is_local = self.route.as_ref().is_some_and(Route::is_local);
        let descriptors = self.wants_descriptors && is_unix;
        self.authentication = Some(match self.serves {
            Some(guid) => {
                let peer = peer::credentials(socket.input()).ok();
                let peer = peer.map(|peer| peer.user);
                let server = Server::new(guid, peer, self.is_anonymous, descriptors);
                Side::Server(server)
            }
            None => {
                let identity = match self.is_anonymous {
                    true => Identity::Anonymous,
                    false => Identity::Peer,
                };
                Side::Client(Client::new(identity, descriptors, expected))
            }
        });
        self.phase = Phase::Authenticating;
        self.deadline = now().saturating_add(AUTHENTICATION);
        self.authenticate().map(drop)
    }

    /// Goes on with authentication. Whether anything was done.
    fn authenticate(&mut self) -> Result<bool> {
        let mut any = false;
        loop {
            let socket = self.socket.as_ref().ok_or(Errno::NOTCONN)?;
            let side = self.authentication.as_mut().ok_or(Errno::NOTCONN)?;
            while !side.output().is_empty() {
                let count = socket.send(&[IoSlice::new(side.output())], &[])?;
                if count == 0 {
                    return Ok(any);
                }
                any = true;
                side.sent(count);
            }
            if let Some(outcome) = side.outcome() {
                self.server = outcome.server;
                self.can_descriptors = outcome.descriptors;
                self.authentication = None;
                self.authenticated()?;
                return Ok(true);
            }
            let mut received = Vec::with_capacity(PIECE);
            let Some(descriptors) = socket.receive(&mut received)? else {
                return Ok(any);
            };
            any = true;
            let used = side.input(&received).map_err(errno)?;
            match side.outcome() {
                // The first message may come with the last word, and bring descriptors.
                Some(outcome) if outcome.descriptors || descriptors.is_empty() => {
                    self.incoming = Incoming::new(received.get(used..).unwrap_or_default());
                    self.incoming.received(descriptors).map_err(errno)?;
                }
                None if descriptors.is_empty() => {}
                _ => return Err(Errno::IO),
            }
        }
    }

    fn authenticated(&mut self) -> Result<()> {
        if self.is_client {
            let mut hello = Builder::method_call(
                Some(b"org.freedesktop.DBus"),
                b"/org/freedesktop/DBus",
                Some(b"org.freedesktop.DBus"),
                b"Hello",
            )
            .map_err(errno)?;
            let serial = self.next_serial();
            let hello = Sealed::new(hello.seal(serial).map_err(errno)?, Vec::new());
            let deadline = now().saturating_add(self.timeout);
            self.await_reply(serial, deadline, Waiter::Hello)?;
            self.outgoing.push(hello).map_err(errno)?;
            self.phase = Phase::Hello;
        } else {
            self.run()?;
        }
        // The bus takes one message after the other, so these may go before the answer to Hello is there.
        for message in std::mem::take(&mut self.early) {
            self.outgoing.push(message).map_err(errno)?;
        }
        self.write().map(drop)
    }

    /// The connection stands.
    pub(super) fn run(&mut self) -> Result<()> {
        self.phase = Phase::Running;
        if self.tells_connected {
            let told = local_signal(b"Connected")?;
            self.received.push_front(told);
        }
        Ok(())
    }
}

/// A signal that comes from nobody but us.
///
/// # Errors
/// None, for a name of a member.
pub fn local_signal(member: &[u8]) -> Result<Sealed> {
    let local = b"org.freedesktop.DBus.Local";
    let mut signal =
        Builder::signal(b"/org/freedesktop/DBus/Local", local, member).map_err(errno)?;
    signal.set(Field::Sender, local).map_err(errno)?;
    let signal = signal.seal(MADE_UP).map_err(errno)?;
    Ok(Sealed::new(signal, Vec::new()))
}
