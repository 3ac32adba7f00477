//! The stub on 127.0.0.53, the proxy on 127.0.0.54, and what DNSStubListenerExtra= adds: UDP and TCP.
//!
//! A question whose answer was given before is answered by threads of their own from its wire bytes ([`hot`]); every other
//! goes to the main thread ([`serve`]) and [`Resolve`]. Local programs are the clients: whatever they send, a wrong packet
//! costs no more than its size.

mod hot;
mod query;
mod reply;
mod rules;
mod serve;
mod sockets;
mod tcp;
#[cfg(test)]
mod tests;
pub mod trial;
mod udp;
mod wire;

use std::{
    future::Future,
    io,
    net::UdpSocket,
    rc::Rc,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::JoinHandle,
};

use hickory_proto::rr::Name;
use rustix::net::{Shutdown, shutdown};
use tokio::task::JoinSet;

use crate::{
    cache,
    config::ExtraListener,
    failure::Failure,
    message::{Answer, Lookup, Question, Response},
    mode::StubListener,
};
pub use sockets::Sockets;
use wire::Table;

/// Who answers what the stub does not know: the manager.
pub trait Resolve {
    /// A lookup through the whole pipeline; its flags have NO_SEARCH, and NO_VALIDATE where the client set CD. With NO_CACHE it
    /// is a refreshment of something hot: the answer is to be put into the cache.
    fn answer(&self, lookup: Lookup) -> impl Future<Output = Result<Answer, Failure>>;

    /// The servers of the scope that the name is routed to, DNS alone: no search, no synthesis, no CNAME followed. The response
    /// is passed on as it is.
    fn bypass(
        &self,
        question: Question,
        dnssec_ok: bool,
        checking_disabled: bool,
    ) -> impl Future<Output = Result<Response, Failure>>;

    /// Whether nothing but the cache has a say in this name, and nobody watches what is asked: then what was answered from
    /// the cache may be answered again without asking here, until the cache has another generation or two seconds have
    /// passed since the last question of any kind.
    fn may_be_copied(&self, _name: &Name) -> bool {
        true
    }
}

/// Where to listen, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `DNSStubListener=`: of 127.0.0.53 and 127.0.0.54.
    pub listener: StubListener,
    /// `DNSStubListenerExtra=`.
    pub extra: Vec<ExtraListener>,
    /// Of memory, for answers in wire form.
    pub wire_bytes: usize,
    /// Threads that answer from memory; 0: one for each core, at most four.
    pub threads: usize,
}

/// What all threads see.
#[derive(Debug)]
struct Common {
    table: RwLock<Table>,
    cache: Arc<cache::Shared>,
    /// Until when copies hold without the main thread having looked at anything: seconds of CLOCK_BOOTTIME. It reads what
    /// changes without a word, /etc/hosts, when a question comes, so one must come from time to time.
    lease: AtomicU32,
    stopping: AtomicBool,
}

/// The listeners at work. They end when it is dropped.
#[derive(Debug)]
pub struct Stub {
    common: Arc<Common>,
    threads: Vec<(Arc<UdpSocket>, JoinHandle<()>)>,
    /// Of the main thread. They hold all that is under way, and are aborted when this is dropped.
    tasks: JoinSet<()>,
}

impl Stub {
    /// Begins to answer, on a [`tokio::runtime::LocalRuntime`] and on threads. Not before privileges are dropped: a
    /// thread keeps those that it was made with.
    ///
    /// # Errors
    /// The system has no more threads, or the runtime can't watch a socket.
    pub fn start<R: Resolve + 'static>(
        sockets: Sockets,
        resolver: R,
        cache: Arc<cache::Shared>,
        settings: &Settings,
    ) -> io::Result<Self> {
        let common = Arc::new(Common {
            table: RwLock::new(Table::new(settings.wire_bytes)),
            cache,
            lease: AtomicU32::new(0),
            stopping: AtomicBool::new(false),
        });
        let server = Rc::new(serve::Server::new(resolver, Arc::clone(&common)));
        let mut tasks = JoinSet::new();
        let mut stub = Self {
            common: Arc::clone(&common),
            threads: Vec::new(),
            tasks: JoinSet::new(),
        };
        let (forward, forwarded) = tokio::sync::mpsc::channel(hot::QUEUE);
        for socket in sockets.hot {
            let socket = Arc::new(socket);
            let thread = hot::spawn(Arc::clone(&socket), Arc::clone(&common), forward.clone())?;
            stub.threads.push((socket, thread));
        }
        tasks.spawn_local(udp::forwarded(Rc::clone(&server), forwarded));
        for (socket, profile) in sockets.datagrams {
            let socket = tokio::net::UdpSocket::from_std(socket)?;
            tasks.spawn_local(udp::listen(Rc::clone(&server), socket, profile));
        }
        for (listener, profile) in sockets.streams {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tasks.spawn_local(tcp::listen(Rc::clone(&server), listener, profile));
        }
        stub.tasks = tasks;
        Ok(stub)
    }

    /// Ends them. Then their ports are free, which after a mere drop they are only when the runtime comes to it.
    pub async fn end(mut self) {
        self.end_threads();
        self.tasks.shutdown().await;
    }

    fn end_threads(&mut self) {
        self.common.stopping.store(true, Ordering::Release);
        for (socket, thread) in self.threads.drain(..) {
            // It wakes who waits for a datagram, and says ENOTCONN: udp(7) has no connection to shut down.
            let _ = shutdown(&socket, Shutdown::Both);
            // It can't have panicked: that aborts.
            drop(thread.join());
        }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.end_threads();
    }
}
