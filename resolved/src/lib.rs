//! The machine's one resolver and cache.
//!
//! [`manager::Manager`] is the whole of it; [`bus`], [`varlink`] and [`stub`] are the ways to ask it, and hold no state of
//! their own. A [`message::Lookup`] goes through [`local`], then to the scopes that [`route`] names, each of which is
//! [`upstream`], [`llmnr`] or [`mdns`] behind the one [`cache`].
//!
//! Everything but the stub's answers from memory runs on one thread (`Rc`, `RefCell`): no borrow is held over an `.await`.
//! Nothing here calls NSS: the daemon would ask itself.

pub mod access;
pub mod bus;
pub mod cache;
pub mod clock;
pub mod config;
pub mod failure;
pub mod flags;
pub mod links;
pub mod llmnr;
pub mod local;
pub mod manager;
pub mod mdns;
pub mod message;
pub mod mode;
pub mod multicast;
pub mod name;
pub mod request;
pub mod resolv_conf;
pub mod route;
pub mod server;
pub mod stats;
pub mod stub;
mod sys;
pub mod upstream;
pub mod varlink;
pub mod watch;
