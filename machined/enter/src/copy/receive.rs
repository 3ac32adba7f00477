//! The writing half.

use std::{
    ffi::{OsStr, OsString},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags},
    io::Errno,
};

use super::{
    MAX_DEPTH, data,
    entry::{Entry, Kind, Message},
    hear,
    metadata::Rules,
    staging::Staged,
};
use crate::{fault::Fault, packet::malformed, root::Root};

/// Writes what the other half tells of to `path`.
///
/// A directory that is there is filled up. A file that is there is an error at the top and left alone further down, or, with
/// `replace`, replaced; a directory is never replaced. On an error everything unfinished is taken away.
pub fn receive(
    root: &Root,
    path: &Path,
    replace: bool,
    rules: Rules,
    socket: BorrowedFd<'_>,
) -> Result<(), Fault> {
    let (parent, name) = root.parent(path)?;
    let mut writer = Writer {
        replace,
        rules,
        path: path.parent().unwrap_or(Path::new("/")).to_owned(),
        open: Vec::new(),
    };
    let result = writer.run(socket, parent.as_fd(), name);
    if result.is_err() {
        writer.discard();
    }
    result
}

struct Writer {
    replace: bool,
    rules: Rules,
    /// The current directory, for messages.
    path: PathBuf,
    open: Vec<Directory>,
}

/// A directory being filled.
struct Directory {
    fd: OwnedFd,
    name: OsString,
    /// As it is to become; `None` for one that was there before.
    made: Option<(Staged, Entry)>,
}

impl Writer {
    fn run(
        &mut self,
        socket: BorrowedFd<'_>,
        parent: BorrowedFd<'_>,
        name: &OsStr,
    ) -> Result<(), Fault> {
        let (Message::Entry(entry), fds) = hear(socket)? else {
            return Err(malformed());
        };
        self.entry(entry, fds, parent, name)?;
        loop {
            let (message, fds) = hear(socket)?;
            match message {
                Message::End if self.open.is_empty() => return Ok(()),
                Message::Leave => self.leave()?,
                Message::Entry(entry) => {
                    let name = file_name(&entry.name)?.to_owned();
                    let directory = self.open.last().ok_or_else(malformed)?;
                    let directory = directory
                        .fd
                        .try_clone()
                        .map_err(|error| Fault::on("open", &self.path)(super::io(&error)))?;
                    self.entry(entry, fds, directory.as_fd(), &name)?;
                }
                Message::End => return Err(malformed()),
            }
        }
    }

    fn entry(
        &mut self,
        entry: Entry,
        fds: Vec<OwnedFd>,
        parent: BorrowedFd<'_>,
        name: &OsStr,
    ) -> Result<(), Fault> {
        let path = self.path.join(name);
        if entry.kind == Kind::Directory {
            let directory = self
                .directory(entry, parent, name)
                .map_err(Fault::on("create directory", &path))?;
            self.open.push(directory);
            self.path = path;
            return Ok(());
        }
        self.file(&entry, fds, parent, name)
            .map_err(Fault::on("create", &path))
    }

    /// Whether what is made in the current directory is seen by nobody until that directory is finished.
    fn unfinished(&self) -> bool {
        self.open.iter().any(|directory| directory.made.is_some())
    }

    fn directory(
        &self,
        entry: Entry,
        parent: BorrowedFd<'_>,
        name: &OsStr,
    ) -> Result<Directory, Errno> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Errno::NAMETOOLONG);
        }
        let open = |parent, name: &OsStr| {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(parent, name, flags, Mode::empty())
        };
        let unfinished = self.unfinished();
        if !unfinished {
            match open(parent, name) {
                Ok(fd) => {
                    return Ok(Directory {
                        fd,
                        name: name.to_owned(),
                        made: None,
                    });
                }
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
        }
        let staged = Staged::new(parent, name, unfinished)?;
        rustix::fs::mkdirat(parent, staged.name(), Mode::RWXU)?;
        match open(parent, staged.name()) {
            Ok(fd) => Ok(Directory {
                fd,
                name: name.to_owned(),
                made: Some((staged, entry)),
            }),
            Err(errno) => {
                staged.discard();
                Err(errno)
            }
        }
    }

    fn leave(&mut self) -> Result<(), Fault> {
        let directory = self.open.pop().ok_or_else(malformed)?;
        if let Some((staged, entry)) = &directory.made {
            let done = entry
                .metadata
                .apply(&directory.fd, self.rules)
                .and_then(|()| staged.publish(&directory.name, false));
            if let Err(errno) = done {
                staged.discard();
                return Err(Fault::on("finish directory", &self.path)(errno));
            }
        }
        self.path.pop();
        Ok(())
    }

    fn file(
        &self,
        entry: &Entry,
        fds: Vec<OwnedFd>,
        parent: BorrowedFd<'_>,
        name: &OsStr,
    ) -> Result<(), Errno> {
        let unfinished = self.unfinished();
        if !unfinished {
            match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                    return Err(Errno::EXIST);
                }
                Ok(_) if self.replace => {}
                Ok(_) if self.open.is_empty() => return Err(Errno::EXIST),
                Ok(_) => return Ok(()),
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
        }
        let staged = Staged::new(parent, name, unfinished)?;
        let made = match &entry.kind {
            Kind::File => self.regular(entry, fds, &staged),
            Kind::Symlink(target) => {
                rustix::fs::symlinkat(OsStr::from_bytes(target), parent, staged.name())
                    .and_then(|()| self.own(entry, &staged))
            }
            Kind::Node | Kind::Directory => self.node(entry, &staged),
        };
        made.and_then(|()| staged.publish(name, self.replace))
            // What could not be made because a name was taken is not ours to remove.
            .inspect_err(|&errno| {
                if !(unfinished && errno == Errno::EXIST) {
                    staged.discard();
                }
            })
    }

    fn regular(&self, entry: &Entry, fds: Vec<OwnedFd>, staged: &Staged) -> Result<(), Errno> {
        let from = fds.into_iter().next().ok_or(Errno::BADMSG)?;
        let stat = rustix::fs::fstat(&from)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Errno::BADMSG);
        }
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let to = rustix::fs::openat(staged.directory(), staged.name(), flags, mode)?;
        data::copy(&from, &to)?;
        entry.metadata.apply(&to, self.rules)
    }

    fn node(&self, entry: &Entry, staged: &Staged) -> Result<(), Errno> {
        let kind = FileType::from_raw_mode(entry.metadata.mode);
        let mode = entry.metadata.permissions(self.rules);
        let device = entry.metadata.device;
        rustix::fs::mknodat(staged.directory(), staged.name(), kind, mode, device)?;
        self.own(entry, staged)
    }

    /// Gives owner and times to a symlink or node that was just made, if it still is what was made.
    fn own(&self, entry: &Entry, staged: &Staged) -> Result<(), Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = rustix::fs::openat(staged.directory(), staged.name(), flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&made)?;
        let kind = |mode| FileType::from_raw_mode(mode);
        if kind(stat.st_mode) != kind(entry.metadata.mode) {
            return Err(Errno::STALE);
        }
        entry.metadata.apply_to_path(&made, self.rules)
    }

    /// Takes away what is not finished: the topmost directory that is ours, and with it all below.
    fn discard(&mut self) {
        let made = self
            .open
            .iter()
            .find_map(|directory| directory.made.as_ref());
        if let Some((staged, _)) = made {
            staged.discard();
        }
    }
}

/// A name of one component: whatever the other half says, it can't lead elsewhere.
fn file_name(name: &[u8]) -> Result<&OsStr, Fault> {
    if matches!(name, b"" | b"." | b"..") || name.iter().any(|&byte| matches!(byte, b'/' | 0)) {
        return Err(malformed());
    }
    Ok(OsStr::from_bytes(name))
}
