//! The entry points, and the panic handler that must not be linked.

use crate::hosts::Machines;
use crate::users::MappedUsers;

nss_host::export_hosts!("mymachines", Machines);
nss_host::export_users!("mymachines", MappedUsers);
nss_host::export_groups!("mymachines", MappedUsers);

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
