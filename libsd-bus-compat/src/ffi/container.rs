//! Connecting to a socket in a container: by a process of its own, as namespaces can't be left again.
//!
//! That process is a copy of one that may have threads: it does nothing but make system calls. No memory is asked for,
//! nothing of the C library's is called but syscall(2)'s wrapper, and no signal handler of the program's runs in it.

use std::ffi::{c_int, c_long};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::read;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, pidfd_send_signal};

use super::passwd;
use crate::{Errno, Result};

/// How long the way in may take, in seconds: the container has a say in that.
const PATIENCE: i64 = 5;

/// Where a container's system bus is.
pub const SYSTEM_BUS: Path = Path::Fixed("/run/dbus/system_bus_socket");
/// Where a user's bus is.
pub const USER_BUS: Path = Path::OfUser("/run/user/", "/bus");

/// A path in the container.
#[derive(Clone, Copy, Debug)]
pub enum Path {
    /// This one.
    Fixed(&'static str),
    /// With a user's number between both.
    OfUser(&'static str, &'static str),
}

/// Whom to be, and where to connect to.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// A user of the container's, by name or number; or root.
    pub user: Option<&'a [u8]>,
    /// The socket.
    pub path: Path,
}

/// A process in a container, where to find it, and in which namespaces it is that we are not in.
#[derive(Debug)]
pub struct Entry {
    pub leader: OwnedFd,
    pub root: OwnedFd,
    pub user: bool,
    pub mount: bool,
    pub pid: bool,
}

impl Entry {
    /// Connects a socket in there. Namespaces of this process stay what they are.
    ///
    /// # Errors
    /// Of any step; ETIMEDOUT if it takes too long; EPROTO if the process that does it says nothing.
    pub fn connect(&self, socket: BorrowedFd<'_>, target: &Target<'_>) -> Result<()> {
        let (from, to) = pipe_with(PipeFlags::CLOEXEC)?;
        let errands = Errands {
            leader: self.leader.as_raw_fd(),
            root: self.root.as_raw_fd(),
            namespaces: flag(self.user, libc::CLONE_NEWUSER)
                | flag(self.mount, libc::CLONE_NEWNS)
                | flag(self.pid, libc::CLONE_NEWPID),
            socket: socket.as_raw_fd(),
            report: to.as_raw_fd(),
            target: *target,
        };
        let helper = Helper::start(&errands)?;
        drop(to);
        let told = wait(&from, PATIENCE).and_then(|()| {
            let mut number = [0; size_of::<c_int>()];
            match read(&from, &mut number)? {
                0 => Err(Errno::PROTO),
                _ => Ok(c_int::from_ne_bytes(number)),
            }
        });
        drop(helper);
        match told? {
            0 => Ok(()),
            number => Err(Errno::from_raw_os_error(number)),
        }
    }
}

fn flag(on: bool, flag: c_int) -> c_int {
    if on { flag } else { 0 }
}

/// Waits until something can be read, so many seconds.
fn wait(of: &OwnedFd, seconds: i64) -> Result<()> {
    let timeout = Timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    };
    loop {
        match poll(&mut [PollFd::new(of, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return Err(Errno::TIMEDOUT),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// The process, which ends with this.
#[derive(Debug)]
struct Helper {
    number: libc::pid_t,
    pidfd: OwnedFd,
}

impl Helper {
    fn start(errands: &Errands<'_>) -> Result<Self> {
        let blocked = Blocked::all();
        let mut pidfd: c_int = -1;
        // SAFETY: without CLONE_VM it gets a copy of all memory; `run` makes nothing but system calls and does not return.
        let number = match unsafe { clone(libc::CLONE_PIDFD, &raw mut pidfd) } {
            Ok(0) => run(errands),
            started => started?,
        };
        drop(blocked);
        // SAFETY: clone(2) has opened it for us.
        let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
        let number = libc::pid_t::try_from(number).map_err(|_| Errno::OVERFLOW)?;
        Ok(Self { number, pidfd })
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It has said what there is to say, and has its child to wait for.
        let _ = wait(&self.pidfd, 1);
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        // One that hangs in the kernel stays behind: nobody waits for it for ever.
        if wait(&self.pidfd, PATIENCE).is_ok() {
            // SAFETY: it is our child, which nobody else waits for: it gives no signal, so only __WALL finds it.
            unsafe { libc::waitpid(self.number, ptr::null_mut(), libc::__WALL | libc::WNOHANG) };
        }
    }
}

/// A process that is a copy of this one, without the C library's knowledge: nothing that was registered for fork(3) runs.
/// Its end gives no signal.
///
/// # Safety
/// The new process makes nothing but system calls.
unsafe fn clone(flags: c_int, pidfd: *mut c_int) -> Result<c_long> {
    let none: *mut c_int = ptr::null_mut();
    // SAFETY: no stack of its own, as none of its memory is shared; `pidfd` is written to if the flag says so.
    let number = unsafe {
        libc::syscall(
            libc::SYS_clone,
            c_long::from(flags),
            none,
            pidfd,
            none,
            none,
        )
    };
    match number {
        0.. => Ok(number),
        _ => Err(super::sys::last()),
    }
}

/// While this lives, this thread and its copies get no signals: handlers of the program's know nothing of the copy.
struct Blocked {
    before: libc::sigset_t,
}

impl Blocked {
    fn all() -> Self {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: there is room for the set.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: both are sets, of which one is read and one is written.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
        Self {
            // SAFETY: it was written: it fails for a wrong first argument alone.
            before: unsafe { before.assume_init() },
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: it is what the thread had before.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut())
        };
    }
}

/// What the process is to do, by numbers of descriptors.
struct Errands<'a> {
    leader: c_int,
    root: c_int,
    namespaces: c_int,
    socket: c_int,
    report: c_int,
    target: Target<'a>,
}

/// In the process.
fn run(errands: &Errands<'_>) -> ! {
    if let Err(errno) = enter(errands) {
        tell(errands.report, errno.raw_os_error());
    }
    exit();
}

/// Enters, and goes on in a child: that alone gets into the pid namespace, so that the bus sees who it is.
fn enter(errands: &Errands<'_>) -> Result<()> {
    guard()?;
    if errands.namespaces != 0 {
        let what = [errands.leader.into(), errands.namespaces.into(), 0];
        call(libc::SYS_setns, what)?;
    }
    call(libc::SYS_fchdir, [errands.root.into(), 0, 0])?;
    call(libc::SYS_chroot, [c".".as_ptr() as c_long, 0, 0])?;
    // SAFETY: as in `Helper::start`.
    let number = match unsafe { clone(0, ptr::null_mut()) }? {
        0 => {
            let result = arrive(errands);
            let number = result.err().map_or(0, Errno::raw_os_error);
            tell(errands.report, number);
            exit()
        }
        number => number,
    };
    // If this process is killed meanwhile, so is that one.
    call4(libc::SYS_wait4, [number, 0, c_long::from(libc::__WALL), 0]).map(drop)
}

/// Nobody in there may look at the memory of the program that this is a copy of; and it ends with who waits for it.
fn guard() -> Result<()> {
    let kill = c_long::from(libc::SIGKILL);
    call(libc::SYS_prctl, [c_long::from(libc::PR_SET_DUMPABLE), 0, 0])?;
    call(
        libc::SYS_prctl,
        [c_long::from(libc::PR_SET_PDEATHSIG), kill, 0],
    )
    .map(drop)
}

/// Inside.
fn arrive(errands: &Errands<'_>) -> Result<()> {
    guard()?;
    // What the program has open must not be found in /proc/self/fd, where a link of the container's may lead.
    let (low, high) = match errands.socket < errands.report {
        true => (errands.socket, errands.report),
        false => (errands.report, errands.socket),
    };
    for (first, last) in [(0, low - 1), (low + 1, high - 1), (high + 1, c_int::MAX)] {
        if first <= last {
            call(libc::SYS_close_range, [first.into(), last.into(), 0])?;
        }
    }
    let user = match errands.target.user {
        Some(name) => passwd::find(name)?,
        None => passwd::ROOT,
    };
    become_user(user)?;
    // A change of user undoes it.
    guard()?;
    let (address, length) = address(errands.target.path, user.number).ok_or(Errno::NAMETOOLONG)?;
    let place = (&raw const address) as c_long;
    call(libc::SYS_connect, [errands.socket.into(), place, length]).map(drop)
}

/// By the calls themselves: the C library's would do it in threads that this process does not have.
fn become_user(user: passwd::User) -> Result<()> {
    #[cfg(target_pointer_width = "64")]
    use libc::{SYS_setgroups, SYS_setresgid, SYS_setresuid};
    #[cfg(target_pointer_width = "32")]
    use libc::{
        SYS_setgroups32 as SYS_setgroups, SYS_setresgid32 as SYS_setresgid,
        SYS_setresuid32 as SYS_setresuid,
    };
    match call(SYS_setgroups, [0, 0, 0]) {
        // In a user namespace that an ordinary user has made there are no groups to give up (user_namespaces(7)).
        Ok(_) | Err(Errno::PERM) => {}
        Err(errno) => return Err(errno),
    }
    let (number, group) = (c_long::from(user.number), c_long::from(user.group));
    call(SYS_setresgid, [group; 3])?;
    call(SYS_setresuid, [number; 3]).map(drop)
}

/// The address of a socket, and its length.
fn address(path: Path, user: u32) -> Option<(libc::sockaddr_un, c_long)> {
    let mut address = libc::sockaddr_un {
        sun_family: libc::sa_family_t::try_from(libc::AF_UNIX).ok()?,
        sun_path: [0; 108],
    };
    let mut digits = [0; 10];
    let parts = match path {
        Path::Fixed(path) => [path.as_bytes(), &[], &[]],
        Path::OfUser(before, after) => [
            before.as_bytes(),
            decimal(user, &mut digits),
            after.as_bytes(),
        ],
    };
    let mut places = address.sun_path.iter_mut();
    for byte in parts.iter().flat_map(|part| part.iter()) {
        *places.next()? = libc::c_char::from_ne_bytes([*byte]);
    }
    // One is left for the 0 behind it.
    places.next()?;
    c_long::try_from(size_of::<libc::sockaddr_un>())
        .ok()
        .map(|length| (address, length))
}

/// A number in digits, without asking for memory.
fn decimal(mut number: u32, to: &mut [u8; 10]) -> &[u8] {
    let mut first = to.len();
    for (index, place) in to.iter_mut().enumerate().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
        first = index;
        if number == 0 {
            break;
        }
    }
    to.get(first..).unwrap_or_default()
}

fn tell(report: c_int, number: c_int) {
    let bytes = number.to_ne_bytes();
    let place = bytes.as_ptr() as c_long;
    let _ = call(
        libc::SYS_write,
        [report.into(), place, bytes.len() as c_long],
    );
}

fn exit() -> ! {
    loop {
        let _ = call(libc::SYS_exit_group, [0, 0, 0]);
    }
}

/// A system call, and nothing else.
pub(super) fn call(number: c_long, [a, b, c]: [c_long; 3]) -> Result<c_long> {
    call4(number, [a, b, c, 0])
}

pub(super) fn call4(number: c_long, [a, b, c, d]: [c_long; 4]) -> Result<c_long> {
    // SAFETY: whoever calls this gives pointers to what is there until it returns, with lengths that are theirs.
    match unsafe { libc::syscall(number, a, b, c, d, 0, 0) } {
        result @ 0.. => Ok(result),
        _ => Err(super::sys::last()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let text = |path, user| {
            let (address, _) = address(path, user).unwrap();
            let bytes = address.sun_path.map(|byte| byte as u8);
            String::from_utf8(
                bytes
                    .iter()
                    .copied()
                    .take_while(|byte| *byte != 0)
                    .collect(),
            )
            .unwrap()
        };
        assert_eq!(text(SYSTEM_BUS, 0), "/run/dbus/system_bus_socket");
        assert_eq!(text(USER_BUS, 0), "/run/user/0/bus");
        assert_eq!(text(USER_BUS, 1000), "/run/user/1000/bus");
        assert_eq!(text(USER_BUS, u32::MAX), "/run/user/4294967295/bus");
    }
}
