//! sd-login.h

use std::ffi::{c_char, c_int, c_uint};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::ptr;

use rustix::io::Errno;

use super::boundary::{count, entry, whole};
use super::memory::{Text, array, texts_or_null};
use super::peer;
use super::pointer::{Out, descriptor, name, optional_name};
use crate::Result;
use crate::login::{Category, Login, Which, monitor, no_data};

/// Gives text to C.
unsafe fn give_text(to: *mut *mut c_char, find: impl FnOnce(&Login) -> Result<String>) -> c_int {
    entry(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { Out::required(to) }?;
        let text = find(&Login::system())?;
        to.set(Text::new(text.as_bytes())?.into_raw());
        Ok(0)
    })
}

/// Gives a number to C.
unsafe fn give<T>(to: *mut T, find: impl FnOnce(&Login) -> Result<T>) -> c_int {
    entry(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { Out::required(to) }?;
        to.set(find(&Login::system())?);
        Ok(0)
    })
}

/// Whether something is so.
fn is(find: impl FnOnce(&Login) -> Result<bool>) -> c_int {
    entry(|| find(&Login::system()).map(c_int::from))
}

/// The number of a process that a caller means; 0 is itself.
fn process(pid: libc::pid_t) -> Result<libc::pid_t> {
    match pid {
        0.. => Ok(pid),
        _ => Err(Errno::INVAL),
    }
}

/// The three ways to name a process: its number, a socket to it, a pidfd.
macro_rules! of_processes {
    ($($give:ident: $type:ty, $find:ident => $by_pid:ident, $by_peer:ident, $by_pidfd:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $by_pid(pid: libc::pid_t, to: *mut $type) -> c_int {
            // SAFETY: the contract of C.
            unsafe { $give(to, |login| login.$find(process(pid)?).map_err(no_data)) }
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $by_peer(fd: c_int, to: *mut $type) -> c_int {
            // SAFETY: the contract of C.
            let fd = unsafe { descriptor(fd) };
            // SAFETY: the contract of C.
            unsafe { $give(to, |login| login.$find(peer::pid(fd?)?)) }
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $by_pidfd(fd: c_int, to: *mut $type) -> c_int {
            // SAFETY: the contract of C.
            let fd = unsafe { descriptor(fd) };
            // SAFETY: the contract of C.
            unsafe { $give(to, |login| login.of_pidfd(fd?, Login::$find).map_err(no_data)) }
        }
    )* };
}

of_processes! {
    give_text: *mut c_char, pid_session => sd_pid_get_session, sd_peer_get_session, sd_pidfd_get_session;
    give_text: *mut c_char, pid_unit => sd_pid_get_unit, sd_peer_get_unit, sd_pidfd_get_unit;
    give_text: *mut c_char, pid_user_unit => sd_pid_get_user_unit, sd_peer_get_user_unit, sd_pidfd_get_user_unit;
    give_text: *mut c_char, pid_slice => sd_pid_get_slice, sd_peer_get_slice, sd_pidfd_get_slice;
    give_text: *mut c_char, pid_user_slice => sd_pid_get_user_slice, sd_peer_get_user_slice, sd_pidfd_get_user_slice;
    give_text: *mut c_char, pid_machine => sd_pid_get_machine_name, sd_peer_get_machine_name, sd_pidfd_get_machine_name;
    give_text: *mut c_char, pid_cgroup => sd_pid_get_cgroup, sd_peer_get_cgroup, sd_pidfd_get_cgroup;
    give: libc::uid_t, pid_owner => sd_pid_get_owner_uid, sd_peer_get_owner_uid, sd_pidfd_get_owner_uid;
}

/// What is known of a session or seat, which may be null for the caller's own.
macro_rules! of_own {
    ($($give:ident: $type:ty, $find:ident $(($key:literal))? => $function:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $function(own: *const c_char, to: *mut $type) -> c_int {
            // SAFETY: the contract of C.
            let own = unsafe { optional_name(own) };
            // SAFETY: the contract of C.
            unsafe { $give(to, |login| login.$find(own? $(, $key)?)) }
        }
    )* };
}

of_own! {
    give_text: *mut c_char, session_state => sd_session_get_state;
    give_text: *mut c_char, session_text("SEAT") => sd_session_get_seat;
    give_text: *mut c_char, session_text("TTY") => sd_session_get_tty;
    give_text: *mut c_char, session_text("SERVICE") => sd_session_get_service;
    give_text: *mut c_char, session_text("TYPE") => sd_session_get_type;
    give_text: *mut c_char, session_text("CLASS") => sd_session_get_class;
    give_text: *mut c_char, session_text("DESKTOP") => sd_session_get_desktop;
    give_text: *mut c_char, session_text("DISPLAY") => sd_session_get_display;
    give_text: *mut c_char, session_text("REMOTE_HOST") => sd_session_get_remote_host;
    give_text: *mut c_char, session_text("REMOTE_USER") => sd_session_get_remote_user;
    give_text: *mut c_char, session_text("USER") => sd_session_get_username;
    give: libc::uid_t, session_uid => sd_session_get_uid;
    give: c_uint, session_vt => sd_session_get_vt;
    give: libc::pid_t, session_leader => sd_session_get_leader;
    give: u64, session_start => sd_session_get_start_time;
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_session_is_active(session: *const c_char) -> c_int {
    // SAFETY: the contract of C.
    let session = unsafe { optional_name(session) };
    is(|login| login.session_is_active(session?))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_session_is_remote(session: *const c_char) -> c_int {
    // SAFETY: the contract of C.
    let session = unsafe { optional_name(session) };
    is(|login| login.session_is_remote(session?))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_uid_get_state(uid: libc::uid_t, to: *mut *mut c_char) -> c_int {
    // SAFETY: the contract of C.
    unsafe { give_text(to, |login| login.uid_state(uid)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_uid_get_display(uid: libc::uid_t, to: *mut *mut c_char) -> c_int {
    // SAFETY: the contract of C.
    unsafe { give_text(to, |login| login.uid_display(uid)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_uid_get_login_time(uid: libc::uid_t, to: *mut u64) -> c_int {
    // SAFETY: the contract of C.
    unsafe { give(to, |login| login.uid_login_time(uid)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_uid_is_on_seat(
    uid: libc::uid_t,
    active: c_int,
    seat: *const c_char,
) -> c_int {
    // SAFETY: the contract of C.
    let seat = unsafe { optional_name(seat) };
    is(|login| login.uid_is_on_seat(uid, active != 0, seat?))
}

/// Sessions that are meant: 0 the ones that are online, above it the active, below it all.
fn which(active: c_int) -> Which {
    match active {
        0 => Which::Online,
        1.. => Which::Active,
        _ => Which::All,
    }
}

/// Gives texts, if C wants them, and their number.
unsafe fn give_texts(
    to: *mut *mut *mut c_char,
    find: impl FnOnce(&Login) -> Result<Vec<String>>,
) -> c_int {
    entry(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { Out::optional(to) };
        let found = find(&Login::system())?;
        if let Some(to) = to {
            to.set(texts_or_null(&found)?);
        }
        count(found.len())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_uid_get_sessions(
    uid: libc::uid_t,
    active: c_int,
    to: *mut *mut *mut c_char,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { give_texts(to, |login| login.uid_sessions(uid, which(active))) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_uid_get_seats(
    uid: libc::uid_t,
    active: c_int,
    to: *mut *mut *mut c_char,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { give_texts(to, |login| login.uid_seats(uid, which(active))) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_seat_get_active(
    seat: *const c_char,
    session: *mut *mut c_char,
    uid: *mut libc::uid_t,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let seat = unsafe { optional_name(seat) }?;
        // SAFETY: the contract of C.
        let session = unsafe { Out::optional(session) };
        // SAFETY: the contract of C.
        let uid = unsafe { Out::optional(uid) };
        if session.is_none() && uid.is_none() {
            return Err(Errno::INVAL);
        }
        let active = Login::system().seat_active(seat)?;
        let user = match uid {
            Some(to) => Some((to, active.uid.ok_or(Errno::NODATA)?)),
            None => None,
        };
        if let Some(to) = session {
            let name = active.session.ok_or(Errno::NODATA)?;
            to.set(Text::new(name.as_bytes())?.into_raw());
        }
        if let Some((to, uid)) = user {
            to.set(uid);
        }
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_seat_get_sessions(
    seat: *const c_char,
    sessions: *mut *mut *mut c_char,
    uids: *mut *mut libc::uid_t,
    n_uids: *mut c_uint,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let seat = unsafe { optional_name(seat) }?;
        // SAFETY: the contract of C.
        let to_sessions = unsafe { Out::optional(sessions) };
        // SAFETY: the contract of C.
        let to_uids = unsafe { Out::optional(uids) };
        // SAFETY: the contract of C.
        let to_number = unsafe { Out::optional(n_uids) };
        let found = Login::system().seat_sessions(seat)?;
        let number = c_uint::try_from(found.uids.len()).map_err(|_| Errno::OVERFLOW)?;
        let answer = count(found.sessions.len())?;
        let users = to_uids.map(|to| array(&found.uids).map(|list| (to, list)));
        let users = users.transpose()?;
        if let Some(to) = to_sessions {
            to.set(texts_or_null(&found.sessions)?);
        }
        if let Some((to, list)) = users {
            to.set(list);
        }
        if let Some(to) = to_number {
            to.set(number);
        }
        Ok(answer)
    })
}

/// Every seat can, since logind says so; without one there is nothing to ask.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_seat_can_multi_session(_seat: *const c_char) -> c_int {
    1
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_seat_can_tty(seat: *const c_char) -> c_int {
    // SAFETY: the contract of C.
    let seat = unsafe { optional_name(seat) };
    is(|login| login.seat_can(seat?, "CAN_TTY"))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_seat_can_graphical(seat: *const c_char) -> c_int {
    // SAFETY: the contract of C.
    let seat = unsafe { optional_name(seat) };
    is(|login| login.seat_can(seat?, "CAN_GRAPHICAL"))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_machine_get_class(
    machine: *const c_char,
    to: *mut *mut c_char,
) -> c_int {
    // SAFETY: the contract of C.
    let machine = unsafe { name(machine) };
    // SAFETY: the contract of C.
    unsafe { give_text(to, |login| login.machine_class(machine?)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_machine_get_ifindices(
    machine: *const c_char,
    to: *mut *mut c_int,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let machine = unsafe { name(machine) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::optional(to) };
        let found = Login::system().machine_ifindices(machine)?;
        if let Some(to) = to {
            to.set(array(&found)?);
        }
        count(found.len())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_get_seats(to: *mut *mut *mut c_char) -> c_int {
    // SAFETY: the contract of C.
    unsafe { give_texts(to, Login::seats) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_get_sessions(to: *mut *mut *mut c_char) -> c_int {
    // SAFETY: the contract of C.
    unsafe { give_texts(to, Login::sessions) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_get_machine_names(to: *mut *mut *mut c_char) -> c_int {
    // SAFETY: the contract of C.
    unsafe { give_texts(to, Login::machines) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_get_uids(to: *mut *mut libc::uid_t) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::optional(to) };
        let found = Login::system().uids()?;
        if let Some(to) = to {
            to.set(array(&found)?);
        }
        count(found.len())
    })
}

/// `sd_login_monitor`, which is nothing but a descriptor: its number and one is the pointer, so that it is not null.
#[repr(C)]
pub struct Monitor {
    _private: [u8; 0],
}

/// The descriptor of a monitor.
unsafe fn of_monitor<'a>(monitor: *mut Monitor) -> Result<BorrowedFd<'a>> {
    let number = c_int::try_from(monitor.addr()).map_err(|_| Errno::INVAL)?;
    if number == 0 {
        return Err(Errno::INVAL);
    }
    // SAFETY: the caller's promise.
    unsafe { descriptor(number - 1) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_login_monitor_new(
    category: *const c_char,
    to: *mut *mut Monitor,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        // SAFETY: the contract of C.
        let category = unsafe { optional_name(category) }?;
        let one = category.map(|name| Category::parse(name.as_bytes()));
        let watched = match one.transpose()? {
            Some(category) => monitor(&Login::system(), &[category])?,
            None => monitor(&Login::system(), &Category::ALL)?,
        };
        let number = usize::try_from(watched.as_raw_fd()).map_err(|_| Errno::BADF)?;
        let _ = watched.into_raw_fd();
        to.set(ptr::without_provenance_mut(number + 1));
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_login_monitor_unref(monitor: *mut Monitor) -> *mut Monitor {
    whole(|| {
        // SAFETY: the contract of C.
        if let Ok(own) = unsafe { of_monitor(monitor) } {
            // SAFETY: C hands over what sd_login_monitor_new gave it.
            drop(unsafe { OwnedFd::from_raw_fd(own.as_raw_fd()) });
        }
    });
    ptr::null_mut()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_login_monitor_flush(monitor: *mut Monitor) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let own = unsafe { of_monitor(monitor) }?;
        let mut events = [0; 4096];
        loop {
            match rustix::io::read(own, &mut events) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(0),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_login_monitor_get_fd(monitor: *mut Monitor) -> c_int {
    // SAFETY: the contract of C.
    entry(|| unsafe { of_monitor(monitor) }.map(|own| own.as_raw_fd()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_login_monitor_get_events(monitor: *mut Monitor) -> c_int {
    // SAFETY: the contract of C.
    entry(|| unsafe { of_monitor(monitor) }.map(|_| c_int::from(libc::POLLIN)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_login_monitor_get_timeout(
    monitor: *mut Monitor,
    timeout: *mut u64,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        unsafe { of_monitor(monitor) }?;
        // SAFETY: the contract of C.
        let timeout = unsafe { Out::required(timeout) }?;
        timeout.set(u64::MAX);
        Ok(0)
    })
}
