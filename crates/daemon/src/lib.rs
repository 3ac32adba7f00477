//! What a daemon of ours does at start: logging, readiness, privileges, signals; and what it answers about itself.

#![deny(unsafe_code)]

pub mod activation;
pub mod confine;
pub mod lock;
pub mod log;
pub mod map;
pub mod notify;
pub mod privileges;
pub mod seccomp;
pub mod service;
pub mod signals;
mod sys;
pub mod user;
