//! The entry points of an NSS module as C has them, with a buffer that sees what is written beside it.

use std::{
    ffi::c_char,
    mem::zeroed,
    net::IpAddr,
    ptr::{null, null_mut},
    slice,
};

use nss_host::{
    Groups, Hosts, Users,
    sys::{self, AddressTuple},
};

#[path = "../../../crates/nss-host/src/tests/arena.rs"]
mod arena;

use arena::Arena;

const SUCCESS: i32 = 1;
const TRY_AGAIN: i32 = -2;
const INTERNAL: i32 = -1;

/// What is called is called with a place for the two error numbers; a buffer that is too small is told of in one way alone.
fn succeeds(arena: &mut Arena, call: impl FnOnce(*mut c_char, *mut i32, *mut i32) -> i32) -> bool {
    let (mut errno, mut h_errno) = (-7, -7);
    let status = call(arena.buffer(), &raw mut errno, &raw mut h_errno);
    arena.check();
    assert!((TRY_AGAIN..=SUCCESS).contains(&status));
    if errno == libc::ERANGE {
        assert!(status == TRY_AGAIN && (h_errno == INTERNAL || h_errno == -7));
    }
    status == SUCCESS
}

/// `gethostbyname4_r`.
pub(crate) fn tuples<H: Hosts>(offset: usize, size: usize) -> Option<Vec<IpAddr>> {
    let mut arena = Arena::new(offset, size);
    let mut list: *mut AddressTuple = null_mut();
    let found = succeeds(&mut arena, |buffer, errno, h_errno| {
        // SAFETY: the pointers are to what they should be.
        unsafe {
            let name = c"name".as_ptr();
            sys::by_name_tuples::<H>(
                name,
                &raw mut list,
                buffer,
                size,
                errno,
                h_errno,
                null_mut(),
            )
        }
    });
    if !found {
        assert!(list.is_null());
        return None;
    }
    let mut addresses = Vec::new();
    while !list.is_null() {
        assert!(list.is_aligned() && arena.holds(list, size_of::<AddressTuple>()));
        // SAFETY: aligned, and within the arena.
        let tuple = unsafe { list.read() };
        arena.text(tuple.name);
        let octets = tuple.addr.map(u32::to_ne_bytes);
        addresses.push(match tuple.family {
            libc::AF_INET => octets[0].into(),
            libc::AF_INET6 => {
                let octets: [u8; 16] = octets.concat().try_into().unwrap();
                octets.into()
            }
            family => panic!("family {family}"),
        });
        list = tuple.next;
    }
    assert!(!addresses.is_empty());
    Some(addresses)
}

/// `gethostbyname3_r`.
pub(crate) fn hostent<H: Hosts>(offset: usize, size: usize, family: i32) -> Option<Vec<IpAddr>> {
    let mut arena = Arena::new(offset, size);
    // SAFETY: integers and pointers may be zero.
    let mut host: libc::hostent = unsafe { zeroed() };
    let found = succeeds(&mut arena, |buffer, errno, h_errno| {
        // SAFETY: the pointers are to what they should be.
        unsafe {
            sys::by_name_hostent::<H>(
                c"name".as_ptr(),
                family,
                &raw mut host,
                buffer,
                size,
                errno,
                h_errno,
                null_mut(),
                null_mut(),
            )
        }
    });
    if !found {
        assert!(host.h_name.is_null());
        return None;
    }
    arena.text(host.h_name);
    assert_eq!(host.h_addrtype, family);
    assert!(arena.list(host.h_aliases).is_empty());
    let length = usize::try_from(host.h_length).unwrap();
    let address = |pointer: *mut c_char| {
        assert!(arena.holds(pointer, length) && pointer.addr().is_multiple_of(4));
        // SAFETY: within the arena.
        let octets = unsafe { slice::from_raw_parts(pointer.cast::<u8>(), length) };
        match <[u8; 4]>::try_from(octets) {
            Ok(v4) => v4.into(),
            Err(_) => <[u8; 16]>::try_from(octets).unwrap().into(),
        }
    };
    Some(
        arena
            .list(host.h_addr_list)
            .into_iter()
            .map(address)
            .collect(),
    )
}

/// `gethostbyaddr2_r`.
pub(crate) fn names<H: Hosts>(offset: usize, size: usize) {
    let mut arena = Arena::new(offset, size);
    // SAFETY: integers and pointers may be zero.
    let mut host: libc::hostent = unsafe { zeroed() };
    let octets = [192_u8, 0, 2, 1];
    let found = succeeds(&mut arena, |buffer, errno, h_errno| {
        // SAFETY: the pointers are to what they should be.
        unsafe {
            sys::by_address::<H>(
                octets.as_ptr().cast(),
                4,
                libc::AF_INET,
                &raw mut host,
                buffer,
                size,
                errno,
                h_errno,
                null_mut(),
            )
        }
    });
    if found {
        arena.text(host.h_name);
        for alias in arena.list(host.h_aliases) {
            arena.text(alias);
        }
        assert_eq!(arena.list(host.h_addr_list).len(), 1);
    }
}

/// `getpwuid_r`.
pub(crate) fn user<U: Users>(offset: usize, size: usize) {
    let mut arena = Arena::new(offset, size);
    // SAFETY: integers and pointers may be zero.
    let mut user: libc::passwd = unsafe { zeroed() };
    let found = succeeds(&mut arena, |buffer, errno, _| {
        // SAFETY: the pointers are to what they should be.
        unsafe { sys::user::<U>(null(), Some(1000), &raw mut user, buffer, size, errno) }
    });
    if found {
        for text in [
            user.pw_name,
            user.pw_passwd,
            user.pw_gecos,
            user.pw_dir,
            user.pw_shell,
        ] {
            arena.text(text);
        }
    }
}

/// `getgrgid_r`.
pub(crate) fn group<G: Groups>(offset: usize, size: usize) {
    let mut arena = Arena::new(offset, size);
    // SAFETY: integers and pointers may be zero.
    let mut group: libc::group = unsafe { zeroed() };
    let found = succeeds(&mut arena, |buffer, errno, _| {
        // SAFETY: the pointers are to what they should be.
        unsafe { sys::group::<G>(null(), Some(1000), &raw mut group, buffer, size, errno) }
    });
    if found {
        arena.text(group.gr_name);
        arena.text(group.gr_passwd);
        assert!(arena.list(group.gr_mem).is_empty());
    }
}
