//! Packets of the stub's clients.

use resolved::stub::trial::{Trial, try_packet};

/// A packet to the stub: a wrong one costs no more than its size, and a copy of an answer is the answer.
pub fn stub_packet(packet: &[u8]) {
    match try_packet(packet) {
        Trial::Ignored => {}
        Trial::Refused(reply) => assert!(reply.len() <= packet.len() && reply[..2] == packet[..2]),
        Trial::Answered { reply, copied } => assert!(copied.is_none_or(|copied| copied == reply)),
    }
}
