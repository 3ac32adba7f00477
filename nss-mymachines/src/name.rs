//! Which names can be machines'.

/// A name that machined could have registered: 1 to 64 of `A-Za-z0-9._-`, no dot at either end,
/// none beside another (`HOST_NAME_MAX` and systemd's rule for machine names).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MachineName<'n>(&'n str);

impl<'n> MachineName<'n> {
    /// The longest name.
    pub(crate) const MAX: usize = 64;

    /// Checks a name.
    pub(crate) fn new(name: &'n [u8]) -> Option<Self> {
        if name.is_empty() || name.len() > Self::MAX {
            return None;
        }
        // As if after a dot, so that a leading one is one too many.
        let mut last = b'.';
        for &byte in name {
            match byte {
                b'.' if last == b'.' => return None,
                b'.' | b'_' | b'-' => {}
                _ if byte.is_ascii_alphanumeric() => {}
                _ => return None,
            }
            last = byte;
        }
        if last == b'.' {
            return None;
        }
        core::str::from_utf8(name).ok().map(Self)
    }

    /// Checks a name that a user has written. One dot at the end says that the name is absolute
    /// (RFC 1034, section 3.1), which names of machines are anyway. `localhost` and what is below
    /// it are this host's, whatever a machine is called (RFC 6761, section 6.3).
    pub(crate) fn asked(name: &'n [u8]) -> Option<Self> {
        let name = name.strip_suffix(b".").unwrap_or(name);
        if is_localhost(name) {
            return None;
        }
        Self::new(name)
    }

    /// The name.
    pub(crate) fn as_str(self) -> &'n str {
        self.0
    }

    /// The name.
    pub(crate) fn as_bytes(self) -> &'n [u8] {
        self.0.as_bytes()
    }
}

fn is_localhost(name: &[u8]) -> bool {
    const LAST: &[u8] = b"localhost";
    let start = name.len().saturating_sub(LAST.len());
    let Some((before, last)) = name.split_at_checked(start) else {
        return false;
    };
    last.eq_ignore_ascii_case(LAST) && before.last().is_none_or(|&byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::MachineName;

    #[test]
    fn knows_names() {
        let longest = "x".repeat(64);
        for name in ["a", "web", "Web-1.example_x", "0", "-a", &longest] {
            assert!(MachineName::new(name.as_bytes()).is_some(), "{name}");
        }
        let too_long = "x".repeat(65);
        for name in [
            "", ".", "a.", ".a", ".host", "a..b", "a/b", "a b", "a:b", "ä", "a\n", &too_long,
        ] {
            assert!(MachineName::new(name.as_bytes()).is_none(), "{name}");
        }
        assert!(MachineName::new(b"a\xff").is_none());
    }

    #[test]
    fn takes_an_absolute_name() {
        assert_eq!(MachineName::asked(b"web."), MachineName::new(b"web"));
        assert_eq!(MachineName::asked(b"web.."), None);
        assert_eq!(MachineName::asked(b"."), None);
    }

    #[test]
    fn leaves_localhost_to_the_host() {
        for name in ["localhost", "LocalHost.", "web.localhost"] {
            assert_eq!(MachineName::asked(name.as_bytes()), None, "{name}");
        }
        for name in ["localhos", "mylocalhost", "localhost.example", "ocalhost"] {
            assert!(MachineName::asked(name.as_bytes()).is_some(), "{name}");
        }
    }
}
