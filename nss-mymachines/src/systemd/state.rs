//! What systemd's machined keeps about a machine in /run/systemd/machines.

use core::ffi::CStr;

use nss_host::Failure;
use unix_call::{Fault, File, Reader, Source};

use crate::hosts::unavailable;
use crate::name::MachineName;

const DIRECTORY: &CStr = c"/run/systemd/machines/";

/// The one network interface that a container has on the host, 0 if it has none or several.
///
/// # Errors
/// [`Failure::NotFound`] if the name is no container's; unavailable if there is no machined.
pub(super) fn container(name: MachineName<'_>) -> Result<u32, Failure> {
    // One byte more than the longest path, which ends it.
    let mut path = [0; DIRECTORY.count_bytes() + MachineName::MAX + 1];
    let text = DIRECTORY.to_bytes().iter().chain(name.as_bytes());
    for (place, byte) in path.iter_mut().zip(text) {
        *place = *byte;
    }
    let path = CStr::from_bytes_until_nul(&path).unwrap_or(DIRECTORY);
    match File::open(path) {
        Ok(mut file) => read_file(&mut file),
        // machined makes the directory when it starts.
        Err(Fault::System(libc::ENOENT)) => Err(match File::open(DIRECTORY) {
            Ok(_) => Failure::NotFound,
            Err(fault) => unavailable(fault),
        }),
        Err(fault) => Err(unavailable(fault)),
    }
}

/// A key, and as much of its value as matters.
struct Line {
    bytes: [u8; 48],
    length: usize,
    /// Whether the bytes are all of it.
    whole: bool,
}

impl Line {
    /// The next line; `None` at the end of the file. A last one without line feed counts.
    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Fault> {
        let mut line = Self {
            bytes: [0; 48],
            length: 0,
            whole: true,
        };
        let mut empty = true;
        loop {
            match reader.byte() {
                Ok(b'\n') => return Ok(Some(line)),
                Ok(byte) => match line.bytes.get_mut(line.length) {
                    Some(place) => {
                        *place = byte;
                        line.length += 1;
                    }
                    None => line.whole = false,
                },
                // The end of the file.
                Err(Fault::System(libc::ECONNRESET)) => return Ok((!empty).then_some(line)),
                Err(fault) => return Err(fault),
            }
            empty = false;
        }
    }

    /// The value of this key, without the quotes that newer versions write.
    fn value(&self, key: &[u8]) -> Option<&[u8]> {
        let value = self
            .bytes
            .get(..self.length)?
            .strip_prefix(key)?
            .strip_prefix(b"=")?;
        let inner = value
            .strip_prefix(b"\"")
            .and_then(|value| value.strip_suffix(b"\""));
        Some(inner.unwrap_or(value))
    }
}

fn read_file(file: &mut dyn Source) -> Result<u32, Failure> {
    let mut reader = Reader::new(file);
    let (mut is_container, mut ifindex) = (None, 0);
    while let Some(line) = Line::read(&mut reader).map_err(unavailable)? {
        if let Some(class) = line.value(b"CLASS") {
            is_container = Some(line.whole && class == b"container");
        } else if let Some(indices) = line.value(b"NETIF") {
            ifindex = if line.whole { only_index(indices) } else { 0 };
        }
    }
    match is_container {
        Some(true) => Ok(ifindex),
        // machined tells the addresses of containers only.
        Some(false) => Err(Failure::NotFound),
        None => Err(Failure::Unavailable(libc::EBADMSG)),
    }
}

/// The index, if it is the only one in a list separated by blanks.
fn only_index(indices: &[u8]) -> u32 {
    let mut words = indices
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty());
    let (Some(word), None) = (words.next(), words.next()) else {
        return 0;
    };
    let mut index = 0_u32;
    for &digit in word {
        let next = match digit {
            b'0'..=b'9' => index
                .checked_mul(10)
                .and_then(|i| i.checked_add((digit - b'0').into())),
            _ => None,
        };
        let Some(next) = next else { return 0 };
        index = next;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(text: &str) -> Result<u32, Failure> {
        read_file(&mut text.as_bytes())
    }

    #[test]
    fn reads_what_every_version_writes() {
        let v252 = "# This is private data. Do not parse.\nNAME=web\nSCOPE=machine-web.scope\n\
                    LEADER=42\nCLASS=container\nREALTIME=1\nNETIF=7\n";
        assert_eq!(state(v252), Ok(7));
        assert_eq!(state("CLASS=\"container\"\nNETIF=\" 7\"\n"), Ok(7));
        assert_eq!(state("NETIF=7 8\nCLASS=container"), Ok(0));
        assert_eq!(state("CLASS=container\n"), Ok(0));
        for netif in [
            "",
            "x",
            "7x",
            "-7",
            "99999999999",
            " ",
            "\"7",
            &"7 ".repeat(100),
        ] {
            assert_eq!(
                state(&format!("CLASS=container\nNETIF={netif}\n")),
                Ok(0),
                "{netif}"
            );
        }
        let long = format!("ROOT=/{}\nCLASS=container\nNETIF=3\n", "x".repeat(5000));
        assert_eq!(state(&long), Ok(3));
    }

    #[test]
    fn damage_makes_up_no_interface() {
        let whole = "NAME=web\nCLASS=\"container\"\nNETIF=\" 7\"\nROOT=/a b\n";
        for at in 0..whole.len() {
            assert!(matches!(state(&whole[..at]), Ok(0 | 7) | Err(_)));
            for byte in 0..=255 {
                let mut damaged = whole.as_bytes().to_vec();
                damaged[at] = byte;
                if let Ok(index @ 1..) = read_file(&mut damaged.as_slice()) {
                    let text = String::from_utf8_lossy(&damaged).into_owned();
                    assert!(text.contains(&index.to_string()), "{index} of {text:?}");
                }
            }
        }
    }

    #[test]
    fn refuses_what_is_no_container() {
        assert_eq!(state("CLASS=vm\n"), Err(Failure::NotFound));
        assert_eq!(state("CLASS=containerx\n"), Err(Failure::NotFound));
        for garbage in [
            "",
            "\n",
            "garbage",
            "XCLASS=container\n",
            "CLASS container\n",
        ] {
            let broken = Err(Failure::Unavailable(libc::EBADMSG));
            assert_eq!(state(garbage), broken, "{garbage}");
        }
    }
}
