//! What a daemon answers to an NSS module, up to what the program that called finds in its buffer.

use std::{cell::RefCell, net::IpAddr};

use nss_host::{
    Address, AddressAnswer, ByName, Failure, GroupAnswer, Groups, Hosts, NameAnswer, UserAnswer,
    UserQuestion, Users,
};
use unix_call::{Fault, Reader};
use varlink_call::{
    Outcome, Scanner, Token, reply,
    resolve::{Found, address_names, hostname},
    userdb::{self, Field},
};

use crate::sys;

thread_local! {
    static MESSAGE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A module whose daemon answers with [`MESSAGE`].
struct Module;

fn ask(read: &mut dyn FnMut(&mut Scanner<'_, '_>) -> Result<(), Fault>) -> Result<(), Failure> {
    MESSAGE.with_borrow(|message| {
        let mut source = message.as_slice();
        match reply(&mut Reader::new(&mut source), read) {
            Ok(Outcome::Returned) => Ok(()),
            Ok(Outcome::Failed(_)) => Err(Failure::NotFound),
            Err(fault) => Err(Failure::Unavailable(fault.errno())),
        }
    })
}

impl Hosts for Module {
    fn by_name(_: ByName<'_>, answer: &mut AddressAnswer<'_>) -> Result<(), Failure> {
        ask(&mut |scanner| {
            hostname(scanner, &mut |found| match found {
                Found::Address { octets, ifindex } => {
                    if let Some(address) = Address::new(octets, ifindex) {
                        answer.address(address);
                    }
                }
                Found::Name(name) => answer.canonical_name(name),
                Found::TimeToLive(seconds) => answer.time_to_live(seconds),
            })
        })
    }

    fn by_address(_: Address, answer: &mut NameAnswer<'_>) -> Result<(), Failure> {
        ask(&mut |scanner| {
            address_names(scanner, &mut |found| match found {
                Found::Name(name) => answer.name(name),
                Found::TimeToLive(seconds) => answer.time_to_live(seconds),
                Found::Address { .. } => {}
            })
        })
    }
}

impl Users for Module {
    fn user(_: UserQuestion<'_>, answer: &mut UserAnswer<'_>) -> Result<(), Failure> {
        ask(&mut |scanner| {
            userdb::user(scanner, &mut |field| match field {
                Field::Name(name) => answer.name(name),
                Field::Uid(uid) => answer.uid(uid),
                Field::Gid(gid) => answer.gid(gid),
                Field::RealName(name) => answer.real_name(name),
                Field::Home(path) => answer.home(path),
                Field::Shell(path) => answer.shell(path),
            })
        })
    }
}

impl Groups for Module {
    fn group(_: UserQuestion<'_>, answer: &mut GroupAnswer<'_>) -> Result<(), Failure> {
        ask(&mut |scanner| {
            userdb::group(scanner, &mut |field| match field {
                Field::Name(name) => answer.name(name),
                Field::Gid(gid) => answer.gid(gid),
                _ => {}
            })
        })
    }
}

/// The first three bytes are the buffer's size and place, the rest is the message.
fn message(bytes: &[u8]) -> Option<(usize, usize)> {
    let ([high, low, offset], message) = bytes.split_first_chunk()?;
    MESSAGE.with_borrow_mut(|kept| {
        kept.clear();
        kept.extend(message);
        kept.push(0);
    });
    let size = usize::from(u16::from_be_bytes([*high, *low])) % 4096;
    Some((size, usize::from(offset % 16)))
}

/// Addresses and names: everything in the caller's buffer and nowhere else; both forms have the same addresses.
pub fn nss_hosts(bytes: &[u8]) {
    let Some((size, offset)) = message(bytes) else {
        return;
    };
    let tuples = sys::tuples::<Module>(offset, size);
    for family in [libc::AF_INET, libc::AF_INET6] {
        let of_family = |address: &&IpAddr| address.is_ipv4() == (family == libc::AF_INET);
        if let (Some(tuples), Some(host)) = (&tuples, sys::hostent::<Module>(offset, size, family))
        {
            assert!(tuples.iter().filter(of_family).eq(&host));
        }
    }
    sys::names::<Module>(offset, size);
}

/// Users and groups.
pub fn nss_users(bytes: &[u8]) {
    if let Some((size, offset)) = message(bytes) {
        sys::user::<Module>(offset, size);
        sys::group::<Module>(offset, size);
    }
}

/// A JSON text, token by token: it is one by our reader if it is one by serde_json's.
pub fn json_tokens(bytes: &[u8]) {
    if bytes.contains(&0) {
        return;
    }
    let text = [bytes, b"\0"].concat();
    let mut source = text.as_slice();
    let mut reader = Reader::new(&mut source);
    let mut scanner = Scanner::new(&mut reader);
    let ours = tokens(&mut scanner, bytes.len());
    let theirs: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
    match (ours, theirs) {
        (Ok(()), Err(error)) => {
            let error = error.to_string();
            assert!(error.contains("out of range"), "{error}");
        }
        (Err(fault), Ok(value)) => {
            assert_eq!(fault, Fault::Protocol);
            assert!(depth(&value) > Scanner::DEPTH);
        }
        _ => {}
    }
}

fn tokens(scanner: &mut Scanner<'_, '_>, most: usize) -> Result<(), Fault> {
    for _ in 0..=most {
        match scanner.token()? {
            Token::Key(text) => assert!(text.len() <= Scanner::TEXT),
            Token::String(text) => {
                assert!(text.bytes.len() <= Scanner::TEXT);
                assert!(!text.whole || std::str::from_utf8(text.bytes).is_ok());
            }
            _ => {}
        }
        if scanner.depth() == 0 {
            return scanner.end_of_message();
        }
    }
    panic!("more tokens than bytes");
}

fn depth(value: &serde_json::Value) -> u32 {
    use serde_json::Value::{Array, Object};
    match value {
        Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
