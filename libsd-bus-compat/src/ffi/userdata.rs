//! What objects keep for C: a pointer, and what is to be called for it when the object goes. sd_bus_slot_set_userdata(3),
//! sd_bus_slot_set_destroy_callback(3) and their like.

use std::ffi::c_void;

/// `sd_bus_destroy_t`, `sd_event_destroy_t`
pub type Destroy = Option<unsafe extern "C" fn(*mut c_void)>;

/// The functions that set both and get both, of an object whose `within` goes to where they are kept as `userdata` and `destroy`.
macro_rules! userdata {
    ($set_userdata:ident, $get_userdata:ident, $set:ident, $get:ident => $object:ty, $own:ty, $within:path) => {
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $get_userdata(of: *const $object) -> *mut c_void {
            // SAFETY: the contract of C.
            let got = whole(|| unsafe { $within(of, |own| Ok(own.userdata)) });
            got.and_then(Result::ok).unwrap_or(std::ptr::null_mut())
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set_userdata(
            of: *const $object,
            userdata: *mut c_void,
        ) -> *mut c_void {
            let set = |own: &mut $own| Ok(std::mem::replace(&mut own.userdata, userdata));
            // SAFETY: the contract of C.
            let before = whole(|| unsafe { $within(of, set) });
            before.and_then(Result::ok).unwrap_or(std::ptr::null_mut())
        }

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

pub(crate) use userdata;
