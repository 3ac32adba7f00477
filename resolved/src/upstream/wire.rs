//! A question on the wire, and whether a datagram answers it.

use hickory_proto::{
    ProtoError,
    op::{Edns, Message, Query},
    rr::rdata::opt::EdnsOption,
};

use super::cookie::Cookies;
use crate::message::Question;

/// What we take in one datagram: it passes everywhere without fragments (RFC 9715, 3.1).
pub(super) const PAYLOAD: u16 = 1232;
/// Without EDNS. RFC 1035, 4.2.1
pub(super) const PLAIN_PAYLOAD: u16 = 512;
const HEADER: usize = 12;
/// QTYPE and QCLASS.
const QUESTION_TAIL: usize = 4;
/// RFC 7830
const PADDING: u16 = 12;
/// RFC 8467, 4.1: questions are padded to a multiple of this.
const PADDING_BLOCK: usize = 128;
const OPTION_HEADER: usize = 4;

/// The bits of a question that the caller and the server's abilities decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits {
    /// Without it DO and cookies are left out.
    pub edns: bool,
    /// Signatures are wanted. RFC 3225
    pub dnssec_ok: bool,
    /// The server need not validate. RFC 4035, 3.2.2
    pub checking_disabled: bool,
}

/// The message for a question, with a random id.
pub(super) fn message(question: &Question, bits: Bits) -> Message {
    let mut query = Query::query(question.name.clone(), question.rtype);
    query.set_query_class(question.class);
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.metadata.checking_disabled = bits.checking_disabled;
    message.add_query(query);
    if bits.edns {
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD).set_dnssec_ok(bits.dnssec_ok);
        message.set_edns(edns);
    }
    message
}

/// Hides the length of the name from who sees the encrypted message.
pub(super) fn pad(message: &mut Message) -> Result<(), ProtoError> {
    let length = message.to_vec()?.len() + OPTION_HEADER;
    if let Some(edns) = &mut message.edns {
        let padding = length.next_multiple_of(PADDING_BLOCK) - length;
        edns.options_mut()
            .insert(EdnsOption::Unknown(PADDING, vec![0; padding]));
    }
    Ok(())
}

/// A question as a datagram: the name in random case (draft-vixie-dnsext-dns0x20), the server's cookie.
pub(super) struct Datagram {
    bytes: Vec<u8>,
    /// The question section before its case was changed.
    spelt: Vec<u8>,
    pub payload: usize,
    pub cookie: bool,
}

/// Whether a datagram is the answer. Seen before anything else of it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It is.
    Answer,
    /// But for the case of the name.
    WrongCase,
    /// Not to this question.
    Foreign,
}

impl Datagram {
    pub fn new(
        mut message: Message,
        random_case: bool,
        cookies: Option<&mut Cookies>,
    ) -> Result<Self, ProtoError> {
        let mut payload = PLAIN_PAYLOAD;
        let mut cookie = false;
        if let Some(edns) = &mut message.edns {
            payload = edns.max_payload();
            if let Some(cookies) = cookies {
                cookies.put(edns);
                cookie = true;
            }
        }
        let spelt = question_section(&message.to_vec()?).to_vec();
        if random_case {
            for query in &mut message.queries {
                query.name.randomize_label_case();
            }
        }
        Ok(Self {
            bytes: message.to_vec()?,
            spelt,
            payload: usize::from(payload),
            cookie,
        })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A response (QR), to a query (OPCODE 0), with our id and question. A server that could not read the question may
    /// leave it out.
    pub fn matches(&self, datagram: &[u8]) -> Match {
        let (Some(sent), Some(header)) = (
            self.bytes.first_chunk::<HEADER>(),
            datagram.first_chunk::<HEADER>(),
        ) else {
            return Match::Foreign;
        };
        let [id_high, id_low, flags, codes, count_high, count_low, ..] = *header;
        if [id_high, id_low] != [sent[0], sent[1]] || flags & 0b1111_1000 != 0b1000_0000 {
            return Match::Foreign;
        }
        const FORMERR: u8 = 1;
        const NOTIMP: u8 = 4;
        match u16::from_be_bytes([count_high, count_low]) {
            0 if [FORMERR, NOTIMP].contains(&(codes & 0b1111)) => return Match::Answer,
            1 => {}
            _ => return Match::Foreign,
        }
        let asked = question_section(&self.bytes);
        match datagram.get(HEADER..HEADER + asked.len()) {
            Some(question) if question == asked => Match::Answer,
            // Length bytes are below 'A', type and class are compared without folding: they end the section.
            Some(question) if same_question(question, asked) => Match::WrongCase,
            _ => Match::Foreign,
        }
    }

    /// Spells the question in an answer as it was before: names that point to it get their spelling back too.
    pub fn restore(&self, answer: &mut [u8]) {
        if let Some(question) = answer.get_mut(HEADER..HEADER + self.spelt.len())
            && question.eq_ignore_ascii_case(&self.spelt)
        {
            question.copy_from_slice(&self.spelt);
        }
    }
}

fn same_question(one: &[u8], other: &[u8]) -> bool {
    let split = |bytes: &'_ [u8]| bytes.len().checked_sub(QUESTION_TAIL);
    match (split(one), split(other)) {
        (Some(at), Some(_)) => {
            let (name, tail) = one.split_at(at);
            other
                .split_at_checked(at)
                .is_some_and(|(other_name, other_tail)| {
                    name.eq_ignore_ascii_case(other_name) && tail == other_tail
                })
        }
        _ => false,
    }
}

/// The one question of a message that we made.
fn question_section(message: &[u8]) -> &[u8] {
    let section = message.get(HEADER..).unwrap_or_default();
    let mut end = 0;
    while let Some(length) = section.get(end) {
        end += 1 + usize::from(*length);
        if *length == 0 {
            break;
        }
    }
    section.get(..end + QUESTION_TAIL).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::RecordType;

    use super::*;
    use crate::name;

    fn datagram() -> Datagram {
        let question = Question::new(
            name::parse("Www.Example-Of-A-Long-Name.Org").unwrap(),
            RecordType::A,
        );
        let bits = Bits {
            edns: true,
            ..Bits::default()
        };
        Datagram::new(message(&question, bits), true, None).unwrap()
    }

    #[test]
    fn only_the_answer_matches() {
        let sent = datagram();
        let mut answer = sent.bytes().to_vec();
        assert_eq!(sent.matches(&answer), Match::Foreign, "a question");
        answer[2] |= 0x80;
        assert_eq!(sent.matches(&answer), Match::Answer);

        let changed = |at: usize, bits: u8| {
            let mut other = answer.clone();
            other[at] ^= bits;
            sent.matches(&other)
        };
        assert_eq!(changed(0, 1), Match::Foreign, "id");
        assert_eq!(changed(2, 0x08), Match::Foreign, "opcode");
        assert_eq!(changed(5, 3), Match::Foreign, "count");
        assert_eq!(changed(13, 0x20), Match::WrongCase);
        assert_eq!(changed(13, 0x01), Match::Foreign, "name");
        let tail = HEADER + sent.spelt.len() - 3;
        assert_eq!(changed(tail, 0x20), Match::Foreign, "type");
        assert_eq!(sent.matches(&answer[..20]), Match::Foreign, "short");
        assert_eq!(sent.matches(&[]), Match::Foreign);
    }

    #[test]
    fn an_error_may_come_without_the_question() {
        let sent = datagram();
        let mut answer = sent.bytes()[..HEADER].to_vec();
        answer[2] |= 0x80;
        answer[4..].fill(0);
        assert_eq!(sent.matches(&answer), Match::Foreign);
        answer[3] = 1;
        assert_eq!(sent.matches(&answer), Match::Answer);
    }

    #[test]
    fn the_case_is_random_and_restored() {
        let sent = datagram();
        let asked = question_section(sent.bytes());
        assert!(asked.eq_ignore_ascii_case(&sent.spelt));
        assert_ne!(asked, sent.spelt, "one of 2^25 times this is chance");
        let mut answer = sent.bytes().to_vec();
        sent.restore(&mut answer);
        assert_eq!(question_section(&answer), sent.spelt);
        sent.restore(&mut []);
    }

    #[test]
    fn padded_to_a_block() {
        for label in 1..60 {
            let question =
                Question::new(name::parse(&"x".repeat(label)).unwrap(), RecordType::AAAA);
            let mut message = message(
                &question,
                Bits {
                    edns: true,
                    ..Bits::default()
                },
            );
            pad(&mut message).unwrap();
            assert_eq!(message.to_vec().unwrap().len() % PADDING_BLOCK, 0);
        }
    }
}
