//! The signal PropertiesChanged.

use zbus::{Connection, Variant};

use crate::{dict::Dict, object::Object, standard::PROPERTIES};

/// Tells everyone the new values of some properties of an object: those whose [`crate::Change`] is `Told`.
///
/// # Errors
/// Where the message can't be made or sent.
pub async fn properties_changed(
    connection: &Connection,
    path: &str,
    object: &dyn Object,
    interface: &str,
    properties: &[&str],
) -> zbus::Result<()> {
    let value = |name: &&str| Some(((*name).to_owned(), object.get(interface, name)?));
    let changed: Dict<Variant<'static>> = Dict(properties.iter().filter_map(value).collect());
    let invalidated: [&str; 0] = [];
    let body = (interface, changed, invalidated.as_slice());
    connection
        .emit_signal(None::<&str>, path, PROPERTIES, "PropertiesChanged", &body)
        .await
}
