//! Authentication (D-Bus specification, "Authentication Protocol"): what comes before the first message, for both sides.
//!
//! Bytes that were received go in, bytes to send come out, until there is an [`Outcome`]. What follows that are messages.

mod client;
mod lines;
mod server;

pub use client::{Client, Identity};
pub use server::Server;

use crate::address::Guid;
use crate::error::Result;

/// How much either side may say until it is done, in bytes.
pub const MAX_LENGTH: usize = 64 << 10;

/// What both sides know after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Of the server.
    pub server: Guid,
    /// Whether messages may come with descriptors.
    pub descriptors: bool,
}

/// Either side.
#[derive(Clone, Debug)]
pub enum Side {
    /// The one that connects.
    Client(Client),
    /// The one that was connected to.
    Server(Server),
}

impl Side {
    /// What is still to be sent.
    pub fn output(&self) -> &[u8] {
        match self {
            Self::Client(client) => client.output(),
            Self::Server(server) => server.output(),
        }
    }

    /// So many bytes of it were sent.
    pub fn sent(&mut self, count: usize) {
        match self {
            Self::Client(client) => client.sent(count),
            Self::Server(server) => server.sent(count),
        }
    }

    /// What came of it, when it is over.
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Client(client) => client.outcome(),
            Self::Server(server) => server.outcome(),
        }
    }

    /// Takes what was received, and gives how much of it: the rest are messages.
    ///
    /// # Errors
    /// As [`Client::input`] and [`Server::input`].
    pub fn input(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Client(client) => client.input(bytes),
            Self::Server(server) => server.input(bytes),
        }
    }
}

#[cfg(test)]
mod tests;
