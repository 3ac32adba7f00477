//! A file that nobody can open: as on a file system whose server hangs.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Whoever opens the file waits until this is dropped.
pub struct Stall(#[allow(dead_code, reason = "held")] File);

impl Stall {
    /// A permission event of fanotify(7) that is never answered. Marks the inode, so the file is stalled in every mount.
    pub fn new(path: &Path) -> Self {
        let class = libc::FAN_CLASS_CONTENT | libc::FAN_CLOEXEC;
        let flags = libc::O_RDONLY.cast_unsigned();
        // SAFETY: takes numbers.
        let group = unsafe { libc::fanotify_init(class, flags) };
        assert!(group >= 0, "{}", io::Error::last_os_error());
        // SAFETY: the descriptor was just made, and is nobody else's.
        let group = unsafe { File::from_raw_fd(group) };
        let path = CString::new(path.as_os_str().as_bytes()).unwrap();
        let (how, what) = (libc::FAN_MARK_ADD, libc::FAN_OPEN_PERM);
        // SAFETY: the path is a C string that outlives the call.
        let marked = unsafe {
            libc::fanotify_mark(group.as_raw_fd(), how, what, libc::AT_FDCWD, path.as_ptr())
        };
        assert_eq!(marked, 0, "{}", io::Error::last_os_error());
        Self(group)
    }
}
