//! What of a response is believed: the answer to the question and what proves it, nothing beside.

use hickory_proto::{
    dnssec::rdata::{DNSSECRData, RRSIG},
    op::{Message, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{
            CNAME,
            opt::{EdnsCode, EdnsOption},
        },
    },
    serialize::binary::BinDecodable,
};

use crate::message::{ExtendedError, Question};

/// A chain of more aliases is a loop to us, as to systemd.
const LONGEST_CHAIN: usize = 16;
/// RFC 8914
const EXTENDED_ERROR: u16 = 15;
/// RFC 2181, 8: a TTL with the highest bit is 0.
const LONGEST_TTL: u32 = i32::MAX as u32;

/// What is left of a response.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub rcode: ResponseCode,
    /// In order: each alias of the chain with its signatures, then what was asked for with its signatures.
    pub answers: Vec<Record>,
    /// SOA, NSEC and NSEC3 with their signatures.
    pub authorities: Vec<Record>,
    /// As received.
    pub additionals: Vec<Record>,
    /// The names from the question to the end of the chain.
    pub chain: Vec<Name>,
    /// It came with EDNS.
    pub edns: bool,
    pub extended_error: Option<ExtendedError>,
}

/// Why a response is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It answers something else, or sends us elsewhere.
    Lame,
    /// Its aliases lead nowhere.
    CnameLoop,
}

impl Reply {
    /// Where the chain ended.
    pub fn end(&self) -> Option<&Name> {
        self.chain.last()
    }

    /// It has no record of the type asked for (or the name does not exist).
    pub fn is_negative(&self, question: &Question) -> bool {
        self.end().is_none_or(|end| {
            !self.answers.iter().any(|record| {
                record.name == *end
                    && (record.record_type() == question.rtype || question.rtype == RecordType::ANY)
            })
        })
    }

    /// Takes what belongs to the question.
    pub fn new(question: &Question, mut message: Message) -> Result<Self, Unusable> {
        let extended_error = extended_error(&message);
        for section in [
            &mut message.answers,
            &mut message.authorities,
            &mut message.additionals,
        ] {
            section.retain(|record| {
                record.dns_class == question.class && !matches!(record.data, RData::Update0(_))
            });
            for record in section {
                if record.ttl > LONGEST_TTL {
                    record.ttl = 0;
                }
            }
        }
        let (chain, answers) = follow(question, &message.answers)?;
        let reply = Self {
            rcode: message.response_code,
            answers,
            authorities: authorities(&chain, &message.authorities),
            additionals: Vec::new(),
            chain,
            edns: message.edns.is_some(),
            extended_error,
        };
        let empty = reply.rcode == ResponseCode::NoError && reply.answers.is_empty();
        if empty
            && !message
                .authorities
                .iter()
                .any(|record| record.record_type() == RecordType::SOA)
        {
            let referral = !message.authoritative
                && message
                    .authorities
                    .iter()
                    .any(|record| record.record_type() == RecordType::NS);
            if referral || !message.answers.is_empty() {
                return Err(Unusable::Lame);
            }
        }
        Ok(Self {
            additionals: message.additionals,
            ..reply
        })
    }
}

/// Follows the aliases inside the response. RFC 1034, 4.3.2; RFC 6672, 3.1
fn follow(question: &Question, records: &[Record]) -> Result<(Vec<Name>, Vec<Record>), Unusable> {
    let mut chain = vec![question.name.clone()];
    let mut answers = Vec::new();
    while let Some(name) = chain.last().cloned() {
        let dname = dname_above(&name, records);
        if dname.is_none() && take(&name, question.rtype, records, &mut answers) {
            break;
        }
        let Some(target) = alias(&name, dname, records, &mut answers) else {
            break;
        };
        if matches!(question.rtype, RecordType::CNAME | RecordType::ANY) {
            break;
        }
        if chain.contains(&target) || chain.len() > LONGEST_CHAIN {
            return Err(Unusable::CnameLoop);
        }
        chain.push(target);
    }
    Ok((chain, answers))
}

/// A DNAME above the name, and where it leads from there.
fn dname_above<'a>(name: &Name, records: &'a [Record]) -> Option<(&'a Record, Name)> {
    records.iter().find_map(|record| {
        let target =
            dname_target(record).filter(|_| record.name != *name && record.name.zone_of(name))?;
        Some((record, substitute(name, &record.name, &target)?))
    })
}

/// Moves the alias at this name, if there is one, to the answers. Gives where it leads.
fn alias(
    name: &Name,
    dname: Option<(&Record, Name)>,
    records: &[Record],
    answers: &mut Vec<Record>,
) -> Option<Name> {
    if let Some((dname, target)) = dname {
        take(&dname.name, RecordType::DNAME, records, answers);
        // The server's own CNAME would say the same, or lie.
        let data = RData::CNAME(CNAME(target.clone()));
        let mut alias = Record::from_rdata(name.clone(), dname.ttl, data);
        alias.dns_class = dname.dns_class;
        answers.push(alias);
        return Some(target);
    }
    let target = records.iter().find_map(|record| match &record.data {
        RData::CNAME(CNAME(target)) if record.name == *name => Some(target.clone()),
        _ => None,
    })?;
    take(name, RecordType::CNAME, records, answers);
    Some(target)
}

/// hickory knows no DNAME. Its target is never compressed (RFC 6672, 2.5).
pub(super) fn dname_target(record: &Record) -> Option<Name> {
    match &record.data {
        RData::Unknown {
            code: RecordType::DNAME,
            rdata,
        } => Name::from_bytes(&rdata.anything).ok(),
        _ => None,
    }
}

fn substitute(name: &Name, owner: &Name, target: &Name) -> Option<Name> {
    let below = name.iter().count().checked_sub(owner.iter().count())?;
    Name::from_labels(name.iter().take(below).chain(target.iter())).ok()
}

/// Appends an RRset and its signatures. False: there is none.
fn take(name: &Name, rtype: RecordType, records: &[Record], answers: &mut Vec<Record>) -> bool {
    let wanted = |record: &&Record| {
        record.name == *name
            && record.record_type() != RecordType::RRSIG
            && (record.record_type() == rtype || rtype == RecordType::ANY)
    };
    let start = answers.len();
    let ttl = records.iter().filter(wanted).map(|record| record.ttl).min();
    for record in records.iter().filter(wanted) {
        // RFC 2181, 5: no duplicates, one TTL.
        let twice = answers
            .iter()
            .skip(start)
            .any(|taken| taken.record_type() == record.record_type() && taken.data == record.data);
        if !twice {
            let mut record = record.clone();
            record.ttl = ttl.unwrap_or(record.ttl);
            answers.push(record);
        }
    }
    let signatures = records.iter().filter(|record| {
        record.name == *name
            && (signature(record).is_some_and(|signature| {
                signature.input().type_covered == rtype || rtype == RecordType::ANY
            }) || (rtype == RecordType::RRSIG && record.record_type() == RecordType::RRSIG))
    });
    let found = answers.len() > start;
    let before = answers.len();
    answers.extend(signatures.cloned());
    found || (rtype == RecordType::RRSIG && answers.len() > before)
}

/// What proves that something is not there: at the end of the chain, or beside a wildcard on the way.
fn authorities(chain: &[Name], records: &[Record]) -> Vec<Record> {
    let end = chain.last();
    let zone = records
        .iter()
        .find(|record| {
            record.record_type() == RecordType::SOA
                && end.is_some_and(|end| record.name.zone_of(end))
        })
        .map(|soa| &soa.name);
    let belongs = |record: &&Record| match covered(record) {
        RecordType::SOA => Some(&record.name) == zone,
        rtype @ (RecordType::NSEC | RecordType::NSEC3) => records.iter().any(|other| {
            // Without a signature it proves nothing.
            other.name == record.name
                && signature(other).is_some_and(|signature| {
                    let signer = &signature.input().signer_name;
                    signature.input().type_covered == rtype
                        && chain.iter().any(|name| signer.zone_of(name))
                })
        }),
        _ => false,
    };
    records.iter().filter(belongs).cloned().collect()
}

/// The type of a record, or what it signs.
fn covered(record: &Record) -> RecordType {
    signature(record).map_or(record.record_type(), |signature| {
        signature.input().type_covered
    })
}

/// The signature in an RRSIG record.
pub(super) fn signature(record: &Record) -> Option<&RRSIG> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => Some(signature),
        _ => None,
    }
}

fn extended_error(message: &Message) -> Option<ExtendedError> {
    let EdnsOption::Unknown(_, data) = message
        .edns
        .as_ref()?
        .option(EdnsCode::from(EXTENDED_ERROR))?
    else {
        return None;
    };
    let (code, text) = data.split_first_chunk::<2>()?;
    Some(ExtendedError {
        code: u16::from_be_bytes(*code),
        text: String::from_utf8_lossy(text).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use hickory_proto::{
        op::{MessageType, Query},
        rr::rdata::{A, NS, SOA},
    };

    use super::*;
    use crate::name;

    fn n(text: &str) -> Name {
        name::parse(text).unwrap()
    }

    fn message(question: &Question) -> Message {
        let mut message = Message::query();
        message.metadata.message_type = MessageType::Response;
        message.add_query(Query::query(question.name.clone(), question.rtype));
        let record = |name: &str, data| Record::from_rdata(n(name), 300, data);
        message.add_answer(record("a.test", RData::CNAME(CNAME(n("b.test")))));
        message.add_answer(record("b.test", RData::A(A::new(192, 0, 2, 1))));
        message.add_authority(record("test", RData::NS(NS(n("ns.test")))));
        let soa = SOA::new(n("ns.test"), n("hm.test"), 1, 2, 3, 4, 5);
        message.add_authority(record("test", RData::SOA(soa)));
        message.set_edns(hickory_proto::op::Edns::new());
        message
    }

    #[test]
    fn ttls_and_duplicates() {
        let question = Question::new(n("b.test"), RecordType::A);
        let mut message = message(&question);
        let mut twice = message.answers[1].clone();
        twice.ttl = 100;
        message.add_answer(twice);
        let reply = Reply::new(&question, message).unwrap();
        let ttls: Vec<_> = reply.answers.iter().map(|record| record.ttl).collect();
        assert_eq!(ttls, [100]);

        let mut message = self::message(&question);
        message.answers[1].ttl = u32::MAX;
        assert_eq!(Reply::new(&question, message).unwrap().answers[0].ttl, 0);
    }

    #[test]
    fn broken_messages_break_nothing() {
        let question = Question::new(n("a.test"), RecordType::A);
        let good = message(&question).to_vec().unwrap();
        let mut state = 1u64;
        let mut random = |below: usize| {
            // xorshift64: the same each time.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % below as u64).unwrap()
        };
        let mut read = 0;
        for _ in 0..50_000 {
            let mut bytes = good.clone();
            for _ in 0..1 + random(4) {
                let at = random(bytes.len());
                bytes[at] = u8::try_from(random(256)).unwrap();
            }
            bytes.truncate(bytes.len() - random(3) * random(20));
            if let Ok(message) = Message::from_vec(&bytes) {
                read += 1;
                if let Ok(reply) = Reply::new(&question, message) {
                    assert!(reply.chain.len() <= LONGEST_CHAIN + 1);
                }
            }
        }
        assert!(read > 2_000, "{read}");
    }
}
