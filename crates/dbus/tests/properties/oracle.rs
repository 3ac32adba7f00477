//! zbus makes the same bytes of the same values, in both byte orders, and reads ours.

use dbus::Message;
use zbus::{
    message::Message as Theirs,
    wire::{
        Array, Dict, Endian, NATIVE_ENDIAN, ObjectPath, Signature, Structure, StructureBuilder,
        Variant,
        serialized::{Context, Data},
    },
};

use crate::{
    noise::Noise,
    value::{Value, any_message, read_all},
};

fn variant(value: &Value) -> Variant<'_> {
    match value {
        Value::Byte(value) => (*value).into(),
        Value::Boolean(value) => (*value).into(),
        Value::Int16(value) => (*value).into(),
        Value::Uint16(value) => (*value).into(),
        Value::Int32(value) => (*value).into(),
        Value::Uint32(value) => (*value).into(),
        Value::Int64(value) => (*value).into(),
        Value::Uint64(value) => (*value).into(),
        Value::Double(value) => (*value).into(),
        Value::String(text) => text.to_str().unwrap().into(),
        Value::ObjectPath(text) => ObjectPath::try_from(text.to_str().unwrap()).unwrap().into(),
        Value::Signature(text) => Signature::try_from(text.to_str().unwrap()).unwrap().into(),
        Value::Variant(value) => Variant::Variant(Box::new(variant(value))),
        Value::Struct(members) => structure(members).into(),
        Value::Array(element, values) if element.starts_with('{') => {
            let signature = |part: &str| Signature::try_from(part).unwrap();
            let (key, value) = element[1..element.len() - 1].split_at(1);
            let mut dict = Dict::new(&signature(key), &signature(value));
            for value in values {
                let Value::Entry(pair) = value else {
                    panic!("{value:?}");
                };
                dict.append(variant(&pair[0]), variant(&pair[1])).unwrap();
            }
            dict.into()
        }
        Value::Array(element, values) => {
            let mut array = Array::new(&Signature::try_from(element.as_str()).unwrap());
            for value in values {
                array.append(variant(value)).unwrap();
            }
            array.into()
        }
        Value::Entry(_) | Value::UnixFd(_) => panic!("{value:?}"),
    }
}

fn structure(members: &[Value]) -> Structure<'_> {
    let add = |builder: StructureBuilder<'static>, value| {
        builder.append_field(Variant::try_to_owned(&variant(value)).unwrap().into())
    };
    members
        .iter()
        .fold(StructureBuilder::new(), add)
        .build()
        .unwrap()
}

/// A signal with these values, as zbus makes it.
pub fn bytes(values: &[Value], endian: Endian) -> Vec<u8> {
    let builder = Theirs::signal("/a/b", "a.b", "C").endian(endian);
    let message = builder.build(&structure(values)).unwrap();
    message.data().bytes().to_vec()
}

#[test]
fn the_same_bytes() {
    let mut noise = Noise::new(3);
    for _ in 0..2000 {
        let (values, ours) = any_message(&mut noise);
        if values.is_empty() {
            continue;
        }
        let expected = structure(&values);
        let data = Data::new(ours.body(), Context::new(NATIVE_ENDIAN, 0));
        let signature = expected.signature();
        let read = data.deserialize_for_dynamic_signature::<_, Structure<'_>>(signature);
        assert_eq!(read.unwrap(), (structure(&values), ours.body().len()));
        for endian in [Endian::Little, Endian::Big] {
            let read = Message::parse(bytes(&values, endian), 0).unwrap();
            assert_eq!(read.signature(), ours.signature());
            assert_eq!(read.body(), ours.body(), "{values:?}");
            assert_eq!(read_all(&read).as_ref(), Ok(&values));
        }
    }
}
