//! A raw client of the system bus: any call with any arguments, and what came back.

#![allow(dead_code, reason = "each test program uses its part")]

use std::{future::Future, time::Duration};

use tokio::runtime::{Builder, Runtime};
use zbus::{Connection, Message, Structure, Variant, connection};

/// The manager's path and interface, and those of machines.
pub const MANAGER: &str = "/org/freedesktop/machine1";
pub const MACHINE: &str = "/org/freedesktop/machine1/machine";
pub const MANAGER_IFACE: &str = "org.freedesktop.machine1.Manager";
pub const MACHINE_IFACE: &str = "org.freedesktop.machine1.Machine";
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
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connecting = connection::Builder::system()
            .method_timeout(Duration::from_secs(10))
            .build();
        let connection = runtime.block_on(connecting).unwrap();
        Self {
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
        let interface = Some(interface).filter(|name| !name.is_empty());
        let name = Some("org.freedesktop.machine1");
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
                values(&message),
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

    /// A call of the manager.
    pub fn manager(&self, member: &str, args: Args) -> Answer {
        self.call(MANAGER, MANAGER_IFACE, member, args)
    }

    /// The introspection data of a path.
    pub fn introspect(&self, path: &str) -> String {
        let reply = self.block_on(self.connection.call_method(
            Some("org.freedesktop.machine1"),
            path,
            Some("org.freedesktop.DBus.Introspectable"),
            "Introspect",
            &(),
        ));
        reply.unwrap().body().deserialize().unwrap()
    }
}

fn values(message: &Message) -> String {
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
