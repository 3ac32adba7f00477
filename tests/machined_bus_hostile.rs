//! Messages that a client may send and nobody should: machined stays on the bus, and keeps nothing of them.

mod machined_bus_client;
mod machined_bus_raw;

use std::{fs, io::IoSlice, mem::MaybeUninit, os::fd::AsFd};

use machined_bus_client::{Client, MANAGER, MANAGER_IFACE, as_user};
use machined_bus_raw::Raw;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use support::{Sandbox, sandbox};
use zbus::{Fd, Message, Variant, message::Flags, wire::Endian};

const NOBODY: u32 = 65534;

fn call(member: &str) -> zbus::message::Builder<'_> {
    Message::method_call(MANAGER, member)
        .destination("org.freedesktop.machine1")
        .interface(MANAGER_IFACE)
}

fn bytes(message: zbus::Result<Message>) -> Vec<u8> {
    message.unwrap().data().bytes().to_vec()
}

/// Variants in variants.
fn nested(depth: usize) -> Variant<'static> {
    (0..depth).fold(Variant::from(1u32), |inner, _| {
        Variant::Variant(Box::new(inner))
    })
}

/// Messages of every odd kind, by what is odd.
fn odd() -> Vec<(&'static str, Vec<u8>)> {
    let plain = bytes(call("GetMachine").build(&"web"));
    let changed = |at: usize, to: u8| {
        let mut message = plain.clone();
        message[at] = to;
        message
    };
    vec![
        ("a type that is none", changed(1, 0)),
        ("a type of the future", changed(1, 5)),
        ("the last type", changed(1, 255)),
        ("a signal for us alone", changed(1, 4)),
        ("flags of the future", changed(2, 0xf8)),
        ("another protocol", changed(3, 2)),
        (
            "big-endian",
            bytes(call("GetMachine").endian(Endian::Big).build(&"web")),
        ),
        (
            "no reply",
            bytes(
                call("GetMachine")
                    .with_flags(Flags::NO_REPLY_EXPECTED)
                    .build(&"web"),
            ),
        ),
        (
            "a long body",
            bytes(call("GetMachine").build(&"x".repeat(4 << 20))),
        ),
        ("a long member", bytes(call(&"M".repeat(255)).build(&()))),
        ("a deep body", bytes(call("GetMachine").build(&nested(60)))),
        ("a reply to nothing", {
            let asked = call("GetMachine").build(&"web").unwrap();
            let builder =
                Message::method_return(&asked.header()).destination("org.freedesktop.machine1");
            bytes(builder.build(&()))
        }),
        ("an error to nothing", {
            let asked = call("GetMachine").build(&"web").unwrap();
            let builder =
                Message::error(&asked.header(), "a.b").destination("org.freedesktop.machine1");
            bytes(builder.build(&1u32))
        }),
        ("a long path", {
            let path = format!("/{}", "x/".repeat(30_000).trim_end_matches('/'));
            bytes(
                Message::method_call(path, "Ping")
                    .destination("org.freedesktop.machine1")
                    .build(&()),
            )
        }),
    ]
}

fn owner(client: &Client) -> String {
    let asking = client.connection.call_method(
        Some("org.freedesktop.DBus"),
        "/org/freedesktop/DBus",
        Some("org.freedesktop.DBus"),
        "GetNameOwner",
        &"org.freedesktop.machine1",
    );
    client
        .block_on(asking)
        .unwrap()
        .body()
        .deserialize()
        .unwrap()
}

fn descriptors(s: &Sandbox) -> usize {
    fs::read_dir(format!("/proc/{}/fd", s.machined().pid()))
        .unwrap()
        .count()
}

/// Sends each in turn and sees that machined still has the name, on the same connection.
fn survives(s: &Sandbox, send: impl Fn() + Send + Copy) {
    let client = Client::new();
    let before = (owner(&client), descriptors(s));
    match s.is_rootless() {
        true => send(),
        false => as_user(NOBODY, send),
    }
    client.manager("GetMachine", args![".host"]).ok();
    assert_eq!((owner(&client), descriptors(s)), before);
}

#[test]
fn odd_messages_are_survived() {
    sandbox!(|s| {
        for at in 0..odd().len() {
            let (what, _) = &odd()[at];
            println!("{what}");
            survives(s, move || {
                use std::io::Write;
                let mut raw = Raw::connect();
                let message = raw.numbered(&odd()[at].1);
                // The bus itself may close on us.
                drop(raw.socket.write_all(&message));
                std::thread::sleep(std::time::Duration::from_millis(30));
            });
        }
    });
}

#[test]
fn unasked_descriptors_are_closed() {
    sandbox!(|s| {
        survives(s, || {
            let null = fs::File::open("/dev/null").unwrap();
            let fds: Vec<_> = (0..16).map(|_| Fd::from(null.as_fd())).collect();
            let message = call("GetMachine").build(&fds).unwrap();
            let mut raw = Raw::connect();
            for _ in 0..100 {
                let bytes = raw.numbered(message.data().bytes());
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
                let mut buffer = SendAncillaryBuffer::new(&mut space);
                let borrowed: Vec<_> = message.data().fds().iter().map(AsFd::as_fd).collect();
                assert!(buffer.push(SendAncillaryMessage::ScmRights(&borrowed)));
                sendmsg(
                    &raw.socket,
                    &[IoSlice::new(&bytes)],
                    &mut buffer,
                    SendFlags::empty(),
                )
                .unwrap();
            }
            let ping = bytes(call("GetMachine").build(&".host"));
            // The error replies to those before come first.
            for _ in 0..101 {
                drop(raw.call(&ping));
            }
        });
    });
}
