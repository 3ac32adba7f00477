//! Messages of neighbours, read and written again: for fuzzing.

use hickory_proto::rr::Record;

use super::message::{self, Heard};
use crate::message::Question;

/// What was read.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The question, asked or answered.
    pub question: Question,
    /// What is believed of an answer.
    pub answers: Vec<Record>,
    /// The same message as we would write it.
    pub written: Option<Vec<u8>>,
}

/// Reads a message; `None`: it is discarded.
#[must_use]
pub fn try_message(bytes: &[u8]) -> Option<Trial> {
    Some(match message::read(bytes)? {
        Heard::Query(query) => Trial {
            written: message::query(&query),
            question: query.question,
            answers: Vec::new(),
        },
        Heard::Reply(reply) => Trial {
            written: message::reply(&reply, usize::from(u16::MAX)),
            question: reply.question,
            answers: reply.answers,
        },
    })
}
