//! Configuration files of daemons as systemd has them: which there are (systemd.unit(5), systemd-system.conf(5)), and their
//! syntax (systemd.syntax(7)).
//!
//! Nothing here fails: what is wrong is skipped, and named.

#![forbid(unsafe_code)]

mod boolean;
pub mod files;
pub mod syntax;
pub mod wrong;

pub use boolean::parse_boolean;
pub use wrong::{Diagnostic, Wrong};
