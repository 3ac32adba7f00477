//! The wording of a method call.

use unix_call::Fault;

use crate::utf8::Utf8;

/// A method call, `{"method":…,"parameters":{…}}` and its NUL, built on the stack.
pub struct Request {
    bytes: [u8; Request::LIMIT],
    length: usize,
    /// How it failed, if it did; then nothing that follows counts.
    fault: Option<Fault>,
    /// Whether the next parameter is the first.
    first: bool,
}

impl Request {
    /// The longest request: room for a domain name all of whose bytes must be escaped.
    pub const LIMIT: usize = 2048;

    /// A call of `method`, named with its interface, with no parameters so far.
    pub fn new(method: &str) -> Self {
        let mut new = Self {
            bytes: [0; Self::LIMIT],
            length: 0,
            fault: None,
            first: true,
        };
        new.push(b"{\"method\":");
        new.push_text(method.as_bytes());
        new.push(b",\"parameters\":{");
        new
    }

    /// Adds a string.
    #[must_use]
    pub fn text(mut self, name: &str, value: &[u8]) -> Self {
        self.push_name(name);
        self.push_text(value);
        self
    }

    /// Adds an integer.
    #[must_use]
    pub fn integer(mut self, name: &str, value: u32) -> Self {
        self.push_name(name);
        self.push_integer(value);
        self
    }

    /// Adds an array of integers, one for each byte: how Varlink interfaces write addresses.
    #[must_use]
    pub fn octets(mut self, name: &str, value: &[u8]) -> Self {
        self.push_name(name);
        let mut separator: &[u8] = b"[";
        for &octet in value {
            self.push(separator);
            self.push_integer(octet.into());
            separator = b",";
        }
        self.push(if value.is_empty() { b"[]" } else { b"]" });
        self
    }

    /// The bytes to send.
    ///
    /// # Errors
    /// [`Fault::TooBig`] past [`Request::LIMIT`], [`Fault::Protocol`] if a string is no UTF-8.
    pub(crate) fn finish(&mut self) -> Result<&[u8], Fault> {
        self.push(b"}}\0");
        match self.fault {
            Some(fault) => Err(fault),
            None => self.bytes.get(..self.length).ok_or(Fault::TooBig),
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        // Cut in two steps, so that the compiler sees both lengths to be the same.
        let rest = self.bytes.get_mut(self.length..);
        match rest.and_then(|rest| rest.get_mut(..bytes.len())) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => self.fault = Some(Fault::TooBig),
        }
    }

    fn push_name(&mut self, name: &str) {
        if !self.first {
            self.push(b",");
        }
        self.first = false;
        self.push_text(name.as_bytes());
        self.push(b":");
    }

    fn push_text(&mut self, text: &[u8]) {
        let mut utf8 = Utf8::new();
        self.push(b"\"");
        for &byte in text {
            if !utf8.accepts(byte) {
                self.fault = Some(Fault::Protocol);
            }
            match byte {
                b'"' | b'\\' => self.push(&[b'\\', byte]),
                0..0x20 => {
                    let digit = |value: u8| {
                        if value < 10 {
                            b'0' + value
                        } else {
                            b'a' + value - 10
                        }
                    };
                    self.push(b"\\u00");
                    self.push(&[digit(byte >> 4), digit(byte & 15)]);
                }
                _ => self.push(&[byte]),
            }
        }
        if !utf8.is_whole() {
            self.fault = Some(Fault::Protocol);
        }
        self.push(b"\"");
    }

    fn push_integer(&mut self, value: u32) {
        let mut divisor = 1_000_000_000;
        while divisor > 1 && value < divisor {
            divisor /= 10;
        }
        while divisor > 0 {
            self.push(&[b'0' + (value / divisor % 10) as u8]);
            divisor /= 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_every_kind_of_parameter() {
        let mut request = Request::new("a.B.C")
            .text("name", "q\"\\\u{1}\u{e9}".as_bytes())
            .integer("zero", 0)
            .integer("most", u32::MAX)
            .octets("none", &[])
            .octets("address", &[10, 0, 255]);
        let expected = "{\"method\":\"a.B.C\",\"parameters\":{\"name\":\"q\\\"\\\\\\u0001\u{e9}\",\
                        \"zero\":0,\"most\":4294967295,\"none\":[],\"address\":[10,0,255]}}\0";
        assert_eq!(
            std::str::from_utf8(request.finish().unwrap()).unwrap(),
            expected
        );
    }

    #[test]
    fn refuses_what_it_cannot_say() {
        assert_eq!(
            Request::new("a").text("n", b"\xff").finish(),
            Err(Fault::Protocol)
        );
        assert_eq!(
            Request::new("a").text("n", b"\xc3").finish(),
            Err(Fault::Protocol)
        );
        assert_eq!(
            Request::new("a").text("n", &[b'x'; 2048]).finish(),
            Err(Fault::TooBig)
        );
        assert!(
            Request::new("io.systemd.Resolve.ResolveHostname")
                .text("n", &[1; 255])
                .finish()
                .is_ok()
        );
    }
}
