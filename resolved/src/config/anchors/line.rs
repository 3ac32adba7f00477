//! One trust anchor in presentation format (RFC 4034, 2.2 and 5.3): `ZONE IN DS …`, `ZONE IN DNSKEY …`.

use base64::{Engine, engine::general_purpose::STANDARD};
use hickory_proto::{
    dnssec::{
        Algorithm, DigestType, PublicKeyBuf,
        rdata::{DNSKEY, DNSSECRData, DS},
    },
    rr::Name,
};

use crate::{config::TrustAnchor, name};

/// DNSKEY flags. RFC 4034, 2.1.1; RFC 5011, 7
const ZONE_KEY: u16 = 1 << 8;
const REVOKED: u16 = 1 << 7;

/// Reads a DS or DNSKEY record, without a time to live.
pub(super) fn positive(line: &str) -> Result<TrustAnchor, String> {
    let mut words = line.split_ascii_whitespace();
    let mut next = |what: &str| words.next().ok_or_else(|| format!("{what} is missing"));
    let name = zone(next("the zone")?)?;
    let class = next("the class")?;
    if !class.eq_ignore_ascii_case("IN") {
        return Err(format!("the class is IN, not {class:?}"));
    }
    let rtype = next("the type")?.to_ascii_uppercase();
    let data = match rtype.as_str() {
        "DS" => ds(&mut next)?,
        "DNSKEY" => dnskey(&mut next)?,
        _ => return Err(format!("the type is DS or DNSKEY, not {rtype:?}")),
    };
    Ok(TrustAnchor { name, data })
}

/// Reads a zone, nothing behind it.
pub(super) fn negative(line: &str) -> Result<Name, String> {
    match line.split_ascii_whitespace().collect::<Vec<_>>().as_slice() {
        [name] => zone(name),
        _ => Err("a line is one domain".to_owned()),
    }
}

fn zone(word: &str) -> Result<Name, String> {
    let word = word.trim_matches('"');
    let name = name::parse(word).ok();
    let name = name.as_ref().and_then(name::to_ascii);
    name.ok_or_else(|| format!("{word:?} is no domain name"))
}

/// What is left of the line: white space within it means nothing.
fn rest<'a>(
    next: &mut impl FnMut(&str) -> Result<&'a str, String>,
    what: &str,
) -> Result<String, String> {
    let mut text = next(what)?.to_owned();
    while let Ok(word) = next(what) {
        text.push_str(word);
    }
    Ok(text)
}

fn ds<'a>(next: &mut impl FnMut(&str) -> Result<&'a str, String>) -> Result<DNSSECRData, String> {
    let tag = number(next("the key tag")?, "the key tag")?;
    let algorithm = algorithm(next("the algorithm")?)?;
    let digest_type = digest_type(next("the digest type")?)?;
    let digest = hex(&rest(next, "the digest")?).ok_or("the digest is not hexadecimal")?;
    let length = match digest_type {
        DigestType::SHA1 => 20,
        DigestType::SHA256 => 32,
        DigestType::SHA384 => 48,
        _ => digest.len(),
    };
    if digest.len() != length {
        return Err(format!(
            "a digest of this type has {length} bytes, not {}",
            digest.len()
        ));
    }
    Ok(DNSSECRData::DS(DS::new(
        tag,
        algorithm,
        digest_type,
        digest,
    )))
}

fn dnskey<'a>(
    next: &mut impl FnMut(&str) -> Result<&'a str, String>,
) -> Result<DNSSECRData, String> {
    let flags: u16 = number(next("the flags")?, "the flags")?;
    if next("the protocol")? != "3" {
        return Err("the protocol of a DNSKEY is 3".to_owned());
    }
    if flags & ZONE_KEY == 0 {
        return Err("this is no zone key: its flags are without 256".to_owned());
    }
    if flags & REVOKED != 0 {
        return Err("this key is revoked".to_owned());
    }
    let algorithm = algorithm(next("the algorithm")?)?;
    let key = STANDARD.decode(rest(next, "the key")?);
    let key = key.map_err(|error| format!("the key is no Base64: {error}"))?;
    let key = PublicKeyBuf::new(key, algorithm);
    Ok(DNSSECRData::DNSKEY(DNSKEY::with_flags(flags, key)))
}

fn number<T: std::str::FromStr>(word: &str, what: &str) -> Result<T, String> {
    word.parse()
        .map_err(|_| format!("{what} is a number, not {word:?}"))
}

/// A number or a mnemonic (RFC 4034, appendix A.1 and its successors).
fn algorithm(word: &str) -> Result<Algorithm, String> {
    const MNEMONICS: [(&str, u8); 9] = [
        ("RSASHA1", 5),
        ("NSEC3RSASHA1", 7),
        ("RSASHA1-NSEC3-SHA1", 7),
        ("RSASHA256", 8),
        ("RSASHA512", 10),
        ("ECDSAP256SHA256", 13),
        ("ECDSAP384SHA384", 14),
        ("ED25519", 15),
        ("ED448", 16),
    ];
    by_name(word, &MNEMONICS)
        .map(Algorithm::from_u8)
        .ok_or_else(|| format!("{word:?} is no algorithm"))
}

fn digest_type(word: &str) -> Result<DigestType, String> {
    by_name(word, &[("SHA-1", 1), ("SHA-256", 2), ("SHA-384", 4)])
        .map(DigestType::from)
        .ok_or_else(|| format!("{word:?} is no digest type"))
}

fn by_name(word: &str, names: &[(&str, u8)]) -> Option<u8> {
    let mut names = names.iter();
    let named = names.find(|(name, _)| name.eq_ignore_ascii_case(word));
    named
        .map(|(_, number)| *number)
        .or_else(|| word.parse().ok())
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| match pair {
        [high, low] => {
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            u8::try_from(digit(high)? << 4 | digit(low)?).ok()
        }
        _ => None,
    };
    pairs.map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::anchors::of_the_root;

    const DIGEST: &str = "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";

    #[test]
    fn a_ds() {
        let root = of_the_root();
        let digest = DIGEST.split_at(10);
        for line in [
            format!(". IN DS 20326 8 2 {DIGEST}"),
            format!(". in ds 20326 rsasha256 sha-256 {} {}", digest.0, digest.1),
        ] {
            assert_eq!(positive(&line).as_ref(), root.first().ok_or(&String::new()));
        }
    }

    #[test]
    fn a_dnskey() {
        let anchor = positive(
            "example. IN DNSKEY 257 3 ED25519 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
        )
        .unwrap();
        let DNSSECRData::DNSKEY(key) = anchor.data else {
            panic!("{anchor:?}");
        };
        assert!(key.zone_key() && key.secure_entry_point() && !key.revoke());
        // RFC 8080, 6.1
        assert_eq!(key.calculate_key_tag().unwrap(), 3613);
        assert_eq!(name::format(&anchor.name), "example");
    }

    #[test]
    fn what_is_no_anchor() {
        for (line, said) in [
            (".", "class is missing"),
            ("a..b IN DS", "no domain name"),
            (". CH DS 1 8 2 00", "class is IN"),
            (". 3600 IN DS 1 8 2 00", "class is IN"),
            (". IN A 192.0.2.1", "DS or DNSKEY"),
            (". IN DS x 8 2 00", "key tag is a number"),
            (". IN DS 1 8 2", "digest is missing"),
            (". IN DS 1 8 2 0", "not hexadecimal"),
            (". IN DS 1 8 2 zz", "not hexadecimal"),
            (". IN DS 1 8 2 ä", "not hexadecimal"),
            (". IN DS 1 8 2 00", "32 bytes, not 1"),
            (". IN DS 1 8 SHA-3 00", "no digest type"),
            (". IN DS 1 RSA 2 00", "no algorithm"),
            (". IN DNSKEY 257 2 8 AA==", "protocol"),
            (". IN DNSKEY 1 3 8 AA==", "no zone key"),
            (". IN DNSKEY 385 3 8 AA==", "revoked"),
            (". IN DNSKEY 257 3 8 A", "no Base64"),
        ] {
            let error = positive(line).unwrap_err();
            assert!(error.contains(said), "{line}: {error}");
        }
        assert!(negative("a b").is_err());
    }
}
