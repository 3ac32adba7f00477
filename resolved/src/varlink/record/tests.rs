//! Records in the words of systemd-resolved 252, as its SubscribeQueryResults had them; but `expire` of an SOA, for which it
//! tells the retry interval.

use super::*;

/// In wire format; and readable, without the key.
const AS_SYSTEMD_SAYS: [(&str, &str); 19] = [
    (
        "AWECcnIAAAEAAQAADhAABMAAAgo=",
        r#"{"address": [192, 0, 2, 10]}"#,
    ),
    ("AnJyAAACAAEAAA4QAAcCbnMCcnIA", r#"{"name": "ns.rr"}"#),
    (
        "BWNuYW1lAnJyAAAFAAEAAA4QAAYBYQJycgA=",
        r#"{"name": "a.rr"}"#,
    ),
    (
        "AnJyAAAGAAEAAABUACoCbnMCcnIACmhvc3RtYXN0ZXICcnIAAAAAAQAADhEAAAJaAAFRgwAAAFQ=",
        r#"{"mname": "ns.rr", "rname": "hostmaster.rr", "serial": 1, "refresh": 3601, "expire": 86403, "minimum": 84}"#,
    ),
    ("A3B0cgJycgAADAABAAAOEAAGAWECcnIA", r#"{"name": "a.rr"}"#),
    (
        "BWhpbmZvAnJyAAANAAEAAA4QAAkFQ1BVIHgCT1M=",
        r#"{"cpu": "CPU x", "os": "OS"}"#,
    ),
    (
        "Am14AnJyAAAPAAEAAA4QAAgACgFhAnJyAA==",
        r#"{"priority": 10, "exchange": "a.rr"}"#,
    ),
    (
        "A3R4dAJycgAAEAABAAAOEAAUB29uZSB0d28GdGhyw6llBAH/InE=",
        r#"{"items": ["one two", "thr\\303\\251e", "\\001\\377\\042q"]}"#,
    ),
    (
        "BGFhYWECcnIAABwAAQAADhAAECABDbgAAAAAAAAAAAAAABA=",
        r#"{"address": [32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16]}"#,
    ),
    (
        "A2xvYwJycgAAHQABAAAOEAAQABIWE4s88BiBDLzgAJiVuA==",
        r#"{"version": 0, "size": 18, "horiz_pre": 22, "vert_pre": 19, "latitude": 2336026648, "longitude": 2165095648, "altitude": 9999800}"#,
    ),
    (
        "A3NydgJycgAAIQABAAAOEAAMAAEAAgADAWECcnIA",
        r#"{"priority": 1, "weight": 2, "port": 3, "name": "a.rr"}"#,
    ),
    (
        "BWRuYW1lAnJyAAAnAAEAAA4QAAYBYQJycgA=",
        r#"{"name": "a.rr"}"#,
    ),
    (
        "AmRzAnJyAAArAAEAAA4QACQwOQgCSf1G5sS0XFXUrGnL0800rBr+Ud4BAgMEBQYHCAkKCww=",
        r#"{"keyTag": 12345, "algorithm": 8, "digestType": 2, "digest": "49fd46e6c4b45c55d4ac69cbd3cd34ac1afe51de0102030405060708090a0b0c"}"#,
    ),
    (
        "BXNzaGZwAnJyAAAsAAEAAA4QAAYBAqq7zN0=",
        r#"{"algorithm": 1, "fptype": 2, "fingerprint": "aabbccdd"}"#,
    ),
    (
        "BG5zZWMCcnIAAC8AAQAADhAAJwFhAnJyAAACQAEEGwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA==",
        r#"{"nextDomain": "a.rr", "types": [1, 15, 1234]}"#,
    ),
    (
        "BmRuc2tleQJycgAAMAABAAAOEAAJAQEDCAMBAAGo",
        r#"{"flags": 257, "protocol": 3, "algorithm": 8, "dnskey": "AwEAAag="}"#,
    ),
    (
        "BHRsc2ECcnIAADQAAQAADhAABgMBAqq7zA==",
        r#"{"certUsage": 3, "selector": 1, "matchingType": 2, "data": "aabbcc"}"#,
    ),
    (
        "A3NwZgJycgAAYwABAAAOEAAHBnY9c3BmMQ==",
        r#"{"items": ["v=spf1"]}"#,
    ),
    (
        "A2NhYQJycgABAQABAAAOEAAWgAVpc3N1ZWNhLmV4YW1wbGU7IHg9MQ==",
        r#"{"flags": 128, "tag": "issue", "value": "ca.example; x=1"}"#,
    ),
];

/// Of types that have no readable form: NSEC3PARAM, CDS, CERT and others.
const BYTES_ALONE: [&str; 10] = [
    "AnJwAnJyAAARAAEAAA4QAAwBYQJycgABYgJycgA=",
    "BWFmc2RiAnJyAAASAAEAAA4QAAgAAQFhAnJyAA==",
    "Amt4AnJyAAAkAAEAAA4QAAgACgFhAnJyAA==",
    "BGNlcnQCcnIAACUAAQAADhAACAABAAIDAQID",
    "Cm5zZWMzcGFyYW0CcnIAADMAAQAADhAABwEAAAwCqrs=",
    "BnNtaW1lYQJycgAANQABAAAOEAAGAwECqrvM",
    "A2NkcwJycgAAOwABAAAOEAAkMDkIAkn9RubEtFxV1Kxpy9PNNKwa/lHeAQIDBAUGBwgJCgsM",
    "Cm9wZW5wZ3BrZXkCcnIAAD0AAQAADhAABAECAwQ=",
    "A3VyaQJycgABAAABAAAOEAANAAoAAWh0dHA6Ly94Lw==",
    "A3VuawJycgAE0gABAAAOEAADAQID",
];

fn read(raw: &str) -> hickory_proto::rr::Record {
    let bytes = BASE64_STANDARD.decode(raw).unwrap();
    hickory_proto::rr::Record::from_bytes(&bytes).unwrap()
}

fn told(raw: &str) -> Record {
    let found = Found {
        ifindex: 0,
        record: read(raw),
    };
    Record::of(&found).unwrap()
}

#[test]
fn records_are_told_as_systemd_tells_them() {
    for (raw, readable) in AS_SYSTEMD_SAYS {
        let mut expected: Value = serde_json::from_str(readable).unwrap();
        let record = read(raw);
        expected["key"] = json!({
            "class": 1,
            "type": u16::from(record.record_type()),
            "name": name::format(&record.name),
        });
        let told = told(raw);
        assert_eq!(told.rr.unwrap(), expected);
        assert_eq!(told.raw, raw);
    }
}

#[test]
fn the_others_are_told_by_their_bytes() {
    for raw in BYTES_ALONE {
        let told = told(raw);
        assert!(told.rr.is_none(), "{:?}", told.rr);
        assert_eq!(told.raw, raw);
    }
}

/// Types that systemd 252 does not know.
#[test]
fn newer_types() {
    let naptr = "BW5hcHRyAnJyAAAjAAEAAA4QACAAZAAyAXMIaHR0cCtJMkwKIV4uKiQheFwxIQFhAnJyAA==";
    let rr = told(naptr).rr.unwrap();
    assert_eq!(
        (&rr["naptrFlags"], &rr["replacement"]),
        (&json!("s"), &json!("a.rr"))
    );
    let svcb = "BHN2Y2ICcnIAAEAAAQAADhAAUAABAWECcnIAAAAAAgABAAEABgJoMgJoMwACAAAAAwACIPsABAAIwAACAcAAAgIABQACAAAABgAQ\
                IAENuAAAAAAAAAAAAAAAAf81AARhYgFj";
    let rr = told(svcb).rr.unwrap();
    assert_eq!(
        (&rr["priority"], &rr["target"]),
        (&json!(1), &json!("a.rr"))
    );
    let params = &rr["svcparams"];
    assert_eq!(
        params["port"],
        BASE64_STANDARD.encode(8443_u16.to_be_bytes())
    );
    assert_eq!(params["key65333"], BASE64_STANDARD.encode(b"ab\x01c"));
}

#[test]
fn hashes() {
    // RFC 4648, 10, and the hash of RFC 5155, appendix A.
    assert_eq!(base32hex(b"foobar"), "cpnmuoj1e8");
    assert_eq!(base32hex(b""), "");
}
