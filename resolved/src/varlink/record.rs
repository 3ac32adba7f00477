//! Records, readable and in wire format.
//!
//! The readable form has the fields that systemd-resolved gives it, and only for the types that it knows.

use std::fmt::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use hickory_proto::{
    dnssec::rdata::{DNSSECRData, NSEC3},
    rr::{Name, RData, RecordType, rdata::SVCB},
    serialize::binary::{BinDecodable, BinEncodable},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::wire::Key;
use crate::{
    message::{self, Found},
    name,
};

/// Types that hickory leaves as bytes. RFC 6672; RFC 1876; RFC 7208, 3.1
const DNAME: u16 = 39;
const LOC: u16 = 29;
const SPF: u16 = 99;

/// A record.
#[derive(Debug, Serialize)]
pub(super) struct Record {
    #[serde(skip_serializing_if = "Option::is_none")]
    rr: Option<Value>,
    /// Base64.
    raw: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ifindex: Option<u32>,
}

impl Record {
    /// `None` for one that has no wire format, which none that came in it lacks.
    pub fn of(found: &Found) -> Option<Self> {
        Some(Self {
            rr: readable(&found.record),
            raw: BASE64_STANDARD.encode(message::record_bytes(&found.record)?),
            ifindex: super::wire::ifindex(found.ifindex),
        })
    }
}

fn readable(record: &hickory_proto::rr::Record) -> Option<Value> {
    let key = Key::new(&record.name, record.dns_class, record.record_type());
    let mut fields = fields(&record.data)?;
    fields.insert("key".to_owned(), serde_json::to_value(key).ok()?);
    Some(Value::Object(fields))
}

fn fields(data: &RData) -> Option<Map<String, Value>> {
    let named = |target: &Name| json!({ "name": name::format(target) });
    let fields = match data {
        RData::A(a) => json!({ "address": a.0.octets() }),
        RData::AAAA(aaaa) => json!({ "address": aaaa.0.octets() }),
        RData::PTR(target) => named(target),
        RData::NS(target) => named(target),
        RData::CNAME(target) => named(target),
        RData::SOA(soa) => json!({
            "mname": name::format(&soa.mname),
            "rname": name::format(&soa.rname),
            "serial": soa.serial,
            "refresh": unsigned(soa.refresh),
            "expire": unsigned(soa.expire),
            "minimum": soa.minimum,
        }),
        RData::MX(mx) => {
            json!({ "priority": mx.preference, "exchange": name::format(&mx.exchange) })
        }
        RData::TXT(txt) => json!({ "items": texts(txt.txt_data.iter().map(AsRef::as_ref)) }),
        RData::SRV(srv) => json!({
            "priority": srv.priority,
            "weight": srv.weight,
            "port": srv.port,
            "name": name::format(&srv.target),
        }),
        RData::HINFO(hinfo) => json!({ "cpu": octal(&hinfo.cpu), "os": octal(&hinfo.os) }),
        RData::SSHFP(sshfp) => json!({
            "algorithm": u8::from(sshfp.algorithm),
            "fptype": u8::from(sshfp.fingerprint_type),
            "fingerprint": hexadecimal(&sshfp.fingerprint),
        }),
        RData::TLSA(tlsa) => json!({
            "certUsage": u8::from(tlsa.cert_usage),
            "selector": u8::from(tlsa.selector),
            "matchingType": u8::from(tlsa.matching),
            "data": hexadecimal(&tlsa.cert_data),
        }),
        RData::CAA(caa) => {
            json!({ "flags": caa.flags(), "tag": caa.tag, "value": octal(&caa.value) })
        }
        RData::NAPTR(naptr) => json!({
            "order": naptr.order,
            "preference": naptr.preference,
            "naptrFlags": octal(&naptr.flags),
            "services": octal(&naptr.services),
            "regexp": octal(&naptr.regexp),
            "replacement": name::format(&naptr.replacement),
        }),
        RData::SVCB(svcb) => service_binding(svcb)?,
        RData::HTTPS(https) => service_binding(&https.0)?,
        RData::DNSSEC(data) => dnssec(data)?,
        RData::Unknown { code, rdata } => unknown(*code, &rdata.anything)?,
        _ => return None,
    };
    match fields {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

fn dnssec(data: &DNSSECRData) -> Option<Value> {
    Some(match data {
        DNSSECRData::DS(ds) => json!({
            "keyTag": ds.key_tag(),
            "algorithm": u8::from(ds.algorithm()),
            "digestType": u8::from(ds.digest_type()),
            "digest": hexadecimal(ds.digest()),
        }),
        DNSSECRData::DNSKEY(key) => dnskey(&key.to_bytes().ok()?)?,
        DNSSECRData::RRSIG(rrsig) => {
            let input = rrsig.input();
            json!({
                "signer": name::format(&input.signer_name),
                "typeCovered": u16::from(input.type_covered),
                "algorithm": u8::from(input.algorithm),
                "labels": input.num_labels,
                "originalTtl": input.original_ttl,
                "expiration": input.sig_expiration.get(),
                "inception": input.sig_inception.get(),
                "keyTag": input.key_tag,
                "signature": BASE64_STANDARD.encode(rrsig.sig()),
            })
        }
        DNSSECRData::NSEC(nsec) => json!({
            "nextDomain": name::format(nsec.next_domain_name()),
            "types": types(nsec.type_bit_maps()),
        }),
        DNSSECRData::NSEC3(nsec3) => hashed(nsec3),
        _ => return None,
    })
}

/// RFC 4034, 2.1. From the bytes: hickory keeps neither the protocol nor an algorithm that it does not know.
fn dnskey(bytes: &[u8]) -> Option<Value> {
    let (flags, rest) = bytes.split_first_chunk::<2>()?;
    let ([protocol, algorithm], key) = rest.split_first_chunk::<2>()?;
    Some(json!({
        "flags": u16::from_be_bytes(*flags),
        "protocol": protocol,
        "algorithm": algorithm,
        "dnskey": BASE64_STANDARD.encode(key),
    }))
}

fn hashed(nsec3: &NSEC3) -> Value {
    json!({
        "algorithm": u8::from(nsec3.hash_algorithm()),
        "flags": nsec3.flags(),
        "iterations": nsec3.iterations(),
        "salt": hexadecimal(nsec3.salt()),
        "hash": base32hex(nsec3.next_hashed_owner_name()),
        "types": types(nsec3.type_bit_maps()),
    })
}

/// RFC 9460, 2.2. The parameters by name, in wire format without their lengths.
fn service_binding(svcb: &SVCB) -> Option<Value> {
    let mut params = Map::new();
    for (key, value) in &svcb.svc_params {
        let bytes = value.to_bytes().ok()?;
        let (_length, value) = bytes.split_first_chunk::<2>()?;
        params.insert(
            parameter_name((*key).into()),
            BASE64_STANDARD.encode(value).into(),
        );
    }
    Some(json!({
        "priority": svcb.svc_priority,
        "target": name::format(&svcb.target_name),
        "svcparams": params,
    }))
}

/// RFC 9460, 14.3.2; RFC 9461; RFC 9540. What has no name is a number: RFC 9460, 2.1.
fn parameter_name(key: u16) -> String {
    const NAMES: [&str; 9] = [
        "mandatory",
        "alpn",
        "no-default-alpn",
        "port",
        "ipv4hint",
        "ech",
        "ipv6hint",
        "dohpath",
        "ohttp",
    ];
    match NAMES.get(usize::from(key)) {
        Some(name) => (*name).to_owned(),
        None => format!("key{key}"),
    }
}

fn unknown(code: RecordType, bytes: &[u8]) -> Option<Value> {
    match u16::from(code) {
        DNAME => Some(json!({ "name": name::format(&Name::from_bytes(bytes).ok()?) })),
        SPF => Some(json!({ "items": texts(strings(bytes)?) })),
        LOC => location(bytes),
        _ => None,
    }
}

/// Strings with their lengths. RFC 1035, 3.3
fn strings(mut bytes: &[u8]) -> Option<std::vec::IntoIter<&[u8]>> {
    let mut strings = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (string, rest) = rest.split_at_checked(usize::from(*length))?;
        strings.push(string);
        bytes = rest;
    }
    Some(strings.into_iter())
}

/// RFC 1876, 2.
fn location(bytes: &[u8]) -> Option<Value> {
    let ([version, size, horizontal, vertical], rest) = bytes.split_first_chunk::<4>()?;
    let (latitude, rest) = rest.split_first_chunk::<4>()?;
    let (longitude, rest) = rest.split_first_chunk::<4>()?;
    let (altitude, _) = rest.split_first_chunk::<4>()?;
    Some(json!({
        "version": version,
        "size": size,
        "horiz_pre": horizontal,
        "vert_pre": vertical,
        "latitude": u32::from_be_bytes(*latitude),
        "longitude": u32::from_be_bytes(*longitude),
        "altitude": u32::from_be_bytes(*altitude),
    }))
}

/// hickory reads these intervals as signed; RFC 1035, 3.3.13 has them as 32 bits without a sign.
fn unsigned(interval: i32) -> u32 {
    interval.cast_unsigned()
}

fn types(types: impl Iterator<Item = RecordType>) -> Vec<u16> {
    types.map(u16::from).collect()
}

fn texts<'a>(strings: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    strings.map(octal).collect()
}

/// Text out of bytes: what is not printable ASCII, the quotation mark and the backslash as `\ooo`, in octal.
pub(super) fn octal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'"' | b'\\' | ..b' ' | 127.. => {
                // Writing to a String can't fail.
                let _ = write!(text, "\\{byte:03o}");
            }
            byte => text.push(char::from(*byte)),
        }
    }
    text
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // As above.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// RFC 4648, 7, without padding: how RFC 5155, 3.3 writes hashes.
fn base32hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let (mut bits, mut count) = (0_u32, 0);
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let mut digit = |bits: u32| {
        let digit = usize::try_from(bits & 31)
            .ok()
            .and_then(|at| DIGITS.get(at));
        text.extend(digit.copied().map(char::from));
    };
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            digit(bits >> count);
        }
    }
    if count > 0 {
        digit(bits << (5 - count));
    }
    text
}

#[cfg(test)]
mod tests;
