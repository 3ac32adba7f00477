//! sd-daemon.h

use std::ffi::{CStr, OsStr, c_char, c_int, c_uint};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::slice;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType};
use rustix::process::Pid;

use super::boundary::entry;
use super::memory::texts_or_null;
use super::pointer::{Out, descriptor, optional_text, text};
use super::sys;
use crate::daemon::{self, Address, Listen, Local, Notification, START};
use crate::{Errno, Result, environment};

const LISTEN: [&CStr; 3] = [c"LISTEN_PID", c"LISTEN_FDS", c"LISTEN_FDNAMES"];
const NOTIFY: [&CStr; 1] = [c"NOTIFY_SOCKET"];
const WATCHDOG: [&CStr; 2] = [c"WATCHDOG_USEC", c"WATCHDOG_PID"];

/// Takes variables out of the environment when the answer is there, whatever it is.
fn unset_after<T>(unset: c_int, names: &[&CStr], body: impl FnOnce() -> T) -> T {
    let answer = body();
    if unset != 0 {
        names.iter().for_each(|name| sys::unset(name));
    }
    answer
}

fn listen() -> Result<c_int> {
    let pid = environment::text("LISTEN_PID");
    let number = environment::text("LISTEN_FDS");
    let number = daemon::listen(&Listen {
        pid: pid.as_deref(),
        count: number.as_deref(),
    })?;
    (START..START + number).try_for_each(sys::close_on_exec)?;
    Ok(number)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_listen_fds(unset: c_int) -> c_int {
    entry(|| unset_after(unset, &LISTEN, listen))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_listen_fds_with_names(
    unset: c_int,
    names: *mut *mut *mut c_char,
) -> c_int {
    // SAFETY: the contract of C.
    let names = unsafe { Out::optional(names) };
    let body = || {
        let variable = environment::variable("LISTEN_FDNAMES");
        let number = listen()?;
        let Some(names) = names else {
            return Ok(number);
        };
        if number > 0 {
            let length = usize::try_from(number).map_err(|_| Errno::INVAL)?;
            names.set(texts_or_null(&daemon::names(variable.as_deref(), length)?)?);
        }
        Ok(number)
    };
    entry(|| unset_after(unset, &LISTEN, body))
}

/// A path, as the functions that compare one take it.
unsafe fn path<'a>(path: *const c_char) -> Option<&'a Path> {
    // SAFETY: the caller's promise.
    let path = unsafe { optional_text(path) }?;
    Some(Path::new(OsStr::from_bytes(path.to_bytes())))
}

fn answer(is: Result<bool>) -> Result<c_int> {
    is.map(c_int::from)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_is_fifo(fd: c_int, at: *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let (fd, at) = (unsafe { descriptor(fd) }?, unsafe { path(at) });
        answer(daemon::is_fifo(fd, at))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_is_special(fd: c_int, at: *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let (fd, at) = (unsafe { descriptor(fd) }?, unsafe { path(at) });
        answer(daemon::is_special(fd, at))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_is_mq(fd: c_int, name: *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let (fd, name) = (unsafe { descriptor(fd) }?, unsafe { path(name) });
        answer(daemon::is_mq(fd, name))
    })
}

/// The type of a socket; 0 is any.
fn kind(kind: c_int) -> Result<Option<SocketType>> {
    match u32::try_from(kind) {
        Ok(0) => Ok(None),
        Ok(kind) => Ok(Some(SocketType::from_raw(kind))),
        Err(_) => Err(Errno::INVAL),
    }
}

/// A family of addresses; 0 is any, and a number too large for the kernel no socket's.
fn family(family: c_int) -> Result<Option<AddressFamily>> {
    match family {
        0 => Ok(None),
        ..0 => Err(Errno::INVAL),
        family => {
            let family = u16::try_from(family).unwrap_or(u16::MAX);
            Ok(Some(AddressFamily::from_raw(family)))
        }
    }
}

/// Whether a socket must listen or must not; negative is either.
fn listening(listening: c_int) -> Option<bool> {
    (listening >= 0).then_some(listening != 0)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_is_socket(
    fd: c_int,
    domain: c_int,
    ty: c_int,
    listens: c_int,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let fd = unsafe { descriptor(fd) }?;
        let domain = family(domain)?;
        answer(daemon::is_socket(fd, domain, kind(ty)?, listening(listens)))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_is_socket_inet(
    fd: c_int,
    domain: c_int,
    ty: c_int,
    listens: c_int,
    port: u16,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let fd = unsafe { descriptor(fd) }?;
        let domain = match family(domain)? {
            None => None,
            Some(known @ (AddressFamily::INET | AddressFamily::INET6)) => Some(known),
            Some(_) => return Err(Errno::INVAL),
        };
        let port = (port != 0).then_some(port);
        answer(daemon::is_socket_inet(
            fd,
            domain,
            kind(ty)?,
            listening(listens),
            port,
        ))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_is_socket_sockaddr(
    fd: c_int,
    ty: c_int,
    address: *const libc::sockaddr,
    length: c_uint,
    listens: c_int,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let fd = unsafe { descriptor(fd) }?;
        // SAFETY: the contract of C.
        let address = unsafe { local(address, length) }?;
        answer(daemon::is_socket_sockaddr(
            fd,
            kind(ty)?,
            &address,
            listening(listens),
        ))
    })
}

/// The address that a program compares with.
unsafe fn local(address: *const libc::sockaddr, length: c_uint) -> Result<Local> {
    let length = usize::try_from(length).map_err(|_| Errno::INVAL)?;
    if address.is_null() {
        return Err(Errno::INVAL);
    }
    if length < size_of::<libc::sa_family_t>() {
        return Err(Errno::NOBUFS);
    }
    // SAFETY: there are this many bytes, and the family is the first thing in all addresses.
    let family = unsafe { address.cast::<libc::sa_family_t>().read_unaligned() };
    match c_int::from(family) {
        libc::AF_INET if length < size_of::<libc::sockaddr_in>() => {
            Ok(Local::Short(AddressFamily::INET))
        }
        libc::AF_INET => {
            // SAFETY: there are as many bytes as it has.
            let address = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            let ip = u32::from_be(address.sin_addr.s_addr);
            Ok(Local::V4(ip.into(), u16::from_be(address.sin_port)))
        }
        libc::AF_INET6 if length < size_of::<libc::sockaddr_in6>() => {
            Ok(Local::Short(AddressFamily::INET6))
        }
        libc::AF_INET6 => {
            // SAFETY: there are as many bytes as it has.
            let address = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            Ok(Local::V6(std::net::SocketAddrV6::new(
                address.sin6_addr.s6_addr.into(),
                u16::from_be(address.sin6_port),
                address.sin6_flowinfo,
                address.sin6_scope_id,
            )))
        }
        _ => Err(Errno::PFNOSUPPORT),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_is_socket_unix(
    fd: c_int,
    ty: c_int,
    listens: c_int,
    at: *const c_char,
    length: usize,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let fd = unsafe { descriptor(fd) }?;
        let at = match length {
            _ if at.is_null() => None,
            // SAFETY: the contract of C.
            0 => Some(unsafe { text(at) }?.to_bytes()),
            // SAFETY: the contract of C: so many bytes, in which there may be zeros.
            length => Some(unsafe { slice::from_raw_parts(at.cast(), length) }),
        };
        answer(daemon::is_socket_unix(
            fd,
            kind(ty)?,
            listening(listens),
            at,
        ))
    })
}

/// The process that is spoken for; 0 is this one.
fn speaker(pid: libc::pid_t) -> Result<Option<Pid>> {
    match pid {
        0 => Ok(None),
        1.. => Ok(Pid::from_raw(pid)),
        _ => Err(Errno::INVAL),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_pid_notify_with_fds(
    pid: libc::pid_t,
    unset: c_int,
    state: *const c_char,
    fds: *const c_int,
    n_fds: c_uint,
) -> c_int {
    let body = || {
        // SAFETY: the contract of C.
        let state = unsafe { text(state) }?.to_bytes();
        let fds: &[c_int] = match n_fds {
            0 => &[],
            _ if fds.is_null() => return Err(Errno::INVAL),
            n_fds => {
                let number = usize::try_from(n_fds).map_err(|_| Errno::INVAL)?;
                // SAFETY: the contract of C.
                unsafe { slice::from_raw_parts(fds, number) }
            }
        };
        let Some(address) = environment::variable("NOTIFY_SOCKET") else {
            return Ok(0);
        };
        let address = Address::parse(&address)?;
        // SAFETY: the contract of C.
        let descriptors = fds.iter().map(|fd| unsafe { descriptor(*fd) });
        let descriptors: Vec<BorrowedFd<'_>> = descriptors.collect::<Result<_>>()?;
        let told = Notification {
            pid: speaker(pid)?,
            state,
            descriptors: &descriptors,
        };
        daemon::notify(&address, &told).map(|()| 1)
    };
    entry(|| unset_after(unset, &NOTIFY, body))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_pid_notify(
    pid: libc::pid_t,
    unset: c_int,
    state: *const c_char,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { sd_pid_notify_with_fds(pid, unset, state, std::ptr::null(), 0) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_notify(unset: c_int, state: *const c_char) -> c_int {
    // SAFETY: the contract of C.
    unsafe { sd_pid_notify_with_fds(0, unset, state, std::ptr::null(), 0) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_pid_notify_barrier(
    pid: libc::pid_t,
    unset: c_int,
    timeout: u64,
) -> c_int {
    let body = || {
        let Some(address) = environment::variable("NOTIFY_SOCKET") else {
            return Ok(0);
        };
        let timeout = (timeout != u64::MAX).then(|| Duration::from_micros(timeout));
        daemon::barrier(&Address::parse(&address)?, speaker(pid)?, timeout).map(|()| 1)
    };
    entry(|| unset_after(unset, &NOTIFY, body))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_notify_barrier(unset: c_int, timeout: u64) -> c_int {
    // SAFETY: it has no pointers.
    unsafe { sd_pid_notify_barrier(0, unset, timeout) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_booted() -> c_int {
    entry(|| answer(daemon::booted()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_watchdog_enabled(unset: c_int, usec: *mut u64) -> c_int {
    // SAFETY: the contract of C.
    let usec = unsafe { Out::optional(usec) };
    let body = || {
        let (text, pid) = (
            environment::text("WATCHDOG_USEC"),
            environment::text("WATCHDOG_PID"),
        );
        let Some(interval) = daemon::watchdog(text.as_deref(), pid.as_deref())? else {
            return Ok(0);
        };
        if let Some(usec) = usec {
            usec.set(u64::try_from(interval.as_micros()).map_err(|_| Errno::RANGE)?);
        }
        Ok(1)
    };
    entry(|| unset_after(unset, &WATCHDOG, body))
}
