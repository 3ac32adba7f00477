//! A Varlink server for daemons that anyone on the machine may talk to: one task a connection, limits, credentials of
//! the peer, introspection.
//!
//! The messages are zlink's: framing, the form of calls and replies. Its server is not used. It
//! polls all connections from one future and calls the service with `&mut self`, so a call that waits (for a process
//! inside a container, for polkit) stops every other connection, and it bounds neither the connections of one user nor
//! the time a peer may take. Its write half is not used either: it serialises a reply again from the start for each
//! further 256 bytes.
//!
//! A daemon describes an interface by an [`Interface`]: its description as served to introspection, and a table of
//! methods. [`Server::listen`] serves some of them on a socket. Everything runs on one thread, in a
//! [`tokio::runtime::LocalRuntime`] or a [`tokio::task::LocalSet`].
//!
//! What a peer can't do, whatever it sends: hold more connections than [`Limits`] grants its user, or keep another user
//! out; make the daemon buffer more than one message; keep a half-sent message or an unread reply for ever; pass a
//! descriptor (they are never received: the kernel drops them).

#![deny(unsafe_code)]

mod admission;
mod call;
mod connection;
mod failure;
mod interface;
mod limits;
mod listener;
mod parameters;
mod peer;
mod server;
mod service;
mod stream;
mod sys;

pub use call::{Answer, Call};
pub use failure::Failure;
pub use interface::{Handler, Interface, Method, Reply};
pub use limits::Limits;
pub use listener::Socket;
pub use peer::Peer;
pub use server::{Guard, Server, Vendor};
