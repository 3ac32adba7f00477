//! Replies to ResolveHostname, good and bad.

use crate::nss_probe::Behaviour;

pub const BAD: &str = "UNAVAIL errno=74 h_errno=3";
pub const HUNG_UP: &str = "UNAVAIL errno=104 h_errno=3";
pub const TOO_LATE: &str = "UNAVAIL errno=110 h_errno=3";
pub const NO_DATA: &str = "NOTFOUND errno=0 h_errno=4";

/// A reply to ResolveHostname with these parameters.
pub fn parameters(json: &str) -> Behaviour {
    Behaviour::reply(&format!(r#"{{"parameters":{json}}}"#))
}

/// A reply with this list of addresses.
pub fn addresses(json: &str) -> Behaviour {
    parameters(&format!(r#"{{"addresses":[{json}],"name":"web"}}"#))
}

pub const V4: &str = r#"{"family":2,"address":[10,88,0,2]}"#;
const FOUND: &str = "SUCCESS errno=0 h_errno=0 ttl=0 name=web 10.88.0.2";

/// A kind of reply, the reply, and what `gethostbyname4_r` must make of it: how its line starts, `|` between alternatives.
pub fn replies() -> Vec<(&'static str, Behaviour, &'static str)> {
    let deep = "[".repeat(1_000_000);
    let many = vec![V4; 300].join(",");
    vec![
        // First what is right, so that the rest is not refused for another reason.
        ("one address", addresses(V4), FOUND),
        (
            "unknown keys",
            parameters(&format!(r#"{{"x":[{{}}],"addresses":[{V4}],"flags":5}}"#)),
            FOUND,
        ),
        (
            "no name",
            parameters(&format!(r#"{{"addresses":[{V4}]}}"#)),
            FOUND,
        ),
        (
            "a name with NUL",
            parameters(&format!(r#"{{"addresses":[{V4}],"name":"w\u0000b"}}"#)),
            FOUND,
        ),
        (
            "a name with a line feed",
            parameters(&format!(r#"{{"addresses":[{V4}],"name":"w\nb"}}"#)),
            FOUND,
        ),
        (
            "an empty name",
            parameters(&format!(r#"{{"addresses":[{V4}],"name":""}}"#)),
            FOUND,
        ),
        (
            "a name of 100 bytes",
            parameters(&format!(
                r#"{{"addresses":[{V4}],"name":"{}"}}"#,
                "x".repeat(100)
            )),
            FOUND,
        ),
        (
            "unknown families",
            addresses(&format!(
                r#"{{"family":1,"address":[1]}},{V4},{{"family":99,"address":[]}}"#
            )),
            FOUND,
        ),
        (
            "an interface of IPv4",
            addresses(r#"{"ifindex":3,"family":2,"address":[10,88,0,2]}"#),
            FOUND,
        ),
        (
            "two replies",
            Behaviour::reply(&format!(
                "{{\"parameters\":{{\"addresses\":[{V4}]}}}}\0{{\"error\":\"x\"}}"
            )),
            FOUND,
        ),
        (
            "a reply and garbage",
            Behaviour::reply(&format!(
                "{{\"parameters\":{{\"addresses\":[{V4}]}}}}\0\u{7f}\u{1}"
            )),
            FOUND,
        ),
        (
            "a reply, then silence",
            Behaviour::SendAndHold(format!("{{\"parameters\":{{\"addresses\":[{V4}]}}}}\0").into()),
            FOUND,
        ),
        // What is nothing.
        (
            "hung up at once",
            Behaviour::Refuse,
            "UNAVAIL errno=104|UNAVAIL errno=32",
        ),
        ("hung up in silence", Behaviour::Send(vec![]), HUNG_UP),
        (
            "half a reply",
            Behaviour::Send(br#"{"parameters":{"addr"#.to_vec()),
            HUNG_UP,
        ),
        (
            "no NUL",
            Behaviour::Send(format!("{{\"parameters\":{{\"addresses\":[{V4}]}}}}").into()),
            HUNG_UP,
        ),
        ("NUL alone", Behaviour::reply(""), BAD),
        (
            "not JSON",
            Behaviour::reply("HTTP/1.1 400 Bad Request"),
            BAD,
        ),
        ("binary", Behaviour::Send((0..=255).collect()), BAD),
        ("an array", Behaviour::reply("[]"), BAD),
        ("null", Behaviour::reply("null"), BAD),
        ("an empty object", Behaviour::reply("{}"), BAD),
        (
            "trailing bytes",
            Behaviour::reply(r#"{"parameters":{"addresses":[]}}x"#),
            BAD,
        ),
        (
            "a comma too many",
            Behaviour::reply(r#"{"parameters":{"addresses":[],}}"#),
            BAD,
        ),
        (
            "invalid UTF-8",
            Behaviour::Send(
                b"{\"parameters\":{\"addresses\":[],\"name\":\"\xff\xfe\"}}\0".to_vec(),
            ),
            BAD,
        ),
        (
            "half a surrogate",
            parameters(r#"{"addresses":[],"name":"\ud800"}"#),
            BAD,
        ),
        (
            "a control character",
            parameters("{\"addresses\":[],\"name\":\"\u{1}\"}"),
            BAD,
        ),
        (
            "a million levels",
            Behaviour::reply(&format!("{{\"parameters\":{deep}")),
            BAD,
        ),
        (
            "levels in an ignored key",
            Behaviour::reply(&format!("{{\"x\":{deep}")),
            BAD,
        ),
        ("parameters null", parameters("null"), BAD),
        (
            "parameters twice",
            Behaviour::reply(r#"{"parameters":{"addresses":[]},"parameters":{"addresses":[]}}"#),
            BAD,
        ),
        (
            "addresses twice",
            parameters(r#"{"addresses":[],"addresses":[]}"#),
            BAD,
        ),
        ("no addresses", parameters("{}"), BAD),
        ("addresses null", parameters(r#"{"addresses":null}"#), BAD),
        (
            "addresses an object",
            parameters(r#"{"addresses":{}}"#),
            BAD,
        ),
        ("addresses of numbers", addresses("1,2"), BAD),
        ("addresses of text", addresses(r#""10.88.0.2""#), BAD),
        ("an empty address", addresses("{}"), BAD),
        ("no family", addresses(r#"{"address":[1,2,3,4]}"#), BAD),
        (
            "3 bytes of IPv4",
            addresses(r#"{"family":2,"address":[1,2,3]}"#),
            BAD,
        ),
        (
            "16 bytes of IPv4",
            addresses(r#"{"family":2,"address":[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6]}"#),
            BAD,
        ),
        (
            "4 bytes of IPv6",
            addresses(r#"{"family":10,"address":[1,2,3,4]}"#),
            BAD,
        ),
        (
            "a million bytes",
            addresses(&format!(
                r#"{{"family":10,"address":[{}0]}}"#,
                "0,".repeat(300_000)
            )),
            BAD,
        ),
        (
            "a negative byte",
            addresses(r#"{"family":2,"address":[1,2,3,-4]}"#),
            BAD,
        ),
        (
            "a byte of 256",
            addresses(r#"{"family":2,"address":[1,2,3,256]}"#),
            BAD,
        ),
        (
            "a fraction",
            addresses(r#"{"family":2,"address":[1,2,3,4.5]}"#),
            BAD,
        ),
        (
            "an exponent",
            addresses(r#"{"family":2,"address":[1,2,3,4e0]}"#),
            BAD,
        ),
        (
            "a number without end",
            addresses(&format!(
                r#"{{"family":2,"address":[1,2,3,{}]}}"#,
                "9".repeat(100_000)
            )),
            BAD,
        ),
        (
            "family as text",
            addresses(r#"{"family":"2","address":[1,2,3,4]}"#),
            BAD,
        ),
        (
            "a negative interface",
            addresses(r#"{"ifindex":-1,"family":2,"address":[1,2,3,4]}"#),
            BAD,
        ),
        (
            "a huge interface",
            addresses(r#"{"ifindex":4294967296,"family":2,"address":[1,2,3,4]}"#),
            BAD,
        ),
        (
            "continues",
            Behaviour::reply(r#"{"parameters":{"addresses":[]},"continues":true}"#),
            BAD,
        ),
        ("error as a number", Behaviour::reply(r#"{"error":7}"#), BAD),
        // Answers that are no addresses.
        ("an empty list", addresses(""), NO_DATA),
        (
            "unknown families alone",
            addresses(r#"{"family":7,"address":[1]}"#),
            NO_DATA,
        ),
        (
            "NoAddresses",
            Behaviour::reply(r#"{"error":"io.switchyard.Machines.NoAddresses","parameters":{}}"#),
            NO_DATA,
        ),
        (
            "NoSuchMachine",
            Behaviour::reply(r#"{"parameters":{},"error":"io.switchyard.Machines.NoSuchMachine"}"#),
            "NOTFOUND errno=0 h_errno=1",
        ),
        (
            "another error",
            Behaviour::reply(r#"{"error":"org.varlink.service.MethodNotFound"}"#),
            "UNAVAIL errno=121 h_errno=3",
        ),
        (
            "an error with addresses",
            Behaviour::reply(&format!(
                r#"{{"error":"x.Y","parameters":{{"addresses":[{V4}]}}}}"#
            )),
            "UNAVAIL errno=121 h_errno=3",
        ),
        (
            "an endless error",
            Behaviour::reply(&format!(r#"{{"error":"{}"}}"#, "x".repeat(100_000))),
            BAD,
        ),
        // Too much.
        ("300 addresses", addresses(&many), FOUND),
        (
            "16 MiB of addresses",
            addresses(&vec![V4; 420_000].join(",")),
            "UNAVAIL errno=90 h_errno=3",
        ),
        (
            "a string of 16 MiB",
            Behaviour::reply(&format!(r#"{{"x":"{}"}}"#, "x".repeat(16 << 20))),
            "UNAVAIL errno=90 h_errno=3",
        ),
        (
            "spaces for ever",
            Behaviour::Flood(vec![b' '; 4096]),
            "UNAVAIL errno=90 h_errno=3",
        ),
    ]
}
