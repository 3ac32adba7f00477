//! How much a peer may take.

use std::time::Duration;

/// Bounds of one socket.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest message a peer may send, in bytes.
    pub message: usize,
    /// How long a message may take from its first byte to its last.
    pub receive: Duration,
    /// How long a peer may leave a reply unread once its socket is full.
    pub send: Duration,
    /// Connections of one user. At the limit the one of theirs that has been idle longest is closed for the new one.
    pub connections_per_user: usize,
    /// Connections in all. At the limit the idlest one of the user with the most is closed for the new one.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 128 * 1024,
            receive: Duration::from_secs(10),
            send: Duration::from_secs(10),
            connections_per_user: 192,
            connections: 1024,
        }
    }
}
