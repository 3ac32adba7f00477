//! The NSS module that resolves names of containers: libnss_mymachines.so.2.
//!
//! Hosts are asked of Switchyard's machined, or where that is not installed, of systemd's; users
//! and groups of the user database that both serve. See nss-mymachines(8) for what it answers.
//!
//! The shared object has no reachable panic: its panic handler calls a function that nobody
//! defines, so one with a reachable panic does not link.
#![cfg_attr(module, no_std)]

mod hosts;
mod name;
mod switchyard;
mod sys;
mod systemd;
mod users;
