//! The registry of containers and virtual machines.
//!
//! [`manager::Manager`] is the whole of it: who the machines are, and what can be done with them. [`bus`] and [`varlink`]
//! are the two ways to call it; neither holds state of its own. Everything runs on one thread (`Rc`, `RefCell`): no borrow
//! is held over an `.await`.
//!
//! What enters a container runs in a process of its own, `machined-enter` ([`enter`]).

pub mod access;
pub mod address;
pub mod caller;
pub mod class;
pub mod enter;
pub mod error;
pub mod leader;
pub mod machine;
pub mod manager;
pub mod name;
pub mod registration;
