//! Replies in wire form: RFC 1035, 4; RFC 6891; RFC 8914.

use hickory_proto::{
    ProtoError,
    op::ResponseCode,
    rr::{Name, Record},
    serialize::binary::{BinDecodable, BinDecoder, BinEncodable, BinEncoder},
};

use super::{
    query::{Query, bit},
    wire::count_additional,
};
use crate::message::ExtendedError;

/// The length of an OPT record without options.
pub(super) const OPT: usize = 11;
/// Of an option: code and length.
const OPTION: usize = 4;
/// Extended DNS Error: the option's code, and the length of its INFO-CODE.
const EXTENDED_ERROR: u16 = 15;
const INFO_CODE: usize = 2;
/// Longer texts are cut: they are for people to read.
const LONGEST_TEXT: usize = 200;

/// What a reply says.
#[derive(Debug)]
pub(super) struct Contents<'a> {
    pub(super) rcode: ResponseCode,
    /// The answer is authenticated. The client is told if it wants to know.
    pub(super) authentic: bool,
    /// This machine made it.
    pub(super) authoritative: bool,
    pub(super) answers: Vec<&'a Record>,
    pub(super) authorities: Vec<&'a Record>,
    pub(super) additionals: Vec<&'a Record>,
    pub(super) extended_error: Option<ExtendedError>,
}

impl Contents<'_> {
    /// Nothing but a code.
    pub(super) const fn code(rcode: ResponseCode) -> Self {
        Self {
            rcode,
            authentic: false,
            authoritative: false,
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            extended_error: None,
        }
    }
}

/// A reply but for its OPT record.
pub(super) struct Reply {
    pub(super) message: Vec<u8>,
    /// Not all went in.
    pub(super) truncated: bool,
    rcode: ResponseCode,
    option: Vec<u8>,
}

/// Answers what is no query, or none that we take, by its header alone.
pub(super) fn header(id_and_flags: [u8; 4], rcode: ResponseCode) -> Vec<u8> {
    let [i0, i1, f0, f1] = id_and_flags;
    let kept = bit::OPCODE | bit::RECURSION_DESIRED | bit::CHECKING_DISABLED;
    let bits = bit::RESPONSE | bit::RECURSION_AVAILABLE | (u16::from_be_bytes([f0, f1]) & kept);
    let mut message = vec![i0, i1];
    message.extend((bits | u16::from(rcode.low())).to_be_bytes());
    message.extend([0; 8]);
    message
}

/// Writes a reply of at most `limit` bytes, OPT record included.
pub(super) fn compose(query: &Query<'_>, contents: &Contents<'_>, limit: usize) -> Reply {
    let option = match &contents.extended_error {
        Some(error) if query.edns.is_some() => option(error),
        _ => Vec::new(),
    };
    let opt = query.edns.map_or(0, |_| OPT + option.len());
    let limit = u16::try_from(limit.saturating_sub(opt)).unwrap_or(u16::MAX);
    let (message, truncated) = written(query, contents, limit)
        .or_else(|_| written(query, &Contents::code(ResponseCode::ServFail), limit))
        .unwrap_or_default();
    Reply {
        message,
        truncated,
        rcode: contents.rcode,
        option,
    }
}

impl Reply {
    /// The whole message. `size`: of the longest UDP message that we take.
    pub(super) fn finish(mut self, query: &Query<'_>, size: u16) -> Vec<u8> {
        if let Some(edns) = query.edns {
            let code = self.rcode.high();
            append_opt(&mut self.message, size, edns.dnssec_ok, code, &self.option);
            // There is room for one more among 65535.
            let _ = count_additional(&mut self.message);
        }
        self.message
    }
}

fn written(
    query: &Query<'_>,
    contents: &Contents<'_>,
    limit: u16,
) -> Result<(Vec<u8>, bool), ProtoError> {
    let name = Name::read(&mut BinDecoder::new(query.name)).map_err(ProtoError::from)?;
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_max_size(limit);
    encoder.emit_vec(&[0; super::query::HEADER])?;
    name.emit(&mut encoder)?;
    encoder.emit_u16(query.rtype)?;
    encoder.emit_u16(query.class)?;
    let mut truncated = false;
    let mut counts = [0; 3];
    let sections = [
        &contents.answers,
        &contents.authorities,
        &contents.additionals,
    ];
    for (place, (count, section)) in counts.iter_mut().zip(sections).enumerate() {
        if truncated {
            break;
        }
        let spelt: Vec<_> = section
            .iter()
            .map(|record| Spelt {
                record,
                name: &name,
            })
            .collect();
        let emitted = match encoder.emit_all(spelt.iter()) {
            Ok(count) => count,
            Err(ProtoError::NotAllRecordsWritten { count, .. }) => {
                // RFC 2181, 9: what is missing from the additional section is no loss.
                truncated = place < 2;
                count
            }
            Err(error) => return Err(error),
        };
        *count = u16::try_from(emitted).unwrap_or(u16::MAX);
    }
    // What did not fit has left its first bytes.
    let end = encoder.offset();
    bytes.truncate(end);
    let mut head = Vec::with_capacity(super::query::HEADER);
    head.extend(query.id.to_be_bytes());
    head.extend(bits(query, contents, truncated).to_be_bytes());
    for count in [1].into_iter().chain(counts) {
        head.extend(count.to_be_bytes());
    }
    let place = bytes
        .get_mut(..head.len())
        .ok_or(ProtoError::from("no header"))?;
    place.copy_from_slice(&head);
    Ok((bytes, truncated))
}

fn bits(query: &Query<'_>, contents: &Contents<'_>, truncated: bool) -> u16 {
    let mut bits = bit::RESPONSE | bit::RECURSION_AVAILABLE | u16::from(contents.rcode.low());
    bits |= query.flags & (bit::RECURSION_DESIRED | bit::CHECKING_DISABLED);
    for (set, bit) in [
        (truncated, bit::TRUNCATED),
        (contents.authoritative, bit::AUTHORITATIVE),
        (
            contents.authentic && query.wants_authentic(),
            bit::AUTHENTIC_DATA,
        ),
    ] {
        if set {
            bits |= bit;
        }
    }
    bits
}

/// A record whose owner is spelt as in the question, if it is that name: so a client can tell that the reply is to its
/// own query (draft-vixie-dnsext-dns0x20), and the name takes two bytes.
struct Spelt<'a> {
    record: &'a Record,
    name: &'a Name,
}

impl BinEncodable for Spelt<'_> {
    fn emit(&self, encoder: &mut BinEncoder<'_>) -> Result<(), ProtoError> {
        if self.record.name != *self.name || self.record.name.eq_case(self.name) {
            return self.record.emit(encoder);
        }
        let mut record = self.record.clone();
        record.name = self.name.clone();
        record.emit(encoder)
    }
}

fn option(error: &ExtendedError) -> Vec<u8> {
    let text = error.text.as_bytes();
    // Not within a character.
    let end = (0..=LONGEST_TEXT.min(text.len())).rev();
    let end = end
        .into_iter()
        .find(|end| error.text.is_char_boundary(*end))
        .unwrap_or(0);
    let text = text.get(..end).unwrap_or_default();
    let length = u16::try_from(INFO_CODE + text.len()).unwrap_or_default();
    let mut option = Vec::with_capacity(OPTION + INFO_CODE + text.len());
    option.extend(EXTENDED_ERROR.to_be_bytes());
    option.extend(length.to_be_bytes());
    option.extend(error.code.to_be_bytes());
    option.extend(text);
    option
}

/// Appends an OPT record (RFC 6891, 6.1.2). `code`: the higher bits of the RCODE; `options`: in wire form.
pub(super) fn append_opt(
    message: &mut Vec<u8>,
    size: u16,
    dnssec_ok: bool,
    code: u8,
    options: &[u8],
) {
    let [s0, s1] = size.to_be_bytes();
    let flags = if dnssec_ok { 0x80 } else { 0 };
    // An option is far shorter than this.
    let [l0, l1] = u16::try_from(options.len())
        .unwrap_or_default()
        .to_be_bytes();
    message.extend_from_slice(&[0, 0, 41, s0, s1, code, 0, flags, 0, l0, l1]);
    message.extend_from_slice(options);
}
