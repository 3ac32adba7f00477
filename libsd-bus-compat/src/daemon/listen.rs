//! Sockets that the manager has opened for this process.

use std::process;

use crate::number::{parse_i32, parse_pid};
use crate::{Errno, Result};

/// The first of them.
pub const START: i32 = 3;

/// What the environment says of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listen<'a> {
    /// `$LISTEN_PID`
    pub pid: Option<&'a str>,
    /// `$LISTEN_FDS`
    pub count: Option<&'a str>,
}

/// How many there are for this process: none if they are another's.
///
/// # Errors
/// If the environment names no number, or more descriptors than there can be.
pub fn listen(environment: &Listen<'_>) -> Result<i32> {
    let Some(pid) = environment.pid else {
        return Ok(0);
    };
    if u32::try_from(parse_pid(pid)?) != Ok(process::id()) {
        return Ok(0);
    }
    let Some(count) = environment.count else {
        return Ok(0);
    };
    match parse_i32(count)? {
        count if count > 0 && count <= i32::MAX - START => Ok(count),
        _ => Err(Errno::INVAL),
    }
}

/// The name of each, of `$LISTEN_FDNAMES`; `unknown` if that is not set.
///
/// # Errors
/// EINVAL if there are more or fewer names than descriptors.
pub fn names(text: Option<&[u8]>, count: usize) -> Result<Vec<Vec<u8>>> {
    let Some(text) = text else {
        return Ok(vec![b"unknown".to_vec(); count]);
    };
    let names = text.split(|byte| *byte == b':').map(<[u8]>::to_vec);
    let names: Vec<Vec<u8>> = names.collect();
    match names.len() == count {
        true => Ok(names),
        false => Err(Errno::INVAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let own = process::id().to_string();
        let count = |pid, count| listen(&Listen { pid, count });
        assert_eq!(count(None, Some("2")), Ok(0));
        assert_eq!(count(Some("1"), Some("2")), Ok(0));
        assert_eq!(count(Some(&own), None), Ok(0));
        assert_eq!(count(Some(&own), Some("2")), Ok(2));
        for wrong in ["0", "-1", "x", "2147483645"] {
            assert_eq!(count(Some(&own), Some(wrong)), Err(Errno::INVAL), "{wrong}");
        }
        assert_eq!(count(Some("0"), Some("2")), Err(Errno::RANGE));
    }

    #[test]
    fn a_name_for_each() {
        let named = |text: &str, count| names(Some(text.as_bytes()), count);
        assert_eq!(named("a:b", 2).unwrap(), [b"a", b"b"]);
        assert_eq!(named("a:", 2).unwrap(), [&b"a"[..], b""]);
        assert_eq!(named("a", 2), Err(Errno::INVAL));
        assert_eq!(named("", 1).unwrap(), [b""]);
        assert_eq!(names(None, 1).unwrap(), [b"unknown"]);
    }
}
