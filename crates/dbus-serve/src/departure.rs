//! Seeing a client leave the bus.

use futures_util::StreamExt;
use zbus::{Connection, MatchRule, MessageStream, message::Type};

/// The bus itself, as a name and as an interface.
const BUS: &str = "org.freedesktop.DBus";

/// Waits until the client of this unique name has left, or the bus itself is gone.
///
/// # Errors
/// Where the bus can't be asked.
pub(crate) async fn wait(connection: &Connection, client: &str) -> zbus::Result<()> {
    let rule = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(BUS)
        .interface(BUS)
        .member("NameOwnerChanged")
        .arg(0, client)
        .build()?;
    let mut changes = MessageStream::for_match_rule(rule, connection, None).await?;
    // Only from here on no change is missed.
    let is_there: bool = connection
        .call_method(
            Some(BUS),
            "/org/freedesktop/DBus",
            Some(BUS),
            "NameHasOwner",
            &client,
        )
        .await?
        .body()
        .deserialize()?;
    if is_there {
        // A unique name is never given twice: the one change that there can be is its end.
        changes.next().await;
    }
    Ok(())
}
