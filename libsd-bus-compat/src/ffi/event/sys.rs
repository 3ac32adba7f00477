//! Calls of the kernel on descriptors, signals and processes that a program names by number.
//!
//! A number may be of nothing, or of something else than the program thinks: then the kernel says so, and that is the answer.

use std::ffi::{c_int, c_long};
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use crate::event::{Happened, SignalSet};
use crate::{Errno, Result};

fn last() -> Errno {
    crate::errno_of(&std::io::Error::last_os_error())
}

fn done(result: c_int) -> Result<()> {
    match result {
        0.. => Ok(()),
        _ => Err(last()),
    }
}

/// What is done with a descriptor in an epoll.
#[derive(Clone, Copy, Debug)]
pub enum Control {
    Add,
    Modify,
    Remove,
}

/// epoll_ctl(2), for a descriptor that is the program's.
///
/// # Errors
/// Of epoll_ctl(2).
pub fn control(
    epoll: BorrowedFd<'_>,
    control: Control,
    descriptor: RawFd,
    events: u32,
    token: u64,
) -> Result<()> {
    let operation = match control {
        Control::Add => libc::EPOLL_CTL_ADD,
        Control::Modify => libc::EPOLL_CTL_MOD,
        Control::Remove => libc::EPOLL_CTL_DEL,
    };
    let mut event = libc::epoll_event { events, u64: token };
    // SAFETY: the kernel reads the event, and looks the number up.
    done(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), operation, descriptor, &raw mut event) })
}

/// Closes a descriptor that the program has given away by its number.
pub fn close(descriptor: RawFd) {
    if descriptor >= 0 {
        // SAFETY: the program has said that it is ours (sd_event_source_set_io_fd_own(3) and its like).
        drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
    }
}

/// Another number for what a descriptor of the program's is of.
///
/// # Errors
/// EBADF, EMFILE
pub fn duplicate(descriptor: RawFd) -> Result<OwnedFd> {
    // SAFETY: F_DUPFD_CLOEXEC takes a number, and makes a new descriptor.
    let new = unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 3) };
    match new {
        // SAFETY: nobody else has it.
        0.. => Ok(unsafe { OwnedFd::from_raw_fd(new) }),
        _ => Err(last()),
    }
}

/// The time of a clock in seconds and nanoseconds; nothing if there is no such clock.
///
/// rustix's function reads the vDSO by itself, which valgrind does not let it.
pub fn time(clock: libc::clockid_t) -> Option<(u64, u64)> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: there is room for the answer.
    match unsafe { libc::clock_gettime(clock, &raw mut time) } {
        0 => Some((
            u64::try_from(time.tv_sec).unwrap_or(0),
            u64::try_from(time.tv_nsec).unwrap_or(0),
        )),
        _ => None,
    }
}

/// Gives memory back that malloc(3) keeps for later.
pub fn trim_memory() {
    // SAFETY: it changes nothing that is in use.
    unsafe { libc::malloc_trim(0) };
}

/// The thread that asks.
pub fn thread() -> libc::pid_t {
    // SAFETY: it takes nothing and can't fail.
    unsafe { libc::gettid() }
}

fn signal_set(set: SignalSet) -> libc::sigset_t {
    // SAFETY: numbers only, of which all zeroes are some.
    let mut signals: libc::sigset_t = unsafe { mem::zeroed() };
    // SAFETY: the set is there.
    unsafe { libc::sigemptyset(&raw mut signals) };
    for signal in set.signals() {
        // SAFETY: likewise; what is no signal is refused.
        unsafe { libc::sigaddset(&raw mut signals, signal) };
    }
    signals
}

/// A signalfd of these signals, a new one or an old one of which they are told from now on.
///
/// # Errors
/// Of signalfd(2).
pub fn signal_descriptor(old: Option<BorrowedFd<'_>>, set: SignalSet) -> Result<Option<OwnedFd>> {
    let number = old.map_or(-1, |old| old.as_raw_fd());
    let set = signal_set(set);
    // SAFETY: the set is there.
    let new = unsafe {
        libc::signalfd(
            number,
            &raw const set,
            libc::SFD_NONBLOCK | libc::SFD_CLOEXEC,
        )
    };
    match new {
        ..0 => Err(last()),
        _ if old.is_some() => Ok(None),
        // SAFETY: nobody else has it.
        _ => Ok(Some(unsafe { OwnedFd::from_raw_fd(new) })),
    }
}

/// The next signal of a signalfd.
///
/// # Errors
/// Of read(2), but that there is none.
pub fn read_signal(descriptor: BorrowedFd<'_>) -> Result<Option<libc::signalfd_siginfo>> {
    // SAFETY: numbers only, of which all zeroes are some.
    let mut signal: libc::signalfd_siginfo = unsafe { mem::zeroed() };
    let size = size_of_val(&signal);
    // SAFETY: there is room for as much.
    let length = unsafe { libc::read(descriptor.as_raw_fd(), (&raw mut signal).cast(), size) };
    match usize::try_from(length) {
        Ok(length) if length == size => Ok(Some(signal)),
        Ok(_) => Err(Errno::IO),
        Err(_) => match last() {
            Errno::AGAIN | Errno::INTR => Ok(None),
            errno => Err(errno),
        },
    }
}

/// What is done with the signals that wait in this thread.
fn mask(how: c_int, set: SignalSet) -> Result<libc::sigset_t> {
    let set = signal_set(set);
    let mut before = signal_set(SignalSet::default());
    // SAFETY: both sets are there.
    match unsafe { libc::pthread_sigmask(how, &raw const set, &raw mut before) } {
        0 => Ok(before),
        errno => Err(Errno::from_raw_os_error(errno)),
    }
}

/// Whether a signal waits in this thread instead of being delivered.
///
/// # Errors
/// None that the kernel has.
pub fn is_blocked(signal: c_int) -> Result<bool> {
    let now = mask(libc::SIG_BLOCK, SignalSet::default())?;
    // SAFETY: the set is there.
    Ok(unsafe { libc::sigismember(&raw const now, signal) } == 1)
}

/// Lets a signal wait in this thread. Whether it did not before.
///
/// # Errors
/// None that the kernel has.
pub fn block(signal: c_int) -> Result<bool> {
    let before = mask(libc::SIG_BLOCK, SignalSet::of(signal))?;
    // SAFETY: the set is there.
    Ok(unsafe { libc::sigismember(&raw const before, signal) } == 0)
}

/// Lets a signal be delivered.
pub fn unblock(signal: c_int) {
    // There is nobody to tell.
    let _ = mask(libc::SIG_UNBLOCK, SignalSet::of(signal));
}

/// What has happened to a child, if something has.
///
/// # Errors
/// Of waitid(2).
pub fn wait_child(pid: libc::pid_t, options: c_int) -> Result<Option<Happened>> {
    let id = libc::id_t::try_from(pid).map_err(|_| Errno::INVAL)?;
    // SAFETY: numbers and a pointer that nobody follows, of which all zeroes are some.
    let mut information: libc::siginfo_t = unsafe { mem::zeroed() };
    loop {
        // SAFETY: there is room for the answer.
        let result = unsafe { libc::waitid(libc::P_PID, id, &raw mut information, options) };
        match done(result) {
            Err(Errno::INTR) => {}
            result => break result?,
        }
    }
    // SAFETY: waitid(2) has filled it in so, or left the zeroes.
    Ok(match unsafe { information.si_pid() } {
        0 => None,
        _ => Some(Happened(information)),
    })
}

/// Sends a signal to the process of a pidfd, with the words of `said` if there are any.
///
/// # Errors
/// Of pidfd_send_signal(2).
pub fn signal_descriptor_process(
    pidfd: RawFd,
    signal: c_int,
    said: Option<&libc::siginfo_t>,
    flags: u32,
) -> Result<()> {
    let said = said.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the information is there or null; the kernel looks the number up.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            c_long::from(pidfd),
            c_long::from(signal),
            said,
            flags,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(last()),
    }
}

/// The same for a process by its number.
///
/// # Errors
/// Of kill(2) or of rt_sigqueueinfo(2).
pub fn signal_process(
    pid: libc::pid_t,
    signal: c_int,
    said: Option<&libc::siginfo_t>,
) -> Result<()> {
    let Some(said) = said else {
        // SAFETY: two numbers.
        return done(unsafe { libc::kill(pid, signal) });
    };
    // SAFETY: the information is there.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigqueueinfo,
            c_long::from(pid),
            c_long::from(signal),
            ptr::from_ref(said),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(last()),
    }
}
