//! A packet through all that reads and writes them, without a socket or a resolver: for fuzzing.

use std::net::Ipv4Addr;

use hickory_proto::{
    op::ResponseCode,
    rr::{Name, RData, Record, rdata::A},
    serialize::binary::{BinDecodable, BinDecoder},
};

use super::{
    hot::from_copy,
    query,
    reply::{self, Contents},
    serve::{Verdict, limit, verdict},
    sockets::Profile,
    wire::{Moment, Table},
};

/// What became of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// No reply.
    Ignored,
    /// This reply, at once.
    Refused(Vec<u8>),
    /// It was looked up.
    Answered {
        /// Of the lookup: ten addresses.
        reply: Vec<u8>,
        /// The same from a copy of it, where the query may have one.
        copied: Option<Vec<u8>>,
    },
}

/// Does with a packet what the stub does.
#[must_use]
pub fn try_packet(packet: &[u8]) -> Trial {
    match verdict(packet, Profile::STUB) {
        Verdict::Ignore => Trial::Ignored,
        Verdict::Reply(reply) => Trial::Refused(reply),
        Verdict::LookUp => look_up(packet).unwrap_or(Trial::Ignored),
    }
}

fn look_up(packet: &[u8]) -> Option<Trial> {
    let query = query::parse(packet).ok()?;
    let name = Name::read(&mut BinDecoder::new(query.name))
        .ok()?
        .to_lowercase();
    let record = |last| {
        let address = Ipv4Addr::new(192, 0, 2, last);
        Record::from_rdata(name.clone(), 60, RData::A(A(address)))
    };
    let records: Vec<_> = (0..10).map(record).collect();
    let contents = Contents {
        answers: records.iter().collect(),
        ..Contents::code(ResponseCode::NoError)
    };
    let reply = reply::compose(&query, &contents, limit(&query, Profile::STUB, false));
    let moment = Moment {
        generation: 0,
        now: 1000,
    };
    let mut table = Table::new(1 << 16);
    if !reply.truncated {
        table.put(&query, &reply.message, false, moment);
    }
    let mut copied = Vec::new();
    let given = from_copy(&table, packet, moment, &mut copied);
    Some(Trial::Answered {
        reply: reply.finish(&query, Profile::STUB.size()),
        copied: given.map(|_| copied),
    })
}
