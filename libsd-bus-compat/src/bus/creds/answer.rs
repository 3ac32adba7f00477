//! What a bus says of who is on it: the answer to GetConnectionCredentials.

use std::ffi::CString;
use std::os::fd::OwnedFd;

use dbus::{Basic, Cursor, types};

use super::status::{c_string, line};
use crate::bus::errno;
use crate::bus::message::Sealed;
use crate::{Errno, Result};

/// What it has said. The D-Bus specification lets it leave out each.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub struct Answer {
    pub user: Option<u32>,
    pub pid: Option<u32>,
    pub groups: Option<Vec<u32>>,
    pub label: Option<CString>,
    /// Of the process; the bus was told it by the kernel when the connection was made.
    pub pidfd: Option<OwnedFd>,
}

impl Answer {
    /// The label that GetConnectionSELinuxSecurityContext answers.
    pub fn label(sealed: &Sealed) -> Option<CString> {
        let message = sealed.message();
        let bytes = message.cursor().read_array(message, types::BYTE);
        bytes.ok().flatten().map(|bytes| c_string(line(bytes)))
    }

    /// Reads it; what is not known here is passed over.
    ///
    /// # Errors
    /// EBADMSG if it is another than `a{sv}`, or a value of another type than the specification has.
    pub fn parse(sealed: &Sealed) -> Result<Self> {
        let message = sealed.message();
        let mut cursor = message.cursor();
        let mut answer = Self::default();
        let broken = |_| Errno::BADMSG;
        let enter = |cursor: &mut Cursor, code, contents: &[u8]| {
            let entered = cursor.enter_container(message, code, Some(contents));
            entered.map_err(broken)
        };
        if !enter(&mut cursor, types::ARRAY, b"{sv}")? {
            return Err(Errno::BADMSG);
        }
        while enter(&mut cursor, types::DICT_ENTRY, b"sv")? {
            let key = match cursor.read_basic(message, types::STRING).map_err(broken)? {
                Some(Basic::String(key)) => key.to_bytes(),
                _ => return Err(Errno::BADMSG),
            };
            let contents: &[u8] = match key {
                b"UnixUserID" | b"ProcessID" => b"u",
                b"UnixGroupIDs" => b"au",
                b"LinuxSecurityLabel" => b"ay",
                b"ProcessFD" => b"h",
                _ => {
                    cursor.skip(message, Some(b"v")).map_err(broken)?;
                    cursor.exit_container().map_err(errno)?;
                    continue;
                }
            };
            enter(&mut cursor, types::VARIANT, contents)?;
            match contents {
                b"u" => match cursor.read_basic(message, types::UINT32).map_err(broken)? {
                    Some(Basic::Uint32(number)) if key == b"ProcessID" => {
                        answer.pid = Some(number);
                    }
                    Some(Basic::Uint32(number)) => answer.user = Some(number),
                    _ => return Err(Errno::BADMSG),
                },
                b"h" => {
                    let read = cursor.read_basic(message, types::UNIX_FD).map_err(broken)?;
                    let Some(Basic::UnixFd(index)) = read else {
                        return Err(Errno::BADMSG);
                    };
                    let copy = sealed.descriptor(index)?.try_clone_to_owned();
                    answer.pidfd = Some(copy.map_err(|error| crate::errno_of(&error))?);
                }
                b"ay" => {
                    let bytes = cursor.read_array(message, types::BYTE).map_err(broken)?;
                    answer.label = bytes.map(|bytes| c_string(line(bytes)));
                }
                _ => {
                    let bytes = cursor.read_array(message, types::UINT32).map_err(broken)?;
                    let (numbers, _) = bytes.unwrap_or_default().as_chunks();
                    let numbers = numbers.iter().map(|four| u32::from_ne_bytes(*four));
                    answer.groups = Some(numbers.collect());
                }
            }
            cursor.exit_container().map_err(errno)?;
            cursor.exit_container().map_err(errno)?;
        }
        Ok(answer)
    }
}
