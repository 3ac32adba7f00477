//! The files of a process in /proc, as proc(5) has them.

use std::ffi::CString;

use super::{Caps, Ids};
use crate::{Errno, Result};

/// What stands in /proc/PID/status.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub ppid: i32,
    pub users: Ids,
    pub groups: Ids,
    pub supplementary_gids: Vec<u32>,
    pub caps: Caps,
}

impl Status {
    /// # Errors
    /// EIO if a line is missing, or is not as it should be.
    pub fn parse(text: &[u8]) -> Result<Self> {
        // The name may be any bytes; what is read here is ASCII.
        let text = String::from_utf8_lossy(text);
        let value = |key: &str| {
            let mut lines = text.lines();
            let found = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            found.map(str::trim).ok_or(Errno::IO)
        };
        let ids = |key| -> Result<Ids> {
            match *numbers(value(key)?)? {
                [real, effective, saved, filesystem] => Ok(Ids {
                    real,
                    effective,
                    saved,
                    filesystem,
                }),
                _ => Err(Errno::IO),
            }
        };
        let set = |key| u64::from_str_radix(value(key)?, 16).map_err(|_| Errno::IO);
        Ok(Self {
            ppid: value("PPid")?.parse().map_err(|_| Errno::IO)?,
            users: ids("Uid")?,
            groups: ids("Gid")?,
            supplementary_gids: numbers(value("Groups")?)?,
            caps: Caps {
                effective: set("CapEff")?,
                permitted: set("CapPrm")?,
                inheritable: set("CapInh")?,
                bounding: set("CapBnd")?,
            },
        })
    }
}

fn numbers(text: &str) -> Result<Vec<u32>> {
    let words = text.split_ascii_whitespace();
    words
        .map(|word| word.parse().map_err(|_| Errno::IO))
        .collect()
}

/// What of /proc/PID/stat is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Whether it has ended, and only its number is still taken.
    pub is_dead: bool,
    /// The device of its terminal; 0 if it has none.
    pub tty: u32,
    /// In clock ticks since the machine was started.
    pub start: u64,
}

impl Stat {
    /// # Errors
    /// EIO if it is not as it should be.
    pub fn parse(text: &[u8]) -> Result<Self> {
        // The name stands in parentheses, and may have some itself.
        let end = text.iter().rposition(|byte| *byte == b')');
        let rest = text.get(end.ok_or(Errno::IO)? + 1..).unwrap_or_default();
        let rest = str::from_utf8(rest).map_err(|_| Errno::IO)?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // The third field of all comes first here.
        let field = |number: usize| fields.get(number - 3).copied().ok_or(Errno::IO);
        let tty: i32 = field(7)?.parse().map_err(|_| Errno::IO)?;
        Ok(Self {
            is_dead: matches!(field(3)?, "Z" | "X" | "x"),
            tty: tty.cast_unsigned(),
            start: field(22)?.parse().map_err(|_| Errno::IO)?,
        })
    }
}

/// The words of /proc/PID/cmdline, each with a 0 behind it; the last may be without. None for a kernel's thread.
pub(super) fn cmdline(text: &[u8]) -> Option<Vec<CString>> {
    if text.is_empty() {
        return None;
    }
    let words = text.strip_suffix(b"\0").unwrap_or(text).split(|b| *b == 0);
    Some(words.map(c_string).collect())
}

/// The first line, without its end.
pub(super) fn line(text: &[u8]) -> &[u8] {
    let mut lines = text.split(|byte| matches!(byte, b'\n' | b'\0'));
    lines.next().unwrap_or_default()
}

/// Text, to the first 0 in it.
pub(super) fn c_string(bytes: &[u8]) -> CString {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    CString::new(text).unwrap_or_default()
}

/// A name with what can't be printed written as in C, so that nobody's name plays with a terminal.
pub(super) fn escaped(name: &[u8]) -> CString {
    let mut text = Vec::with_capacity(name.len());
    for byte in name {
        let letter = match byte {
            0x07 => b'a',
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0b => b'v',
            0x0c => b'f',
            b'\r' => b'r',
            b'\\' | b'"' | b'\'' => *byte,
            b' '..=b'~' => {
                text.push(*byte);
                continue;
            }
            _ => {
                text.extend(format!("\\{byte:03o}").bytes());
                continue;
            }
        };
        text.extend([b'\\', letter]);
    }
    c_string(&text)
}

/// A number of the audit subsystem, which is all ones if there is none.
pub(super) fn audit(text: &[u8]) -> Result<Option<u32>> {
    let text = str::from_utf8(line(text)).map_err(|_| Errno::INVAL)?;
    let number = text.parse().map_err(|_| Errno::INVAL)?;
    Ok(Some(number).filter(|number| *number != u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &[u8] = b"Name:\tUid:\\nx \xff\nState:\tS (sleeping)\nPid:\t7\nPPid:\t1\n\
        Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \nCapInh:\t0000000000000000\n\
        CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000001\nCapBnd:\tffffffffffffffff\n";

    #[test]
    fn a_status() {
        let status = Status::parse(STATUS).unwrap();
        assert_eq!(status.ppid, 1);
        assert_eq!((status.users.real, status.users.filesystem), (1, 4));
        assert_eq!((status.groups.effective, status.groups.saved), (6, 7));
        assert_eq!(status.supplementary_gids, [9, 10]);
        assert_eq!(status.caps.permitted, 0x1ff_ffff_ffff);
        for (from, to) in [("PPid", "P"), ("\t1\t2", "\t1"), ("0001", "x"), ("9", "-9")] {
            let wrong = String::from_utf8_lossy(STATUS).replacen(from, to, 1);
            assert_eq!(Status::parse(wrong.as_bytes()), Err(Errno::IO), "{from}");
        }
        assert_eq!(Status::parse(b""), Err(Errno::IO));
    }

    #[test]
    fn a_stat() {
        let rest = "1 7 7 34816 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0";
        let stat = |state| Stat::parse(format!("7 (a) S (b) {state} {rest}").as_bytes());
        let living = stat("S").unwrap();
        assert!(!living.is_dead);
        assert_eq!((living.tty, living.start), (0x8800, 4711));
        assert!(stat("Z").unwrap().is_dead);
        for wrong in ["", "7 a S 1", "7 (a) S", "7 (a) S 1 2 3 4 5"] {
            assert_eq!(Stat::parse(wrong.as_bytes()), Err(Errno::IO), "{wrong}");
        }
    }

    #[test]
    fn words() {
        let all = |text: &[u8]| {
            let words = cmdline(text)?.into_iter();
            Some(words.map(|word| word.into_string().unwrap()).collect())
        };
        assert_eq!(all(b""), None::<Vec<_>>);
        assert_eq!(all(b"\0"), Some(vec![String::new()]));
        let told = ["a", "", "b", ""].map(str::to_owned).to_vec();
        assert_eq!(all(b"a\0\0b\0\0"), Some(told));
        assert_eq!(all(b"a\0b"), Some(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn names() {
        assert_eq!(escaped(b"a (b)").to_bytes(), b"a (b)");
        assert_eq!(
            escaped(b"\n\x1b\\\"'\xc3\xa9").to_bytes(),
            br#"\n\033\\\"\'\303\251"#
        );
        assert_eq!(line(b"x\ny\n"), b"x");
    }

    #[test]
    fn audits() {
        assert_eq!(audit(b"1000"), Ok(Some(1000)));
        assert_eq!(audit(b"4294967295"), Ok(None));
        assert_eq!(audit(b"x"), Err(Errno::INVAL));
    }
}
