use super::*;
use crate::{Error, Result};

fn one(text: &str) -> Option<Result<Address>> {
    let mut all = addresses(text.as_bytes());
    let first = all.next();
    assert_eq!(all.next(), None, "{text}");
    first
}

fn good(transport: Transport) -> Option<Result<Address>> {
    Some(Ok(Address {
        transport,
        guid: None,
    }))
}

#[test]
fn each_way() {
    let unix = |unix| good(Transport::Unix(unix));
    let name = |name: &str| good(Transport::Machine(Machine::Name(name.to_owned())));
    let tcp = |family| {
        let [host, port] = ["127.0.0.1", "1"].map(|text| text.as_bytes().to_vec());
        good(Transport::Tcp { host, port, family })
    };
    let program = |arguments: &[&str]| {
        let arguments = arguments
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect();
        good(Transport::UnixExec {
            path: b"/bin/p".to_vec(),
            arguments,
        })
    };
    let bad = || Some(Err(Error::Invalid));
    for (text, expected) in [
        ("", None),
        ("garbage", None),
        ("unix", None),
        ("foo:bar", None),
        ("kernel:path=/x", None),
        ("x-machine-kernel:machine=web", None),
        (
            "unix:path=/run/dbus/system_bus_socket",
            unix(Unix::Path(b"/run/dbus/system_bus_socket".to_vec())),
        ),
        ("unix:path=/a%2fb%20c", unix(Unix::Path(b"/a/b c".to_vec()))),
        ("unix:path=/a,foo=bar", unix(Unix::Path(b"/a".to_vec()))),
        ("foo:bar;unix:path=/a;", unix(Unix::Path(b"/a".to_vec()))),
        (
            "unix:abstract=a%00b",
            unix(Unix::Abstract(b"a\0b".to_vec())),
        ),
        ("unix:dir=/d", unix(Unix::Directory(b"/d".to_vec()))),
        ("unix:tmpdir=/d", unix(Unix::Directory(b"/d".to_vec()))),
        ("unix:runtime=yes", unix(Unix::Runtime)),
        ("unix:runtime=no", bad()),
        ("unix:", bad()),
        ("unix:path", bad()),
        ("unix:path=", bad()),
        ("unix:path=/a%2", bad()),
        ("unix:path=/a%zz", bad()),
        ("unix:path=/a%+1", bad()),
        ("unix:path=/a%00", bad()),
        ("unix:path=/a,abstract=b", bad()),
        ("unix:path=/a,path=/b", bad()),
        ("unix:path=/a,guid=x", bad()),
        ("unix:path=/a,guid=+123456789abcdef0123456789abcdef", bad()),
        ("tcp:host=127.0.0.1,port=1", tcp(None)),
        (
            "tcp:host=127.0.0.1,port=1,family=ipv4",
            tcp(Some(Family::Ipv4)),
        ),
        (
            "tcp:host=127.0.0.1,family=ipv6,port=1",
            tcp(Some(Family::Ipv6)),
        ),
        ("tcp:host=127.0.0.1,port=1,family=x", bad()),
        ("tcp:host=127.0.0.1", bad()),
        ("tcp:port=1", bad()),
        ("unixexec:path=/bin/p", program(&["/bin/p"])),
        (
            "unixexec:path=/bin/p,argv1=a%2cb,argv2=",
            program(&["/bin/p", "a,b", ""]),
        ),
        ("unixexec:argv1=x,argv0=y,path=/bin/p", program(&["y", "x"])),
        ("unixexec:path=/bin/p,argv2=x", bad()),
        ("unixexec:path=/bin/p,argv1=a%00", bad()),
        ("unixexec:argv1=x", bad()),
        ("x-machine-unix:machine=web", name("web")),
        ("x-machine-unix:machine=.host", name(".host")),
        ("x-machine-unix:machine=a.b-c", name("a.b-c")),
        ("x-machine-unix:machine=a/b", bad()),
        ("x-machine-unix:machine=..", bad()),
        ("x-machine-unix:machine=", bad()),
        ("x-machine-unix:", bad()),
        ("x-machine-unix:machine=web,pid=1", bad()),
        (
            "x-machine-unix:pid=42",
            good(Transport::Machine(Machine::Leader(42))),
        ),
        ("x-machine-unix:pid=x", bad()),
        ("x-machine-unix:pid=+1", bad()),
        ("x-machine-unix:pid=0", Some(Err(Error::Range))),
        ("x-machine-unix:pid=2147483648", Some(Err(Error::Range))),
        ("x-machine-unix:pid=99999999999", Some(Err(Error::Range))),
    ] {
        assert_eq!(one(text), expected, "{text}");
    }
}

#[test]
fn a_list_is_tried_in_turn() {
    let list =
        b"unix:path=/a;nonsense;tcp:host=h;unix:abstract=b,guid=0123456789abcdef0123456789ABCDEF";
    let all: Vec<_> = addresses(list).collect();
    assert!(matches!(&all[..], [Ok(_), Err(Error::Invalid), Ok(_)]));
    let half = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
    let guid = [half, half].concat().try_into().unwrap();
    assert_eq!(all[2].as_ref().unwrap().guid, Some(guid));
}

#[test]
fn values_are_escaped() {
    let all: Vec<u8> = (0..=255).collect();
    let escaped = escape(&all);
    assert_eq!(unescape(escaped.as_bytes()), Ok(all));
    assert_eq!(escape(b"/run/a b,c;d=e%"), "/run/a%20b%2cc%3bd%3de%25");
}

#[test]
fn arguments_end_somewhere() {
    let arguments = |count: usize| {
        let list = (1..count).map(|number| format!(",argv{number}=x"));
        one(&format!("unixexec:path=/bin/p{}", list.collect::<String>()))
    };
    assert!(matches!(arguments(256), Some(Ok(_))));
    assert_eq!(arguments(257), Some(Err(Error::Invalid)));
}
