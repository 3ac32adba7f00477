//! Values of any type, as a tree.

use std::ffi::{CStr, CString};

use dbus::{Basic, Builder, Cursor, Message, Result, signature};

use crate::noise::Noise;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Byte(u8),
    Boolean(bool),
    Int16(i16),
    Uint16(u16),
    Int32(i32),
    Uint32(u32),
    Int64(i64),
    Uint64(u64),
    Double(f64),
    String(CString),
    ObjectPath(CString),
    Signature(CString),
    UnixFd(u32),
    Array(String, Vec<Value>),
    Struct(Vec<Value>),
    Entry(Box<[Value; 2]>),
    Variant(Box<Value>),
}

const TEXTS: [&CStr; 6] = [
    c"",
    c"a",
    c"abc",
    c"\u{e4}\u{20ac}\u{1f600}",
    c"a text that is longer than others",
    c"\x7f",
];
const PATHS: [&CStr; 4] = [c"/", c"/a", c"/a/b_1", c"/org/freedesktop/DBus"];
const SIGNATURES: [&CStr; 5] = [c"", c"s", c"a{sv}", c"(iias)", c"v"];
const BASIC: &[u8] = b"ybnqiuxtdsog";

/// A type, with containers in it down to this depth.
pub fn any_type(noise: &mut Noise, depth: usize) -> String {
    let basic = |noise: &mut Noise| char::from(*noise.pick(BASIC)).to_string();
    match noise.below(if depth == 0 { 3 } else { 8 }) {
        0..=3 => basic(noise),
        4 => format!("a{}", any_type(noise, depth - 1)),
        5 => format!(
            "a{{{}{}}}",
            noise.pick(&["y", "u", "s"]),
            any_type(noise, depth - 1)
        ),
        6 => {
            let members: String = (0..=noise.below(3))
                .map(|_| any_type(noise, depth - 1))
                .collect();
            format!("({members})")
        }
        _ => "v".to_owned(),
    }
}

/// The parts of a sequence of types.
pub fn types(mut sequence: &str) -> Vec<&str> {
    let mut types = Vec::new();
    while let Some(length) = signature::first_element(sequence.as_bytes()) {
        let (first, rest) = sequence.split_at(length);
        types.push(first);
        sequence = rest;
    }
    types
}

/// A value of this type.
pub fn any_value(noise: &mut Noise, of: &str, depth: usize) -> Value {
    let number = noise.next();
    let inside = |end: usize| &of[1..of.len() - end];
    match of.as_bytes()[0] {
        b'y' => Value::Byte(number as u8),
        b'b' => Value::Boolean(number & 1 == 1),
        b'n' => Value::Int16(number as i16),
        b'q' => Value::Uint16(number as u16),
        b'i' => Value::Int32(number as i32),
        b'u' => Value::Uint32(number as u32),
        b'x' => Value::Int64(number as i64),
        b't' => Value::Uint64(number),
        b'd' => Value::Double(number as i64 as f64 / 1024.0),
        b's' => Value::String((*noise.pick(&TEXTS)).to_owned()),
        b'o' => Value::ObjectPath((*noise.pick(&PATHS)).to_owned()),
        b'g' => Value::Signature((*noise.pick(&SIGNATURES)).to_owned()),
        b'a' => {
            let element = inside(0);
            let deeper = depth.saturating_sub(1);
            let one = |index| match element.strip_prefix('{') {
                Some(pair) => {
                    let (key, of) = pair[..pair.len() - 1].split_at(1);
                    let value = any_value(noise, of, deeper);
                    Value::Entry(Box::new([key_number(key, index), value]))
                }
                None => any_value(noise, element, deeper),
            };
            let count = [0, 1, 2, 5][usize::try_from(number >> 60).unwrap() % 4];
            Value::Array(element.to_owned(), (0..count).map(one).collect())
        }
        b'(' => Value::Struct(
            types(inside(1))
                .iter()
                .map(|of| any_value(noise, of, depth))
                .collect(),
        ),
        _ => {
            let of = any_type(noise, depth.saturating_sub(1).min(3));
            Value::Variant(Box::new(any_value(noise, &of, depth.saturating_sub(1))))
        }
    }
}

/// Keys of a dictionary in ascending order.
fn key_number(of: &str, index: u8) -> Value {
    match of {
        "y" => Value::Byte(index),
        "u" => Value::Uint32(index.into()),
        _ => Value::String(CString::new(format!("key{index}")).unwrap()),
    }
}

impl Value {
    pub fn signature(&self) -> String {
        match self {
            Self::Array(element, _) => format!("a{element}"),
            Self::Struct(members) => format!(
                "({})",
                members.iter().map(Self::signature).collect::<String>()
            ),
            Self::Entry(pair) => format!("{{{}{}}}", pair[0].signature(), pair[1].signature()),
            Self::Variant(_) => "v".to_owned(),
            basic => char::from(basic.basic().unwrap().code()).to_string(),
        }
    }

    fn basic(&self) -> Option<Basic<'_>> {
        Some(match self {
            Self::Byte(value) => Basic::Byte(*value),
            Self::Boolean(value) => Basic::Boolean(*value),
            Self::Int16(value) => Basic::Int16(*value),
            Self::Uint16(value) => Basic::Uint16(*value),
            Self::Int32(value) => Basic::Int32(*value),
            Self::Uint32(value) => Basic::Uint32(*value),
            Self::Int64(value) => Basic::Int64(*value),
            Self::Uint64(value) => Basic::Uint64(*value),
            Self::Double(value) => Basic::Double(*value),
            Self::String(text) => Basic::String(text),
            Self::ObjectPath(text) => Basic::ObjectPath(text),
            Self::Signature(text) => Basic::Signature(text),
            Self::UnixFd(index) => Basic::UnixFd(*index),
            Self::Array(..) | Self::Struct(_) | Self::Entry(_) | Self::Variant(_) => return None,
        })
    }

    pub fn append(&self, builder: &mut Builder) -> Result<()> {
        let (code, contents, values) = match self {
            Self::Array(element, values) => (b'a', element.clone(), values.as_slice()),
            Self::Struct(members) => (
                b'r',
                members.iter().map(Self::signature).collect(),
                members.as_slice(),
            ),
            Self::Entry(pair) => (b'e', pair.iter().map(Self::signature).collect(), &pair[..]),
            Self::Variant(value) => (b'v', value.signature(), std::slice::from_ref(&**value)),
            basic => return builder.append_basic(basic.basic().unwrap()),
        };
        builder.open_container(code, contents.as_bytes())?;
        for value in values {
            value.append(builder)?;
        }
        builder.close_container()
    }

    /// Reads what comes next; nothing at the end of the container.
    pub fn read(cursor: &mut Cursor, message: &Message) -> Result<Option<Self>> {
        let Some((code, contents)) = cursor.peek_type(message)? else {
            return Ok(None);
        };
        if dbus::types::is_basic(code) {
            return Ok(cursor.read_basic(message, code)?.map(Self::from));
        }
        cursor.enter_container(message, code, Some(contents))?;
        let mut values = Vec::new();
        while let Some(value) = Self::read(cursor, message)? {
            values.push(value);
        }
        cursor.exit_container()?;
        Ok(Some(match code {
            b'a' => Self::Array(String::from_utf8(contents.to_vec()).unwrap(), values),
            b'r' => Self::Struct(values),
            b'e' => Self::Entry(Box::new(values.try_into().unwrap())),
            _ => Self::Variant(Box::new(values.remove(0))),
        }))
    }
}

impl From<Basic<'_>> for Value {
    fn from(basic: Basic<'_>) -> Self {
        match basic {
            Basic::Byte(value) => Self::Byte(value),
            Basic::Boolean(value) => Self::Boolean(value),
            Basic::Int16(value) => Self::Int16(value),
            Basic::Uint16(value) => Self::Uint16(value),
            Basic::Int32(value) => Self::Int32(value),
            Basic::Uint32(value) => Self::Uint32(value),
            Basic::Int64(value) => Self::Int64(value),
            Basic::Uint64(value) => Self::Uint64(value),
            Basic::Double(value) => Self::Double(value),
            Basic::String(text) => Self::String(text.to_owned()),
            Basic::ObjectPath(text) => Self::ObjectPath(text.to_owned()),
            Basic::Signature(text) => Self::Signature(text.to_owned()),
            Basic::UnixFd(index) => Self::UnixFd(index),
        }
    }
}

/// All values of a message.
pub fn read_all(message: &Message) -> Result<Vec<Value>> {
    let mut cursor = message.cursor();
    let mut values = Vec::new();
    while let Some(value) = Value::read(&mut cursor, message)? {
        values.push(value);
    }
    Ok(values)
}

/// Some values, and a signal with them.
pub fn any_message(noise: &mut Noise) -> (Vec<Value>, Message) {
    let count = noise.below(5);
    let values = (0..count).map(|_| {
        let of = any_type(noise, 4);
        any_value(noise, &of, 4)
    });
    let values: Vec<_> = values.collect();
    let mut builder = Builder::signal(b"/a/b", b"a.b", b"C").unwrap();
    for value in &values {
        value.append(&mut builder).unwrap();
    }
    (values, builder.seal(1).unwrap())
}
