//! The entry points as C sees them, with every size and alignment of buffer.

mod arena;
mod fake;

use std::ffi::{CString, c_char, c_int};
use std::ptr::{null, null_mut};

use arena::Arena;
use fake::{Fake, LINK_LOCAL, UNIQUE_LOCAL};

use crate::sys::{AddressTuple, by_address, by_name_hostent, by_name_tuples, group, user};
use crate::*;

fn set_errno(number: c_int) {
    // SAFETY: always succeeds.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: always valid, and this thread's own.
    unsafe { errno.write(number) };
}

type Outcome = (c_int, c_int, c_int);
/// Name, family, all 16 octets, scope.
type Found = (String, i32, Vec<u8>, u32);
const SUCCESS: Outcome = (1, -7, 0);
const TOO_SMALL: Outcome = (-2, libc::ERANGE, -1);

/// Calls with somewhere to put the error numbers; checks that errno stays as it is.
fn outcome(call: impl FnOnce(*mut c_int, *mut c_int) -> c_int) -> Outcome {
    let (mut errno, mut h_errno) = (-7, -7);
    set_errno(4242);
    let status = call(&raw mut errno, &raw mut h_errno);
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(4242));
    (status, errno, h_errno)
}

fn tuples(
    arena: &mut Arena,
    name: &str,
    given: Option<&mut AddressTuple>,
) -> (Outcome, Vec<Found>, i32) {
    let name = CString::new(name).unwrap();
    let mut ttl = -7;
    let given_pointer = given.map_or(null_mut(), |given| &raw mut *given);
    let mut list = given_pointer;
    let outcome = outcome(|errnop, h_errnop| {
        let (buffer, size) = (arena.buffer(), arena.size);
        // SAFETY: the pointers are to what they should be.
        unsafe {
            by_name_tuples::<Fake>(
                name.as_ptr(),
                &raw mut list,
                buffer,
                size,
                errnop,
                h_errnop,
                &raw mut ttl,
            )
        }
    });
    arena.check();
    let mut found = vec![];
    if outcome.0 == 1 {
        assert!(given_pointer.is_null() || list == given_pointer);
        while !list.is_null() {
            assert!(list.is_aligned());
            assert!(list == given_pointer || arena.holds(list, size_of::<AddressTuple>()));
            // SAFETY: aligned, and within the arena or the one given.
            let tuple = unsafe { list.read() };
            let octets = tuple
                .addr
                .iter()
                .flat_map(|word| word.to_ne_bytes())
                .collect();
            found.push((arena.text(tuple.name), tuple.family, octets, tuple.scopeid));
            list = tuple.next;
        }
    } else {
        assert_eq!(list, given_pointer, "a failure must leave *pat alone");
    }
    (outcome, found, ttl)
}

fn hostent(arena: &mut Arena, name: &str, family: c_int) -> (Outcome, String, Vec<Vec<u8>>) {
    let name = CString::new(name).unwrap();
    // SAFETY: integers and pointers may be zero.
    let mut host: libc::hostent = unsafe { std::mem::zeroed() };
    let mut canonical = null_mut();
    let outcome = outcome(|errnop, h_errnop| {
        let (buffer, size) = (arena.buffer(), arena.size);
        // SAFETY: the pointers are to what they should be.
        unsafe {
            by_name_hostent::<Fake>(
                name.as_ptr(),
                family,
                &raw mut host,
                buffer,
                size,
                errnop,
                h_errnop,
                null_mut(),
                &raw mut canonical,
            )
        }
    });
    arena.check();
    if outcome.0 != 1 {
        assert!(
            host.h_name.is_null(),
            "a failure must leave the result alone"
        );
        return (outcome, String::new(), vec![]);
    }
    assert_eq!(canonical, host.h_name);
    assert_eq!(arena.list(host.h_aliases), [] as [*mut c_char; 0]);
    let length = usize::try_from(host.h_length).unwrap();
    let octets = |pointer: *mut c_char| {
        assert!(arena.holds(pointer, length) && pointer.addr().is_multiple_of(4));
        // SAFETY: within the arena.
        unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), length) }.to_vec()
    };
    let addresses = arena
        .list(host.h_addr_list)
        .into_iter()
        .map(octets)
        .collect();
    (outcome, arena.text(host.h_name), addresses)
}

#[test]
fn tuples_in_every_buffer() {
    for offset in 0..16 {
        let mut fitted = None;
        for size in 0..240 {
            let mut arena = Arena::new(offset, size);
            let (outcome, found, ttl) = tuples(&mut arena, "web", None);
            if outcome == TOO_SMALL {
                assert_eq!(fitted, None, "fits {fitted:?} but not {size} at {offset}");
                continue;
            }
            assert_eq!(outcome, SUCCESS);
            fitted.get_or_insert(size);
            assert_eq!(ttl, 60);
            let padded = |octets: &[u8]| [octets, &[0; 16]].concat()[..16].to_vec();
            assert_eq!(
                found,
                [
                    ("web".into(), libc::AF_INET, padded(&[10, 0, 0, 1]), 0),
                    ("web".into(), libc::AF_INET6, UNIQUE_LOCAL.to_vec(), 0),
                    ("web".into(), libc::AF_INET6, LINK_LOCAL.to_vec(), 7),
                ]
            );
        }
        assert!(fitted.is_some_and(|size| size <= 160), "{fitted:?}"); // what systemd's module needs
    }
}

#[test]
fn ipv6_comes_first_where_that_is_wanted() {
    let found = |given| tuples(&mut Arena::new(0, 400), "mixed", given).1;
    let firsts = |found: Vec<Found>| {
        found
            .iter()
            .map(|(_, _, octets, _)| octets[..4].to_vec())
            .collect::<Vec<_>>()
    };
    let expected = [
        UNIQUE_LOCAL[..4].to_vec(),
        LINK_LOCAL[..4].to_vec(),
        vec![10, 0, 0, 1],
        vec![10, 0, 0, 2],
    ];
    assert_eq!(firsts(found(None)), expected);
    // SAFETY: integers and pointers may be zero.
    let mut given: AddressTuple = unsafe { std::mem::zeroed() };
    assert_eq!(firsts(found(Some(&mut given))), expected);
}

#[test]
fn the_tuple_that_nscd_brings_along() {
    let mut arena = Arena::new(0, 400);
    // SAFETY: integers and pointers may be zero.
    let mut given: AddressTuple = unsafe { std::mem::zeroed() };
    let (outcome, found, _) = tuples(&mut arena, "web", Some(&mut given));
    assert_eq!((outcome, found.len()), (SUCCESS, 3));
    assert_eq!(given.family, libc::AF_INET);
}

#[test]
fn hosts_in_every_buffer() {
    for (family, expected, most) in [
        (libc::AF_INET, vec![vec![10, 0, 0, 1]], 48),
        (
            libc::AF_INET6,
            vec![UNIQUE_LOCAL.to_vec(), LINK_LOCAL.to_vec()],
            72,
        ),
    ] {
        for offset in 0..16 {
            let mut fitted = None;
            for size in 0..120 {
                let (outcome, name, addresses) =
                    hostent(&mut Arena::new(offset, size), "web", family);
                if outcome == TOO_SMALL {
                    assert_eq!(fitted, None, "fits {fitted:?} but not {size} at {offset}");
                    continue;
                }
                fitted.get_or_insert(size);
                assert_eq!(
                    (outcome, name.as_str(), &addresses),
                    (SUCCESS, "web", &expected)
                );
            }
            assert!(fitted.is_some_and(|size| size <= most), "{fitted:?}");
        }
    }
}

#[test]
fn names_in_every_buffer() {
    for offset in 0..16 {
        let mut fitted = None;
        for size in 0..120 {
            let mut arena = Arena::new(offset, size);
            // SAFETY: integers and pointers may be zero.
            let mut host: libc::hostent = unsafe { std::mem::zeroed() };
            let address = [10_u8, 0, 0, 1];
            let outcome = outcome(|errnop, h_errnop| {
                let (address, buffer, size) = (address.as_ptr().cast(), arena.buffer(), arena.size);
                // SAFETY: the pointers are to what they should be.
                unsafe {
                    by_address::<Fake>(
                        address,
                        4,
                        libc::AF_INET,
                        &raw mut host,
                        buffer,
                        size,
                        errnop,
                        h_errnop,
                        null_mut(),
                    )
                }
            });
            arena.check();
            if outcome == TOO_SMALL {
                assert_eq!(fitted, None);
                continue;
            }
            fitted.get_or_insert(size);
            assert_eq!(outcome, SUCCESS);
            assert_eq!(arena.text(host.h_name), "web");
            let aliases: Vec<_> = arena
                .list(host.h_aliases)
                .into_iter()
                .map(|a| arena.text(a))
                .collect();
            assert_eq!(aliases, ["www", "w3"]);
            assert_eq!(arena.list(host.h_addr_list).len(), 1);
        }
        assert!(fitted.is_some());
    }
}

#[test]
fn what_is_no_answer() {
    let mut arena = Arena::new(0, 2000);
    let mut by_name = |name, family| {
        let four = tuples(&mut arena, name, None).0;
        let three = hostent(&mut arena, name, family).0;
        (four, three)
    };
    assert_eq!(by_name("unknown", libc::AF_INET), ((0, -7, 1), (0, -7, 1)));
    assert_eq!(by_name("nothing", libc::AF_INET), ((0, -7, 4), (0, -7, 4)));
    assert_eq!(
        by_name("busy", libc::AF_INET),
        ((-2, libc::EAGAIN, 2), (-2, libc::EAGAIN, 2))
    );
    // ERANGE with another status would be taken for the caller's mistake.
    assert_eq!(
        by_name("range", libc::AF_INET),
        ((-1, libc::EBADMSG, 3), (-1, libc::EBADMSG, 3))
    );
    assert_eq!(by_name("alias", libc::AF_INET6), (SUCCESS, (0, -7, 4)));
    assert_eq!(by_name("web", libc::AF_UNIX).1, (-1, libc::EAFNOSUPPORT, 3));
    assert_eq!(hostent(&mut arena, "alias", libc::AF_UNSPEC).1, "canonical");
    assert_eq!(tuples(&mut arena, "many", None).0, TOO_SMALL);
    assert_eq!(
        tuples(&mut Arena::new(1, 20_000), "many", None).1.len(),
        250
    );
}

#[test]
fn users_and_groups() {
    let mut smallest = 0;
    for size in 0..80 {
        let mut arena = Arena::new(1, size);
        // SAFETY: integers and pointers may be zero.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let result = outcome(|errnop, _| {
            let (buffer, size) = (arena.buffer(), arena.size);
            // SAFETY: the pointers are to what they should be.
            unsafe {
                user::<Fake>(
                    c"alice".as_ptr(),
                    None,
                    &raw mut entry,
                    buffer,
                    size,
                    errnop,
                )
            }
        });
        arena.check();
        if result == (-2, libc::ERANGE, -7) {
            smallest = size + 1;
            continue;
        }
        assert_eq!(result, (1, -7, -7));
        let texts = [
            entry.pw_name,
            entry.pw_passwd,
            entry.pw_gecos,
            entry.pw_dir,
            entry.pw_shell,
        ];
        assert_eq!(
            texts.map(|text| arena.text(text)),
            ["alice", "!*", "Alice", "/home/alice", ""]
        );
        assert_eq!((entry.pw_uid, entry.pw_gid), (1000, 100));
    }
    assert_eq!(smallest, 28);

    let mut arena = Arena::new(3, 100);
    // SAFETY: integers and pointers may be zero.
    let mut entry: libc::group = unsafe { std::mem::zeroed() };
    let result = outcome(|errnop, _| {
        let (buffer, size) = (arena.buffer(), arena.size);
        // SAFETY: the pointers are to what they should be.
        unsafe { group::<Fake>(null(), Some(100), &raw mut entry, buffer, size, errnop) }
    });
    assert_eq!((result, entry.gr_gid), ((1, -7, -7), 100));
    assert_eq!(arena.text(entry.gr_name), "users");
    assert!(arena.list(entry.gr_mem).is_empty());
}

#[test]
fn null_pointers_are_refused() {
    let mut arena = Arena::new(0, 100);
    let buffer = arena.buffer();
    let refused = (-1, libc::EINVAL, 3);
    let tuples = |name, pat, buffer| {
        // SAFETY: the pointers are null or to what they should be.
        outcome(|e, h| unsafe { by_name_tuples::<Fake>(name, pat, buffer, 100, e, h, null_mut()) })
    };
    let mut list = null_mut();
    assert_eq!(tuples(null(), &raw mut list, buffer), refused);
    assert_eq!(tuples(c"web".as_ptr(), null_mut(), buffer), refused);
    assert_eq!(
        tuples(c"web".as_ptr(), &raw mut list, null_mut()),
        TOO_SMALL
    );
    // SAFETY: as above.
    let status = unsafe {
        by_name_tuples::<Fake>(
            c"unknown".as_ptr(),
            &raw mut list,
            buffer,
            100,
            null_mut(),
            null_mut(),
            null_mut(),
        )
    };
    assert_eq!(status, 0);
    let by_null = outcome(|e, h| {
        // SAFETY: as above.
        unsafe {
            by_address::<Fake>(
                null(),
                4,
                libc::AF_INET,
                null_mut(),
                buffer,
                100,
                e,
                h,
                null_mut(),
            )
        }
    });
    assert_eq!(by_null, refused);
    let user_by_null = outcome(|e, _| {
        // SAFETY: as above.
        unsafe { user::<Fake>(null(), None, null_mut(), buffer, 100, e) }
    });
    assert_eq!(user_by_null, (-1, libc::EINVAL, -7));
}

#[test]
fn incomplete_users_are_refused() {
    let mut arena = Arena::new(0, 100);
    let buffer = arena.buffer();
    // SAFETY: integers and pointers may be zero.
    let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
    // SAFETY: the pointers are to what they should be.
    let result = outcome(|e, _| unsafe {
        user::<Fake>(c"bob".as_ptr(), None, &raw mut entry, buffer, 100, e)
    });
    assert_eq!(result, (-1, libc::EBADMSG, -7));
}

#[test]
fn knows_addresses() {
    let address = |octets: &[u8]| Address::new(octets, 3).unwrap();
    assert_eq!(Address::new(&[1, 2, 3], 0), None);
    assert_eq!(
        (
            address(&LINK_LOCAL).scope(),
            address(&UNIQUE_LOCAL).scope(),
            address(&[10, 0, 0, 1]).scope()
        ),
        (3, 0, 0)
    );
    let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
    assert_eq!(address(&mapped).unmapped().octets(), [10, 0, 0, 1]);
    assert_eq!(address(&UNIQUE_LOCAL).unmapped(), address(&UNIQUE_LOCAL));
    for nobodys in [[127, 0, 0, 1], [0, 0, 0, 0], [224, 0, 0, 1], [255; 4]] {
        assert!(!address(&nobodys).can_be_remote());
    }
    assert!(address(&[10, 0, 0, 1]).can_be_remote() && address(&LINK_LOCAL).can_be_remote());
    let mut loopback = [0; 16];
    assert!(!address(&loopback).can_be_remote());
    loopback[15] = 1;
    assert!(!address(&loopback).can_be_remote());
}
