//! `resolvconf`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    resolvconf::main()
}
