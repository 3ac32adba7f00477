//! The entry points of the hosts database.

use core::ffi::{c_char, c_int, c_void};
use core::ptr;

use super::boundary::{place, report, text};
use super::buffer::{Buffer, Text, Tuple};
use crate::answer::Form;
use crate::{Address, AddressAnswer, ByName, Failure, Family, Hosts, NameAnswer};

pub use super::buffer::Tuple as AddressTuple;

/// `gethostbyname4_r`: addresses of both families.
///
/// # Safety
/// `name` is null or a C string, `buffer` is null or has `length` bytes; `pat` is null or points to
/// null or to a tuple; the others are null or writable.
pub unsafe fn by_name_tuples<H: Hosts>(
    name: *const c_char,
    pat: *mut *mut Tuple,
    buffer: *mut c_char,
    length: usize,
    errnop: *mut c_int,
    h_errnop: *mut c_int,
    ttlp: *mut i32,
) -> c_int {
    let work = || {
        // SAFETY: the caller's promise.
        let name = unsafe { text(name) }?;
        let pat = place(pat)?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { Buffer::new(buffer, length) };
        let mut answer = AddressAnswer::new(buffer, Form::Tuples);
        let list = answer.buffer.front().cast::<Tuple>();
        let question = ByName {
            name: name.to_bytes(),
            family: None,
        };
        H::by_name(question, &mut answer)?;
        answer.name_asked_for(name);
        answer.check()?;
        let name = answer.name.unwrap_or(Text::NONE).as_ptr();
        let (mut first, mut last) = (ptr::null_mut::<Tuple>(), ptr::null_mut::<Tuple>());
        let turns: &[Option<Family>] = match answer.is_ipv6_first {
            true => &[Some(Family::Inet6), Some(Family::Inet)],
            false => &[None],
        };
        for family in turns {
            for index in 0..answer.count {
                // SAFETY: `count` tuples stand in a row from `list` on, as check() found.
                let tuple = unsafe { list.add(index) };
                // SAFETY: such a tuple; the list began at an aligned address.
                let raw = unsafe { (*tuple).family };
                if family.is_some_and(|family| family.raw() != raw) {
                    continue;
                }
                // SAFETY: as above.
                unsafe { (*tuple).name = name };
                if last.is_null() {
                    first = tuple;
                } else {
                    // SAFETY: the tuple before it.
                    unsafe { (*last).next = tuple };
                }
                last = tuple;
            }
        }
        // glibc's nscd brings the first tuple along (`nscd/aicache.c`), getaddrinfo brings none.
        // SAFETY: the caller's promise.
        let given = unsafe { pat.read() };
        if given.is_null() {
            // SAFETY: the caller's promise.
            unsafe { pat.write(first) };
        } else {
            // SAFETY: there is one at least, as check() found.
            let first = unsafe { first.read() };
            // SAFETY: the caller's promise.
            unsafe { given.write(first) };
        }
        // SAFETY: the caller's promise.
        unsafe { time_to_live(ttlp, answer.ttl) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { report(errnop, h_errnop, work) }
}

/// `gethostbyname3_r`: addresses of one family; `AF_UNSPEC` is `AF_INET`, as in glibc's own modules.
///
/// # Safety
/// As [`by_name_tuples`].
#[allow(clippy::too_many_arguments, reason = "the signature is glibc's")]
pub unsafe fn by_name_hostent<H: Hosts>(
    name: *const c_char,
    family: c_int,
    result: *mut libc::hostent,
    buffer: *mut c_char,
    length: usize,
    errnop: *mut c_int,
    h_errnop: *mut c_int,
    ttlp: *mut i32,
    canonp: *mut *mut c_char,
) -> c_int {
    let work = || {
        // SAFETY: the caller's promise.
        let name = unsafe { text(name) }?;
        let result = place(result)?;
        let family = if family == libc::AF_UNSPEC {
            libc::AF_INET
        } else {
            family
        };
        let family = Family::from_raw(family).ok_or(Failure::UnknownFamily)?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { Buffer::new(buffer, length) };
        let mut answer = AddressAnswer::new(buffer, Form::Hostent(family));
        let first = answer.buffer.front();
        let question = ByName {
            name: name.to_bytes(),
            family: Some(family),
        };
        H::by_name(question, &mut answer)?;
        answer.name_asked_for(name);
        answer.check()?;
        answer.buffer.align();
        let list = answer.buffer.front();
        for index in 0..answer.count {
            answer
                .buffer
                .push(first.wrapping_add(index * family.size()));
        }
        let none = answer.buffer.front();
        answer.buffer.push(ptr::null_mut::<c_char>());
        answer.check()?;
        let name = answer.name.unwrap_or(Text::NONE).as_ptr();
        let host = libc::hostent {
            h_name: name,
            // An empty list: the null that ends the addresses.
            h_aliases: none.cast(),
            h_addrtype: family.raw(),
            h_length: family.size() as c_int,
            h_addr_list: list.cast(),
        };
        // SAFETY: the caller's promise.
        unsafe { result.write(host) };
        if !canonp.is_null() {
            // SAFETY: the caller's promise.
            unsafe { canonp.write(name) };
        }
        // SAFETY: the caller's promise.
        unsafe { time_to_live(ttlp, answer.ttl) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { report(errnop, h_errnop, work) }
}

/// `gethostbyaddr2_r`: the names of an address.
///
/// # Safety
/// As [`by_name_tuples`]; `address` is null or has `address_length` bytes.
#[allow(clippy::too_many_arguments, reason = "the signature is glibc's")]
pub unsafe fn by_address<H: Hosts>(
    address: *const c_void,
    address_length: libc::socklen_t,
    family: c_int,
    result: *mut libc::hostent,
    buffer: *mut c_char,
    length: usize,
    errnop: *mut c_int,
    h_errnop: *mut c_int,
    ttlp: *mut i32,
) -> c_int {
    let work = || {
        let family = Family::from_raw(family).ok_or(Failure::UnknownFamily)?;
        let result = place(result)?;
        let address = place(address.cast_mut())?;
        if address_length as usize != family.size() {
            return Err(Failure::Unavailable(libc::EINVAL));
        }
        // SAFETY: the caller's promise, the length being that of the family.
        let octets = unsafe { core::slice::from_raw_parts(address.cast::<u8>(), family.size()) };
        let address = Address::new(octets, 0).ok_or(Failure::UnknownFamily)?;
        // SAFETY: the caller's promise.
        let buffer = unsafe { Buffer::new(buffer, length) };
        let mut answer = NameAnswer::new(buffer);
        let aliases = answer.buffer.front();
        H::by_address(address, &mut answer)?;
        let name = answer.name.ok_or(Failure::NotFound)?.as_ptr();
        answer.buffer.push(ptr::null_mut::<c_char>());
        let stored = answer.buffer.front();
        answer.buffer.push_bytes(address.octets());
        answer.buffer.align();
        let list = answer.buffer.front();
        answer.buffer.push(stored);
        answer.buffer.push(ptr::null_mut::<c_char>());
        answer.buffer.check()?;
        let host = libc::hostent {
            h_name: name,
            h_aliases: aliases.cast(),
            h_addrtype: family.raw(),
            h_length: family.size() as c_int,
            h_addr_list: list.cast(),
        };
        // SAFETY: the caller's promise.
        unsafe { result.write(host) };
        // SAFETY: the caller's promise.
        unsafe { time_to_live(ttlp, answer.ttl) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { report(errnop, h_errnop, work) }
}

/// # Safety
/// `ttlp` is null or writable.
unsafe fn time_to_live(ttlp: *mut i32, seconds: Option<u32>) {
    if !ttlp.is_null() {
        let seconds = i32::try_from(seconds.unwrap_or(0)).unwrap_or(i32::MAX);
        // SAFETY: the caller's promise.
        unsafe { ttlp.write(seconds) };
    }
}
