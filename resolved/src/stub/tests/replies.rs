//! How replies are written.

use hickory_proto::op::ResponseCode;

use super::*;
use crate::{
    message::ExtendedError,
    stub::reply::{Contents, compose},
};

fn reply(asked: &Bytes, contents: &Contents<'_>, limit: usize) -> Message {
    let packet = asked.bytes();
    let query = query::parse(&packet).unwrap();
    let reply = compose(&query, contents, limit).finish(&query, 65494);
    assert!(reply.len() <= limit, "{} bytes", reply.len());
    read(&reply, asked)
}

fn with(answers: &[Record]) -> Contents<'_> {
    Contents {
        answers: answers.iter().collect(),
        ..Contents::code(ResponseCode::NoError)
    }
}

#[test]
fn the_question_keeps_its_spelling_and_gives_it_to_the_answer() {
    let asked = ask("wEb.TesT", 1);
    let records = [a("web.test", 60, 1), a("web.test", 60, 2)];
    let packet = asked.bytes();
    let query = query::parse(&packet).unwrap();
    let bytes = compose(&query, &with(&records), 512).finish(&query, 65494);
    // The name stands in it once.
    assert_eq!(bytes.len(), packet.len() + 2 * 16);
    assert!(
        bytes
            .windows(query.name.len())
            .any(|part| part == query.name)
    );
    let message = read(&bytes, &asked);
    assert_eq!(message.queries.len(), 1);
    assert!(
        message
            .answers
            .iter()
            .all(|record| record.name.to_string() == "wEb.TesT.")
    );
}

#[test]
fn what_is_too_long_is_cut_between_records() {
    let records: Vec<_> = (0..=200).map(|last| a("web.test", 60, last)).collect();
    let contents = with(&records);
    let short = reply(&ask("web.test", 1), &contents, 512);
    assert!(short.metadata.truncation);
    assert_eq!(short.answers.len(), (512 - HEADER - 14) / 16);
    let longer = reply(&ask("web.test", 1).opt(1232, 0, false), &contents, 1232);
    assert!(longer.metadata.truncation && longer.edns.is_some());
    let whole = reply(&ask("web.test", 1).opt(4096, 0, false), &contents, 4096);
    assert!(!whole.metadata.truncation);
    assert_eq!(whole.answers.len(), 201);
}

#[test]
fn what_is_missing_from_the_additional_section_is_no_loss() {
    let records: Vec<_> = (0..=200).map(|last| a("web.test", 60, last)).collect();
    let contents = Contents {
        additionals: records.iter().collect(),
        ..with(&records[..1])
    };
    let message = reply(&ask("web.test", 1), &contents, 512);
    assert!(!message.metadata.truncation);
    assert_eq!(message.answers.len(), 1);
}

#[test]
fn authentic_is_said_to_who_wants_to_know() {
    let contents = Contents {
        authentic: true,
        authoritative: true,
        ..with(&[])
    };
    for (asked, told) in [
        (ask("web.test", 1), false),
        (ask("web.test", 1).flags(RD | AD), true),
        (ask("web.test", 1).opt(1232, 0, false), false),
        (ask("web.test", 1).opt(1232, 0, true), true),
    ] {
        let message = reply(&asked, &contents, 512);
        assert_eq!(message.metadata.authentic_data, told);
        assert!(message.metadata.authoritative);
    }
}

#[test]
fn edns_is_spoken_to_who_speaks_it() {
    let contents = Contents {
        extended_error: Some(ExtendedError {
            code: 6,
            text: "é".repeat(1000),
        }),
        ..Contents::code(ResponseCode::ServFail)
    };
    assert!(reply(&ask("web.test", 1), &contents, 512).edns.is_none());
    let message = reply(&ask("web.test", 1).opt(1232, 0, true), &contents, 512);
    let edns = message.edns.unwrap();
    assert_eq!((edns.max_payload(), edns.version()), (65494, 0));
    assert!(edns.flags().dnssec_ok);
    let options = edns.options().as_ref();
    assert_eq!(options.len(), 1);
}
