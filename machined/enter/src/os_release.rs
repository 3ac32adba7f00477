//! The file os-release(5) of the machine.

use std::path::Path;

use rustix::io::Errno;

use crate::{fault::Fault, root::Root};

/// Real ones have less than 2 KiB.
const LIMIT: u64 = 64 * 1024;

/// Its text. Parsing is up to machined, as text from the machine is no more dangerous there than here.
pub fn read(root: &Root) -> Result<Vec<u8>, Fault> {
    match root.read(Path::new("/etc/os-release"), LIMIT) {
        Err(fault) if matches!(fault.errno, Errno::NOENT | Errno::NOTDIR) => {
            root.read(Path::new("/usr/lib/os-release"), LIMIT)
        }
        other => other,
    }
}
