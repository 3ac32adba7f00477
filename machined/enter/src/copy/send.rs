//! The reading half.

use std::{
    ffi::{CStr, OsStr},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags},
    io::Errno,
};

use super::{
    MAX_DEPTH,
    entry::{Entry, Kind, Message, Metadata},
    metadata, staging, tell,
};
use crate::{fault::Fault, reopen, root::Root};

/// Reads what is at `path`, a symlink itself included, and tells the other half.
pub fn send(root: &Root, path: &Path, socket: BorrowedFd<'_>) -> Result<(), Fault> {
    let (parent, name) = root.parent(path)?;
    let mut walk = Walk {
        socket,
        path: path.to_owned(),
        open: Vec::new(),
    };
    walk.entry(parent.as_fd(), name)
        .map_err(Fault::on("read", path))??;
    walk.descend()?;
    tell(socket, &Message::End, &[])
}

struct Walk<'a> {
    socket: BorrowedFd<'a>,
    /// Where the walk is, for messages.
    path: PathBuf,
    open: Vec<Dir>,
}

impl Walk<'_> {
    fn descend(&mut self) -> Result<(), Fault> {
        while let Some(directory) = self.open.last_mut() {
            let Some(next) = directory.next() else {
                self.open.pop();
                self.path.pop();
                tell(self.socket, &Message::Leave, &[])?;
                continue;
            };
            let next = next.map_err(Fault::on("read", &self.path))?;
            let name = next.file_name();
            // Our own half-made copy may be in the tree that it is a copy of.
            if matches!(name.to_bytes(), b"." | b"..") || staging::is_name(name.to_bytes()) {
                continue;
            }
            let directory = directory
                .fd()
                .and_then(|fd| rustix::io::fcntl_dupfd_cloexec(fd, 3))
                .map_err(Fault::on("read", &self.path))?;
            self.path.push(OsStr::from_bytes(name.to_bytes()));
            let deeper = self.open.len();
            match self.entry(directory.as_fd(), as_os(name)) {
                Ok(told) => told?,
                // Gone since the directory was read: the tree is alive.
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(Fault::on("read", &self.path)(errno)),
            }
            if self.open.len() == deeper {
                self.path.pop();
            }
        }
        Ok(())
    }

    /// Tells of one file. What can't be read is the outer error; the inner is the socket's.
    fn entry(&mut self, parent: BorrowedFd<'_>, name: &OsStr) -> Result<Result<(), Fault>, Errno> {
        let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let mut entry = Entry {
            name: name.as_bytes().to_vec(),
            kind: Kind::Node,
            metadata: Metadata::from(&stat),
        };
        match kind {
            FileType::Directory | FileType::RegularFile => {
                let file = open(parent, name, kind)?;
                entry.metadata = metadata::read(&file)?;
                return self.opened(entry, file, kind);
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(parent, name, Vec::new())?;
                entry.kind = Kind::Symlink(target.into_bytes());
            }
            _ => {}
        }
        Ok(tell(self.socket, &Message::Entry(entry), &[]))
    }

    fn opened(
        &mut self,
        mut entry: Entry,
        file: OwnedFd,
        kind: FileType,
    ) -> Result<Result<(), Fault>, Errno> {
        if kind == FileType::RegularFile {
            entry.kind = Kind::File;
            return Ok(tell(self.socket, &Message::Entry(entry), &[file.as_fd()]));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Errno::NAMETOOLONG);
        }
        entry.kind = Kind::Directory;
        self.open.push(Dir::new(file)?);
        Ok(tell(self.socket, &Message::Entry(entry), &[]))
    }
}

/// Opens a directory or regular file for reading, or fails should it have become something else: that is not opened.
fn open(parent: BorrowedFd<'_>, name: &OsStr, kind: FileType) -> Result<OwnedFd, Errno> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if kind == FileType::Directory {
        let flags = flags | OFlags::RDONLY | OFlags::DIRECTORY;
        return rustix::fs::openat(parent, name, flags, Mode::empty());
    }
    let held = rustix::fs::openat(parent, name, flags | OFlags::PATH, Mode::empty())?;
    reopen::regular(held).map_err(|errno| match errno {
        Errno::INVAL => Errno::STALE,
        errno => errno,
    })
}

fn as_os(name: &CStr) -> &OsStr {
    OsStr::from_bytes(name.to_bytes())
}
