//! Getting the well-known name.

use std::time::Duration;

use futures_util::StreamExt;
use zbus::{Connection, MatchRule, MessageStream, message::Type};

/// The bus itself, as a name and as an interface.
const BUS: &str = "org.freedesktop.DBus";

/// DBUS_NAME_FLAG_DO_NOT_QUEUE of the D-Bus specification: who waits in the queue would get the name of a peer that ends
/// without a chance to say that it serves now.
const DO_NOT_QUEUE: u32 = 4;

/// What RequestName answers: primary owner, or owner already.
const OWNED: [u32; 2] = [1, 4];

/// Between two attempts, first and at most. The bus tells when the name is free; this is for what it does not tell, a
/// policy that is loaded again.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// Gets a well-known name, however long it takes, and then waits for ever: without ALLOW_REPLACEMENT nobody can take it
/// away. `rival` is who else may have it. Calls `settled` once it is clear that it is ours, or not soon.
pub async fn own_name(connection: &Connection, name: &str, rival: &str, settled: impl Fn()) {
    let [mut delay, longest] = RETRY;
    let mut changes = None;
    let mut last = String::new();
    loop {
        let problem = match request(connection, name).await {
            Ok(answer) if OWNED.contains(&answer) => break,
            Ok(_) => format!("another process has it (is {rival} running?)"),
            Err(error) => error.to_string(),
        };
        if problem != last {
            tracing::warn!("Failed to get the name {name} on the bus: {problem}; trying on");
            last = problem;
        }
        settled();
        let Some(changes) = &mut changes else {
            // And asks once more, because only from here on no change is missed.
            changes = Some(owner_changes(connection, name).await);
            continue;
        };
        tokio::select! {
            _ = changes.next() => (),
            () = tokio::time::sleep(delay) => delay = longest.min(delay * 2),
        }
    }
    settled();
    tracing::info!("Serving {name} on the system bus");
    std::future::pending().await
}

async fn request(connection: &Connection, name: &str) -> zbus::Result<u32> {
    let arguments = (name, DO_NOT_QUEUE);
    let reply = connection
        .call_method(
            Some(BUS),
            "/org/freedesktop/DBus",
            Some(BUS),
            "RequestName",
            &arguments,
        )
        .await?;
    reply.body().deserialize()
}

/// NameOwnerChanged of the name. Where the bus does not let us have it, a stream that never yields.
async fn owner_changes(
    connection: &Connection,
    name: &str,
) -> futures_util::stream::LocalBoxStream<'static, zbus::Result<zbus::Message>> {
    let rule = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(BUS)
        .interface(BUS)
        .member("NameOwnerChanged")
        .arg(0, name)
        .build();
    let stream = match rule {
        Ok(rule) => MessageStream::for_match_rule(rule, connection, None).await,
        Err(error) => Err(error),
    };
    match stream {
        Ok(stream) => stream.boxed_local(),
        Err(_) => futures_util::stream::pending().boxed_local(),
    }
}
