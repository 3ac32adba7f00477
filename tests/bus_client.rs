//! A raw client of one service on the system bus: any call with any arguments, and what came back.

#![allow(dead_code, reason = "each test program uses its part")]

#[path = "bus_table.rs"]
pub mod table;

use std::{collections::BTreeMap, future::Future, time::Duration};

use tokio::runtime::{Builder, Runtime};
use zbus::{Connection, Message, Structure, Variant, connection};

/// The interface that every object has.
pub const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A reply: its signature, and its values as Rust shows them.
    Reply(String, String),
    /// An error: its name and text.
    Error(String, String),
}

impl Answer {
    /// The name of the error, or the signature of the reply.
    pub fn kind(&self) -> &str {
        match self {
            Self::Reply(signature, _) => signature,
            Self::Error(name, _) => name,
        }
    }

    pub fn is_error(&self, name: &str) -> bool {
        matches!(self, Self::Error(own, _) if own.ends_with(name))
    }

    #[track_caller]
    pub fn ok(self) -> String {
        match self {
            Self::Reply(_, body) => body,
            Self::Error(..) => panic!("{self:?}"),
        }
    }
}

/// A connection with a runtime of its own.
pub struct Client {
    service: &'static str,
    runtime: Runtime,
    pub connection: Connection,
}

/// The arguments of a call.
pub type Args = Vec<Variant<'static>>;

/// Makes [`Args`].
#[macro_export]
macro_rules! args {
    ($($arg:expr),* $(,)?) => { vec![$(zbus::Variant::from($arg)),*] };
}

impl Client {
    /// A client of this well-known name.
    pub fn of(service: &'static str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connecting = connection::Builder::system()
            .method_timeout(Duration::from_secs(10))
            .build();
        let connection = runtime.block_on(connecting).unwrap();
        Self {
            service,
            runtime,
            connection,
        }
    }

    /// Runs something of the connection's.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// A call; an empty interface is left out of the message.
    pub fn call(&self, path: &str, interface: &str, member: &str, args: Args) -> Answer {
        self.call_shown(path, interface, member, args, values)
    }

    /// The same, with another way to show what a reply holds.
    pub fn call_shown(
        &self,
        path: &str,
        interface: &str,
        member: &str,
        args: Args,
        show: fn(&Message) -> String,
    ) -> Answer {
        let interface = Some(interface).filter(|name| !name.is_empty());
        let name = Some(self.service);
        let reply = self.block_on(async {
            let connection = &self.connection;
            if args.is_empty() {
                return connection
                    .call_method(name, path, interface, member, &())
                    .await;
            }
            let mut body = Structure::builder();
            for arg in args {
                body.push_value(arg);
            }
            let body = body.build().unwrap();
            connection
                .call_method(name, path, interface, member, &body)
                .await
        });
        match reply {
            Ok(message) => Answer::Reply(
                message.body().signature().to_string_no_parens(),
                show(&message),
            ),
            Err(zbus::Error::MethodError(name, text, _)) => {
                Answer::Error(name.to_string(), text.unwrap_or_default())
            }
            Err(error) => match error {
                zbus::Error::FDO(error) => {
                    let zbus::fdo::Error::ZBus(zbus::Error::MethodError(name, text, _)) = *error
                    else {
                        let text = zbus::DBusError::description(&*error).unwrap_or_default();
                        return Answer::Error(
                            zbus::DBusError::name(&*error).to_string(),
                            text.to_owned(),
                        );
                    };
                    Answer::Error(name.to_string(), text.unwrap_or_default())
                }
                other => Answer::Error("none".to_owned(), other.to_string()),
            },
        }
    }

    /// The introspection data of a path.
    pub fn introspect(&self, path: &str) -> String {
        let reply = self.block_on(self.connection.call_method(
            Some(self.service),
            path,
            Some("org.freedesktop.DBus.Introspectable"),
            "Introspect",
            &(),
        ));
        reply.unwrap().body().deserialize().unwrap()
    }
}

/// The values of a reply.
pub fn values(message: &Message) -> String {
    let body = message.body();
    match body.is_empty() {
        true => String::new(),
        false => format!(
            "{:?}",
            body.deserialize::<Structure<'_>>()
                .map(Structure::into_fields)
        ),
    }
}

/// The members of an interface in introspection data, each with all that is said of it.
pub fn members(xml: &str, interface: &str) -> BTreeMap<String, String> {
    let start = xml.find(&format!("<interface name=\"{interface}\">"));
    let text = start.map_or("", |at| &xml[at..]);
    let text = text.split("</interface>").next().unwrap_or_default();
    let mut members = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().skip(1) {
        if line.starts_with("  <") && !line.starts_with("  </") {
            current = line
                .trim()
                .trim_end_matches("/>")
                .trim_end_matches('>')
                .to_owned();
            members.insert(current.clone(), String::new());
        } else if line.starts_with("   <") {
            // Both orders of attributes are in use.
            let mut words: Vec<&str> = line.trim().trim_end_matches("/>").split(' ').collect();
            words.sort_unstable();
            *members.get_mut(&current).unwrap() += &format!("{words:?}\n");
        }
    }
    members
}

/// The interfaces that both daemons have beside their own.
pub const STANDARD: [&str; 4] = [
    PROPERTIES,
    "org.freedesktop.DBus.Peer",
    "org.freedesktop.DBus.Introspectable",
    "org.freedesktop.LogControl1",
];

/// How many members these interfaces have at these paths in `theirs`, and what is said of one and not in `ours`:
/// `PATH <method name="M": ["<arg", …]`.
pub fn missing(
    paths: &[&str],
    theirs: &[String],
    ours: &[String],
    interfaces: &[&str],
) -> (usize, Vec<String>) {
    let (mut compared, mut missing) = (0, Vec::new());
    let places = paths.iter().zip(theirs).zip(ours);
    for (((path, theirs), ours), interface) in
        places.flat_map(|place| interfaces.iter().map(move |interface| (place, interface)))
    {
        let our = members(ours, interface);
        for (member, said) in members(theirs, interface) {
            compared += 1;
            match our.get(&member) {
                Some(our) if *our == said => {}
                Some(our) => {
                    let lines = said
                        .lines()
                        .filter(|line| !our.lines().any(|our| our == *line));
                    missing.extend(lines.map(|line| format!("{path} {member}: {line}")));
                }
                None => missing.push(format!("{path} {member}")),
            }
        }
    }
    (compared, missing)
}

/// Runs `body` in a thread that is another user, so that what it connects to sees that user.
pub fn as_user<R: Send>(uid: u32, body: impl FnOnce() -> R + Send) -> R {
    use rustix::process::{Gid, Uid};
    use rustix::thread::{set_thread_res_gid, set_thread_res_uid};
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
            set_thread_res_gid(group, group, group).unwrap();
            set_thread_res_uid(user, user, user).unwrap();
            body()
        });
        thread.join().unwrap()
    })
}
