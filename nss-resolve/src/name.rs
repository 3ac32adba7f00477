//! Which names are asked about, and which are given out.

/// The longest name, as text without a dot at its end (RFC 1035, section 2.3.4, counts 255 bytes on
/// the wire).
const LONGEST: usize = 253;
/// The longest part between two dots.
const LONGEST_LABEL: usize = 63;

/// Whether what a user has written can be a name at all: UTF-8, as the daemon does the conversion of
/// internationalised names (RFC 5891).
pub(crate) fn is_askable(name: &[u8]) -> bool {
    let length = name.strip_suffix(b".").unwrap_or(name).len();
    length <= LONGEST && core::str::from_utf8(name).is_ok()
}

/// Whether a name out of the DNS is one of a host: letters, digits, hyphens (RFC 1123, section 2.1)
/// and underscores, which are in use, and no hyphen first.
///
/// Anybody who has a zone can put anything into a PTR record or make it the target of an alias, and
/// programs write names of hosts into logs, shell commands and terminals. glibc's dns service has
/// the same rule (`res_hnok`), which CVE-2026-4438 was a way around.
pub(crate) fn is_host(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let byte_is_fine = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label_is_fine =
        |label: &[u8]| matches!(label.len(), 1..=LONGEST_LABEL) && label.iter().all(byte_is_fine);
    name.len() <= LONGEST
        && name.first() != Some(&b'-')
        && name.split(|&byte| byte == b'.').all(label_is_fine)
}

#[cfg(test)]
mod tests {
    use super::{is_askable, is_host};

    #[test]
    fn asks_about_whatever_can_be_a_name() {
        let longest = ["x".repeat(63).as_str(); 4].join(".")[..253].to_owned();
        let absolute = format!("{longest}.");
        for name in [
            "a",
            "",
            ".",
            "a..b",
            "ä.example",
            "a b",
            "_dmarc.x",
            &longest,
            &absolute,
        ] {
            assert!(is_askable(name.as_bytes()), "{name}");
        }
        let too_long = format!("x{longest}");
        for name in [too_long.as_bytes(), b"a\xff", b"\xc3", b"\xed\xa0\x80"] {
            assert!(!is_askable(name), "{}", name.escape_ascii());
        }
    }

    #[test]
    fn gives_out_names_of_hosts_alone() {
        let (label, longest) = ("x".repeat(63), ["x".repeat(62).as_str(); 4].join("."));
        for name in [
            "a",
            "a.example",
            "a.example.",
            "0-x.EXAMPLE",
            "_a.b_c",
            "a-",
            "xn--fa-hia.de",
            &label,
            &longest,
        ] {
            assert!(is_host(name.as_bytes()), "{name}");
        }
        let (label, too_long) = ("x".repeat(64), [longest.as_str(), "xx"].join("."));
        for name in [
            "",
            ".",
            "..",
            "a..",
            ".a",
            "a..b",
            "-a",
            "-rf.example",
            "a b",
            "a\n",
            "a\0b",
            "a/b",
            "a;b",
            "$(x)",
            "\u{1b}[2J",
            "a\\032b",
            "ä",
            "a:b",
            "a@b",
            "*",
            &label,
            &too_long,
        ] {
            assert!(!is_host(name.as_bytes()), "{name:?}");
        }
        assert!(!is_host(b"a\xff"));
    }
}
