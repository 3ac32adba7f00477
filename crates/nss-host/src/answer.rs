//! Answers, written into the caller's buffer as they come.
//!
//! Lists grow from the front of the buffer and texts from its end, so that they may come in any
//! order. Nothing here fails: a buffer that is too small says so when the answer is handed over.

use core::ffi::CStr;

use crate::sys::{Buffer, Text, Tuple};
use crate::{Address, Failure, Family};

/// What an [`AddressAnswer`] becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A list of `struct gaih_addrtuple`, of both families.
    Tuples,
    /// The address list of a `struct hostent`, of one family.
    Hostent(Family),
}

/// The addresses of a host and its canonical name.
pub struct AddressAnswer<'b> {
    pub(crate) buffer: Buffer<'b>,
    pub(crate) form: Form,
    pub(crate) count: usize,
    pub(crate) name: Option<Text>,
    pub(crate) ttl: Option<u32>,
    pub(crate) is_ipv6_first: bool,
}

impl<'b> AddressAnswer<'b> {
    pub(crate) fn new(mut buffer: Buffer<'b>, form: Form) -> Self {
        buffer.align();
        Self {
            buffer,
            form,
            count: 0,
            name: None,
            ttl: None,
            is_ipv6_first: false,
        }
    }

    /// Adds an address, unless the caller has no use for its family.
    pub fn address(&mut self, address: Address) {
        match self.form {
            Form::Tuples => self.buffer.push(Tuple::new(address)),
            Form::Hostent(family) if family == address.family() => {
                self.buffer.push_bytes(address.octets());
            }
            Form::Hostent(_) => return,
        }
        self.count = self.count.saturating_add(1);
    }

    /// Sets the canonical name, once; without it, it is the name asked for.
    pub fn canonical_name(&mut self, name: &[u8]) {
        if self.name.is_none() {
            self.name = Some(self.buffer.text(name));
        }
    }

    /// Without another, the canonical name is the one asked for.
    pub(crate) fn name_asked_for(&mut self, name: &CStr) {
        if self.name.is_none() {
            self.name = Some(self.buffer.c_text(name));
        }
    }

    /// Sets for how many seconds the answer holds.
    pub fn time_to_live(&mut self, seconds: u32) {
        self.ttl = Some(seconds);
    }

    /// Lists IPv6 addresses before those of IPv4; else they are in the order in which they came.
    ///
    /// The C library sorts them in either case. For that it asks the kernel which source address each would have, and
    /// needs a second socket where IPv6 comes after IPv4 (`sysdeps/posix/getaddrinfo.c`).
    pub fn list_ipv6_first(&mut self) {
        self.is_ipv6_first = true;
    }

    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.count == 0 {
            Err(Failure::NoData)
        } else {
            self.buffer.check()
        }
    }
}

/// The names of an address, the canonical one first.
pub struct NameAnswer<'b> {
    pub(crate) buffer: Buffer<'b>,
    /// The canonical name; those that follow are a list of pointers at the front of the buffer.
    pub(crate) name: Option<Text>,
    pub(crate) ttl: Option<u32>,
}

impl<'b> NameAnswer<'b> {
    pub(crate) fn new(mut buffer: Buffer<'b>) -> Self {
        buffer.align();
        Self {
            buffer,
            name: None,
            ttl: None,
        }
    }

    /// Adds a name.
    pub fn name(&mut self, name: &[u8]) {
        let text = self.buffer.text(name);
        match self.name {
            None => self.name = Some(text),
            Some(_) => self.buffer.push(text),
        }
    }

    /// Sets for how many seconds the answer holds.
    pub fn time_to_live(&mut self, seconds: u32) {
        self.ttl = Some(seconds);
    }
}

/// A user: all of `struct passwd`. What is not set is empty, the numbers excepted.
pub struct UserAnswer<'b> {
    pub(crate) buffer: Buffer<'b>,
    pub(crate) name: Option<Text>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) real_name: Option<Text>,
    pub(crate) home: Option<Text>,
    pub(crate) shell: Option<Text>,
}

impl<'b> UserAnswer<'b> {
    pub(crate) fn new(buffer: Buffer<'b>) -> Self {
        let (name, real_name, home, shell) = (None, None, None, None);
        Self {
            buffer,
            name,
            uid: None,
            gid: None,
            real_name,
            home,
            shell,
        }
    }

    /// Sets the name, which an answer must have.
    pub fn name(&mut self, name: &[u8]) {
        self.name = Some(self.buffer.text(name));
    }

    /// Sets the user's number, which an answer must have.
    pub fn uid(&mut self, uid: u32) {
        self.uid = Some(uid);
    }

    /// Sets the number of the user's group, which an answer must have.
    pub fn gid(&mut self, gid: u32) {
        self.gid = Some(gid);
    }

    /// Sets what a person calls the user.
    pub fn real_name(&mut self, name: &[u8]) {
        self.real_name = Some(self.buffer.text(name));
    }

    /// Sets the home directory.
    pub fn home(&mut self, path: &[u8]) {
        self.home = Some(self.buffer.text(path));
    }

    /// Sets the login shell.
    pub fn shell(&mut self, path: &[u8]) {
        self.shell = Some(self.buffer.text(path));
    }
}

/// A group without members: all of `struct group`.
pub struct GroupAnswer<'b> {
    pub(crate) buffer: Buffer<'b>,
    pub(crate) name: Option<Text>,
    pub(crate) gid: Option<u32>,
}

impl<'b> GroupAnswer<'b> {
    pub(crate) fn new(buffer: Buffer<'b>) -> Self {
        Self {
            buffer,
            name: None,
            gid: None,
        }
    }

    /// Sets the name, which an answer must have.
    pub fn name(&mut self, name: &[u8]) {
        self.name = Some(self.buffer.text(name));
    }

    /// Sets the number, which an answer must have.
    pub fn gid(&mut self, gid: u32) {
        self.gid = Some(gid);
    }
}
