//! D-Bus without I/O, as sd-bus needs it: a message is written and read by a cursor, value by value, and nothing is built
//! beside it. Whoever stands on this moves the bytes and keeps the descriptors; here is their meaning.
//!
//! Words are those of the D-Bus specification. What a caller does wrong is told as sd-bus tells it, see [`Error`].

#![forbid(unsafe_code)]

pub mod address;
pub mod authentication;
pub mod connection;
mod element;
mod error;
mod hex;
pub mod label;
pub mod message;
pub mod name;
pub mod path;
pub mod rule;
pub mod signature;
pub mod types;

pub use address::Address;
pub use error::{Error, Result};
pub use message::{Basic, Builder, Cursor, Kind, Message};
pub use rule::Rule;
