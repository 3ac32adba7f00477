//! The C library's view of the environment.

use core::ffi::{CStr, c_char};

unsafe extern "C" {
    #[link_name = "secure_getenv"]
    fn libc_secure_getenv(name: *const c_char) -> *const c_char;
}

/// The value of an environment variable, `None` too in a program that runs with more privileges
/// than its caller has (`secure_getenv(3)`). Good until the program changes its environment, so not
/// to be kept.
pub fn secure_getenv(name: &CStr) -> Option<&[u8]> {
    // SAFETY: `name` is a C string, and the function is as thread-safe as the program around it.
    let value = unsafe { libc_secure_getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: not null, so a C string.
    Some(unsafe { CStr::from_ptr(value) }.to_bytes())
}
