//! The environment, which the C program may change at any time.

use std::os::unix::ffi::OsStringExt;

/// A variable, as bytes.
pub fn variable(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsStringExt::into_vec)
}

/// A variable that is a word or a number; what is no UTF-8 is neither, and is replaced so that it stays none.
pub fn text(name: &str) -> Option<String> {
    variable(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
