//! One blocking D-Bus method call with a deadline, without allocation or panic.
//!
//! Just enough of the D-Bus specification to ask one service of the system bus one question with
//! one string in it, from inside someone else's process. All that is sent (the authentication,
//! `Hello`, the call) goes out in one piece, so a call costs one round trip.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

mod address;
mod authentication;
mod call;
mod message;
mod writer;

pub use address::system_bus;
pub use call::{ErrorName, Method, Outcome, call, reply};
pub use message::Message;
pub use unix_call::secure_getenv;
