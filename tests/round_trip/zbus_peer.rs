//! What round_trip.c is in C, by zbus.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};

use futures_util::StreamExt;
use rustix::fs::{MemfdFlags, memfd_create};
use tokio::runtime::Builder;
use zbus::message::{Header, Type};
use zbus::{Array, Connection, Dict, Message, MessageStream, Structure, Variant};

const INTERFACE: &str = "org.example.Peer";
const PATH: &str = "/o";
/// The name of the server.
pub const NAME: &str = "org.example.Zbus";

/// Serves until it is told to end; `ready` is called when it has its name.
pub fn serve(ready: impl FnOnce()) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connection = Connection::system().await.unwrap();
        let mut calls = MessageStream::from(&connection);
        connection.request_name(NAME).await.unwrap();
        ready();
        while let Some(Ok(call)) = calls.next().await {
            let header = call.header();
            let is_ours = header.interface().is_some_and(|name| name == INTERFACE);
            if is_ours && header.message_type() == Type::MethodCall {
                answer(&connection, &call, &header).await;
                if header.member().is_some_and(|member| member == "Quit") {
                    break;
                }
            }
        }
    });
}

async fn answer(connection: &Connection, call: &Message, header: &Header<'_>) {
    let body = call.body();
    let number = || body.deserialize::<u32>().unwrap();
    let reply = match header.member().unwrap().as_str() {
        "Give" => connection.reply(header, &values(number())).await,
        "Take" => connection.reply(header, &told(call)).await,
        "Echo" => {
            let same: Structure<'_> = body.deserialize().unwrap();
            connection.reply(header, &same).await
        }
        "Shout" => {
            let shouted = values(number());
            let signal = connection.emit_signal(None::<&str>, PATH, INTERFACE, "Shouted", &shouted);
            signal.await.unwrap();
            connection.reply(header, &()).await
        }
        "Fail" => {
            let error = connection.reply_error(header, "org.example.Failed", &"as told");
            error.await.map(drop)
        }
        _ => connection.reply(header, &()).await,
    };
    reply.unwrap();
}

/// Calls a server of this name, and gives what it has answered.
pub fn call(name: &str) -> String {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connection = Connection::system().await.unwrap();
        let rule = format!("type='signal',interface='{INTERFACE}'");
        let rule = zbus::MatchRule::try_from(rule.as_str()).unwrap();
        let mut heard = MessageStream::for_match_rule(rule, &connection, None)
            .await
            .unwrap();
        let mut said = String::new();
        let to = Some(name);
        for number in [0_u32, 1] {
            for member in ["Give", "Echo", "Take"] {
                let interface = Some(INTERFACE);
                let reply = match member {
                    "Give" => {
                        connection
                            .call_method(to, PATH, interface, member, &number)
                            .await
                    }
                    _ => {
                        let values = values(number);
                        connection
                            .call_method(to, PATH, interface, member, &values)
                            .await
                    }
                };
                said += &format!("{member} {}\n", told(&reply.unwrap()));
            }
            let shout = connection.call_method(to, PATH, Some(INTERFACE), "Shout", &number);
            shout.await.unwrap();
            let signal = heard.next().await.unwrap().unwrap();
            said += &format!("signal {}\n", told(&signal));
        }
        let failed = connection.call_method(to, PATH, Some(INTERFACE), "Fail", &());
        let Err(zbus::Error::MethodError(name, text, _)) = failed.await else {
            panic!("{said}");
        };
        said + &format!("Fail {name} {}\n", text.unwrap_or_default())
    })
}

fn values(set: u32) -> Structure<'static> {
    let mut body = Structure::builder();
    for value in if set == 0 { all() } else { descriptors() } {
        body.push_value(value);
    }
    body.build().unwrap()
}

fn boxed(value: Variant<'static>) -> Variant<'static> {
    Variant::Variant(Box::new(value))
}

fn dict(
    types: [&str; 2],
    entries: Vec<(&'static str, Variant<'static>)>,
) -> Dict<'static, 'static> {
    let [key, value] = types.map(|types| types.try_into().unwrap());
    let mut dict = Dict::new(&key, &value);
    for (key, value) in entries {
        dict.append(key.into(), value).unwrap();
    }
    dict
}

fn all() -> Vec<Variant<'static>> {
    let variants = |list: Vec<Variant<'static>>| {
        let mut array = Array::new(&"v".try_into().unwrap());
        for value in list {
            array.append(boxed(value)).unwrap();
        }
        Variant::Array(array)
    };
    let properties = vec![
        ("k", boxed(7_i32.into())),
        ("l", boxed(Array::from(vec!["x"]).into())),
    ];
    let nested = dict(["s", "v"], vec![("prop", boxed(boxed(5_u32.into())))]);
    let structure = Structure::from((
        1_u8,
        -2_i64,
        Structure::from(("in", 0.5)),
        Array::from(vec!["z"]),
    ));
    vec![
        255_u8.into(),
        true.into(),
        i16::MIN.into(),
        u16::MAX.into(),
        i32::MIN.into(),
        u32::MAX.into(),
        i64::MIN.into(),
        u64::MAX.into(),
        f64::MAX.into(),
        "ä€😀 'x'".into(),
        Variant::ObjectPath("/a/b_1".try_into().unwrap()),
        Variant::Signature("a{sa(iv)}".try_into().unwrap()),
        boxed("in a variant".into()),
        Array::from(vec![0_u8, 1, 255]).into(),
        Array::from(vec![-1, 1]).into(),
        Array::from(vec!["", "two"]).into(),
        Array::from(vec![("a", 1), ("b", 2)]).into(),
        dict(["s", "v"], properties).into(),
        structure.into(),
        Array::from(vec![vec!["p"], vec![]]).into(),
        dict(["s", "a{sv}"], vec![("dev", nested.into())]).into(),
        variants(vec![3_u8.into(), Structure::from(("q", "r")).into()]),
        Array::new(&"(tt)".try_into().unwrap()).into(),
        Array::from(vec![-2.25]).into(),
    ]
}

fn descriptors() -> Vec<Variant<'static>> {
    let file = |content: &str| {
        let memfd = memfd_create("round-trip", MemfdFlags::CLOEXEC).unwrap();
        File::from(memfd.try_clone().unwrap())
            .write_all(content.as_bytes())
            .unwrap();
        Variant::Fd(memfd.into())
    };
    let mut list = Array::new(&"h".try_into().unwrap());
    list.append(file("two")).unwrap();
    list.append(file("one")).unwrap();
    let mut pair = Structure::builder().add_field("four");
    pair.push_value(file("two"));
    vec![
        file("one"),
        list.into(),
        boxed(file("three")),
        pair.build().unwrap().into(),
    ]
}

/// The values of a message, each in its type.
fn told(message: &Message) -> String {
    let body = message.body();
    let values: Structure<'_> = body.deserialize().unwrap();
    let values: Vec<_> = values.fields().iter().map(tell).collect();
    format!(
        "{} {}",
        body.signature().to_string_no_parens(),
        values.join(" ")
    )
}

fn tell(value: &Variant<'_>) -> String {
    let list = |values: &[Variant<'_>]| values.iter().map(tell).collect::<Vec<_>>().join(" ");
    match value {
        Variant::U8(value) => format!("y:{value}"),
        Variant::Bool(value) => format!("b:{}", i32::from(*value)),
        Variant::I16(value) => format!("n:{value}"),
        Variant::U16(value) => format!("q:{value}"),
        Variant::I32(value) => format!("i:{value}"),
        Variant::U32(value) => format!("u:{value}"),
        Variant::I64(value) => format!("x:{value}"),
        Variant::U64(value) => format!("t:{value}"),
        Variant::F64(value) => format!("d:{:016x}", value.to_bits()),
        Variant::Str(value) => format!("s:{value}"),
        Variant::ObjectPath(value) => format!("o:{value}"),
        Variant::Signature(value) => format!("g:{value}"),
        Variant::Variant(value) => format!("v<{}>({})", value.value_signature(), tell(value)),
        Variant::Array(value) => format!("{}[{}]", value.signature(), list(value.inner())),
        Variant::Structure(value) => format!("({})", list(value.fields())),
        Variant::Dict(value) => {
            // In no order.
            let entries: BTreeMap<_, _> = value.iter().map(|(k, v)| (tell(k), tell(v))).collect();
            let entries: Vec<_> = entries
                .iter()
                .map(|(k, v)| format!("{{{k} {v}}}"))
                .collect();
            format!("{}[{}]", value.signature(), entries.join(" "))
        }
        Variant::Fd(value) => format!("h:{}", content(value.as_fd().try_clone_to_owned().unwrap())),
    }
}

fn content(fd: OwnedFd) -> String {
    let mut bytes = [0; 64];
    let length = rustix::io::pread(&fd, &mut bytes, 0).unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}
