use super::*;
use crate::resolve::{Found, address_names, hostname};
use crate::userdb::{Field, group, user};

type Outcomes = (Result<Outcome, Fault>, Vec<String>);

fn ask(
    text: &[u8],
    read: impl Fn(&mut Scanner<'_, '_>, &mut Vec<String>) -> Result<(), Fault>,
) -> Outcomes {
    let mut source = text;
    let mut reader = Reader::new(&mut source);
    let mut found = Vec::new();
    let outcome = reply(&mut reader, &mut |scanner| read(scanner, &mut found));
    (outcome, found)
}

fn resolve(text: &[u8]) -> Outcomes {
    ask(text, |scanner, found| {
        hostname(scanner, &mut |item| {
            found.push(match item {
                Found::Address { octets, ifindex } => format!("{octets:?}%{ifindex}"),
                Found::Name(name) => name.escape_ascii().to_string(),
                Found::TimeToLive(seconds) => format!("ttl {seconds}"),
            });
        })
    })
}

fn resolve_ok(text: &str) -> Vec<String> {
    let (outcome, found) = resolve(format!("{text}\0").as_bytes());
    assert_eq!(outcome, Ok(Outcome::Returned), "{text}");
    found
}

#[test]
fn reads_addresses_and_the_name_in_any_order() {
    let text = r#"{"parameters":{"addresses":[{"ifindex":7,"family":2,"address":[10,0,0,255]},
        {"address":[254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"family":10,"ifindex":null}],"name":"web"}}"#;
    let v6 = "[254, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]%0";
    assert_eq!(resolve_ok(text), ["[10, 0, 0, 255]%7", v6, "web"]);
    let text = r#"{"parameters":{"ttl":4294967295,"addresses":[],"name":"web","flags":1}}"#;
    assert_eq!(resolve_ok(text), ["ttl 4294967295", "web"]);
    let text = r#"{"new":{"x":[[]]},"parameters":{"name":"n\u0000ul","flags":1,"addresses":[]},"continues":false}"#;
    assert_eq!(resolve_ok(text), ["n\\x00ul"]);
}

#[test]
fn leaves_out_families_it_does_not_know() {
    let text = r#"{"parameters":{"addresses":[{"family":1,"address":[1]},{"family":-1,"address":[]},
        {"family":40,"address":[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9]},{"family":2,"address":[1,2,3,4],"ttl":3.5}]}}"#;
    assert_eq!(resolve_ok(text), ["[1, 2, 3, 4]%0"]);
}

#[test]
fn a_thousand_addresses() {
    let entry = r#"{"ifindex":3,"family":10,"address":[253,0,0,136,0,0,0,0,0,0,0,0,0,0,0,2]}"#;
    let text = format!(
        r#"{{"parameters":{{"addresses":[{}]}}}}"#,
        vec![entry; 1000].join(",")
    );
    assert_eq!(resolve_ok(&text).len(), 1000);
}

#[test]
fn refuses_every_other_shape() {
    let parameters = [
        "null",
        "[]",
        "{}",
        "7",
        r#""addresses""#,
        r#"{"addresses":null}"#,
        r#"{"addresses":{}}"#,
        r#"{"addresses":[[]]}"#,
        r#"{"addresses":[1]}"#,
        r#"{"addresses":[{}]}"#,
        r#"{"addresses":[{"family":2}]}"#,
        r#"{"addresses":[{"address":[1,2,3,4]}]}"#,
        r#"{"addresses":[{"family":2,"address":[]}]}"#,
        r#"{"addresses":[{"family":2,"address":[1,2,3]}]}"#,
        r#"{"addresses":[{"family":2,"address":[1,2,3,4,5]}]}"#,
        r#"{"addresses":[{"family":10,"address":[1,2,3,4]}]}"#,
        r#"{"addresses":[{"family":2,"address":[1,2,3,256]}]}"#,
        r#"{"addresses":[{"family":2,"address":[1,2,3,-1]}]}"#,
        r#"{"addresses":[{"family":2,"address":[1,2,3,4.0]}]}"#,
        r#"{"addresses":[{"family":2,"address":[1,2,3,null]}]}"#,
        r#"{"addresses":[{"family":2,"address":"1.2.3.4"}]}"#,
        r#"{"addresses":[{"family":"2","address":[1,2,3,4]}]}"#,
        r#"{"addresses":[{"family":2.0,"address":[1,2,3,4]}]}"#,
        r#"{"addresses":[{"family":2,"address":[1,2,3,4],"ifindex":-1}]}"#,
        r#"{"addresses":[{"family":2,"address":[1,2,3,4],"ifindex":4294967296}]}"#,
        r#"{"addresses":[{"family":2,"family":2,"address":[1,2,3,4]}]}"#,
        r#"{"addresses":[{"family":2,"address":[1,2,3,4],"address":[1,2,3,4]}]}"#,
        r#"{"addresses":[],"addresses":[]}"#,
        r#"{"addresses":[],"name":7}"#,
        r#"{"addresses":[],"ttl":-1}"#,
        r#"{"addresses":[],"ttl":4294967296}"#,
        r#"{"addresses":[],"ttl":"1"}"#,
        r#"{"addresses":[],"name":null}"#,
        r#"{"addresses":[],"name":"a","name":"b"}"#,
    ];
    for parameters in parameters {
        let (outcome, _) = resolve(format!("{{\"parameters\":{parameters}}}\0").as_bytes());
        assert_eq!(outcome, Err(Fault::Shape), "{parameters}");
    }
    let long = format!(
        r#"{{"parameters":{{"addresses":[],"name":"{}"}}}}"#,
        "x".repeat(600)
    );
    assert_eq!(resolve(format!("{long}\0").as_bytes()).0, Err(Fault::Shape));
}

#[test]
fn an_error_counts_wherever_it_stands() {
    let texts = [
        r#"{"error":"io.x.No"}"#,
        r#"{"error":"io.x.No","parameters":{}}"#,
        r#"{"parameters":null,"error":"io.x.No"}"#,
        r#"{"parameters":{"name":5,"addresses":[{"family":[{}]}]},"error":"io.x.No","continues":false}"#,
        r#"{"error":"io.x.No","parameters":{"addresses":[{"family":2,"address":[1,2,3,4]}]}}"#,
    ];
    for text in texts {
        match resolve(format!("{text}\0").as_bytes()).0 {
            Ok(Outcome::Failed(name)) => assert_eq!(name.as_bytes(), b"io.x.No", "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn refuses_messages_that_are_no_replies() {
    for (text, fault) in [
        ("[]", Fault::Shape),
        ("null", Fault::Shape),
        ("{}", Fault::Shape),
        (r#"{"error":7}"#, Fault::Shape),
        (r#"{"error":"a","error":"b"}"#, Fault::Shape),
        (
            r#"{"parameters":{"addresses":[]},"parameters":{"addresses":[]}}"#,
            Fault::Shape,
        ),
        (
            r#"{"parameters":{"addresses":[]},"continues":true}"#,
            Fault::Protocol,
        ),
        (
            r#"{"parameters":{"addresses":[]},"continues":1}"#,
            Fault::Protocol,
        ),
        (r#"{"parameters":{"addresses":[]}} {}"#, Fault::Protocol),
        (r#"{"parameters":{"addresses":[]}}x"#, Fault::Protocol),
    ] {
        assert_eq!(
            resolve(format!("{text}\0").as_bytes()).0,
            Err(fault),
            "{text}"
        );
    }
}

#[test]
fn ends_with_the_first_message() {
    let text = b"{\"parameters\":{\"addresses\":[]}}\0{\"error\":\"x\"}\0";
    assert_eq!(resolve(text).0, Ok(Outcome::Returned));
}

#[test]
fn reads_names() {
    let names = |text: &str| {
        ask(format!("{text}\0").as_bytes(), |scanner, found| {
            address_names(scanner, &mut |item| {
                if let Found::Name(name) = item {
                    found.push(name.escape_ascii().to_string());
                }
            })
        })
    };
    let (outcome, found) =
        names(r#"{"parameters":{"names":[{"ifindex":2,"name":"a"},{"name":"b"}],"flags":1}}"#);
    assert_eq!(
        (outcome, found.join(" ").as_str()),
        (Ok(Outcome::Returned), "a b")
    );
    assert_eq!(
        names(r#"{"parameters":{"names":[]}}"#),
        (Ok(Outcome::Returned), vec![])
    );
    for text in [
        r#"{"names":[{}]}"#,
        r#"{"names":["a"]}"#,
        r#"{"names":{"name":"a"}}"#,
        "{}",
    ] {
        assert_eq!(
            names(&format!(r#"{{"parameters":{text}}}"#)).0,
            Err(Fault::Shape),
            "{text}"
        );
    }
}

type ReadFields = fn(&mut Scanner<'_, '_>, &mut dyn FnMut(Field<'_>)) -> Result<(), Fault>;

#[test]
fn reads_records() {
    let fields = |text: &str, which: ReadFields| {
        ask(
            format!("{{\"parameters\":{text}}}\0").as_bytes(),
            move |scanner, found| {
                which(scanner, &mut |field| {
                    found.push(match field {
                        Field::Uid(id) => format!("uid {id}"),
                        Field::Gid(id) => format!("gid {id}"),
                        Field::Name(text)
                        | Field::RealName(text)
                        | Field::Home(text)
                        | Field::Shell(text) => text.escape_ascii().to_string(),
                    });
                })
            },
        )
    };
    let text = r#"{"record":{"userName":"vu-a-0","uid":65536,"gid":65534,"realName":"UID 0","homeDirectory":"/",
        "shell":"/sbin/nologin","locked":true,"service":"io.systemd.Machine"},"incomplete":false}"#;
    let (outcome, found) = fields(text, user);
    assert_eq!(outcome, Ok(Outcome::Returned));
    assert_eq!(
        found,
        [
            "vu-a-0",
            "uid 65536",
            "gid 65534",
            "UID 0",
            "/",
            "/sbin/nologin"
        ]
    );
    let (outcome, found) = fields(
        r#"{"record":{"groupName":"vg-a-0","gid":65536,"description":"x"}}"#,
        group,
    );
    assert_eq!(
        (outcome, found.join(" ").as_str()),
        (Ok(Outcome::Returned), "vg-a-0 gid 65536")
    );
    for text in [
        "{}",
        r#"{"record":null}"#,
        r#"{"record":{"uid":-1}}"#,
        r#"{"record":{"uid":4294967296}}"#,
    ] {
        assert_eq!(fields(text, user).0, Err(Fault::Shape), "{text}");
    }
}
