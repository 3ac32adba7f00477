//! Users of a container, as its /etc/passwd names them. In a process that makes nothing but system calls, see
//! [`super::container`]: what is read is text of the container's, and goes through one buffer.

use std::ffi::{c_int, c_long};

use super::container::{call, call4};
use crate::{Errno, Result};

/// The longest line that is looked at.
const LINE: usize = 1024;
/// How much of the file is read.
const MAX_LENGTH: usize = 1 << 20;

/// By its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    pub number: u32,
    pub group: u32,
}

/// root
pub const ROOT: User = User {
    number: 0,
    group: 0,
};

/// A user by name or number.
///
/// # Errors
/// ESRCH if there is none; of open(2) and read(2).
pub fn find(name: &[u8]) -> Result<User> {
    if name == b"root" || name == b"0" {
        return Ok(ROOT);
    }
    // Not by waiting, should it be a pipe.
    let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    let path = c"/etc/passwd".as_ptr() as c_long;
    let file = call4(
        libc::SYS_openat,
        [c_long::from(libc::AT_FDCWD), path, flags.into(), 0],
    )?;
    let file = c_int::try_from(file).map_err(|_| Errno::BADF)?;
    let mut lines = Lines::new();
    let mut total = 0;
    let mut found = Err(Errno::SRCH);
    while total < MAX_LENGTH && found.is_err() {
        let mut bytes = [0_u8; 512];
        let (place, length) = (bytes.as_mut_ptr() as c_long, bytes.len() as c_long);
        let count = match call(libc::SYS_read, [file.into(), place, length])? {
            0 => break,
            count => usize::try_from(count).unwrap_or_default(),
        };
        total += count;
        for byte in bytes.iter().take(count) {
            if let Some(user) = lines.take(*byte).and_then(|line| user(line, name)) {
                found = Ok(user);
                break;
            }
        }
    }
    if found.is_err()
        && let Some(user) = lines.take(b'\n').and_then(|line| user(line, name))
    {
        found = Ok(user);
    }
    let _ = call(libc::SYS_close, [file.into(), 0, 0]);
    found
}

/// Lines, out of one byte after the other.
struct Lines {
    line: [u8; LINE],
    length: usize,
}

impl Lines {
    fn new() -> Self {
        Self {
            line: [0; LINE],
            length: 0,
        }
    }

    /// Takes a byte; at the end of a line gives it, unless it was too long.
    fn take(&mut self, byte: u8) -> Option<&[u8]> {
        if byte == b'\n' {
            let length = std::mem::take(&mut self.length);
            return self.line.get(..length);
        }
        if let Some(place) = self.line.get_mut(self.length) {
            *place = byte;
        }
        self.length = self.length.saturating_add(1);
        None
    }
}

/// The user of a line (passwd(5)), if it is this one.
fn user(line: &[u8], name: &[u8]) -> Option<User> {
    let mut fields = line.split(|byte| *byte == b':');
    let own = fields.next()?;
    let _password = fields.next()?;
    let digits = fields.next()?;
    let user = User {
        number: number(digits)?,
        group: number(fields.next()?)?,
    };
    (own == name || digits == name).then_some(user)
}

/// A number in digits; the largest one means none to the kernel.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    let number = digits.iter().try_fold(0_u32, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        number.checked_mul(10)?.checked_add(digit)
    });
    number.filter(|number| *number < u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let mut lines = Lines::new();
        let mut all = Vec::new();
        let text = format!("a:b\n\n{}\nend\n", "x".repeat(2 * LINE));
        for byte in text.bytes() {
            if let Some(line) = lines.take(byte) {
                all.push(line.to_vec());
            }
        }
        assert_eq!(all, [&b"a:b"[..], b"", b"end"]);
    }

    #[test]
    fn users() {
        let alice = Some(User {
            number: 1000,
            group: 100,
        });
        let line = b"alice:x:1000:100:Alice:/home/alice:/bin/sh";
        assert_eq!(user(line, b"alice"), alice);
        assert_eq!(user(line, b"1000"), alice);
        for (line, name) in [
            (&line[..], &b"bob"[..]),
            (b"alice", b"alice"),
            (b"alice:x:1000", b"alice"),
            (b"alice:x::100:", b"alice"),
            (b"alice:x:-1:100:", b"alice"),
            (b"alice:x:4294967295:100:", b"alice"),
            (b"alice:x:4294967296:100:", b"alice"),
            (b"", b""),
        ] {
            assert_eq!(user(line, name), None);
        }
        assert_eq!(find(b"root"), Ok(ROOT));
        assert_eq!(find(b"no such user"), Err(Errno::SRCH));
    }
}
