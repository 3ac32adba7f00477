//! Answering the calls on a connection.

use std::rc::Rc;

use futures_util::{StreamExt, future::LocalBoxFuture};
use zbus::{
    Connection, Message, MessageStream,
    message::{Flags, Type},
};

use crate::{
    call::Call,
    error::Error,
    introspect,
    load::{Limits, Load},
    object::{Bound, Object, Outcome},
    properties,
    standard::{INTROSPECTABLE, PEER, PROPERTIES},
    table::{Reply, fits},
};

/// What a path leads to.
pub enum Lookup {
    /// Nothing.
    None,
    /// A place that exists for what is below it (sd-bus: a node with an enumerator).
    Empty,
    /// An object.
    Object(Box<dyn Object>),
    /// It takes a question to find out, e.g. who is calling.
    Later(LocalBoxFuture<'static, Option<Box<dyn Object>>>),
}

/// The objects of a daemon.
pub trait Tree: 'static {
    /// What is at this path, for this caller.
    fn find(&self, path: &str, call: &Call) -> Lookup;

    /// The paths of all objects and [`Lookup::Empty`] places, for introspection.
    fn paths(&self) -> Vec<String>;
}

/// Answers the calls that come in on the connection until it ends. Must run inside a
/// [`tokio::runtime::LocalRuntime`] or a [`tokio::task::LocalSet`].
///
/// Set this up before a well-known name is requested, or the first calls are lost.
pub async fn serve<T: Tree>(connection: &Connection, tree: Rc<T>, limits: Limits) {
    let mut messages = MessageStream::from(connection);
    let load = Load::new(limits);
    // The stream yields an error once, as its last item, when the connection breaks.
    while let Some(Ok(message)) = messages.next().await {
        if message.message_type() == Type::MethodCall {
            answer(Call::new(connection, message), &tree, &load).await;
        }
    }
}

async fn answer<T: Tree>(call: Call, tree: &Rc<T>, load: &Rc<Load>) {
    let outcome = match dispatch(&call, tree, load) {
        Outcome::Now(reply) => return send(&call, reply).await,
        Outcome::Later(outcome) => outcome,
    };
    tokio::task::spawn_local(async move { send(&call, outcome.await).await });
}

fn dispatch<T: Tree>(call: &Call, tree: &Rc<T>, load: &Rc<Load>) -> Outcome {
    let header = call.message().header();
    let (Some(path), Some(member)) = (header.path(), header.member()) else {
        // Both are required in a method call; zbus lets none through without.
        return Outcome::Now(Err(Error::invalid_args("Path and member are required.")));
    };
    let (path, member) = (path.as_str(), member.as_str());
    let interface = header.interface().map(|name| name.as_str());
    if interface == Some(PEER) {
        return Outcome::Now(peer(call, member));
    }
    match tree.find(path, call) {
        Lookup::Object(object) => on_object(object, call.clone(), tree, load),
        Lookup::Empty => on_object(nothing(), call.clone(), tree, load),
        Lookup::Later(found) => {
            let (call, tree, load) = (call.clone(), tree.clone(), load.clone());
            let path = path.to_owned();
            later(load.clone(), call.clone(), false, async move {
                let Some(object) = found.await else {
                    return Err(unknown_object(&path));
                };
                match on_object(object, call, &tree, &load) {
                    Outcome::Now(reply) => reply,
                    Outcome::Later(reply) => reply.await,
                }
            })
        }
        Lookup::None => Outcome::Now(on_nothing(path, interface, member, call, &**tree)),
    }
}

/// A call of an object that exists.
fn on_object<T: Tree>(
    object: Box<dyn Object>,
    call: Call,
    tree: &Rc<T>,
    load: &Rc<Load>,
) -> Outcome {
    let message = call.message().clone();
    let header = message.header();
    let member = header
        .member()
        .map(|name| name.as_str())
        .unwrap_or_default();
    let interface = header.interface().map(|name| name.as_str());
    let path = header.path().map(|path| path.as_str()).unwrap_or_default();

    if let Some(found) = object.method(interface, member) {
        if !fits(call.body().signature(), found.takes) {
            return Outcome::Now(Err(wrong_args(found.interface, member, found.takes, &call)));
        }
        if found.privileged {
            let operation = found.operation;
            return later(load.clone(), call.clone(), operation, async move {
                only_root(&call, found.interface, found.name).await?;
                match object.invoke(&found, call) {
                    Outcome::Now(reply) => reply,
                    Outcome::Later(reply) => reply.await,
                }
            });
        }
        return match object.invoke(&found, call.clone()) {
            Outcome::Now(reply) => Outcome::Now(reply),
            Outcome::Later(reply) => later(load.clone(), call, found.operation, reply),
        };
    }
    match interface {
        Some(PROPERTIES) => match properties::answer(object, member, call.clone()) {
            Some(Outcome::Later(reply)) => later(load.clone(), call, false, reply),
            Some(outcome) => outcome,
            None => Outcome::Now(Err(unknown_method(interface, member))),
        },
        Some(INTROSPECTABLE) if member == "Introspect" => {
            let paths = tree.paths();
            let children = introspect::children(path, &paths);
            let xml = introspect::node(|xml| object.describe(xml), &children);
            Outcome::Now(call.reply(&xml))
        }
        _ => Outcome::Now(Err(unknown_method(interface, member))),
    }
}

/// A call of a path without an object. On the way to one it can at least be introspected.
fn on_nothing(
    path: &str,
    interface: Option<&str>,
    member: &str,
    call: &Call,
    tree: &impl Tree,
) -> Reply {
    if interface == Some(INTROSPECTABLE) && member == "Introspect" {
        let paths = tree.paths();
        let children = introspect::children(path, &paths);
        if path == "/" || !children.is_empty() {
            return call.reply(&introspect::node(|_| (), &children));
        }
    }
    Err(unknown_object(path))
}

/// org.freedesktop.DBus.Peer, which answers on every path.
fn peer(call: &Call, member: &str) -> Reply {
    match member {
        "Ping" => call.reply(&()),
        "GetMachineId" => {
            let id = std::fs::read_to_string("/etc/machine-id").map_err(|error| {
                Error::failed(format!("Failed to read /etc/machine-id: {error}"))
            })?;
            call.reply(&id.trim())
        }
        _ => Err(Error::unknown_method(format!(
            "Unknown method '{member}' on interface '{PEER}'."
        ))),
    }
}

fn nothing() -> Box<dyn Object> {
    Box::new(Bound::<()> {
        object: (),
        interfaces: &[],
    })
}

/// Stands for whoever is at the other end of a connection without a bus: no user has this number.
const PEER_WITHOUT_BUS: u32 = u32::MAX;

/// A reply that waits, if there is room for one more of the caller's.
fn later(
    load: Rc<Load>,
    call: Call,
    operation: bool,
    reply: impl Future<Output = Reply> + 'static,
) -> Outcome {
    let client = call.sender();
    let known = match client.as_str() {
        "" => Some(PEER_WITHOUT_BUS),
        client => load.user(client),
    };
    if let Some(user) = known {
        return match load.enter(user, operation) {
            Err(error) => Outcome::Now(Err(error)),
            Ok(ticket) => Outcome::Later(Box::pin(async move {
                let reply = reply.await;
                drop(ticket);
                reply
            })),
        };
    }
    match load.ask(&client) {
        Err(error) => Outcome::Now(Err(error)),
        Ok(question) => Outcome::Later(Box::pin(async move {
            let user = call.credentials().await?.uid;
            question.answer(user);
            let _ticket = load.enter(user, operation)?;
            reply.await
        })),
    }
}

/// Lets root through.
pub(crate) async fn only_root(call: &Call, interface: &str, member: &str) -> Result<(), Error> {
    match call.credentials().await?.uid {
        0 => Ok(()),
        _ => Err(Error::access_denied(format!(
            "Access to {interface}.{member}() not permitted."
        ))),
    }
}

async fn send(call: &Call, reply: Reply) {
    if call.flags().contains(Flags::NO_REPLY_EXPECTED) {
        return;
    }
    let header = call.message().header();
    let message = reply.or_else(|error| {
        Message::error(&header, error.name.as_ref()).build(&error.message.as_str())
    });
    let sent = match message {
        Ok(message) => call.connection().send(&message).await,
        Err(error) => Err(error),
    };
    if let Err(error) = sent {
        // The caller, or the bus, is gone.
        tracing::debug!("Failed to reply to {}: {error}", call.sender());
    }
}

fn unknown_object(path: &str) -> Error {
    Error::unknown_object(format!("Unknown object '{path}'."))
}

fn unknown_method(interface: Option<&str>, member: &str) -> Error {
    let interface = interface.unwrap_or("(none)");
    Error::unknown_method(format!("Unknown method {member} or interface {interface}."))
}

fn wrong_args(interface: &str, member: &str, takes: &[crate::Arg], call: &Call) -> Error {
    let expected: String = takes.iter().map(|(signature, _)| *signature).collect();
    let got = call.body().signature().to_string_no_parens();
    Error::invalid_args(format!(
        "Invalid arguments '{got}' to call {interface}.{member}(), expecting '{expected}'."
    ))
}
