//! D-Bus objects served from static tables, over a connection of zbus.
//!
//! A daemon describes its interfaces as tables ([`Interface`]: methods, properties, signals), and tells in a [`Tree`] what
//! object stands at a path. Nothing is registered: objects come and go with what they stand for, and an object that nobody
//! asks for costs nothing. [`serve()`] answers the calls on one connection until it ends; [`connect()`] and [`own_name`] get
//! a daemon onto the bus, and onto it again after it went.
//!
//! Names and texts of errors, and the shape of introspection data, are sd-bus's, so that a client can't tell the
//! difference. One thing is wider: a call without an interface is answered, as the D-Bus specification asks for.
//!
//! Everything runs on one thread, in a [`tokio::runtime::LocalRuntime`] or a [`tokio::task::LocalSet`]; the first saves a
//! round of the loop for each call. A [`Handler::Now`] is answered in place. A [`Handler::Later`] runs as a task of its own,
//! so that a call that waits delays no other; [`Limits`] bounds how many may.

#![forbid(unsafe_code)]

mod call;
mod changed;
mod connect;
mod departure;
mod dict;
mod errno;
mod error;
mod introspect;
mod label;
mod load;
mod log_control;
mod name;
mod object;
mod properties;
mod runtime;
mod serve;
mod standard;
mod table;
mod watch;

pub use call::{Call, Credentials};
pub use changed::properties_changed;
pub use connect::connect;
pub use dict::Dict;
pub use errno::name_of_system_error;
pub use error::Error;
pub use label::{decode_label, encode_label};
pub use load::Limits;
pub use log_control::{LOG_CONTROL, LOG_CONTROL_PATH, LogControl};
pub use name::own_name;
pub use object::{Bound, Object};
pub use serve::{Lookup, Tree, serve};
pub use table::{Arg, Change, Handler, Interface, Later, Method, Property, Reply, Signal};
