//! A tree of one object, served to a peer without a bus between.

#![allow(
    clippy::unwrap_used,
    reason = "code of tests: a step that fails is a test that fails"
)]

use std::{cell::Cell, os::unix::net::UnixStream, rc::Rc, time::Duration};

use dbus_serve::{
    Bound, Call, Change, Dict, Error, Handler, Interface, Later, Limits, Lookup, Method, Property,
    Reply, Signal, Tree,
};
use tokio::task::LocalSet;
use zbus::{Connection, Guid, Message, connection::Builder};

struct Counter {
    count: Cell<u32>,
}

static COUNTER: Interface<Rc<Counter>> = Interface {
    name: "example.Counter",
    methods: &[
        Method::new("Add", &[("u", "by")], &[("u", "sum")], Handler::Now(add)),
        Method::new(
            "Slow",
            &[("u", "ms")],
            &[("u", "sum")],
            Handler::Later(slow),
        ),
        Method::new(
            "Fail",
            &[],
            &[],
            Handler::Now(|_, _| Err(Error::new("example.No", "no"))),
        ),
    ],
    properties: &[
        Property::new("Count", "u", Change::Silent, |counter: &Rc<Counter>| {
            counter.count.get().into()
        }),
        Property::new("Alias", "u", Change::Never, |counter: &Rc<Counter>| {
            counter.count.get().into()
        })
        .hidden(),
    ],
    signals: &[Signal {
        name: "Changed",
        args: &[("u", "count")],
    }],
};

static INTERFACES: &[&Interface<Rc<Counter>>] = &[&COUNTER];

fn add(counter: &Rc<Counter>, call: &Call) -> Reply {
    counter
        .count
        .update(|count| count + call.args::<u32>().unwrap_or(0));
    call.reply(&counter.count.get())
}

fn slow(counter: Rc<Counter>, call: Call) -> Later {
    Box::pin(async move {
        tokio::time::sleep(Duration::from_millis(u64::from(call.args::<u32>()?))).await;
        call.reply(&counter.count.get())
    })
}

struct One(Rc<Counter>);

impl Tree for One {
    fn find(&self, path: &str, _: &Call) -> Lookup {
        let object = || {
            Box::new(Bound {
                object: self.0.clone(),
                interfaces: INTERFACES,
            })
        };
        match path {
            "/example/counter" => Lookup::Object(object()),
            "/example" => Lookup::Empty,
            "/example/later" => {
                let object = object();
                Lookup::Later(Box::pin(async move {
                    Some(object as Box<dyn dbus_serve::Object>)
                }))
            }
            _ => Lookup::None,
        }
    }

    fn paths(&self) -> Vec<String> {
        vec!["/example".to_owned(), "/example/counter".to_owned()]
    }
}

/// Runs a client against the tree.
async fn with<F: Future<Output = ()>>(limits: Limits, body: impl FnOnce(Connection) -> F) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let server = Builder::unix_stream(ours)
        .server(Guid::generate())
        .p2p()
        .build();
    let client = Builder::unix_stream(theirs).p2p().build();
    let (server, client) = tokio::try_join!(server, client).unwrap();
    let tree = Rc::new(One(Rc::new(Counter {
        count: Cell::new(0),
    })));
    LocalSet::new()
        .run_until(async move {
            let serving =
                tokio::task::spawn_local(
                    async move { dbus_serve::serve(&server, tree, limits).await },
                );
            let done = body(client);
            tokio::time::timeout(Duration::from_secs(10), done)
                .await
                .unwrap();
            serving.abort();
        })
        .await;
}

async fn call<B: serde::Serialize + zbus::DynamicType>(
    client: &Connection,
    path: &str,
    interface: &str,
    member: &str,
    body: &B,
) -> Result<Message, String> {
    let interface = Some(interface).filter(|name| !name.is_empty());
    client
        .call_method(None::<&str>, path, interface, member, body)
        .await
        .map_err(|error| error.to_string())
}

const COUNTER_PATH: &str = "/example/counter";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

#[tokio::test(flavor = "current_thread")]
async fn calls_and_properties() {
    with(Limits::default(), |client| async move {
        let sum = call(&client, COUNTER_PATH, "example.Counter", "Add", &2u32)
            .await
            .unwrap();
        assert_eq!(sum.body().deserialize::<u32>().unwrap(), 2);
        let sum = call(&client, "/example/later", "", "Add", &3u32)
            .await
            .unwrap();
        assert_eq!(sum.body().deserialize::<u32>().unwrap(), 5);
        let all = call(&client, COUNTER_PATH, PROPERTIES, "GetAll", &"")
            .await
            .unwrap();
        let all: std::collections::BTreeMap<String, zbus::wire::OwnedVariant> =
            all.body().deserialize().unwrap();
        assert_eq!(all.keys().collect::<Vec<_>>(), ["Count"]);
        let hidden = call(
            &client,
            COUNTER_PATH,
            PROPERTIES,
            "Get",
            &("example.Counter", "Alias"),
        )
        .await;
        assert!(hidden.is_ok());
        for (path, interface, member, error) in [
            (COUNTER_PATH, "example.Counter", "Nope", "UnknownMethod"),
            (COUNTER_PATH, "example.Nope", "Add", "UnknownMethod"),
            (COUNTER_PATH, "example.Counter", "Add", "InvalidArgs"),
            (COUNTER_PATH, "example.Counter", "Fail", "example.No"),
            ("/example", "example.Counter", "Add", "UnknownMethod"),
            ("/nope", "example.Counter", "Add", "UnknownObject"),
        ] {
            let answer = call(&client, path, interface, member, &())
                .await
                .unwrap_err();
            assert!(
                answer.contains(error),
                "{path} {interface}.{member}: {answer}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_slow_call_delays_no_other() {
    with(
        Limits {
            calls_of_one: 2,
            ..Limits::default()
        },
        |client| async move {
            let slow = || call(&client, COUNTER_PATH, "example.Counter", "Slow", &300u32);
            let begun = std::time::Instant::now();
            let quick = async {
                call(&client, COUNTER_PATH, "example.Counter", "Add", &1u32)
                    .await
                    .unwrap();
                begun.elapsed()
            };
            let (one, two, three, quick) = tokio::join!(slow(), slow(), slow(), quick);
            assert!(one.is_ok() && two.is_ok());
            assert!(three.unwrap_err().contains("LimitsExceeded"));
            assert!(quick < Duration::from_millis(250), "{quick:?}");
            assert!(slow().await.is_ok());
        },
    )
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn introspection_of_nodes() {
    with(Limits::default(), |client| async move {
        let introspect = async |path: &'static str| {
            let reply = call(
                &client,
                path,
                "org.freedesktop.DBus.Introspectable",
                "Introspect",
                &(),
            )
            .await;
            reply.map(|reply| reply.body().deserialize::<String>().unwrap())
        };
        assert!(
            introspect("/")
                .await
                .unwrap()
                .contains("<node name=\"example\"/>")
        );
        assert!(
            introspect("/example")
                .await
                .unwrap()
                .contains("<node name=\"counter\"/>")
        );
        let xml = introspect(COUNTER_PATH).await.unwrap();
        assert!(
            xml.contains("<signal name=\"Changed\">") && !xml.contains("Alias"),
            "{xml}"
        );
        assert!(
            introspect("/nope")
                .await
                .unwrap_err()
                .contains("UnknownObject")
        );
    })
    .await;
}

#[test]
fn dictionaries_keep_their_order() {
    let pairs = [("b", "1"), ("a", "2")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let message = Message::signal("/", "a.b", "C")
        .build(&Dict(pairs.to_vec()))
        .unwrap();
    let text = String::from_utf8_lossy(message.body().data().bytes()).into_owned();
    assert!(text.find('b') < text.find('a'), "{text}");
}
