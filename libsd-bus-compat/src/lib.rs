//! sd-bus, and what its users need beside it, as a C library.
//!
//! What things mean stands in safe modules that Rust can call and test; `ffi` has the C functions, which convert, call
//! one of these, and turn the error into a negative errno. Everything `unsafe` is there.

#![deny(unsafe_code)]

pub mod bus;
pub mod daemon;
mod environment;
mod event;
mod ffi;
mod hmac;
pub mod id128;
mod journal;
pub mod login;
mod number;
mod path;
mod sha256;

pub use rustix::io::Errno;

/// What a C function answers as a negative errno is an [`Errno`] here.
pub type Result<T> = core::result::Result<T, Errno>;

/// The errno of an error of std's; EIO if it has none.
fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
