//! What a connection has under way, without its socket.

mod incoming;
mod outgoing;
mod replies;

pub use incoming::Incoming;
pub use outgoing::Outgoing;
pub use replies::{Replies, Serials};

/// How many messages a queue holds.
pub const MAX_QUEUE: usize = 384 * 1024;
/// How many descriptors come with a message.
pub const MAX_DESCRIPTORS: usize = 1024;

#[cfg(test)]
mod tests;
