//! The registry of containers and virtual machines.
//!
//! [`manager::Manager`] is the whole of it: who the machines are, and what can be done with them. [`bus`] and [`varlink`]
//! are the two ways to call it; neither holds state of its own. Everything runs on one thread (`Rc`, `RefCell`): no borrow
//! is held over an `.await`.
//!
//! What enters a container runs in a process of its own, `machined-enter` ([`enter`]).

pub mod access;
pub mod address;
mod admission;
pub mod argument;
pub mod bus;
pub mod caller;
pub mod cgroup;
pub mod class;
pub mod config;
pub mod enter;
mod epoll;
pub mod error;
mod host;
mod inet;
mod kill;
pub mod leader;
mod lookup;
pub mod machine;
pub mod manager;
pub mod name;
pub mod namespace;
mod neighbour;
mod network;
pub mod nscd;
mod ownership;
mod place;
mod published;
mod record;
mod register;
pub mod registration;
mod restore;
mod rtnetlink;
mod scope;
mod service_manager;
mod state_dir;
mod stir;
mod sys;
pub mod trial;
mod uid_map;
pub mod unit_name;
pub mod varlink;
mod watch;
