//! Whether a rule is about a message.

use std::{cell::OnceCell, ffi::CStr};

use crate::{
    message::{Basic, Field, Message},
    name, path,
    rule::{ARGUMENTS, Rule, Test},
    types,
};

/// A message that rules are held against. Its arguments are read once, if a rule asks for them.
#[derive(Debug)]
pub struct Subject<'m> {
    message: &'m Message,
    arguments: OnceCell<Vec<Argument<'m>>>,
}

#[derive(Debug)]
enum Argument<'m> {
    Text(&'m CStr),
    Texts(Vec<&'m CStr>),
    Other,
}

impl<'m> Subject<'m> {
    /// Nothing of the message is read yet.
    pub fn new(message: &'m Message) -> Self {
        Self {
            message,
            arguments: OnceCell::new(),
        }
    }

    fn argument(&self, number: u8) -> Option<&Argument<'m>> {
        let arguments = self.arguments.get_or_init(|| arguments(self.message));
        arguments.get(usize::from(number))
    }
}

impl Rule {
    /// Whether all of it holds of this message.
    ///
    /// A sender by a well-known name is one of any unique name, but for the bus itself, whose messages have its name: who
    /// owned the name, the bus knows, which has seen to it.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        let header = subject.message.header();
        let is = |wanted: &Option<String>, field| match wanted {
            Some(wanted) => header.bytes_of(field) == Some(wanted.as_bytes()),
            None => true,
        };
        self.kind.is_none_or(|kind| kind == header.kind())
            && is(&self.interface, Field::Interface)
            && is(&self.member, Field::Member)
            && is(&self.path, Field::Path)
            && is(&self.destination, Field::Destination)
            && self
                .sender
                .as_ref()
                .is_none_or(|sender| is_sender(header.bytes_of(Field::Sender), sender.as_bytes()))
            && self.path_namespace.as_ref().is_none_or(|namespace| {
                let path = header.bytes_of(Field::Path);
                path.is_some_and(|path| path::is_below(path, namespace.as_bytes()))
            })
            && self.arguments.iter().all(|((number, test), wanted)| {
                let argument = subject.argument(*number);
                argument.is_some_and(|argument| argument.is(*test, wanted.as_bytes()))
            })
    }
}

fn is_sender(sender: Option<&[u8]>, wanted: &[u8]) -> bool {
    match sender {
        Some([b':', ..]) if !wanted.starts_with(b":") => wanted != b"org.freedesktop.DBus",
        sender => sender == Some(wanted),
    }
}

impl Argument<'_> {
    fn is(&self, test: Test, wanted: &[u8]) -> bool {
        match (self, test) {
            (Self::Text(text), Test::Is) => text.to_bytes() == wanted,
            (Self::Text(text), Test::Path) => path::is_either_prefix(text.to_bytes(), wanted),
            (Self::Text(text), Test::Namespace) => name::is_below(text.to_bytes(), wanted),
            (Self::Texts(texts), Test::Has) => texts.iter().any(|text| text.to_bytes() == wanted),
            _ => false,
        }
    }
}

/// The first arguments, up to one that can't be read.
fn arguments(message: &Message) -> Vec<Argument<'_>> {
    let mut cursor = message.cursor();
    let mut arguments = Vec::new();
    while arguments.len() < usize::from(ARGUMENTS)
        && let Ok(Some((code, contents))) = cursor.peek_type(message)
    {
        let argument = match (code, contents) {
            (types::STRING | types::OBJECT_PATH | types::SIGNATURE, _) => {
                let read = cursor.read_basic(message, code);
                read.ok().flatten().and_then(text).map(Argument::Text)
            }
            (types::ARRAY, [types::STRING | types::OBJECT_PATH | types::SIGNATURE]) => {
                texts(message, &mut cursor).map(Argument::Texts)
            }
            _ => cursor.skip(message, None).ok().map(|_| Argument::Other),
        };
        let Some(argument) = argument else {
            break;
        };
        arguments.push(argument);
    }
    arguments
}

fn texts<'m>(message: &'m Message, cursor: &mut crate::Cursor) -> Option<Vec<&'m CStr>> {
    let element = cursor.peek_type(message).ok()??.1.first()?;
    cursor.enter_container(message, types::ARRAY, None).ok()?;
    let mut texts = Vec::new();
    while let Some(value) = cursor.read_basic(message, *element).ok()? {
        texts.push(text(value)?);
    }
    cursor.exit_container().ok()?;
    Some(texts)
}

fn text(value: Basic<'_>) -> Option<&CStr> {
    match value {
        Basic::String(text) | Basic::ObjectPath(text) | Basic::Signature(text) => Some(text),
        _ => None,
    }
}
