//! What programs tell the journal: sd_journal_print(3), by its native protocol.

mod field;
mod send;
mod stream;

pub use self::field::Field;
pub use self::send::{Destination, send};
pub use self::stream::{Stream, is_namespace};

use std::os::fd::AsFd;

use rustix::net::sockopt;

/// How much may be under way at once, where the machine allows it.
const BUFFER: usize = 8 << 20;

/// The identifier that a program has by its own name; one that has other than plain characters is none.
pub fn is_identifier(name: &[u8]) -> bool {
    let is_plain = |byte: &u8| !matches!(byte, 1..b' ' | b'"' | b'\'' | b'\\' | 0x7f);
    name.iter().all(is_plain)
}

/// Text without the white space at its end.
pub fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [begin @ .., b' ' | b'\t' | b'\n' | b'\r'] = text {
        text = begin;
    }
    text
}

fn enlarge(socket: impl AsFd) {
    // Who may go beyond the machine's limit does; what can't be had is done without.
    let is_enough = |size| size >= BUFFER;
    let _ = sockopt::set_socket_send_buffer_size(&socket, BUFFER);
    if !sockopt::socket_send_buffer_size(&socket).is_ok_and(is_enough) {
        let _ = sockopt::set_socket_send_buffer_size_force(&socket, BUFFER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        for good in ["a", "a-b c", "ä", ""] {
            assert!(is_identifier(good.as_bytes()), "{good}");
        }
        for bad in ["a\nb", "\"a\"", "a'", "a\\b", "a\x7f"] {
            assert!(!is_identifier(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn ends_of_text() {
        assert_eq!(trimmed(b" a b \r\n\t "), b" a b");
        assert_eq!(trimmed(b" \n"), b"");
    }
}
