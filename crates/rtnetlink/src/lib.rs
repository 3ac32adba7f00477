//! The kernel's links, addresses and default routes, and their changes: rtnetlink(7).
//!
//! [`Questions`] asks for what there is now, [`Changes`] hears of what becomes different; both speak in [`Event`]s. Of a
//! message only what is wanted is read: an attribute that a later kernel adds or widens costs neither the message nor the link.

#![forbid(unsafe_code)]

mod address;
mod attribute;
mod event;
mod link;
mod message;
mod route;
mod socket;

pub use address::Address;
pub use event::{Event, events};
pub use link::Link;
pub use route::{DefaultRoute, NextHop};
pub use socket::{Changes, Dump, Found, Groups, Questions, Received};
