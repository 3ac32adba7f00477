//! The entry points, the panic handler that must not be linked, and the numbers of links.

use core::ffi::CStr;

use crate::hosts::Resolved;

nss_host::export_hosts!("resolve", Resolved);

/// The number of a link by its name, `None` if there is none of that name.
pub(crate) fn link_number(name: &CStr) -> Option<u32> {
    // SAFETY: `name` is a C string.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => None,
        number => Some(number),
    }
}

#[cfg(module)]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        /// Defined nowhere: what links has no path to here.
        fn switchyard_module_has_a_reachable_panic() -> !;
    }
    // SAFETY: never linked, so never called.
    unsafe { switchyard_module_has_a_reachable_panic() }
}
