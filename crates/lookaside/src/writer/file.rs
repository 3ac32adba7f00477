//! The file of a map, as it comes into being.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    FallocateFlags, FileType, Mode, OFlags, fallocate, fchmod, fstat, open, rename, unlink,
};
use rustix::io::{Errno, pread, pwrite};
use rustix::process::geteuid;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::head::{Fixed, MAGIC, fixed, state};
use crate::sys::WritableMapping;
use crate::words::WordsMut;

/// Makes a map of `size` bytes, has it filled, and puts it at `path`.
pub(super) fn create<M>(
    path: &Path,
    size: usize,
    fill: impl FnOnce(WritableMapping, Fixed) -> io::Result<M>,
) -> io::Result<M> {
    let new = beside(path);
    let made = make(&new, size)
        .and_then(|(words, fixed)| fill(words, fixed))
        .and_then(|made| {
            let old = open_old(path);
            rename(&new, path)?;
            // Not before there is another to be found.
            if let Some(old) = old {
                retire(&old);
            }
            Ok(made)
        });
    if made.is_err() {
        let _ = unlink(&new);
    }
    made
}

/// Retires the map at `path`, if there is one.
pub(super) fn retire_at(path: &Path) {
    if let Some(old) = open_old(path) {
        retire(&old);
    }
}

fn make(new: &Path, size: usize) -> io::Result<(WritableMapping, Fixed)> {
    let fixed = Fixed::new(size, salt()?).ok_or(io::ErrorKind::InvalidInput)?;
    if let Some(directory) = new.parent() {
        match DirBuilder::new().mode(0o755).create(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    // What a writer left that was killed.
    match unlink(new) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = open(new, flags, Mode::RUSR | Mode::WUSR)?;
    Ok((lay_out(&file, size, fixed)?, fixed))
}

/// The file while nobody is to find it.
fn beside(path: &Path) -> PathBuf {
    let mut new = OsString::from(path);
    new.push(".new");
    new.into()
}

fn salt() -> io::Result<[u8; 16]> {
    let mut salt = [0; 16];
    // As few bytes as that are never given in part (getrandom(2)).
    match getrandom(&mut salt, GetRandomFlags::empty())? {
        16 => Ok(salt),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn lay_out(file: &OwnedFd, size: usize, fixed: Fixed) -> io::Result<WritableMapping> {
    // All of it, so that no page has to be found later, in a reader, when memory is short.
    fallocate(file, FallocateFlags::empty(), 0, size as u64)?;
    let words = WritableMapping::new(file.as_fd(), size)?;
    for (at, word) in Fixed::words(fixed.geometry, size) {
        words.store(at, word);
    }
    let (chunks, _) = fixed.salt.as_chunks();
    for (at, chunk) in chunks.iter().enumerate() {
        words.store(fixed::SALT + at, u32::from_ne_bytes(*chunk));
    }
    // Whatever the umask is: everybody reads it.
    fchmod(file, Mode::from_raw_mode(0o644))?;
    Ok(words)
}

/// What is to be replaced, if it is a map and ours.
fn open_old(path: &Path) -> Option<OwnedFd> {
    let flags =
        OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let old = open(path, flags, Mode::empty()).ok()?;
    let status = fstat(&old).ok()?;
    let is_ours = FileType::from_raw_mode(status.st_mode) == FileType::RegularFile
        && status.st_uid == geteuid().as_raw();
    let mut magic = [0; 8];
    let is_map =
        pread(&old, &mut magic, 0) == Ok(8) && magic.as_chunks().0 == MAGIC.map(u32::to_ne_bytes);
    (is_ours && is_map).then_some(old)
}

/// Says to the readers of a map that it is over, which its daemon could not if it was killed. A file of
/// another version has the word in the same place.
fn retire(old: &OwnedFd) {
    let _ = pwrite(old, &1_u32.to_ne_bytes(), 4 * state::RETIRED as u64);
}
