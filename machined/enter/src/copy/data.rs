//! The contents of a regular file: shared blocks where the file system can, else block by block with the holes left out.

use std::os::fd::OwnedFd;

use rustix::{
    fs::SeekFrom,
    io::{Errno, retry_on_intr},
};

use super::cancel;

/// Bytes at a time, where the kernel does not copy by itself.
const BLOCK: usize = 128 * 1024;

/// Bytes that the kernel is told to copy at a time: it does not stop in between, were nobody to want the copy any more.
const AT_ONCE: usize = 64 << 20;

/// Copies what `from` holds to `to`, which is empty. A file that grows meanwhile is copied up to the length it had.
pub fn copy(from: &OwnedFd, to: &OwnedFd) -> Result<(), Errno> {
    if rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return Ok(());
    }
    let length = u64::try_from(rustix::fs::fstat(from)?.st_size).map_err(|_| Errno::OVERFLOW)?;
    if length == 0 {
        // Empty, or a file of procfs or the like, which does not know its length.
        return stream(from, to, u64::MAX);
    }
    let mut position = 0;
    while position < length {
        let data = match rustix::fs::seek(from, SeekFrom::Data(position)) {
            Ok(data) => data,
            // A hole up to the end.
            Err(Errno::NXIO) => break,
            // No holes on this file system.
            Err(Errno::INVAL) => position,
            Err(errno) => return Err(errno),
        };
        let hole = rustix::fs::seek(from, SeekFrom::Hole(data)).unwrap_or(length);
        let end = hole.min(length);
        if data < end {
            extent(from, to, data, end)?;
        }
        position = end.max(data).max(position + 1);
    }
    rustix::fs::ftruncate(to, length)
}

fn extent(from: &OwnedFd, to: &OwnedFd, start: u64, end: u64) -> Result<(), Errno> {
    let (mut input, mut output) = (start, start);
    while input < end {
        let length = usize::try_from(end - input)
            .unwrap_or(usize::MAX)
            .min(AT_ONCE);
        cancel::check()?;
        let copied = retry_on_intr(|| {
            rustix::fs::copy_file_range(from, Some(&mut input), to, Some(&mut output), length)
        });
        match copied {
            Ok(0) => break,
            Ok(_) => {}
            // Not between these file systems, or not at all.
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => {
                break;
            }
            Err(errno) => return Err(errno),
        }
    }
    if input < end {
        rustix::fs::seek(from, SeekFrom::Start(input))?;
        rustix::fs::seek(to, SeekFrom::Start(input))?;
        stream(from, to, end - input)?;
    }
    Ok(())
}

fn stream(from: &OwnedFd, to: &OwnedFd, mut left: u64) -> Result<(), Errno> {
    let mut buffer = vec![0; BLOCK];
    while left > 0 {
        cancel::check()?;
        let most = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        let window = buffer.get_mut(..most).unwrap_or_default();
        let length = retry_on_intr(|| rustix::io::read(from, &mut *window))?;
        let mut rest = window.get(..length).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        left -= u64::try_from(length).unwrap_or(left);
        while !rest.is_empty() {
            let written = retry_on_intr(|| rustix::io::write(to, rest))?;
            rest = rest.get(written..).unwrap_or_default();
        }
    }
    Ok(())
}
