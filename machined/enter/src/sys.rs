//! The system calls that neither std nor rustix has.

use std::{
    io,
    os::{fd::AsFd, fd::AsRawFd, unix::process::CommandExt},
    process::{Child, Command},
};

use rustix::io::Errno;

fn check(result: libc::c_long) -> Result<(), Errno> {
    if result == 0 {
        return Ok(());
    }
    Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO))
}

/// Closes every descriptor but the standard three: close_range(2), Linux 5.9.
///
/// To be called before the process has opened anything of its own.
pub fn close_inherited() -> Result<(), Errno> {
    // SAFETY: takes three numbers. Nothing in this process owns a descriptor from 3 on yet, as the caller promises.
    let result = unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) };
    check(result)
}

/// What a mount may and may not do: mount_setattr(2), Linux 5.12.
#[derive(Debug, Default)]
pub struct MountAttributes {
    /// MOUNT_ATTR_RDONLY.
    pub read_only: bool,
    /// MOUNT_ATTR_IDMAP: the user namespace whose mapping the mount gets.
    pub mapped: Option<std::os::fd::OwnedFd>,
}

/// Sets the attributes of the mount that `mount` is the root of.
pub fn mount_setattr(mount: impl AsFd, attributes: &MountAttributes) -> Result<(), Errno> {
    let mut raw = libc::mount_attr {
        attr_set: 0,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    if attributes.read_only {
        raw.attr_set |= libc::MOUNT_ATTR_RDONLY;
    }
    if let Some(user_namespace) = &attributes.mapped {
        raw.attr_set |= libc::MOUNT_ATTR_IDMAP;
        raw.userns_fd = u64::try_from(user_namespace.as_raw_fd()).map_err(|_| Errno::BADF)?;
    }
    // SAFETY: the path is a C string, the structure has the size that is told, and both outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const raw,
            size_of_val(&raw),
        )
    };
    check(result)
}

/// Moves this process into a copy of its mount namespace: unshare(2).
pub fn unshare_mounts() -> Result<(), Errno> {
    // SAFETY: unsafe for its other flags, those that part the descriptors of one thread from those of another.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWNS) }
}

/// Starts `command` after `prepare` has run in the new process.
///
/// The process that calls this must have one thread.
pub fn spawn_prepared(
    command: &mut Command,
    prepare: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) -> io::Result<Child> {
    // SAFETY: between fork and exec only what is safe in a signal handler may run where other threads can hold locks. There
    // are no others: this program never starts one.
    unsafe { command.pre_exec(prepare) };
    command.spawn()
}
