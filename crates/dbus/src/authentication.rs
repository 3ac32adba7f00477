//! Authentication (D-Bus specification, "Authentication Protocol"): what comes before the first message, for both sides.
//!
//! Bytes that were received go in, bytes to send come out, until there is an [`Outcome`]. What follows that are messages.

mod client;
mod lines;
mod server;

pub use client::{Client, Identity};
pub use server::Server;

use crate::address::Guid;

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

#[cfg(test)]
mod tests;
