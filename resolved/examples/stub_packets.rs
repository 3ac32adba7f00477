//! Damaged packets by the million through all of the stub that reads them and writes replies:
//! `cargo run --release -p resolved --example stub_packets [COUNT] [START]`.

#![forbid(unsafe_code)]

#[path = "../src/stub/tests/packets.rs"]
mod packets;

use std::{env, process::ExitCode, time::Instant};

use packets::Packets;
use resolved::stub::trial::{Trial, try_packet};

const COUNT: u64 = 10_000_000;

fn main() -> ExitCode {
    let argument = |place| env::args().nth(place).and_then(|text| text.parse().ok());
    let count: u64 = argument(1).unwrap_or(COUNT);
    let begun = Instant::now();
    let (mut ignored, mut refused, mut answered) = (0_u64, 0_u64, 0_u64);
    for packet in Packets::new(argument(2).unwrap_or(1)) {
        if ignored + refused + answered == count {
            break;
        }
        let in_order = match try_packet(&packet) {
            Trial::Ignored => {
                ignored += 1;
                true
            }
            Trial::Refused(reply) => {
                refused += 1;
                reply.len() <= packet.len() && reply.get(..2) == packet.get(..2)
            }
            Trial::Answered { reply, copied } => {
                answered += 1;
                copied.is_none_or(|copied| copied == reply)
            }
        };
        if !in_order {
            eprintln!("not as it should be: {packet:02x?}");
            return ExitCode::FAILURE;
        }
    }
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{count} packets in {took:.1} s: {ignored} ignored, {refused} refused, {answered} answered"
    );
    ExitCode::SUCCESS
}
