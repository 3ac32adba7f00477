//! What a test passes over, and that it says so.
//!
//! A test that returns early because something is missing passes without having shown anything. So it says that by
//! [`skip!`](crate::skip), which is a failure where everything is meant to be there: with SWITCHYARD_REQUIRE=1, as CI has it.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::panic::Location;

/// Set where nothing may be missing.
pub(crate) const REQUIRE: &str = "SWITCHYARD_REQUIRE";
/// Names a file that a line is added to for each thing passed over, for the end of a run: runners of tests show nothing of
/// what a passed test has printed.
pub(crate) const SKIPPED: &str = "SWITCHYARD_SKIPPED";

/// Ends a test, or what of it can't be shown here: `skip!("there is no other user")`.
#[macro_export]
macro_rules! skip {
    ($why:expr) => {{
        $crate::skipped($why);
        return;
    }};
}

/// The same for what the machine is not, its kernel or how it is laid out: no set-up of ours can bring it, so it is never a
/// failure.
#[macro_export]
macro_rules! skip_for_machine {
    ($why:expr) => {{
        $crate::skipped_for_machine($why);
        return;
    }};
}

/// What [`skip!`](crate::skip) says, for a test that goes on without a part of it.
///
/// # Panics
/// With SWITCHYARD_REQUIRE=1.
#[track_caller]
pub fn skipped(why: &str) {
    tell(why, Location::caller());
    let required = env::var_os(REQUIRE).is_some_and(|value| value == "1");
    assert!(!required, "{REQUIRE} is set, and this was skipped: {why}");
}

/// What [`skip_for_machine!`](crate::skip_for_machine) says.
#[track_caller]
pub fn skipped_for_machine(why: &str) {
    tell(why, Location::caller());
}

fn tell(why: &str, place: &Location<'_>) {
    let line = format!("skipped: {why} ({}:{})\n", place.file(), place.line());
    print!("{line}");
    let Some(path) = env::var_os(SKIPPED).filter(|path| !path.is_empty()) else {
        return;
    };
    // One write(2) to a file that is appended to: lines of tests that run at the same time do not mix.
    let file = OpenOptions::new().create(true).append(true).open(path);
    if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
        println!("{SKIPPED}: {error}");
    }
}
