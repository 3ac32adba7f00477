//! Dictionaries that keep their order.

use serde::ser::{Serialize, SerializeMap, Serializer};
use zbus::{Signature, Type, Variant, wire::signature::Child};

/// Pairs that go over the bus as a dictionary, in their own order: `a{sv}`, `a{ss}`.
pub struct Dict<V>(pub Vec<(String, V)>);

impl<V: Serialize> Serialize for Dict<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Type for Dict<Variant<'_>> {
    const SIGNATURE: &'static Signature = &dict(&Signature::Variant);
}

impl Type for Dict<String> {
    const SIGNATURE: &'static Signature = &dict(&Signature::Str);
}

const fn dict(value: &'static Signature) -> Signature {
    Signature::Dict {
        key: Child::Static {
            child: &Signature::Str,
        },
        value: Child::Static { child: value },
    }
}
