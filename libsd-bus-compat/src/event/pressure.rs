//! Being told that memory is short (sd_event_add_memory_pressure(3), the kernel's accounting/psi.rst).

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, fstat, fstatfs, open};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::source::{Enabled, Id, Kind};
use super::turn::Loop;
use crate::{Errno, Result};

/// The file systems of /proc and of cgroups: their files tell by EPOLLPRI.
const TELLING: [u64; 3] = [0x9fa0, 0x6367_7270, 0x0027_e0eb];

/// What tells of it.
#[derive(Debug)]
pub struct Pressure {
    file: OwnedFd,
    events: u32,
    trigger: Trigger,
    /// The trigger was written: before that there is nothing to wait for.
    begun: bool,
    registered: bool,
}

/// What is written to the file before it is waited for.
#[derive(Debug)]
enum Trigger {
    /// What the environment says, which nobody changes.
    Given(Vec<u8>),
    /// What is asked of the kernel: so many µs of waiting in a time of so many.
    Own {
        kind: Stall,
        threshold: u64,
        window: u64,
    },
}

/// Who has to wait for memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stall {
    Some,
    Full,
}

impl Pressure {
    /// By what a service manager has put into the environment: `$MEMORY_PRESSURE_WATCH` and `$MEMORY_PRESSURE_WRITE`.
    ///
    /// # Errors
    /// EHOSTDOWN if it wants none, EBADMSG or EINVAL if it makes no sense, ENOTTY for a file that tells nothing; of opening it.
    pub fn of_environment(watch: &[u8], write: Option<&[u8]>) -> Result<Self> {
        if matches!(watch, b"" | b"/dev/null") {
            return Err(Errno::HOSTDOWN);
        }
        let path = Path::new(OsStr::from_bytes(watch));
        let is_plain = |part| !matches!(part, std::path::Component::ParentDir);
        if !path.is_absolute() || !path.components().all(is_plain) {
            return Err(Errno::BADMSG);
        }
        let trigger = match write {
            Some(text) => decode(text).ok_or(Errno::INVAL)?,
            None => Vec::new(),
        };
        Self::open(path, Trigger::Given(trigger))
    }

    /// By the kernel: of this process's cgroup, or of the whole machine.
    ///
    /// # Errors
    /// EOPNOTSUPP if it tells nobody; of opening its file.
    pub fn of_kernel() -> Result<Self> {
        let trigger = || Trigger::Own {
            kind: Stall::Some,
            threshold: 200_000,
            window: 2_000_000,
        };
        let absent = |errno| matches!(errno, Errno::NOENT | Errno::NOTDIR | Errno::OPNOTSUPP);
        let machine = PathBuf::from("/proc/pressure/memory");
        for path in own_file().into_iter().chain([machine]) {
            match Self::open(&path, trigger()) {
                Err(errno) if absent(errno) => {}
                opened => return opened,
            }
        }
        Err(Errno::OPNOTSUPP)
    }

    fn open(path: &Path, trigger: Trigger) -> Result<Self> {
        let found = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let kind = FileType::from_raw_mode(fstat(&found)?.st_mode);
        // What was found, whatever the path leads to by now.
        let again = format!("/proc/self/fd/{}", found.as_raw_fd());
        let input = libc::EPOLLIN.cast_unsigned();
        let (file, events) = match kind {
            FileType::Socket => {
                let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
                let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
                connect(&socket, &SocketAddrUnix::new(again)?)?;
                (socket, input)
            }
            FileType::Directory => return Err(Errno::ISDIR),
            FileType::Symlink => return Err(Errno::LOOP),
            kind => {
                let is_regular = kind == FileType::RegularFile;
                let system = fstatfs(&found)?.f_type;
                if is_regular && !TELLING.contains(&(system as u64)) {
                    return Err(Errno::NOTTY);
                }
                let writes = !trigger.text().is_empty();
                let access = match writes || kind == FileType::Fifo {
                    true => OFlags::RDWR,
                    false => OFlags::RDONLY,
                };
                let flags = access | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
                let file = open(again, flags, Mode::empty())?;
                let priority = libc::EPOLLPRI.cast_unsigned();
                (file, if is_regular { priority } else { input })
            }
        };
        Ok(Self {
            file,
            events,
            trigger,
            begun: false,
            registered: false,
        })
    }

    /// # Errors
    /// EBUSY if it can't be changed, or not any more.
    pub fn set(&mut self, change: impl FnOnce(&mut Stall, &mut u64, &mut u64)) -> Result<bool> {
        let Trigger::Own {
            kind,
            threshold,
            window,
        } = &mut self.trigger
        else {
            return Err(Errno::BUSY);
        };
        if self.begun {
            return Err(Errno::BUSY);
        }
        let before = (*kind, *threshold, *window);
        change(kind, threshold, window);
        Ok(before != (*kind, *threshold, *window))
    }

    /// Takes in what has happened. Whether there is anything to tell, and whether there can be more.
    fn take(&self, events: u32) -> (bool, bool) {
        let ended = events & (libc::EPOLLERR | libc::EPOLLHUP).cast_unsigned() != 0;
        if self.events == libc::EPOLLPRI.cast_unsigned() {
            return (events & self.events != 0 && !ended, !ended);
        }
        let mut bytes = [0; 4096];
        match rustix::io::read(&self.file, &mut bytes) {
            Ok(0) => (false, false),
            Ok(_) => (true, true),
            Err(Errno::AGAIN | Errno::INTR) => (false, !ended),
            Err(_) => (false, false),
        }
    }
}

impl Trigger {
    fn text(&self) -> Vec<u8> {
        match self {
            Self::Given(text) => text.clone(),
            Self::Own {
                kind,
                threshold,
                window,
            } => {
                let kind = match kind {
                    Stall::Some => "some",
                    Stall::Full => "full",
                };
                // The kernel puts a 0 in place of the last byte.
                format!("{kind} {threshold} {window}\0").into_bytes()
            }
        }
    }
}

impl Loop {
    /// # Errors
    /// None that the kernel has.
    pub fn add_pressure(&mut self, pressure: Pressure) -> Result<Id> {
        let id = self.number();
        self.insert(id, Kind::Pressure(pressure), Enabled::On)?;
        self.pressures.push(id);
        Ok(id)
    }

    /// Has the kernel tell of those that are new, after it was said of what.
    pub(super) fn begin_pressures(&mut self) -> Result<()> {
        while let Some(id) = self.pressures.pop() {
            let Ok(source) = self.source(id) else {
                continue;
            };
            let Kind::Pressure(pressure) = &mut source.kind else {
                continue;
            };
            let text = pressure.trigger.text();
            pressure.begun = true;
            if !text.is_empty() {
                rustix::io::write(&pressure.file, &text)?;
            }
            self.register_again(id)?;
        }
        Ok(())
    }

    /// The kernel's part of one of these.
    pub(super) fn register_pressure(&mut self, id: Id, once: u32) -> Result<()> {
        let Self { sources, epoll, .. } = self;
        let Some(source) = sources.get_mut(&id) else {
            return Ok(());
        };
        if let Kind::Pressure(pressure) = &mut source.kind
            && pressure.begun
        {
            let number = pressure.file.as_fd().as_raw_fd();
            let token = super::epoll::Token::Source(id);
            match pressure.registered {
                true => epoll.modify(number, pressure.events | once, token)?,
                false => epoll.add(number, pressure.events | once, token)?,
            }
            pressure.registered = true;
        }
        Ok(())
    }

    /// The same, to be told no more.
    pub(super) fn forget_pressure(&mut self, id: Id) {
        let Self { sources, epoll, .. } = self;
        if let Some(source) = sources.get_mut(&id)
            && let Kind::Pressure(pressure) = &mut source.kind
            && std::mem::take(&mut pressure.registered)
        {
            epoll.remove(pressure.file.as_fd().as_raw_fd());
        }
    }

    pub(super) fn take_pressure(&mut self, id: Id, events: u32) -> Result<()> {
        let Kind::Pressure(pressure) = &self.source(id)?.kind else {
            return Ok(());
        };
        let (tells, goes_on) = pressure.take(events);
        if tells {
            self.set_pending(id, true);
        }
        match goes_on {
            true => Ok(()),
            // Whoever has told of it is gone.
            false => self.set_enabled(id, Enabled::Off),
        }
    }
}

/// The file of this process's cgroup, where there is one hierarchy of these.
fn own_file() -> Option<PathBuf> {
    let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let folder = Path::new("/sys/fs/cgroup").join(path);
    Some(folder.join("memory.pressure"))
}

/// Base64 (RFC 4648), with white space anywhere.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let is_said = |byte: &u8| !byte.is_ascii_whitespace();
    let text: Vec<u8> = text.iter().copied().filter(is_said).collect();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let said = text.get(..text.len() - padding)?;
    if padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in said.chunks(4) {
        let mut bits = 0_u32;
        for byte in group {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bits <<= 6 * (4 - group.len());
        let [_, all @ ..] = bits.to_be_bytes();
        bytes.extend(all.iter().take(group.len() - 1));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            (" Zm9v\nYmE= ", "fooba"),
            ("c29tZSAyMDAwMDAgMjAwMDAwMAA=", "some 200000 2000000\0"),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
        for text in ["Z", "Zg", "Zg=", "====", "Z===", "Zg==Zg==", "Zm9!"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
