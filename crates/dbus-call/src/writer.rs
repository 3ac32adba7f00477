//! Messages to send, in little-endian order (D-Bus specification, "Message Format").

use unix_call::Fault;

/// Everything that one call sends.
pub(crate) struct Writer {
    bytes: [u8; Writer::LIMIT],
    length: usize,
    too_big: bool,
    /// Where the message being written began: alignment counts from there.
    start: usize,
}

impl Writer {
    const LIMIT: usize = 1024;

    pub(crate) fn new() -> Self {
        Self {
            bytes: [0; Self::LIMIT],
            length: 0,
            too_big: false,
            start: 0,
        }
    }

    /// What has been written.
    pub(crate) fn finish(&self) -> Result<&[u8], Fault> {
        match self.bytes.get(..self.length) {
            Some(bytes) if !self.too_big => Ok(bytes),
            _ => Err(Fault::TooBig),
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        // Cut in two steps, so that the compiler sees both lengths to be the same.
        let rest = self.bytes.get_mut(self.length..);
        match rest.and_then(|rest| rest.get_mut(..bytes.len())) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => self.too_big = true,
        }
    }

    fn align(&mut self, alignment: usize) {
        while !(self.length - self.start).is_multiple_of(alignment) && !self.too_big {
            self.push(&[0]);
        }
    }

    fn push_u32(&mut self, value: usize) {
        self.align(4);
        self.push(&(value as u32).to_le_bytes());
    }

    fn push_string(&mut self, text: &[u8]) {
        self.push_u32(text.len());
        self.push(text);
        self.push(&[0]);
    }

    /// Fills in a length that was left 0 at `at`.
    fn patch(&mut self, at: usize, value: usize) {
        let rest = self.bytes.get_mut(at..).unwrap_or_default();
        for (place, byte) in rest.iter_mut().zip((value as u32).to_le_bytes()) {
            *place = byte;
        }
    }

    /// A method call. `fields` are the header fields that are strings or object paths, as
    /// (code, type, value).
    pub(crate) fn method_call(
        &mut self,
        serial: u32,
        fields: &[(u8, u8, &str)],
        argument: Option<&[u8]>,
    ) {
        self.start = self.length;
        // Little-endian, METHOD_CALL, no flags, version 1.
        self.push(&[b'l', 1, 0, 1]);
        let body_length = self.length;
        self.push_u32(0);
        self.push(&serial.to_le_bytes());
        let fields_length = self.length;
        self.push_u32(0);
        let fields_start = self.length;
        for &(code, kind, value) in fields {
            self.align(8);
            self.push(&[code, 1, kind, 0]);
            self.push_string(value.as_bytes());
        }
        if argument.is_some() {
            self.align(8);
            self.push(&[8, 1, b'g', 0, 1, b's', 0]);
        }
        self.patch(fields_length, self.length - fields_start);
        self.align(8);
        if let Some(argument) = argument {
            let body = self.length;
            self.push_string(argument);
            self.patch(body_length, self.length - body);
        }
    }
}
