//! Calls of the C library and of the kernel that have no safe form elsewhere.

use std::ffi::{CStr, CString, c_char, c_int, c_long};
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::{Errno, Result};

/// CLOSE_RANGE_CLOEXEC of linux/close_range.h.
const CLOSE_ON_EXEC: c_int = 4;

/// What [`libc`] has left in errno.
pub fn last() -> Errno {
    crate::errno_of(&std::io::Error::last_os_error())
}

/// CLOCK_MONOTONIC in µs. By the C library: rustix looks for the kernel's function by itself, where valgrind has none.
pub fn now() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it is written to, and this clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    seconds * 1_000_000 + u64::try_from(now.tv_nsec).unwrap_or_default() / 1000
}

/// A number as printf(3) has it by `%g`.
pub fn double_text(value: f64) -> String {
    let mut text = [0_u8; 64];
    // SAFETY: it writes no more than the length it is told, a 0 at the end.
    unsafe { libc::snprintf(text.as_mut_ptr().cast(), text.len(), c"%g".as_ptr(), value) };
    let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
    text.to_string_lossy().into_owned()
}

/// What time it is in UTC, as systemd's programs write it.
pub fn time_text() -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: it is written to, and this clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
    let mut time = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both are there.
    if unsafe { libc::gmtime_r(&raw const now.tv_sec, time.as_mut_ptr()) }.is_null() {
        return String::new();
    }
    // SAFETY: zeroes are such a structure, and so is what was written to it.
    let time = unsafe { time.assume_init() };
    let day = usize::try_from(time.tm_wday).ok();
    let day = day.and_then(|day| DAYS.get(day)).unwrap_or(&"");
    format!(
        "{day} {:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06} UTC",
        1900 + i64::from(time.tm_year),
        time.tm_mon + 1,
        time.tm_mday,
        time.tm_hour,
        time.tm_min,
        time.tm_sec,
        now.tv_nsec / 1000
    )
}

unsafe extern "C" {
    static stdout: *mut libc::FILE;
}

/// Writes to a stream; to standard output if it is null.
///
/// # Errors
/// EIO
///
/// # Safety
/// The pointer is null or to a stream that is open.
pub unsafe fn to_stream(stream: *mut libc::FILE, text: &[u8]) -> Result<()> {
    let stream = match stream.is_null() {
        // SAFETY: the C library has set it before any code runs.
        true => unsafe { stdout },
        false => stream,
    };
    // SAFETY: the caller's promise; the text is as long.
    let written = unsafe { libc::fwrite(text.as_ptr().cast(), 1, text.len(), stream) };
    (written == text.len()).then_some(()).ok_or(Errno::IO)
}

/// What strerror(3) says of a number.
pub fn error_text(number: c_int) -> CString {
    let mut text = [0_u8; 256];
    // SAFETY: it writes no more than the length it is told, a 0 at the end.
    unsafe { libc::strerror_r(number, text.as_mut_ptr().cast(), text.len()) };
    let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
    text.to_owned()
}

/// errno, which some functions have to leave as it was.
pub fn errno() -> c_int {
    // SAFETY: there is one of each thread.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: it is this thread's own.
    unsafe { *place }
}

/// Sets it.
pub fn set_errno(number: c_int) {
    // SAFETY: there is one of each thread.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: it is this thread's own.
    unsafe { *place = number };
}

/// What this program is called, without folders.
pub fn program_name<'a>() -> Option<&'a CStr> {
    unsafe extern "C" {
        /// Set by the C library when the program starts; errno(3) has it.
        static program_invocation_short_name: *const c_char;
    }
    // SAFETY: it is text, or null, and whoever changes it knows that no thread may read it meanwhile.
    unsafe { super::pointer::optional_text(program_invocation_short_name) }
}

/// Takes a variable out of the environment.
pub fn unset(name: &CStr) {
    // SAFETY: it is text; whoever calls a function that unsets a variable knows that no thread may read one meanwhile.
    unsafe { libc::unsetenv(name.as_ptr()) };
}

/// Whether this process runs with more rights than whoever started it has, so that the environment is not to be believed.
pub fn is_secure() -> bool {
    // SAFETY: it reads what the kernel gave this process at its start.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Has a program start with its standard descriptors and no others, and with all signals as the kernel has them.
pub fn start_clean(command: &mut Command) {
    let clean = || {
        for signal in 1..=libc::SIGRTMAX() {
            // SAFETY: no handler is left; numbers that can't be set are refused.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        let (first, all, flags) = (
            3 as c_long,
            c_long::from(c_int::MAX),
            c_long::from(CLOSE_ON_EXEC),
        );
        // SAFETY: it marks what is open. Older kernels don't have it; then what is not marked stays open.
        unsafe { libc::syscall(libc::SYS_close_range, first, all, flags) };
        Ok(())
    };
    // SAFETY: it makes system calls alone.
    unsafe { command.pre_exec(clean) };
}

/// The user this process runs as.
pub fn user() -> u32 {
    // SAFETY: it can't fail.
    unsafe { libc::geteuid() }
}

/// What a socket of AF_UNIX is bound to, as bytes of `sun_path`; nothing if it is of another family.
///
/// # Errors
/// Of getsockname(2).
pub fn unix_name(socket: BorrowedFd<'_>) -> Result<Option<Vec<u8>>> {
    // Longer than `struct sockaddr_un`: the kernel ends a path of 108 bytes with a 0 behind it.
    let mut name = [0_u8; size_of::<libc::sockaddr_un>() + 1];
    let mut length = libc::socklen_t::try_from(name.len()).map_err(|_| Errno::INVAL)?;
    // SAFETY: there is room for as much as `length` says. rustix's function panics at such a path.
    let result = unsafe {
        libc::getsockname(
            socket.as_raw_fd(),
            name.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(last());
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let name = name.get(..length).unwrap_or(&name);
    let (family, path) = name.split_first_chunk().ok_or(Errno::INVAL)?;
    let is_unix = i32::from(libc::sa_family_t::from_ne_bytes(*family)) == libc::AF_UNIX;
    Ok(is_unix.then(|| path.to_vec()))
}

/// A key of the kernel's that the service manager has put into this process's session keyring, 16 bytes of root's.
///
/// # Errors
/// ENXIO if there is none, EPERM if another than root has made it or may change it, EIO if it has another size.
pub fn root_key(description: &CStr) -> Result<[u8; 16]> {
    // SAFETY: both are text; no callout information, no keyring to link it into.
    let key = unsafe {
        libc::syscall(
            libc::SYS_request_key,
            c"user".as_ptr(),
            description.as_ptr(),
            0 as c_long,
            0 as c_long,
        )
    };
    if key < 0 {
        return match last() {
            // Without keyrings in the kernel, or behind seccomp.
            Errno::NOKEY | Errno::NOSYS | Errno::PERM => Err(Errno::NXIO),
            errno => Err(errno),
        };
    }
    let mut said = [0; 128];
    let length = keyctl(libc::KEYCTL_DESCRIBE, key, &mut said)?;
    is_roots(said.get(..length).unwrap_or(&said))?;
    let mut value = [0; 16];
    match keyctl(libc::KEYCTL_READ, key, &mut value)? {
        16 => Ok(value),
        _ => Err(Errno::IO),
    }
}

/// Reads something of a key; the length may be more than there was room for.
fn keyctl(operation: u32, key: c_long, to: &mut [u8]) -> Result<usize> {
    // SAFETY: the kernel writes no more than the length it is told.
    let length = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            c_long::from(operation),
            key,
            to.as_mut_ptr(),
            to.len(),
        )
    };
    usize::try_from(length).map_err(|_| last())
}

/// Whether a description, `TYPE;UID;GID;PERMISSIONS;NAME`, is of a key that root alone may change (keyctl_describe(3)).
fn is_roots(said: &[u8]) -> Result<()> {
    /// Write, link and setattr, of the possessor, the user, the group and others.
    const CHANGE: u32 = 0x3434_3434;
    let said = std::str::from_utf8(said).map_err(|_| Errno::IO)?;
    let mut fields = said.split(';').skip(1);
    let (Some(user), Some(group), Some(rights)) = (fields.next(), fields.next(), fields.next())
    else {
        return Err(Errno::IO);
    };
    let rights = u32::from_str_radix(rights, 16).map_err(|_| Errno::IO)?;
    match (user, group) {
        ("0", "0") if rights & CHANGE == 0 => Ok(()),
        _ => Err(Errno::PERM),
    }
}

/// Marks a descriptor to be closed at execve(2).
///
/// # Errors
/// EBADF
pub fn close_on_exec(descriptor: c_int) -> Result<()> {
    // SAFETY: F_SETFD takes a number, and changes no more than this flag.
    match unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) } {
        0 => Ok(()),
        _ => Err(last()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_a_key_is() {
        assert_eq!(is_roots(b"user;0;0;0b0b0000;invocation_id\0"), Ok(()));
        for wrong in ["user;1000;0;0b0b0000;x", "user;0;0;3f0b0000;x"] {
            assert_eq!(is_roots(wrong.as_bytes()), Err(Errno::PERM), "{wrong}");
        }
        assert_eq!(is_roots(b"user;0"), Err(Errno::IO));
    }
}
