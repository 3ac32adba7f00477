//! What kind of file a descriptor is of.

use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{FileType, Stat, fstat, fstatfs, stat};

use crate::{Errno, Result};

/// MQUEUE_MAGIC of linux/magic.h.
const MQUEUE: u32 = 0x1980_0202;

/// Whether it is a FIFO, that of this path if one is given.
///
/// # Errors
/// Of fstat(2) and stat(2), but that there is nothing at the path.
pub fn is_fifo(descriptor: BorrowedFd<'_>, path: Option<&Path>) -> Result<bool> {
    let own = fstat(descriptor)?;
    if kind(&own) != FileType::Fifo {
        return Ok(false);
    }
    match path {
        None => Ok(true),
        Some(path) => Ok(at(path)?.is_some_and(|other| is_same(&own, &other))),
    }
}

/// Whether it is a file or a character device, that of this path if one is given.
///
/// # Errors
/// As [`is_fifo`].
pub fn is_special(descriptor: BorrowedFd<'_>, path: Option<&Path>) -> Result<bool> {
    let own = fstat(descriptor)?;
    if !matches!(
        kind(&own),
        FileType::RegularFile | FileType::CharacterDevice
    ) {
        return Ok(false);
    }
    let Some(path) = path else { return Ok(true) };
    let Some(other) = at(path)? else {
        return Ok(false);
    };
    Ok(match (kind(&own), kind(&other)) {
        (FileType::RegularFile, FileType::RegularFile) => is_same(&own, &other),
        // A device may have several nodes.
        (FileType::CharacterDevice, FileType::CharacterDevice) => own.st_rdev == other.st_rdev,
        _ => false,
    })
}

/// Whether it is a message queue (mq_overview(7)), that of this name if one is given.
///
/// # Errors
/// EINVAL if the name does not begin with `/`; of fstat(2) and stat(2).
pub fn is_mq(descriptor: BorrowedFd<'_>, name: Option<&Path>) -> Result<bool> {
    let own = fstat(descriptor)?;
    // Of another size on each architecture; the value has 32 bits on all.
    let magic = fstatfs(descriptor)?.f_type & 0xffff_ffff;
    if i128::from(magic) != i128::from(MQUEUE) || kind(&own) != FileType::RegularFile {
        return Ok(false);
    }
    let Some(name) = name else { return Ok(true) };
    let name = name.strip_prefix("/").map_err(|_| Errno::INVAL)?;
    let other = stat(Path::new("/dev/mqueue").join(name))?;
    Ok(is_same(&own, &other))
}

fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// What is at a path, if anything is.
fn at(path: &Path) -> Result<Option<Stat>> {
    match stat(path) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(errno),
    }
}
