//! Copies are made under a name that nobody asks for and renamed when they are whole: no one sees half of one.

use std::{
    ffi::OsStr,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
};

use rustix::{
    fs::{AtFlags, Dir, Mode, OFlags, RenameFlags},
    io::Errno,
    rand::GetRandomFlags,
};

use super::MAX_DEPTH;

const PREFIX: &[u8] = b".#switchyard-copy-";

/// Whether this is the name of something unfinished.
pub fn is_name(name: &[u8]) -> bool {
    name.starts_with(PREFIX)
}

/// Something being made.
#[derive(Debug)]
pub struct Staged {
    directory: OwnedFd,
    name: Vec<u8>,
    staged: bool,
}

impl Staged {
    /// In a directory that is itself unfinished, a thing is made under its own name; elsewhere under a name of its own.
    pub fn new(directory: BorrowedFd<'_>, name: &OsStr, unfinished: bool) -> Result<Self, Errno> {
        let directory = directory
            .try_clone_to_owned()
            .map_err(|error| super::io(&error))?;
        let name = if unfinished {
            name.as_bytes().to_vec()
        } else {
            let mut random = [0; 8];
            rustix::rand::getrandom(&mut random, GetRandomFlags::empty())?;
            let mut staged = PREFIX.to_vec();
            staged.extend(format!("{:016x}", u64::from_ne_bytes(random)).bytes());
            staged
        };
        Ok(Self {
            directory,
            name,
            staged: !unfinished,
        })
    }

    /// The directory that it is in.
    pub fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// The name that it has until it is finished.
    pub fn name(&self) -> &OsStr {
        OsStr::from_bytes(&self.name)
    }

    /// Gives it the name that it is made for.
    pub fn publish(&self, name: &OsStr, replace: bool) -> Result<(), Errno> {
        if !self.staged {
            return Ok(());
        }
        let directory = &self.directory;
        if replace {
            return rustix::fs::renameat(directory, self.name(), directory, name);
        }
        let flags = RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(directory, self.name(), directory, name, flags) {
            // Not on every file system (rename(2)); what remains is a moment in which another may take the name.
            Err(Errno::INVAL) => {
                if rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                    return Err(Errno::EXIST);
                }
                rustix::fs::renameat(directory, self.name(), directory, name)
            }
            other => other,
        }
    }

    /// Takes it away again, with all that is in it.
    pub fn discard(&self) {
        // The error that led here is the one to tell.
        let _ = remove(self.directory.as_fd(), self.name(), 0);
    }
}

fn remove(parent: BorrowedFd<'_>, name: &OsStr, depth: usize) -> Result<(), Errno> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        // POSIX says EPERM for a directory, Linux EISDIR (unlink(2)).
        Err(Errno::ISDIR | Errno::PERM) if depth <= MAX_DEPTH => {}
        other => return other,
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    for entry in Dir::read_from(&directory)? {
        let entry = entry?;
        let bytes = entry.file_name().to_bytes();
        if !matches!(bytes, b"." | b"..") {
            remove(directory.as_fd(), OsStr::from_bytes(bytes), depth + 1)?;
        }
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
}
