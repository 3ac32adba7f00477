//! What can be asked by signals, as of systemd-resolved.service(8).

use std::{io, rc::Rc};

use daemon::notify;
use resolved::manager::Manager;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGRTMIN of glibc: two of the kernel's real-time signals are its own. signal(7)
const SIGRTMIN: i32 = 34;

/// Signals that ask for something.
pub struct Requests {
    reload: Signal,
    dump: Signal,
    flush: Signal,
    forget: Signal,
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub enum Request {
    /// SIGHUP: read the configuration again.
    Reload,
    /// SIGUSR1: log the state.
    Dump,
    /// SIGUSR2: forget what was learnt.
    Flush,
    /// SIGRTMIN+1: forget what the servers can.
    Forget,
}

impl Requests {
    /// Catches them from now on. To be called inside the runtime.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            reload: signal(SignalKind::hangup())?,
            dump: signal(SignalKind::user_defined1())?,
            flush: signal(SignalKind::user_defined2())?,
            forget: signal(SignalKind::from_raw(SIGRTMIN + 1))?,
        })
    }

    /// Waits for the next.
    pub async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.reload.recv() => Request::Reload,
            _ = self.dump.recv() => Request::Dump,
            _ = self.flush.recv() => Request::Flush,
            _ = self.forget.recv() => Request::Forget,
        }
    }
}

impl Request {
    /// Does it.
    pub fn serve(self, manager: &Rc<Manager>) {
        match self {
            Self::Reload => {
                super::report(notify::notify(&notify::reloading()));
                super::complain(&manager.reload());
                manager.flush_caches();
                super::report(notify::notify(notify::READY));
                tracing::info!("Read the configuration again");
            }
            Self::Dump => dump(manager),
            Self::Flush => manager.flush_caches(),
            Self::Forget => manager.reset_server_features(),
        }
    }
}

/// What there is, in the log: numbers, and the servers of each scope. Never names that were looked up.
fn dump(manager: &Manager) {
    let cache = manager.cache.statistics();
    tracing::info!(
        "Cache: {} entries, {} bytes, {} hits, {} misses",
        cache.size,
        manager.cache.bytes(),
        cache.hits,
        cache.misses
    );
    for scope in manager.scope_views() {
        let servers = scope.upstream.map(|upstream| upstream.state());
        tracing::info!("Scope {:?}: {servers:?}", scope.id);
    }
}
