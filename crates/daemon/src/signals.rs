//! The signals that a daemon gets from whoever runs it.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for the signals that end the daemon: SIGTERM and SIGINT. SIGHUP, which a terminal sends on its way out and
/// others send to say "read your configuration again", does nothing: there is no configuration.
#[derive(Debug)]
pub struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// If a handler can't be set. To be called inside the runtime.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
        })
    }

    /// Returns when the daemon shall end, with the signal's name.
    pub async fn end(&mut self) -> &'static str {
        loop {
            tokio::select! {
                _ = self.term.recv() => return "SIGTERM",
                _ = self.int.recv() => return "SIGINT",
                _ = self.hup.recv() => tracing::debug!("SIGHUP: nothing to read again"),
            }
        }
    }
}
