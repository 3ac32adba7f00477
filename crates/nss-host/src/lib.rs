//! glibc's NSS contract for hosts, users and groups, as safe Rust without allocation or panic.
//!
//! A module implements [`Hosts`], [`Users`] and [`Groups`] for a type of its own and names it in
//! [`export_hosts!`], [`export_users!`] and [`export_groups!`], which define the C entry points
//! (`info libc`, "NSS Module Function Internals"). They check the caller's pointers, keep
//! `errno`, and turn a [`Failure`] into status, `*errnop` and `*h_errnop`.
//!
//! An answer is written into the caller's buffer while it is being read from the daemon; if the
//! buffer is too small, that shows only at the end, and the caller is told to come again with a larger
//! one. The buffer may lie at an odd address: what needs alignment is aligned within it.
#![cfg_attr(not(test), no_std)]

mod address;
mod answer;
mod export;
mod failure;
mod question;
pub mod sys;

pub use address::{Address, Family};
pub use answer::{AddressAnswer, GroupAnswer, NameAnswer, UserAnswer};
pub use failure::{Failure, Status};
pub use question::{ByName, Groups, Hosts, UserQuestion, Users};

#[cfg(test)]
mod tests;
