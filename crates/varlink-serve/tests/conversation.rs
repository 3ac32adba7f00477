//! What a client that keeps to the protocol gets.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

mod common;

use std::{
    io::Read,
    mem::MaybeUninit,
    os::unix::fs::{MetadataExt, PermissionsExt},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use common::{Client, DESCRIPTION, INTERFACE, Running};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde_json::json;
use varlink_serve::{Limits, Method, Socket};

fn running() -> Running {
    Running::new(Limits::default())
}

#[test]
fn a_call_is_answered() {
    let server = running();
    let reply = server
        .connect()
        .call("org.example.test.Echo", &json!({"text": "ä\"\\\n"}));
    assert_eq!(reply, json!({"parameters": {"text": "ä\"\\\n"}}));
}

#[test]
fn a_call_without_parameters_is_one_with_none() {
    let server = running();
    let mut client = server.connect();
    for call in [
        r#"{"method":"org.varlink.service.GetInfo"}"#,
        r#"{"method":"org.varlink.service.GetInfo","parameters":null}"#,
        r#"{"method":"org.varlink.service.GetInfo","parameters":{},"more":false,"unknown":[1]}"#,
    ] {
        client.send(call);
        let info = client.receive().unwrap();
        assert_eq!(
            info["parameters"]["interfaces"],
            json!(["io.systemd", "org.example.test", "org.varlink.service"]),
            "{call}"
        );
    }
}

#[test]
fn errors_name_what_was_wrong() {
    let server = running();
    let mut client = server.connect();
    let mut error = |method: &str, parameters| {
        let reply = client.call(method, &parameters);
        let error = reply["error"].as_str().unwrap().to_owned();
        (
            error.rsplit_once('.').unwrap().1.to_owned(),
            reply["parameters"].clone(),
        )
    };
    for (method, parameters, name, told) in [
        (
            "org.nowhere.Echo",
            json!({}),
            "InterfaceNotFound",
            json!({"interface": "org.nowhere"}),
        ),
        (
            "org.example.test.No",
            json!({}),
            "MethodNotFound",
            json!({"method": "org.example.test.No"}),
        ),
        (
            "org.varlink.service.No",
            json!({}),
            "MethodNotFound",
            json!({"method": "org.varlink.service.No"}),
        ),
        (
            "Echo",
            json!({}),
            "MethodNotFound",
            json!({"method": "Echo"}),
        ),
        ("", json!({}), "MethodNotFound", json!({"method": ""})),
        (
            "org.example.test.Echo",
            json!({}),
            "InvalidParameter",
            json!({"parameter": "text"}),
        ),
        (
            "org.example.test.Echo",
            json!({"text": 5}),
            "InvalidParameter",
            json!({"parameter": "text"}),
        ),
        (
            "org.example.test.Echo",
            json!([]),
            "InvalidParameter",
            json!({"parameter": "parameters"}),
        ),
        (
            "org.example.test.Count",
            json!({"to": 3}),
            "ExpectedMore",
            json!({}),
        ),
        (
            "org.varlink.service.GetInterfaceDescription",
            json!({"interface": "x.y"}),
            "InterfaceNotFound",
            json!({"interface": "x.y"}),
        ),
    ] {
        assert_eq!(
            error(method, parameters),
            (name.to_owned(), told),
            "{method}"
        );
    }
}

#[test]
fn interfaces_are_described_as_they_are() {
    let server = running();
    let mut client = server.connect();
    let mut describe = |interface: &str| {
        let method = "org.varlink.service.GetInterfaceDescription";
        let reply = client.call(method, &json!({"interface": interface}));
        reply["parameters"]["description"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(describe("org.example.test"), DESCRIPTION);
    let own = describe("org.varlink.service");
    let parsed = zlink::idl::Interface::try_from(own.as_str()).unwrap();
    assert_eq!(parsed.name(), "org.varlink.service");
    let methods: Vec<_> = parsed
        .methods()
        .map(|method| method.name().to_string())
        .collect();
    assert_eq!(methods, ["GetInfo", "GetInterfaceDescription"]);
    let own = describe("io.systemd");
    let parsed = zlink::idl::Interface::try_from(own.as_str()).unwrap();
    assert_eq!(parsed.name(), "io.systemd");
    assert_eq!(parsed.methods().count(), 0);
    let parsed = zlink::idl::Interface::try_from(DESCRIPTION).unwrap();
    let described: Vec<_> = parsed
        .methods()
        .map(|method| method.name().to_string())
        .collect();
    let served: Vec<_> = INTERFACE
        .methods
        .iter()
        .map(|Method(name, _)| *name)
        .collect();
    assert_eq!(described, served);
}

#[test]
fn pipelined_calls_are_answered_in_order() {
    let server = running();
    let mut client = server.connect();
    let mut calls = String::new();
    for number in 0..200 {
        if number == 50 {
            calls +=
                "{\"method\":\"org.example.test.Wait\",\"parameters\":{\"milliseconds\":50}}\0";
        }
        calls += &format!(
            "{{\"method\":\"org.example.test.Echo\",\"parameters\":{{\"text\":\"{number}\"}}}}\0"
        );
    }
    use std::io::Write;
    client.stream.write_all(calls.as_bytes()).unwrap();
    for number in 0..200 {
        if number == 50 {
            assert_eq!(client.receive().unwrap(), json!({"parameters": {}}));
        }
        let reply = client.receive().unwrap();
        assert_eq!(reply["parameters"]["text"], number.to_string());
    }
}

#[test]
fn a_oneway_call_gets_no_reply_not_even_an_error() {
    let server = running();
    let mut client = server.connect();
    client.send(r#"{"method":"org.example.test.Echo","parameters":{"text":"a"},"oneway":true}"#);
    client.send(r#"{"method":"org.example.test.Echo","oneway":true}"#);
    client.send(r#"{"method":"no.such.Method","oneway":true}"#);
    let reply = client.call("org.example.test.Echo", &json!({"text": "b"}));
    assert_eq!(reply["parameters"]["text"], "b");
}

#[test]
fn an_upgrade_is_refused() {
    let server = running();
    let mut client = server.connect();
    client.send(r#"{"method":"org.example.test.Echo","parameters":{"text":"a"},"upgrade":true}"#);
    let reply = client.receive().unwrap();
    assert_eq!(reply["error"], "org.varlink.service.MethodNotImplemented");
}

#[test]
fn more_gives_updates_and_then_the_answer() {
    let server = running();
    let mut client = server.connect();
    client.send(r#"{"method":"org.example.test.Count","parameters":{"to":3},"more":true}"#);
    let replies: Vec<_> = (0..3).map(|_| client.receive().unwrap()).collect();
    assert_eq!(
        replies[0],
        json!({"parameters": {"number": 1}, "continues": true})
    );
    assert_eq!(
        replies[1],
        json!({"parameters": {"number": 2}, "continues": true})
    );
    assert_eq!(replies[2], json!({"parameters": {"number": 3}}));
    assert!(client.is_served());
}

#[test]
fn a_watch_ends_when_the_watcher_hangs_up() {
    let server = running();
    let mut client = server.connect();
    client.send(r#"{"method":"org.example.test.Watch","more":true}"#);
    client.receive().unwrap();
    // What it sends meanwhile neither ends the watch nor keeps the server busy.
    client.send(r#"{"method":"org.example.test.Echo","parameters":{"text":"later"}}"#);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(server.watchers.load(Ordering::SeqCst), 1);
    drop(client);
    let patience = Instant::now();
    while server.watchers.load(Ordering::SeqCst) > 0 {
        assert!(patience.elapsed() < Duration::from_secs(5), "it goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_call_that_waits_keeps_nobody_else_waiting() {
    let server = running();
    let mut slow = server.connect();
    slow.send(r#"{"method":"org.example.test.Wait","parameters":{"milliseconds":2000}}"#);
    let begin = Instant::now();
    assert!(server.connect().is_served());
    assert!(begin.elapsed() < Duration::from_secs(1));
    assert_eq!(slow.receive().unwrap(), json!({"parameters": {}}));
}

#[test]
fn a_reply_can_carry_a_descriptor() {
    let server = running();
    let mut client = server.connect();
    client.send(r#"{"method":"org.example.test.Open","parameters":{"text":"inside"}}"#);
    let mut bytes = [0; 1024];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut iov = [std::io::IoSliceMut::new(&mut bytes)];
    let received = recvmsg(
        &client.stream,
        &mut iov,
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )
    .unwrap();
    let fds: Vec<_> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds.collect::<Vec<_>>()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(
        &bytes[..received.bytes],
        b"{\"parameters\":{\"fileDescriptor\":0}}\0"
    );
    assert_eq!(fds.len(), 1);
    let mut text = String::new();
    let mut pipe = std::fs::File::from(fds.into_iter().next().unwrap());
    pipe.read_to_string(&mut text).unwrap();
    assert_eq!(text, "inside");
}

#[test]
fn the_kernel_says_who_calls() {
    let server = running();
    let who = server.connect().call("org.example.test.Who", &json!({}));
    assert_eq!(who["parameters"]["uid"], rustix::process::getuid().as_raw());
    assert_eq!(who["parameters"]["pid"], std::process::id());
}

#[test]
fn zlink_understands_us() {
    let server = running();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    #[derive(Debug, serde::Serialize)]
    #[serde(tag = "method", content = "parameters")]
    enum Methods<'a> {
        #[serde(rename = "org.example.test.Echo")]
        Echo { text: &'a str },
    }
    #[derive(Debug, serde::Deserialize)]
    struct Echoed {
        text: String,
    }
    #[derive(Debug, zlink::ReplyError)]
    #[zlink(interface = "org.example.test")]
    enum NoError {}
    runtime.block_on(async {
        let mut client = zlink::tokio::unix::connect(server.path()).await.unwrap();
        let long = "x".repeat(100_000);
        for text in ["a", &long, ""] {
            let call = zlink::Call::new(Methods::Echo { text });
            let (reply, _) = client
                .call_method::<_, Echoed, NoError>(&call, vec![])
                .await
                .unwrap();
            assert_eq!(reply.unwrap().into_parameters().unwrap().text, text);
        }
    });
}

#[test]
fn the_socket_is_open_to_all_and_goes_at_the_end() {
    let mut server = running();
    let path = server.path();
    assert_eq!(
        path.metadata().unwrap().permissions().mode() & 0o7777,
        0o666
    );
    let parent = path.parent().unwrap();
    assert_eq!(
        parent.metadata().unwrap().permissions().mode() & 0o7777,
        0o755
    );
    let names: Vec<_> = parent
        .read_dir()
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["socket"], "no temporary name is left");
    let mut client = server.connect();
    assert!(client.is_served());
    server.stop();
    assert!(!path.exists());
    assert!(client.is_closed());
}

#[test]
fn a_successor_takes_the_place_over() {
    let mut old = running();
    let path = old.path();
    let before = path.metadata().unwrap().ino();
    let successor = Socket::bind(&path).unwrap();
    let after = path.metadata().unwrap().ino();
    assert_ne!(before, after);
    old.stop();
    assert_eq!(
        path.metadata().unwrap().ino(),
        after,
        "the old one left the new one's file alone"
    );
    drop(successor);
    assert!(!path.exists());
}

#[test]
fn a_socket_that_was_handed_over_is_served() {
    let server = running();
    let listener = std::os::unix::net::UnixListener::bind(server.directory.join("other")).unwrap();
    assert!(Socket::inherited(listener.into()).is_ok());
    let (stream, _) = std::os::unix::net::UnixStream::pair().unwrap();
    assert!(Socket::inherited(stream.into()).is_err());
    let file = std::fs::File::open("/dev/null").unwrap();
    assert!(Socket::inherited(file.into()).is_err());
    let _ = Client::new(&server.path());
}
