//! The header of a message.

use std::ffi::CStr;

use crate::{
    error::{Error, Result},
    message::{
        MAX_ARRAY_LENGTH, MAX_DEPTH, MAX_LENGTH, erase, kind::Kind, swap, types::Types, walk, wire,
    },
    name, signature, types,
};

/// How much of a message tells how long it is, in bytes.
pub const FIXED_LENGTH: usize = 16;

/// The fields that are texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The object that is called, or that signals.
    Path = 1,
    /// Of the member.
    Interface = 2,
    /// The method or the signal.
    Member = 3,
    /// Of an error.
    ErrorName = 4,
    /// Whom it is for.
    Destination = 6,
    /// Who sent it.
    Sender = 7,
    /// The types of the body.
    Signature = 8,
}

const REPLY_SERIAL: u8 = 5;
const UNIX_FDS: u8 = 9;

impl Field {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Path,
            2 => Self::Interface,
            3 => Self::Member,
            4 => Self::ErrorName,
            6 => Self::Destination,
            7 => Self::Sender,
            8 => Self::Signature,
            _ => return None,
        })
    }

    /// The code of its type.
    const fn type_code(self) -> u8 {
        match self {
            Self::Path => types::OBJECT_PATH,
            Self::Signature => types::SIGNATURE,
            _ => types::STRING,
        }
    }

    /// Whether this may be its value. What is reserved for messages that never leave a process is not.
    fn admits(self, text: &[u8]) -> bool {
        match self {
            Self::Path => wire::is_text(types::OBJECT_PATH, text),
            Self::Interface => name::is_interface(text),
            Self::Member => name::is_member(text),
            Self::ErrorName => name::is_error(text),
            Self::Destination | Self::Sender => name::is_bus(text),
            Self::Signature => signature::is_valid(text),
        }
    }
}

/// Where a text is in the header; no text begins at 0.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    length: u32,
}

/// What a message says of itself. While it is built, what was said so far.
#[derive(Clone, Debug, Default)]
pub struct Header {
    /// The header; of what was received, the body as well.
    bytes: Vec<u8>,
    /// Where the body begins.
    body_at: usize,
    kind: Kind,
    flags: u8,
    serial: u32,
    reply_serial: Option<u32>,
    descriptors: u32,
    /// By the code of a field.
    texts: [Span; 9],
}

impl Header {
    #[inline]
    pub(super) fn new(kind: Kind, flags: u8) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&[wire::NATIVE, kind.code(), flags, 1]);
        bytes.resize(FIXED_LENGTH, 0);
        Self {
            bytes,
            body_at: 0,
            kind,
            flags,
            serial: 0,
            reply_serial: None,
            descriptors: 0,
            texts: [Span::default(); 9],
        }
    }

    /// Becomes that of a message, all of which is given, in this machine's byte order; the mark of it may be the other.
    pub(super) fn read(&mut self, bytes: Vec<u8>) -> Result<()> {
        let [_, kind, flags, 1, ..] = *bytes else {
            return Err(Error::Malformed);
        };
        let (body_length, _) = wire::u32(&bytes, 4)?;
        let (serial, _) = wire::u32(&bytes, 8)?;
        let (begin, end) = wire::array(&bytes, 12, b"(yv)")?;
        let body_at = wire::pad(&bytes, end, 8)?;
        if serial == 0 || bytes.len() > MAX_LENGTH || bytes.len() - body_at != body_length as usize
        {
            return Err(Error::Malformed);
        }
        *self = Self {
            body_at,
            kind: Kind::from_code(kind).ok_or(Error::Malformed)?,
            flags,
            serial,
            ..Self::default()
        };
        let fields = bytes.get(..end).ok_or(Error::Malformed)?;
        let mut position = begin;
        let mut seen_descriptors = false;
        while position < end {
            position = self.parse_field(fields, position, &mut seen_descriptors)?;
        }
        self.bytes = bytes;
        match self.is_whole() {
            true => Ok(()),
            false => Err(Error::Malformed),
        }
    }

    /// One field; gives where it ends.
    fn parse_field(&mut self, bytes: &[u8], position: usize, counted: &mut bool) -> Result<usize> {
        let begin = wire::pad(bytes, position, 8)?;
        let ([code], begin) = wire::fixed(bytes, begin)?;
        let (contents, begin) = wire::variant(bytes, begin)?;
        if let Some(field) = Field::from_code(code) {
            if contents != [field.type_code()] || self.has(field) {
                return Err(Error::Malformed);
            }
            // What a field admits is text of its type, and more than that.
            let (text, end) = wire::raw_text(bytes, begin, field.type_code())?;
            if !field.admits(text) {
                return Err(Error::Malformed);
            }
            self.note(field, end - 1 - text.len(), text.len());
            return Ok(end);
        }
        match code {
            0 => Err(Error::Malformed),
            REPLY_SERIAL | UNIX_FDS => {
                let (value, end) = wire::u32(bytes, begin)?;
                let again = if code == UNIX_FDS {
                    self.descriptors = value;
                    std::mem::replace(counted, true)
                } else {
                    self.reply_serial.replace(value).is_some() || value == 0
                };
                if again || contents != [types::UINT32] {
                    return Err(Error::Malformed);
                }
                Ok(end)
            }
            // What it means is not known, but it must be well formed.
            _ => {
                let limits = walk::Limits {
                    depth: MAX_DEPTH,
                    descriptors: u32::MAX,
                };
                walk::value(bytes, begin, contents, &limits)
            }
        }
    }

    /// Whether there is what its kind must have, and nothing of what never leaves a process.
    fn is_whole(&self) -> bool {
        let whole = match self.kind {
            Kind::MethodCall => self.has(Field::Path) && self.has(Field::Member),
            Kind::Signal => {
                self.has(Field::Path) && self.has(Field::Interface) && self.has(Field::Member)
            }
            Kind::MethodReturn => self.reply_serial.is_some(),
            Kind::Error => self.reply_serial.is_some() && self.has(Field::ErrorName),
            Kind::Other(_) => true,
        };
        let typed = self
            .bytes_of(Field::Signature)
            .is_some_and(|types| !types.is_empty());
        let local = self.bytes_of(Field::Path) == Some(b"/org/freedesktop/DBus/Local")
            || self.bytes_of(Field::Interface) == Some(b"org.freedesktop.DBus.Local")
            || self.bytes_of(Field::Sender) == Some(b"org.freedesktop.DBus.Local");
        whole && !local && (typed || self.body().is_empty())
    }

    pub(super) fn swap_body(&mut self) -> Result<()> {
        let signature = self.bytes_of(Field::Signature).unwrap_or_default().to_vec();
        let body = self.bytes.get_mut(self.body_at..).unwrap_or_default();
        swap::sequence(body, 0, &signature, MAX_DEPTH)?;
        if let Some(mark) = self.bytes.first_mut() {
            *mark = wire::NATIVE;
        }
        Ok(())
    }

    /// Adds a field.
    pub(super) fn set(&mut self, field: Field, text: &[u8]) -> Result<()> {
        if !field.admits(text) {
            return Err(Error::Invalid);
        }
        if self.has(field) {
            return Err(Error::Exists);
        }
        // A path has no longest length of its own.
        if self.bytes.len() + text.len() + 32 > MAX_ARRAY_LENGTH {
            return Err(Error::NoMemory);
        }
        let length = u32::try_from(text.len()).map_err(|_| Error::NoMemory)?;
        match field {
            Field::Signature => {
                self.begin_field(field as u8, types::SIGNATURE, [length as u8]);
            }
            _ => self.begin_field(field as u8, field.type_code(), length.to_ne_bytes()),
        }
        self.note(field, self.bytes.len(), text.len());
        self.bytes.extend_from_slice(text);
        self.bytes.push(0);
        Ok(())
    }

    pub(super) fn set_reply_serial(&mut self, serial: u32) {
        self.reply_serial = Some(serial);
        self.begin_field(REPLY_SERIAL, types::UINT32, serial.to_ne_bytes());
    }

    /// Writes what a field begins with, up to its value and as much of that.
    fn begin_field<const N: usize>(&mut self, code: u8, type_code: u8, value: [u8; N]) {
        wire::write_padding(&mut self.bytes, 8);
        self.bytes.extend_from_slice(&[code, 1, type_code, 0]);
        self.bytes.extend_from_slice(&value);
    }

    pub(super) fn set_flag(&mut self, flag: u8, on: bool) {
        self.flags = if on {
            self.flags | flag
        } else {
            self.flags & !flag
        };
    }

    pub(super) fn count_descriptor(&mut self) {
        self.descriptors += 1;
    }

    /// How long it is so far, in bytes.
    pub(super) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the body in, behind a header that is finished, if there is room for it: what is in one piece is sent as one. False
    /// if there is none.
    pub(super) fn take_in(&mut self, body: &[u8]) -> bool {
        let has_room = body.len() <= self.bytes.capacity() - self.bytes.len();
        if has_room {
            self.bytes.extend_from_slice(body);
        }
        has_room
    }

    /// Gives the bytes away; what they say can still be asked here, but not the texts.
    pub(super) fn take(&mut self) -> Self {
        let bytes = std::mem::take(&mut self.bytes);
        Self { bytes, ..*self }
    }

    pub(super) fn erase(&mut self) {
        erase(&mut self.bytes);
    }

    /// Writes what is known at the end only.
    pub(super) fn finish(&mut self, serial: u32, body_length: u32) {
        if self.descriptors > 0 {
            self.begin_field(UNIX_FDS, types::UINT32, self.descriptors.to_ne_bytes());
        }
        let fields_length = (self.bytes.len() - FIXED_LENGTH) as u32;
        wire::write_padding(&mut self.bytes, 8);
        self.body_at = self.bytes.len();
        self.serial = serial;
        if let Some(fixed) = self.bytes.first_chunk_mut::<FIXED_LENGTH>() {
            let [_, _, flags, _, numbers @ ..] = fixed;
            *flags = self.flags;
            let values = [body_length, serial, fields_length].map(u32::to_ne_bytes);
            numbers.copy_from_slice(values.as_flattened());
        }
    }

    fn note(&mut self, field: Field, start: usize, length: usize) {
        // Both are below the longest message.
        let span = Span {
            start: start as u32,
            length: length as u32,
        };
        if let Some(text) = self.texts.get_mut(field as usize) {
            *text = span;
        }
    }

    fn span(&self, field: Field) -> Option<Span> {
        let span = self.texts.get(field as usize)?;
        (span.start > 0).then_some(*span)
    }

    fn has(&self, field: Field) -> bool {
        self.span(field).is_some()
    }

    /// A text of it, without the NUL.
    pub fn bytes_of(&self, field: Field) -> Option<&[u8]> {
        let Span { start, length } = self.span(field)?;
        self.bytes.get(start as usize..(start + length) as usize)
    }

    /// A text of it.
    pub fn text(&self, field: Field) -> Option<&CStr> {
        let Span { start, length } = self.span(field)?;
        let text = self.bytes.get(start as usize..=(start + length) as usize)?;
        CStr::from_bytes_with_nul(text).ok()
    }

    /// What it is for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// [`NO_REPLY_EXPECTED`](crate::message::NO_REPLY_EXPECTED) and the like.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// Its number among those of its sender; 0 before it is sealed.
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// The number of the call that it answers.
    pub fn reply_serial(&self) -> Option<u32> {
        self.reply_serial
    }

    /// How many descriptors come with it.
    pub fn descriptors(&self) -> u32 {
        self.descriptors
    }

    pub(super) fn signature(&self) -> Types {
        let Span { start, length } = self.span(Field::Signature).unwrap_or_default();
        Types::new(start as usize, length as usize)
    }

    /// All that is in one piece with it.
    pub(super) fn piece(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.body_at).unwrap_or_default()
    }

    pub(super) fn body(&self) -> &[u8] {
        self.bytes.get(self.body_at..).unwrap_or_default()
    }
}

/// How long a message is, by its first [`FIXED_LENGTH`] bytes.
///
/// # Errors
/// [`Error::Malformed`]: it begins no message, or one that is too long.
pub fn message_length(bytes: &[u8]) -> Result<usize> {
    let Some(&[order, _, _, 1, a, b, c, d, _, _, _, _, e, f, g, h]) = bytes.first_chunk() else {
        return Err(Error::Malformed);
    };
    let number = |bytes| match order {
        b'l' => Ok(u32::from_le_bytes(bytes) as usize),
        b'B' => Ok(u32::from_be_bytes(bytes) as usize),
        _ => Err(Error::Malformed),
    };
    let (body, fields) = (number([a, b, c, d])?, number([e, f, g, h])?);
    if fields > MAX_ARRAY_LENGTH || body > MAX_LENGTH {
        return Err(Error::Malformed);
    }
    let length = FIXED_LENGTH + wire::aligned(fields, 8) + body;
    if length > MAX_LENGTH {
        return Err(Error::Malformed);
    }
    Ok(length)
}
