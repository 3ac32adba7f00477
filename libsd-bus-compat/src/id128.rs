//! 128-bit ids: of the machine, of this boot, of this run of a service (sd-id128(3)).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::rand::{GetRandomFlags, getrandom};

use crate::hmac::hmac_sha256;
use crate::{Errno, Result, errno_of};

/// An id, its bytes in the order they are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id128(pub [u8; 16]);

/// The places of dashes in a UUID (RFC 9562, 4).
const DASHES: [usize; 4] = [8, 13, 18, 23];

impl Id128 {
    /// 32 hexadecimal digits, or a UUID.
    ///
    /// # Errors
    /// EINVAL if it is neither.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let mut digits = [0; 32];
        match text.len() {
            32 => digits.copy_from_slice(text),
            36 => {
                let (dashes, rest): (Vec<_>, Vec<_>) = text
                    .iter()
                    .enumerate()
                    .partition(|(at, _)| DASHES.contains(at));
                if dashes.iter().any(|(_, byte)| **byte != b'-') {
                    return Err(Errno::INVAL);
                }
                for (to, (_, from)) in digits.iter_mut().zip(rest) {
                    *to = *from;
                }
            }
            _ => return Err(Errno::INVAL),
        }
        let mut bytes = [0; 16];
        for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            *byte = hex(*high)? << 4 | hex(*low)?;
        }
        Ok(Self(bytes))
    }

    /// 32 digits.
    pub fn to_plain(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or_default();
        let mut plain = [0; 32];
        for (pair, byte) in plain.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        plain
    }

    /// The digits in groups, as UUIDs are written.
    pub fn to_uuid(self) -> [u8; 36] {
        let mut uuid = [b'-'; 36];
        let places = (uuid.iter_mut().enumerate()).filter(|(at, _)| !DASHES.contains(at));
        for ((_, to), from) in places.zip(self.to_plain()) {
            *to = from;
        }
        uuid
    }

    /// One that nobody has had yet.
    ///
    /// # Errors
    /// Of getrandom(2).
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 16];
        // 256 bytes or less are given whole, once the kernel has any to give.
        getrandom(&mut bytes, GetRandomFlags::empty())?;
        Ok(Self(bytes).into_version_4())
    }

    /// What an application may show of this id: from it nobody finds this one, nor what another application shows.
    pub fn app_specific(self, application: Self) -> Self {
        let code = hmac_sha256(&self.0, &application.0);
        let (halves, _) = code.as_chunks::<16>();
        Self(halves.first().copied().unwrap_or_default()).into_version_4()
    }

    /// Marked as random (RFC 9562, 5.4).
    fn into_version_4(self) -> Self {
        let mut bytes = self.0;
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
        *version = *version & 0x0f | 0x40;
        *variant = *variant & 0x3f | 0x80;
        Self(bytes)
    }

    fn is_null(self) -> bool {
        self.0 == [0; 16]
    }
}

fn hex(digit: u8) -> Result<u8> {
    let value = char::from(digit).to_digit(16).ok_or(Errno::INVAL)?;
    u8::try_from(value).map_err(|_| Errno::INVAL)
}

/// The machine's, of /etc/machine-id (machine-id(5)).
///
/// # Errors
/// ENOENT without the file, ENOMEDIUM if nothing or zeros are in it, ENOPKG if it is to be made yet, EINVAL if it is no id.
pub fn machine(path: &Path) -> Result<Id128> {
    let id = read(path, 32)?;
    match id.is_null() {
        true => Err(Errno::NOMEDIUM),
        false => Ok(id),
    }
}

/// This boot's, of /proc/sys/kernel/random/boot_id.
///
/// # Errors
/// As [`machine`].
pub fn boot(path: &Path) -> Result<Id128> {
    read(path, 36)
}

/// The id in a file, written with this many characters, and perhaps a line break.
fn read(path: &Path, length: usize) -> Result<Id128> {
    let mut text = Vec::new();
    let file = File::open(path).map_err(|error| errno_of(&error))?;
    file.take(38)
        .read_to_end(&mut text)
        .map_err(|error| errno_of(&error))?;
    if text.is_empty() {
        return Err(Errno::NOMEDIUM);
    }
    let text = text.strip_suffix(b"\n").unwrap_or(&text);
    // What an image has that is to be booted for the first time.
    if text == b"uninitialized" {
        return Err(Errno::NOPKG);
    }
    match text.len() == length {
        true => Id128::parse(text),
        false => Err(Errno::INVAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Id128 = Id128([
        0x5a, 0x4d, 0xb0, 0xc5, 0xa4, 0xdb, 0x0c, 0x5a, 0x4d, 0xb0, 0xc5, 0xa4, 0xdb, 0x0c, 0x5a,
        0x4d,
    ]);

    #[test]
    fn both_ways_of_writing() {
        let plain = b"5a4db0c5a4db0c5a4db0c5a4db0c5a4d";
        let uuid = b"5a4db0c5-a4db-0c5a-4db0-c5a4db0c5a4d";
        assert_eq!(&ID.to_plain(), plain);
        assert_eq!(&ID.to_uuid(), uuid);
        for text in [&plain[..], uuid, b"5A4DB0C5A4DB0C5A4DB0C5A4DB0C5A4D"] {
            assert_eq!(Id128::parse(text), Ok(ID));
        }
        for text in [
            &b""[..],
            &plain[1..],
            b"5a4db0c5a4db0c5a4db0c5a4db0c5a4g",
            b"5a4db0c5-a4db-0c5a-4db0-c5a4db0c5a4",
            b"5a4db0c5-a4db-0c5a-4db0+c5a4db0c5a4d",
            b"5a4db0c5a-4db-0c5a-4db0-c5a4db0c5a4d",
        ] {
            assert_eq!(Id128::parse(text), Err(Errno::INVAL));
        }
    }

    #[test]
    fn random_ones_say_so() {
        let (one, other) = (Id128::random().unwrap(), Id128::random().unwrap());
        assert_ne!(one, other);
        let uuid = String::from_utf8(one.to_uuid().to_vec()).unwrap();
        assert_eq!(&uuid[14..15], "4");
        assert!(["8", "9", "a", "b"].contains(&&uuid[19..20]), "{uuid}");
    }

    #[test]
    fn files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("machine-id");
        assert_eq!(machine(&path), Err(Errno::NOENT));
        for (text, expected) in [
            ("", Err(Errno::NOMEDIUM)),
            ("\n", Err(Errno::INVAL)),
            ("uninitialized\n", Err(Errno::NOPKG)),
            ("00000000000000000000000000000000\n", Err(Errno::NOMEDIUM)),
            ("5a4db0c5a4db0c5a4db0c5a4db0c5a4d", Ok(ID)),
            ("5a4db0c5a4db0c5a4db0c5a4db0c5a4d\n", Ok(ID)),
            ("5a4db0c5a4db0c5a4db0c5a4db0c5a4d\n\n", Err(Errno::INVAL)),
            ("5a4db0c5-a4db-0c5a-4db0-c5a4db0c5a4d\n", Err(Errno::INVAL)),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(machine(&path), expected, "{text:?}");
        }
    }
}
