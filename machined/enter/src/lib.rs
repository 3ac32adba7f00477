//! What enters a container: the short-lived process behind machined's operations on a container's files and terminals.
//!
//! machined starts one process per operation, with a clean environment and one socket as standard input. A [`Request`]
//! comes in by it, with the descriptors it needs; a [`Reply`] goes out, with those it made. In between the process gives up
//! what it does not need, joins the container ([`join`]), and only then looks at anything that belongs to the container.
//! A container that stalls a process or crashes it has hurt that one operation.
//!
//! The library half is what machined shares with the program: the messages.

#![deny(unsafe_code)]

pub mod fault;
pub mod operation;
pub mod packet;
pub mod request;
pub mod socket;
pub mod trial;

mod bind;
mod bus;
mod cgroup;
mod copy;
mod join;
mod leader;
mod os_release;
mod passwd;
mod privilege;
mod pty;
mod reopen;
mod root;
mod seal;
mod session;
#[allow(
    unsafe_code,
    reason = "the one module for it: system calls that neither std nor rustix has"
)]
mod sys;

pub use fault::Fault;
pub use request::{Reply, Request};
