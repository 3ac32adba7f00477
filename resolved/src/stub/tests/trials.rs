//! Damaged packets by the thousand. The same by the million: examples/stub_packets.rs.

use super::packets::Packets;
use crate::stub::trial::{Trial, try_packet};

#[test]
fn whatever_comes_costs_no_more_than_its_size() {
    let mut counts = [0; 3];
    for packet in Packets::new(1).take(50_000) {
        match try_packet(&packet) {
            Trial::Ignored => counts[0] += 1,
            Trial::Refused(reply) => {
                assert!(reply.len() <= packet.len(), "{packet:02x?}");
                assert_eq!(reply[..2], packet[..2]);
                counts[1] += 1;
            }
            Trial::Answered { reply, copied } => {
                assert!(copied.is_none_or(|copied| copied == reply), "{packet:02x?}");
                counts[2] += 1;
            }
        }
    }
    assert!(counts.iter().all(|count| *count > 1000), "{counts:?}");
}
