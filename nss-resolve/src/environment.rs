//! What the environment of the program asks of its lookups: the variables of systemd's module
//! (nss-resolve(8)). A program with more privileges than its caller has none of them.

use core::ffi::CStr;

use unix_call::{environment_has, secure_getenv};

use crate::sys;

/// A variable each that, when it says no, leaves a part of resolved out of the lookup, and the bit
/// in `flags` that tells resolved so.
const SWITCHES: [(&CStr, u32); 6] = [
    (c"SYSTEMD_NSS_RESOLVE_VALIDATE", 1 << 10),
    (c"SYSTEMD_NSS_RESOLVE_SYNTHESIZE", 1 << 11),
    (c"SYSTEMD_NSS_RESOLVE_CACHE", 1 << 12),
    (c"SYSTEMD_NSS_RESOLVE_ZONE", 1 << 13),
    (c"SYSTEMD_NSS_RESOLVE_TRUST_ANCHOR", 1 << 14),
    (c"SYSTEMD_NSS_RESOLVE_NETWORK", 1 << 15),
];

/// Whether it asks for nothing, as that of nearly every program.
pub(crate) fn asks_for_nothing() -> bool {
    !environment_has(&[b"SYSTEMD_NSS_RESOLVE_", b"SYSTEMD_ACTIVATION_UNIT="])
}

/// The `flags` of a question.
pub(crate) fn flags() -> u32 {
    flags_without(|name| secure_getenv(name).is_some_and(says_no))
}

fn flags_without(is_off: impl Fn(&CStr) -> bool) -> u32 {
    let mut flags = 0;
    for (name, flag) in SWITCHES {
        if is_off(name) {
            flags |= flag;
        }
    }
    flags
}

/// The ways to say no that systemd knows (systemd.syntax(7)).
fn says_no(value: &[u8]) -> bool {
    ["0", "no", "n", "false", "f", "off"]
        .iter()
        .any(|no| value.eq_ignore_ascii_case(no.as_bytes()))
}

/// The only link to ask on, by name or number. A value that is neither counts for nothing.
pub(crate) fn link() -> Option<u32> {
    let value = secure_getenv(c"SYSTEMD_NSS_RESOLVE_INTERFACE")?;
    number(value).or_else(|| link_named(value))
}

/// A decimal number above 0.
fn number(digits: &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for &digit in digits {
        let digit = char::from(digit).to_digit(10)?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    (number > 0).then_some(number)
}

fn link_named(name: &[u8]) -> Option<u32> {
    // The kernel's IFNAMSIZ; room for one NUL at least.
    let mut text = [0; 16];
    if name.len() >= text.len() {
        return None;
    }
    for (place, &byte) in text.iter_mut().zip(name) {
        *place = byte;
    }
    sys::link_number(CStr::from_bytes_until_nul(&text).ok()?)
}

/// Whether this program is resolved itself, or was started by it, as the service manager tells: a
/// lookup would wait for itself.
pub(crate) fn is_resolved() -> bool {
    secure_getenv(c"SYSTEMD_ACTIVATION_UNIT") == Some(b"systemd-resolved.service")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_no() {
        for no in ["0", "no", "NO", "n", "False", "f", "off"] {
            assert!(says_no(no.as_bytes()), "{no}");
        }
        for other in ["1", "yes", "on", "", "nope", "00", " no"] {
            assert!(!says_no(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn each_variable_has_its_flag() {
        for (part, flag) in [
            ("VALIDATE", 1 << 10),
            ("SYNTHESIZE", 1 << 11),
            ("CACHE", 1 << 12),
            ("ZONE", 1 << 13),
            ("TRUST_ANCHOR", 1 << 14),
            ("NETWORK", 1 << 15),
        ] {
            let expected = format!("SYSTEMD_NSS_RESOLVE_{part}");
            let is_off = |name: &CStr| name.to_bytes() == expected.as_bytes();
            assert_eq!(flags_without(is_off), flag, "{part}");
        }
        assert_eq!(flags_without(|_| true), 0xfc00);
        assert_eq!(flags_without(|_| false), 0);
    }

    #[test]
    fn a_link_has_a_name_or_a_number() {
        assert_eq!(number(b"7"), Some(7));
        assert_eq!(number(b"4294967295"), Some(u32::MAX));
        for none in ["", "0", "4294967296", "-1", "1x", "lo", "+1"] {
            assert_eq!(number(none.as_bytes()), None, "{none}");
        }
        assert_eq!(link_named(b"lo"), sys::link_number(c"lo"));
        assert_eq!(link_named(b"a-name-of-sixteen"), None);
        assert_eq!(link_named(b""), None);
    }
}
