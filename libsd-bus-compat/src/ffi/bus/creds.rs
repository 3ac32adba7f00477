//! `sd_bus_creds`: the object, which does not change once it is there.

use std::ffi::{CStr, CString, c_char, c_int};
use std::os::fd::{IntoRawFd, OwnedFd};
use std::ptr;

use crate::bus::creds::{Creds as Content, Held, mask};
use crate::ffi::boundary::{count, entry, whole};
use crate::ffi::pointer::{Out, descriptor};
use crate::ffi::shared::Shared;
use crate::login::Login;
use crate::{Errno, Result};

/// `sd_bus_creds`
#[derive(Debug)]
pub struct Creds {
    pub content: Content,
    cmdline: Pointers,
    names: Pointers,
}

/// Texts as C has lists of them: pointers, and null behind the last.
#[derive(Debug)]
struct Pointers(Vec<*const c_char>);

// SAFETY: they are to texts that are the same object's, and that nobody changes.
unsafe impl Send for Pointers {}
// SAFETY: likewise.
unsafe impl Sync for Pointers {}

impl Pointers {
    fn to(texts: &[CString]) -> Self {
        let each = texts.iter().map(|text| text.as_ptr());
        Self(each.chain([ptr::null()]).collect())
    }
}

impl Creds {
    /// An object for C.
    pub fn new(content: Content) -> Shared<Self> {
        Shared::new(Self {
            // A text stays where it is when the list of it moves.
            cmdline: Pointers::to(content.cmdline.as_deref().unwrap_or_default()),
            names: Pointers::to(&content.well_known_names),
            content,
        })
    }

    /// What is known of the sender of a message by itself.
    pub fn of_sender(sender: &CStr, is_made_up: bool, wanted: u64) -> Option<Shared<Self>> {
        let mut content = Content::default();
        let is_unique = dbus::name::is_unique(sender.to_bytes());
        if is_unique || is_made_up {
            content.unique_name = sender.to_owned();
            content.told(mask::UNIQUE_NAME & wanted);
        }
        if is_made_up {
            content.well_known_names = vec![sender.to_owned()];
            content.told(mask::WELL_KNOWN_NAMES & wanted);
        }
        (content.mask() != 0).then(|| Self::new(content))
    }
}

/// An object that C names.
unsafe fn creds<'a>(of: *const Creds) -> Result<&'a Creds> {
    // SAFETY: the caller's promise.
    unsafe { of.as_ref() }.ok_or(Errno::INVAL)
}

/// Gives a field to C, if it is known.
unsafe fn give<T>(
    of: *const Creds,
    field: u64,
    to: *mut T,
    get: impl FnOnce(&Creds) -> Result<T>,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let creds = unsafe { creds(of) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        creds.content.has(field)?;
        to.set(get(creds)?);
        Ok(0)
    })
}

macro_rules! getters {
    ($($function:ident: $type:ty, $field:ident => $get:expr;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $function(of: *const Creds, to: *mut $type) -> c_int {
            let get: fn(&Content) -> Option<$type> = $get;
            let get = |creds: &Creds| get(&creds.content).ok_or(Errno::NXIO);
            // SAFETY: the contract of C.
            unsafe { give(of, mask::$field, to, get) }
        }
    )* };
}

/// A text that is the object's.
fn text(of: Option<&CString>) -> Option<*const c_char> {
    of.map(|text| text.as_ptr())
}

getters! {
    sd_bus_creds_get_pid: libc::pid_t, PID => |of| Some(of.pid);
    sd_bus_creds_get_ppid: libc::pid_t, PPID => |of| of.ppid;
    sd_bus_creds_get_uid: libc::uid_t, UID => |of| Some(of.users.real);
    sd_bus_creds_get_euid: libc::uid_t, EUID => |of| Some(of.users.effective);
    sd_bus_creds_get_suid: libc::uid_t, SUID => |of| Some(of.users.saved);
    sd_bus_creds_get_fsuid: libc::uid_t, FSUID => |of| Some(of.users.filesystem);
    sd_bus_creds_get_gid: libc::gid_t, GID => |of| Some(of.groups.real);
    sd_bus_creds_get_egid: libc::gid_t, EGID => |of| Some(of.groups.effective);
    sd_bus_creds_get_sgid: libc::gid_t, SGID => |of| Some(of.groups.saved);
    sd_bus_creds_get_fsgid: libc::gid_t, FSGID => |of| Some(of.groups.filesystem);
    sd_bus_creds_get_comm: *const c_char, COMM => |of| text(Some(&of.comm));
    sd_bus_creds_get_exe: *const c_char, EXE => |of| text(of.exe.as_ref());
    sd_bus_creds_get_cgroup: *const c_char, CGROUP => |of| text(Some(&of.cgroup));
    sd_bus_creds_get_unit: *const c_char, UNIT => |of| text(of.unit.as_ref());
    sd_bus_creds_get_slice: *const c_char, SLICE => |of| text(Some(&of.slice));
    sd_bus_creds_get_user_unit: *const c_char, USER_UNIT => |of| text(of.user_unit.as_ref());
    sd_bus_creds_get_user_slice: *const c_char, USER_SLICE => |of| text(of.user_slice.as_ref());
    sd_bus_creds_get_session: *const c_char, SESSION => |of| text(of.session.as_ref());
    sd_bus_creds_get_owner_uid: libc::uid_t, OWNER_UID => |of| of.owner_uid;
    sd_bus_creds_get_selinux_context: *const c_char, SELINUX_CONTEXT => |of| text(Some(&of.selinux_context));
    sd_bus_creds_get_audit_session_id: u32, AUDIT_SESSION_ID => |of| of.audit_session_id;
    sd_bus_creds_get_audit_login_uid: libc::uid_t, AUDIT_LOGIN_UID => |of| of.audit_login_uid;
    sd_bus_creds_get_tty: *const c_char, TTY => |of| text(of.tty.as_ref());
    sd_bus_creds_get_unique_name: *const c_char, UNIQUE_NAME => |of| text(Some(&of.unique_name));
    // Of a thread, and how a connection describes itself, nobody tells: that was kdbus.
    sd_bus_creds_get_tid: libc::pid_t, TID => |_| None;
    sd_bus_creds_get_tid_comm: *const c_char, TID_COMM => |_| None;
    sd_bus_creds_get_description: *const c_char, DESCRIPTION => |_| None;
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_creds_get_cmdline(
    of: *const Creds,
    to: *mut *const *const c_char,
) -> c_int {
    let get = |creds: &Creds| match creds.content.cmdline {
        Some(_) => Ok(creds.cmdline.0.as_ptr()),
        None => Err(Errno::NXIO),
    };
    // SAFETY: the contract of C.
    unsafe { give(of, mask::CMDLINE, to, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_creds_get_well_known_names(
    of: *const Creds,
    to: *mut *const *const c_char,
) -> c_int {
    let get = |creds: &Creds| Ok(creds.names.0.as_ptr());
    // SAFETY: the contract of C.
    unsafe { give(of, mask::WELL_KNOWN_NAMES, to, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_creds_get_supplementary_gids(
    of: *const Creds,
    to: *mut *const libc::gid_t,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let creds = unsafe { creds(of) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        creds.content.has(mask::SUPPLEMENTARY_GIDS)?;
        let groups = &creds.content.supplementary_gids;
        let answer = count(groups.len())?;
        to.set(match groups.is_empty() {
            true => ptr::null(),
            false => groups.as_ptr(),
        });
        Ok(answer)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_creds_get_pidfd_dup(of: *const Creds, to: *mut c_int) -> c_int {
    let get = |creds: &Creds| {
        let pidfd = creds.content.pidfd.as_ref().ok_or(Errno::NODATA)?;
        let copy = pidfd.try_clone();
        copy.map(OwnedFd::into_raw_fd)
            .map_err(|error| crate::errno_of(&error))
    };
    // SAFETY: the contract of C.
    unsafe { give(of, mask::PIDFD, to, get) }
}

macro_rules! capabilities {
    ($($function:ident, $field:ident => $set:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $function(of: *const Creds, capability: c_int) -> c_int {
            entry(|| {
                // SAFETY: the contract of C.
                let creds = unsafe { creds(of) }?;
                let number = u32::try_from(capability).map_err(|_| Errno::INVAL)?;
                creds.content.has(mask::$field)?;
                let set = creds.content.caps.$set;
                // No kernel has as many as there is room for.
                Ok(c_int::from(set.checked_shr(number).unwrap_or(0) & 1 != 0))
            })
        }
    )* };
}

capabilities! {
    sd_bus_creds_has_effective_cap, EFFECTIVE_CAPS => effective;
    sd_bus_creds_has_permitted_cap, PERMITTED_CAPS => permitted;
    sd_bus_creds_has_inheritable_cap, INHERITABLE_CAPS => inheritable;
    sd_bus_creds_has_bounding_cap, BOUNDING_CAPS => bounding;
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_creds_get_mask(of: *const Creds) -> u64 {
    // SAFETY: the contract of C.
    unsafe { of.as_ref() }.map_or(0, |creds| creds.content.mask())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_creds_get_augmented_mask(of: *const Creds) -> u64 {
    // SAFETY: the contract of C.
    unsafe { of.as_ref() }.map_or(0, |creds| creds.content.augmented())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_creds_ref(of: *const Creds) -> *const Creds {
    if !of.is_null() {
        // SAFETY: the contract of C.
        unsafe { Shared::increment_strong_count(of) };
    }
    of
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_creds_unref(of: *const Creds) -> *const Creds {
    whole(|| {
        if !of.is_null() {
            // SAFETY: C gives back what it had.
            drop(unsafe { Shared::from_raw(of) });
        }
    });
    ptr::null()
}

/// Of a process that the caller names; `hold` is asked for it once the rest is in order.
unsafe fn of_process(
    to: *mut *const Creds,
    wanted: u64,
    hold: impl FnOnce(&Login) -> Result<Held<'_>>,
) -> Result<c_int> {
    // The flag is for those who could do without.
    if wanted & !mask::ALL != 0 {
        return Err(Errno::OPNOTSUPP);
    }
    // SAFETY: the contract of C.
    let to = unsafe { Out::required(to) }?;
    let login = Login::system();
    let mut content = Content::default();
    hold(&login)?.augment(&mut content, wanted)?;
    to.set(Shared::into_raw(Creds::new(content)));
    Ok(0)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_creds_new_from_pid(
    to: *mut *const Creds,
    pid: libc::pid_t,
    wanted: u64,
) -> c_int {
    entry(|| {
        let own = || libc::pid_t::try_from(std::process::id()).map_err(|_| Errno::OVERFLOW);
        let pid = match pid {
            0 => own()?,
            1.. => pid,
            _ => return Err(Errno::INVAL),
        };
        // SAFETY: the contract of C.
        unsafe { of_process(to, wanted, |login| Held::by_number(login, pid)) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_creds_new_from_pidfd(
    to: *mut *const Creds,
    pidfd: c_int,
    wanted: u64,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let pidfd = unsafe { descriptor(pidfd) }?;
        let copy = || {
            let copy = pidfd.try_clone_to_owned();
            copy.map_err(|error| crate::errno_of(&error))
        };
        // SAFETY: the contract of C.
        unsafe { of_process(to, wanted, |login| Held::by_pidfd(login, copy()?)) }
    })
}

/// Gives a new object to C.
pub fn give_new(to: Out<*const Creds>, content: Content) {
    to.set(Shared::into_raw(Creds::new(content)));
}
