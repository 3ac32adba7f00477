//! One blocking Varlink call with a deadline, without allocation or panic.
//!
//! [`Request`] words the question in a buffer on the stack, [`call`] sends it to a [`Server`] and
//! hands the `parameters` of the reply to the caller as a stream of JSON tokens ([`Scanner`]), so
//! that a reply of any length up to [`Reader::LIMIT`](unix_call::Reader::LIMIT) needs no more than
//! 2 KiB of stack. [`resolve`] and [`userdb`] know the shapes of the replies that NSS asks for.
//! See <https://varlink.org/Method-Call> for the protocol and RFC 8259 for JSON.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod call;
mod object;
mod request;
pub mod resolve;
mod scanner;
pub mod userdb;
mod utf8;
mod watch;

pub use call::{ErrorName, Outcome, Server, call, reply};
pub use object::Members;
pub use request::Request;
pub use scanner::{Scanner, Text, Token};
pub use watch::call_watched;
