//! Does one operation in a container for machined, and ends. Not for people to call: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    machined_enter::operation::serve()
}
