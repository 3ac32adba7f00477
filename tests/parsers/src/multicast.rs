//! What neighbours send.

use hickory_proto::op::Message;
use resolved::{
    llmnr::trial::try_message,
    mdns::trial::{LIMIT, try_packets},
};

use crate::parts;

/// A message of LLMNR: only what was asked for is believed, and what is read is what would be written.
pub fn llmnr_message(bytes: &[u8]) {
    let Some(trial) = try_message(bytes) else {
        return;
    };
    for record in &trial.answers {
        assert_eq!(record.name, trial.question.name);
    }
    let Some(written) = trial.written else {
        return;
    };
    let again = try_message(&written).expect("our own message");
    assert_eq!(again.question, trial.question);
    assert_eq!(again.answers.len(), trial.answers.len());
}

/// Packets of mDNS: each has a place in memory that is bounded, and each packet that answers is one, and fits.
pub fn mdns_packets(bytes: &[u8]) {
    let packets: Vec<_> = parts(bytes).take(16).collect();
    let outcome = try_packets(&packets).expect("a machine");
    // As many as it may send and hear by itself, and an answer to each packet with what more it takes to say.
    assert!(outcome.sent.len() <= 32 + 8 * packets.len());
    assert!(outcome.places <= 2048);
    assert!(!outcome.spins, "it would be called for ever");
    for packet in &outcome.sent {
        let message = Message::from_vec(packet).expect("a message");
        let records = message.answers.len() + message.authorities.len();
        assert!(packet.len() <= LIMIT || records <= 1 || message.queries.len() > 1);
    }
}
