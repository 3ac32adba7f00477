//! How large the map may be.

use std::{io, path::Path};

use rustix::fs::statvfs;

/// Each is four times as large as the one before: a process takes up four maps in its life, and no more.
const SIZES: [usize; 4] = [4 << 20, 16 << 20, 64 << 20, 256 << 20];

/// The share of what is free in the file system of the map that it may take: others keep their state there, too.
const SHARE: u64 = 4;

/// The next size.
pub(super) fn above(size: usize) -> Option<usize> {
    SIZES.into_iter().find(|larger| *larger > size)
}

/// Whether a map of this size may be made there.
pub(super) fn check(path: &Path, size: usize) -> io::Result<()> {
    let status = statvfs(path.parent().unwrap_or(path))?;
    let free = status.f_bavail.saturating_mul(status.f_frsize);
    // A tmpfs without a limit says that it has no blocks at all.
    if status.f_blocks > 0 && free / SHARE < size as u64 {
        return Err(io::ErrorKind::StorageFull.into());
    }
    Ok(())
}
