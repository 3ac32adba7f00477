//! Messages of LLMNR: DNS's, with other meanings of two bits. RFC 4795, 2.1

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query as Asked, ResponseCode},
    rr::{DNSClass, Record},
};

use crate::message::Question;

/// A question that came.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query {
    pub(super) id: u16,
    /// The C bit: its sender got more than one answer to this.
    pub(super) conflict: bool,
    pub(super) question: Question,
}

/// An answer that came, or goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) id: u16,
    /// The C bit: the name is known not to be one machine's alone.
    pub(super) conflict: bool,
    /// The T bit: whether it is is not known yet.
    pub(super) tentative: bool,
    /// Not all of it; the rest by TCP.
    pub(super) truncated: bool,
    pub(super) rcode: ResponseCode,
    pub(super) question: Question,
    pub(super) answers: Vec<Record>,
}

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    Query(Query),
    Reply(Reply),
}

/// QR, and OPCODE: the byte of the header where both are. RFC 1035, 4.1.1
const RESPONSE: u8 = 0x80;

/// Reads a message; `None`: to be discarded without a word.
pub(super) fn read(bytes: &[u8]) -> Option<Heard> {
    // Before any more work: one question, and in a query nothing that it must not have. RFC 4795, 2.1.1
    let [_, _, flags, _, 0, 1, a0, a1, n0, n1, ..] = bytes else {
        return None;
    };
    if flags & RESPONSE == 0 && [a0, a1, n0, n1].into_iter().any(|byte| *byte != 0) {
        return None;
    }
    let message = Message::from_vec(bytes).ok()?;
    let [asked] = message.queries.as_slice() else {
        return None;
    };
    if message.op_code != OpCode::Query {
        return None;
    }
    let question = Question {
        name: asked.name.clone(),
        class: asked.query_class,
        rtype: asked.query_type,
    };
    let (id, conflict) = (message.id, message.authoritative);
    if message.message_type == MessageType::Query {
        return (message.response_code == ResponseCode::NoError).then_some(Heard::Query(Query {
            id,
            conflict,
            question,
        }));
    }
    let answers = message.answers.iter();
    // Only what was asked for is believed.
    let answers = answers.filter(|record| {
        record.name == question.name
            && record.dns_class == DNSClass::IN
            && answers_to(record, &question)
    });
    Some(Heard::Reply(Reply {
        id,
        conflict,
        tentative: message.recursion_desired,
        truncated: message.truncation,
        rcode: message.response_code,
        answers: answers.cloned().collect(),
        question,
    }))
}

fn answers_to(record: &Record, question: &Question) -> bool {
    use hickory_proto::rr::RecordType::{ANY, CNAME};
    let rtype = record.record_type();
    rtype == question.rtype || rtype == CNAME || question.rtype == ANY
}

/// A query as it goes out.
pub(super) fn query(query: &Query) -> Option<Vec<u8>> {
    let mut message = Message::new(query.id, MessageType::Query, OpCode::Query);
    message.metadata.authoritative = query.conflict;
    message.add_query(asked(&query.question));
    message.to_vec().ok()
}

/// A reply as it goes out; with nothing but the TC bit if it is longer than that.
pub(super) fn reply(reply: &Reply, longest: usize) -> Option<Vec<u8>> {
    let mut message = Message::new(reply.id, MessageType::Response, OpCode::Query);
    message.metadata.authoritative = reply.conflict;
    message.metadata.recursion_desired = reply.tentative;
    message.metadata.response_code = reply.rcode;
    message.add_query(asked(&reply.question));
    message.add_answers(reply.answers.iter().cloned());
    let bytes = message.to_vec().ok()?;
    if bytes.len() <= longest {
        return Some(bytes);
    }
    message.metadata.truncation = true;
    message.answers.clear();
    message.to_vec().ok()
}

fn asked(question: &Question) -> Asked {
    let mut asked = Asked::query(question.name.clone(), question.rtype);
    asked.query_class = question.class;
    asked
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::{RData, RecordType, rdata::A};

    use super::*;
    use crate::name;

    fn question() -> Question {
        Question::new(name::parse("web").unwrap(), RecordType::A)
    }

    fn a_reply() -> Reply {
        let data = RData::A(A::new(192, 0, 2, 1));
        Reply {
            id: 7,
            conflict: false,
            tentative: true,
            truncated: false,
            rcode: ResponseCode::NoError,
            question: question(),
            answers: vec![Record::from_rdata(question().name, 30, data)],
        }
    }

    #[test]
    fn bits_are_llmnrs() {
        let mine = Query {
            id: 0x1234,
            conflict: true,
            question: question(),
        };
        let bytes = query(&mine).unwrap();
        // ID, C, one question.
        assert_eq!(bytes[..12], [0x12, 0x34, 0x04, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(read(&bytes), Some(Heard::Query(mine)));
        let bytes = reply(&a_reply(), 512).unwrap();
        assert_eq!(bytes[2..4], [0x81, 0]);
        assert_eq!(read(&bytes), Some(Heard::Reply(a_reply())));
    }

    #[test]
    fn what_does_not_fit_is_left_to_tcp() {
        let Some(Heard::Reply(cut)) = read(&reply(&a_reply(), 30).unwrap()) else {
            panic!("no reply");
        };
        assert!(cut.truncated && cut.answers.is_empty());
    }

    #[test]
    fn what_was_not_asked_for_is_not_read() {
        let mut more = a_reply();
        let data = RData::A(A::new(192, 0, 2, 2));
        more.answers.push(Record::from_rdata(
            name::parse("bank.example").unwrap(),
            30,
            data,
        ));
        assert_eq!(
            read(&reply(&more, 512).unwrap()),
            Some(Heard::Reply(a_reply()))
        );
    }

    #[test]
    fn what_is_discarded() {
        let good = query(&Query {
            id: 1,
            conflict: false,
            question: question(),
        })
        .unwrap();
        assert!(read(&good).is_some());
        // More questions, answers, authorities; another opcode; an error.
        for (at, value) in [(5, 2), (5, 0), (7, 1), (9, 1), (4, 1), (2, 0x08), (3, 3)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert_eq!(read(&bad), None, "byte {at}");
        }
        for end in 0..good.len() {
            assert_eq!(read(&good[..end]), None, "{end} bytes");
        }
    }

    #[test]
    fn damage_does_no_harm() {
        let good = reply(&a_reply(), 512).unwrap();
        for at in 0..good.len() {
            for value in [0, 1, 0x3f, 0x40, 0xc0, 0xff] {
                let mut bad = good.clone();
                bad[at] = value;
                drop(read(&bad));
            }
        }
    }
}
