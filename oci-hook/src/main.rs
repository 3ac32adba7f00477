//! `switchyard-oci-hook`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    oci_hook::main()
}
