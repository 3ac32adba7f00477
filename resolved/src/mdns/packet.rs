//! Messages of mDNS, each no longer than a packet. RFC 6762, 17, 18

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::Record,
    serialize::binary::BinEncodable,
};

use crate::message::Question;

/// Of a message. RFC 1035, 4.1.1
const HEADER: usize = 12;
/// Records in an answer to who does not know mDNS are kept as long as this at most, in seconds. RFC 6762, 6.7
const LEGACY_TTL: u32 = 10;

fn query(question: &Question) -> Query {
    let mut query = Query::query(question.name.clone(), question.rtype);
    query.query_class = question.class;
    query
}

/// How long a record is at most: without compression.
fn length(record: &Record) -> usize {
    record.to_bytes().map_or(usize::MAX, |bytes| bytes.len())
}

/// Of type, class and the name.
fn question_length(question: &Question) -> usize {
    question.name.len() + 4
}

/// Fills messages up to `limit` bytes each. A record that fits into none goes alone.
fn fill(limit: usize, records: &[Record]) -> Vec<&[Record]> {
    let mut parts = Vec::new();
    let (mut start, mut used) = (0, HEADER);
    for (at, record) in records.iter().enumerate() {
        let length = length(record);
        if used.saturating_add(length) > limit && at > start {
            parts.extend(records.get(start..at));
            (start, used) = (at, HEADER);
        }
        used = used.saturating_add(length);
    }
    parts.extend(records.get(start..).filter(|rest| !rest.is_empty()));
    parts
}

/// Responses with these answers, and in the last of them what fits of what else is useful.
pub(super) fn responses(answers: &[Record], additionals: &[Record], limit: usize) -> Vec<Vec<u8>> {
    let mut parts = fill(limit, answers);
    let last = parts.pop().unwrap_or_default();
    let mut room = limit.saturating_sub(HEADER + last.iter().map(length).sum::<usize>());
    let fits = |record: &&Record| {
        let rest = room.checked_sub(length(record));
        room = rest.unwrap_or(room);
        rest.is_some()
    };
    let useful: Vec<Record> = additionals.iter().filter(fits).cloned().collect();
    let message = |answers: &[Record], additionals: Vec<Record>| {
        // Neither id nor question. RFC 6762, 6 and 18.1
        let mut message = Message::new(0, MessageType::Response, OpCode::Query);
        message.metadata.authoritative = true;
        message.add_answers(answers.iter().cloned());
        message.add_additionals(additionals);
        message.to_vec().ok()
    };
    let whole = parts
        .into_iter()
        .map(|answers| message(answers, Vec::new()));
    let last = (!last.is_empty()).then(|| message(last, useful));
    whole.chain(last).flatten().collect()
}

/// Queries with what is known already: TC says that more of that follows. RFC 6762, 7.1, 7.2
pub(super) fn queries(questions: &[Question], known: &[Record], limit: usize) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let mut rest = questions;
    while !rest.is_empty() {
        let mut used = HEADER;
        let fits = |question: &&Question| {
            used += question_length(question);
            used <= limit
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (now, later) = rest.split_at(count.min(rest.len()));
        messages.push((now, &[][..]));
        rest = later;
    }
    let Some((last, _)) = messages.pop() else {
        return Vec::new();
    };
    let used: usize = last.iter().map(question_length).sum();
    // The first of the known answers share a message with the questions: less room for all, so that it fits.
    let parts = fill(limit.saturating_sub(used), known);
    let mut parts = parts.into_iter();
    messages.push((last, parts.next().unwrap_or_default()));
    messages.extend(parts.map(|known| (&[][..], known)));
    let count = messages.len();
    let message = |(at, (questions, known)): (usize, (&[Question], &[Record]))| {
        let mut message = Message::new(0, MessageType::Query, OpCode::Query);
        let belongs_together = !known.is_empty();
        message.metadata.truncation = belongs_together && at + 1 < count;
        message.add_queries(questions.iter().map(query));
        message.add_answers(known.iter().cloned());
        message.to_vec().ok()
    };
    messages
        .into_iter()
        .enumerate()
        .filter_map(message)
        .collect()
}

/// A question for a name of ours, with the records that it shall have. RFC 6762, 8.1, 8.2
pub(super) fn probe(question: &Question, proposed: &[Record]) -> Option<Vec<u8>> {
    let mut message = Message::new(0, MessageType::Query, OpCode::Query);
    // Not QU: an answer by unicast may end with another program that has the port. RFC 6762, 15.1
    message.add_query(query(question));
    message.add_authorities(proposed.iter().cloned());
    message.to_vec().ok()
}

/// The answer to who asks as if we were a DNS server. RFC 6762, 6.7
pub(super) fn legacy(
    id: u16,
    questions: &[Query],
    answers: &[Record],
    limit: usize,
) -> Option<Vec<u8>> {
    let mut message = Message::new(id, MessageType::Response, OpCode::Query);
    message.metadata.authoritative = true;
    for question in questions {
        let mut question = question.clone();
        question.mdns_unicast_response = false;
        message.add_query(question);
    }
    for answer in answers {
        let mut answer = answer.clone();
        answer.ttl = answer.ttl.min(LEGACY_TTL);
        answer.mdns_cache_flush = false;
        message.add_answer(answer);
    }
    let bytes = message.to_vec().ok()?;
    if bytes.len() <= limit {
        return Some(bytes);
    }
    message.metadata.truncation = true;
    message.answers.clear();
    message.to_vec().ok()
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::{Name, RData, RecordType, rdata::PTR};

    use super::*;
    use crate::mdns::own::local;

    fn pointers(count: usize) -> Vec<Record> {
        let to = |n: usize| {
            let target: Name = local(&format!("instance{n}._http._tcp")).unwrap();
            Record::from_rdata(local("_http._tcp").unwrap(), 4500, RData::PTR(PTR(target)))
        };
        (0..count).map(to).collect()
    }

    fn question() -> Question {
        Question::new(local("_http._tcp").unwrap(), RecordType::PTR)
    }

    #[test]
    fn what_is_too_much_for_one_packet_goes_in_several() {
        let answers = pointers(100);
        let packets = responses(&answers, &pointers(100), 600);
        assert!(packets.len() > 5);
        let mut all = Vec::new();
        for packet in &packets {
            assert!(packet.len() <= 600);
            let message = Message::from_vec(packet).unwrap();
            assert!(message.authoritative && message.queries.is_empty() && message.id == 0);
            all.extend(message.answers);
        }
        assert_eq!(all, answers);
        assert!(responses(&[], &answers, 600).is_empty());
    }

    #[test]
    fn known_answers_follow_the_question() {
        let known = pointers(40);
        let packets = queries(&[question()], &known, 600);
        let messages: Vec<_> = packets
            .iter()
            .map(|packet| Message::from_vec(packet).unwrap())
            .collect();
        assert!(messages.len() > 2 && packets.iter().all(|packet| packet.len() <= 600));
        let (last, first) = messages.split_last().unwrap();
        assert!(!last.truncation && first.iter().all(|message| message.truncation));
        assert_eq!(messages[0].queries.len(), 1);
        assert!(
            messages[1..]
                .iter()
                .all(|message| message.queries.is_empty())
        );
        let all: Vec<_> = messages
            .iter()
            .flat_map(|message| message.answers.clone())
            .collect();
        assert_eq!(all, known);
        let many = vec![question(); 100];
        let packets = queries(&many, &[], 600);
        assert!(packets.len() > 2);
        assert!(
            packets
                .iter()
                .all(|packet| !Message::from_vec(packet).unwrap().truncation)
        );
    }

    #[test]
    fn who_knows_no_mdns_gets_plain_dns() {
        let mut answers = pointers(1);
        answers[0].mdns_cache_flush = true;
        let mut asked = query(&question());
        asked.mdns_unicast_response = true;
        let bytes = legacy(77, &[asked], &answers, 600).unwrap();
        let message = Message::from_vec(&bytes).unwrap();
        assert_eq!(
            (message.id, message.queries.len(), message.answers[0].ttl),
            (77, 1, 10)
        );
        assert!(!message.answers[0].mdns_cache_flush && !message.queries[0].mdns_unicast_response);
        let cut = legacy(77, &[query(&question())], &pointers(100), 600).unwrap();
        assert!(Message::from_vec(&cut).unwrap().truncation);
    }
}
