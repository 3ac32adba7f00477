//! The C entry points of a module.

/// Defines the entry points of the hosts database for a module of the given name: to be called
/// once, in the crate's `sys` module. `$hosts` implements [`Hosts`](crate::Hosts).
#[macro_export]
macro_rules! export_hosts {
    ($module:literal, $hosts:ty) => {
        const _: () = {
            use ::core::ffi::{c_char, c_int, c_void};
            use ::core::ptr::null_mut;

            use $crate::sys::{AddressTuple, by_address, by_name_hostent, by_name_tuples, hostent};

            #[unsafe(export_name = concat!("_nss_", $module, "_gethostbyname_r"))]
            unsafe extern "C" fn gethostbyname_r(
                name: *const c_char,
                result: *mut hostent,
                buffer: *mut c_char,
                length: usize,
                errnop: *mut c_int,
                h_errnop: *mut c_int,
            ) -> c_int {
                // SAFETY: glibc keeps the promises that its NSS interface makes.
                unsafe {
                    by_name_hostent::<$hosts>(
                        name,
                        0,
                        result,
                        buffer,
                        length,
                        errnop,
                        h_errnop,
                        null_mut(),
                        null_mut(),
                    )
                }
            }

            #[unsafe(export_name = concat!("_nss_", $module, "_gethostbyname2_r"))]
            unsafe extern "C" fn gethostbyname2_r(
                name: *const c_char,
                family: c_int,
                result: *mut hostent,
                buffer: *mut c_char,
                length: usize,
                errnop: *mut c_int,
                h_errnop: *mut c_int,
            ) -> c_int {
                // SAFETY: as above.
                unsafe {
                    by_name_hostent::<$hosts>(
                        name,
                        family,
                        result,
                        buffer,
                        length,
                        errnop,
                        h_errnop,
                        null_mut(),
                        null_mut(),
                    )
                }
            }

            #[unsafe(export_name = concat!("_nss_", $module, "_gethostbyname3_r"))]
            unsafe extern "C" fn gethostbyname3_r(
                name: *const c_char,
                family: c_int,
                result: *mut hostent,
                buffer: *mut c_char,
                length: usize,
                errnop: *mut c_int,
                h_errnop: *mut c_int,
                ttlp: *mut i32,
                canonp: *mut *mut c_char,
            ) -> c_int {
                // SAFETY: as above.
                unsafe {
                    by_name_hostent::<$hosts>(
                        name, family, result, buffer, length, errnop, h_errnop, ttlp, canonp,
                    )
                }
            }

            #[unsafe(export_name = concat!("_nss_", $module, "_gethostbyname4_r"))]
            unsafe extern "C" fn gethostbyname4_r(
                name: *const c_char,
                pat: *mut *mut AddressTuple,
                buffer: *mut c_char,
                length: usize,
                errnop: *mut c_int,
                h_errnop: *mut c_int,
                ttlp: *mut i32,
            ) -> c_int {
                // SAFETY: as above.
                unsafe {
                    by_name_tuples::<$hosts>(name, pat, buffer, length, errnop, h_errnop, ttlp)
                }
            }

            #[unsafe(export_name = concat!("_nss_", $module, "_gethostbyaddr_r"))]
            unsafe extern "C" fn gethostbyaddr_r(
                address: *const c_void,
                address_length: u32,
                family: c_int,
                result: *mut hostent,
                buffer: *mut c_char,
                length: usize,
                errnop: *mut c_int,
                h_errnop: *mut c_int,
            ) -> c_int {
                // SAFETY: as above.
                unsafe {
                    by_address::<$hosts>(
                        address,
                        address_length,
                        family,
                        result,
                        buffer,
                        length,
                        errnop,
                        h_errnop,
                        null_mut(),
                    )
                }
            }

            #[unsafe(export_name = concat!("_nss_", $module, "_gethostbyaddr2_r"))]
            unsafe extern "C" fn gethostbyaddr2_r(
                address: *const c_void,
                address_length: u32,
                family: c_int,
                result: *mut hostent,
                buffer: *mut c_char,
                length: usize,
                errnop: *mut c_int,
                h_errnop: *mut c_int,
                ttlp: *mut i32,
            ) -> c_int {
                // SAFETY: as above.
                unsafe {
                    by_address::<$hosts>(
                        address,
                        address_length,
                        family,
                        result,
                        buffer,
                        length,
                        errnop,
                        h_errnop,
                        ttlp,
                    )
                }
            }
        };
    };
}

/// Defines the entry points of the passwd database, as [`export_hosts!`] does those of hosts.
/// `$users` implements [`Users`](crate::Users).
#[macro_export]
macro_rules! export_users {
    ($module:literal, $users:ty) => {
        const _: () = {
            use ::core::ffi::{c_char, c_int};
            use ::core::ptr::null;

            use $crate::sys::{passwd, user};

            #[unsafe(export_name = concat!("_nss_", $module, "_getpwnam_r"))]
            unsafe extern "C" fn getpwnam_r(
                name: *const c_char,
                result: *mut passwd,
                buffer: *mut c_char,
                length: usize,
                errnop: *mut c_int,
            ) -> c_int {
                // SAFETY: glibc keeps the promises that its NSS interface makes.
                unsafe { user::<$users>(name, None, result, buffer, length, errnop) }
            }

            #[unsafe(export_name = concat!("_nss_", $module, "_getpwuid_r"))]
            unsafe extern "C" fn getpwuid_r(
                uid: u32,
                result: *mut passwd,
                buffer: *mut c_char,
                length: usize,
                errnop: *mut c_int,
            ) -> c_int {
                // SAFETY: as above.
                unsafe { user::<$users>(null(), Some(uid), result, buffer, length, errnop) }
            }
        };
    };
}

/// Defines the entry points of the group database, as [`export_hosts!`] does those of hosts.
/// `$groups` implements [`Groups`](crate::Groups).
#[macro_export]
macro_rules! export_groups {
    ($module:literal, $groups:ty) => {
        const _: () = {
            use ::core::ffi::{c_char, c_int};
            use ::core::ptr::null;

            use $crate::sys::{group, group_entry};

            #[unsafe(export_name = concat!("_nss_", $module, "_getgrnam_r"))]
            unsafe extern "C" fn getgrnam_r(
                name: *const c_char,
                result: *mut group_entry,
                buffer: *mut c_char,
                length: usize,
                errnop: *mut c_int,
            ) -> c_int {
                // SAFETY: glibc keeps the promises that its NSS interface makes.
                unsafe { group::<$groups>(name, None, result, buffer, length, errnop) }
            }

            #[unsafe(export_name = concat!("_nss_", $module, "_getgrgid_r"))]
            unsafe extern "C" fn getgrgid_r(
                gid: u32,
                result: *mut group_entry,
                buffer: *mut c_char,
                length: usize,
                errnop: *mut c_int,
            ) -> c_int {
                // SAFETY: as above.
                unsafe { group::<$groups>(null(), Some(gid), result, buffer, length, errnop) }
            }
        };
    };
}
