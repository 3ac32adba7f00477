//! The C functions. Each checks its pointers, calls what is safe, and turns the error into a negative errno.
//!
//! All of the crate's `unsafe` is here. What every function relies on is what C promises: a pointer is null or points to
//! what its type says, text ends with a 0, and nobody else changes either while the function runs.

#![allow(
    unsafe_code,
    unreachable_pub,
    clippy::missing_safety_doc,
    reason = "the contract of each C function is its manual page, and that of all stands above"
)]

mod boundary;
mod bus;
pub mod container;
mod daemon;
pub mod event;
mod exclusive;
mod id128;
mod journal;
mod login;
mod memory;
mod passwd;
mod path;
pub mod peer;
mod pointer;
pub mod poll;
mod process;
pub mod receive;
pub mod resolve;
pub mod shared;
pub mod sys;
mod threads;
mod userdata;
pub mod vsock;
