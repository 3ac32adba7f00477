//! The sandbox of the integration tests and the demo.
//!
//! A test that needs a system of its own says
//!
//! ```ignore
//! #[test]
//! fn machinectl_lists_a_container() {
//!     support::sandbox!(Options::new(), |s| {
//!         let web = s.container("web").start();
//!         s.register(&web, Via::BusCreate);
//!         assert!(s.run("machinectl list").ok().contains("web"));
//!     });
//! }
//! ```
//!
//! and its body runs as an ordinary process inside private mount, network, pid, ipc, uts and cgroup namespaces (and a
//! user namespace where the caller is not root), below a PID 1 that reaps. Nothing of the machine's /etc, /run or /var is
//! visible there, and everything in it ends with the test. How it is done is in [`launch`] (outside) and [`init`] (PID 1).

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "code of tests: a step that fails is a test that fails"
)]

mod bus;
mod cgroup;
mod command;
mod container;
mod daemon;
pub mod init;
pub mod launch;
mod machined;
mod must;
mod newer;
mod options;
mod paths;
mod register;
mod resolved;
mod root;
mod sandbox;
mod skip;
mod systemd;
mod wait;

pub use command::{Command, Output};
pub use container::{Builder, Container};
pub use daemon::{Daemon, Ready};
pub use launch::{run, run_program};
pub use options::{Manager, Options, Which};
pub use register::Via;
pub use sandbox::Sandbox;
pub use skip::{skipped, skipped_for_machine};

/// Runs the rest of a `#[test]` inside a sandbox: `sandbox!(|s| { … })` or `sandbox!(options, |s| { … })`, where `s` is a
/// [`&Sandbox`](Sandbox). Nothing in the test function may stand before it: that would run outside, and again inside.
#[macro_export]
macro_rules! sandbox {
    (|$s:ident| $body:expr) => {
        $crate::sandbox!($crate::Options::new(), |$s| $body)
    };
    ($options:expr, |$s:ident| $body:expr) => {{
        fn here() {}
        $crate::run(
            ::std::any::type_name_of_val(&here),
            $options,
            |$s: &$crate::Sandbox| $body,
        )
    }};
}

/// The same beside the systemd of a newer release, [`Options::newer`]; passed over where that is not there.
#[macro_export]
macro_rules! newer_sandbox {
    ($options:expr, |$s:ident| $body:expr) => {
        $crate::sandbox!($options.newer(), |$s| {
            if !$s.has_newer() {
                $crate::skip!("there is no newer systemd");
            }
            $body
        })
    };
}
