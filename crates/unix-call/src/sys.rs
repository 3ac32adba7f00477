//! The system calls that rustix lacks or, for this use, does differently.

use core::ffi::{CStr, c_char, c_int, c_long};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicPtr, Ordering};

use rustix::fd::{AsRawFd, BorrowedFd};

use crate::{Fault, Peer};

/// `CLOCK_MONOTONIC`, by libc's vDSO: rustix would read the auxiliary vector by itself, through
/// `prctl(2)` or /proc, which a seccomp filter of the program may not allow.
pub(crate) fn monotonic_nanoseconds() -> u64 {
    let mut now = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: `now` is writable and of the right type. The call can't fail for this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, now.as_mut_ptr()) };
    // SAFETY: all zeroes is a valid timespec too.
    let now = unsafe { now.assume_init() };
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

pub(crate) fn process_id() -> i32 {
    // SAFETY: always succeeds.
    unsafe { libc::getpid() }
}

/// `errno`, after a call of libc's that has failed.
fn last_error() -> Fault {
    // SAFETY: always succeeds.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: always valid, and this thread's own.
    Fault::System(unsafe { errno.read() })
}

/// The number of an open descriptor: never negative.
#[derive(Debug)]
pub(crate) struct RawDescriptor(c_int);

impl RawDescriptor {
    /// What a system call has returned, -1 being a failure.
    fn new(returned: c_long) -> Result<Self, Fault> {
        match c_int::try_from(returned) {
            Ok(raw) if raw >= 0 => Ok(Self(raw)),
            _ => Err(last_error()),
        }
    }

    #[cfg(test)]
    pub(crate) fn from_std(socket: std::os::fd::OwnedFd) -> Self {
        use std::os::fd::IntoRawFd;
        Self(socket.into_raw_fd())
    }

    pub(crate) fn borrow(&self) -> BorrowedFd<'_> {
        // SAFETY: by the type's invariant. Lets the compiler drop a panic for descriptor -1.
        unsafe { core::hint::assert_unchecked(self.0 >= 0) };
        // SAFETY: open for as long as `self` is, by the type's invariant.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }

    /// Closes it; nothing may use it after.
    pub(crate) fn close(&mut self) {
        // SAFETY: ours alone. By rustix, since libc's close(3) is a cancellation point.
        unsafe { rustix::io::close(self.0) };
    }
}

/// A non-blocking `socket(2)`, moved out of 0..=2: in a program that has closed those, another thread's output must
/// not end up in our conversation.
pub(crate) fn unix_stream() -> Result<RawDescriptor, Fault> {
    const FIRST_FREE: c_int = 3;
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: touches no memory.
    let raw = unsafe { libc::socket(libc::AF_UNIX, kind, 0) };
    let mut socket = RawDescriptor::new(raw.into())?;
    if socket.0 >= FIRST_FREE {
        return Ok(socket);
    }
    // SAFETY: touches no memory.
    let raw = unsafe { libc::fcntl(socket.0, libc::F_DUPFD_CLOEXEC, FIRST_FREE) };
    let moved = RawDescriptor::new(raw.into());
    socket.close();
    moved
}

/// `openat(2)` to read. By number, since libc's open(3) is a cancellation point.
pub(crate) fn open(path: &CStr) -> Result<RawDescriptor, Fault> {
    let flags =
        libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    // SAFETY: `path` is a C string, and the other arguments are integers.
    RawDescriptor::new(unsafe {
        libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags)
    })
}

/// Whether there is a file of this name that the process can see, by `access(2)`.
pub(crate) fn exists(path: &CStr) -> bool {
    // SAFETY: `path` is a C string.
    unsafe { libc::access(path.as_ptr(), libc::F_OK) == 0 }
}

/// The owner of a file, by `stat(2)`.
pub(crate) fn owner(path: &CStr) -> Result<u32, Fault> {
    let mut file = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: `path` is a C string, `file` is writable and of the right type.
    if unsafe { libc::stat(path.as_ptr(), file.as_mut_ptr()) } != 0 {
        return Err(last_error());
    }
    // SAFETY: all zeroes is a valid stat, too.
    Ok(unsafe { file.assume_init() }.st_uid)
}

/// `SO_PEERCRED`. rustix's holds the PID in a type that can't be 0, and 0 is what the kernel
/// reports for a peer in a PID namespace that ours does not see.
pub(crate) fn peer(socket: BorrowedFd<'_>) -> Result<Peer, Fault> {
    let mut credentials = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: `credentials` is writable for the `length` bytes that the kernel is told of.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut length,
        )
    };
    if outcome != 0 {
        return Err(last_error());
    }
    Ok(Peer {
        uid: credentials.uid,
        pid: credentials.pid,
    })
}

unsafe extern "C" {
    #[link_name = "secure_getenv"]
    fn libc_secure_getenv(name: *const c_char) -> *const c_char;
}

/// Whether the environment may have a variable whose name begins in one of these ways: one pass over all of them, where
/// `getenv(3)` is one for each name.
pub fn environment_has(beginnings: &[&[u8]]) -> bool {
    unsafe extern "C" {
        static environ: AtomicPtr<AtomicPtr<c_char>>;
    }
    // SAFETY: glibc's variable, which is there and is a pointer.
    let list = unsafe { &environ };
    let mut entry = list.load(Ordering::Acquire);
    // SAFETY: null, or the list, as good for as long as it is for getenv(3).
    while let Some(text) = unsafe { entry.as_ref() } {
        let text = text.load(Ordering::Acquire);
        if text.is_null() {
            return false;
        }
        // SAFETY: an entry of the environment is a C string, which has one byte at least.
        let first = unsafe { text.read() }.cast_unsigned();
        // Most entries differ in that.
        let is_one = |beginning: &&[u8]| {
            // SAFETY: a C string.
            beginning.first() == Some(&first) && unsafe { begins(text, beginning) }
        };
        if beginnings.iter().any(is_one) {
            return true;
        }
        entry = entry.wrapping_add(1);
    }
    false
}

/// Whether a text begins so; it is read no further than it is the same.
///
/// # Safety
/// `text` is a C string, and `beginning` has no NUL.
unsafe fn begins(text: *const c_char, beginning: &[u8]) -> bool {
    let byte = |index: usize| {
        // SAFETY: what is before it was the same and so no NUL, which ends the string.
        unsafe { text.wrapping_add(index).read() }.cast_unsigned()
    };
    let mut bytes = beginning.iter().enumerate();
    bytes.all(|(index, expected)| byte(index) == *expected)
}

/// The value of an environment variable, `None` too in a program that runs with more privileges
/// than its caller has (`secure_getenv(3)`). Good until the program changes its environment, so not
/// to be kept.
pub fn secure_getenv(name: &CStr) -> Option<&[u8]> {
    // SAFETY: `name` is a C string, and the function is as thread-safe as the program around it.
    let value = unsafe { libc_secure_getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: not null, so a C string.
    Some(unsafe { CStr::from_ptr(value) }.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::environment_has;

    #[test]
    fn finds_the_beginning_of_a_variable() {
        // Cargo sets it.
        assert!(environment_has(&[b"CARGO_MANIFEST_DIR="]));
        assert!(environment_has(&[b"NO_SUCH_VARIABLE", b"CARGO_MANIFEST_"]));
        assert!(!environment_has(&[
            b"NO_SUCH_VARIABLE",
            b"ARGO_MANIFEST_DIR"
        ]));
        assert!(!environment_has(&[]));
    }
}
