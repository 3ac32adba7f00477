//! What a module implements.

use crate::{Address, AddressAnswer, Failure, Family, GroupAnswer, NameAnswer, UserAnswer};

/// A host, by name.
#[derive(Clone, Copy, Debug)]
pub struct ByName<'q> {
    /// As the caller wrote it: any bytes but NUL.
    pub name: &'q [u8],
    /// The only family of use to the caller; `None` is both.
    pub family: Option<Family>,
}

/// A user or a group.
#[derive(Clone, Copy, Debug)]
pub enum UserQuestion<'q> {
    /// By name: any bytes but NUL.
    Name(&'q [u8]),
    /// By number.
    Id(u32),
}

/// A service that knows hosts.
pub trait Hosts {
    /// Adds the addresses of a host to `answer`.
    ///
    /// # Errors
    /// Why it could not; `answer` then counts for nothing.
    fn by_name(question: ByName<'_>, answer: &mut AddressAnswer<'_>) -> Result<(), Failure>;

    /// Adds the names of an address to `answer`.
    ///
    /// # Errors
    /// Why it could not; `answer` then counts for nothing.
    fn by_address(question: Address, answer: &mut NameAnswer<'_>) -> Result<(), Failure>;
}

/// A service that knows users.
pub trait Users {
    /// Fills in `answer`.
    ///
    /// # Errors
    /// Why it could not; `answer` then counts for nothing.
    fn user(question: UserQuestion<'_>, answer: &mut UserAnswer<'_>) -> Result<(), Failure>;
}

/// A service that knows groups.
pub trait Groups {
    /// Fills in `answer`.
    ///
    /// # Errors
    /// Why it could not; `answer` then counts for nothing.
    fn group(question: UserQuestion<'_>, answer: &mut GroupAnswer<'_>) -> Result<(), Failure>;
}
