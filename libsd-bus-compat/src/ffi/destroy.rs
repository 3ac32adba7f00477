//! What C wants to be called when an object goes, for its userdata: sd_bus_slot_set_destroy_callback(3) and its like.

use std::ffi::c_void;

/// `sd_bus_destroy_t`, `sd_event_destroy_t`
pub type Destroy = Option<unsafe extern "C" fn(*mut c_void)>;

/// The functions that set it and get it, of an object whose `within` goes to where it is kept as `destroy`.
macro_rules! destroy_callback {
    ($set:ident, $get:ident => $object:ty, $own:ty, $within:path) => {
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set(of: *const $object, destroy: Destroy) -> c_int {
            let set = |own: &mut $own| {
                own.destroy = destroy;
                Ok(0)
            };
            // SAFETY: the contract of C.
            entry(|| unsafe { $within(of, set) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $get(of: *const $object, to: *mut Destroy) -> c_int {
            let get = |own: &mut $own| {
                // SAFETY: the contract of C.
                if let Some(to) = unsafe { Out::optional(to) } {
                    to.set(own.destroy);
                }
                Ok(c_int::from(own.destroy.is_some()))
            };
            // SAFETY: the contract of C.
            entry(|| unsafe { $within(of, get) })
        }
    };
}

pub(crate) use destroy_callback;
