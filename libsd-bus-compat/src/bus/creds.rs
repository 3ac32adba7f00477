//! Who somebody is, as far as it was asked and could be told: sd_bus_creds_get_pid(3).

mod answer;
mod process;
mod status;

use std::ffi::CString;
use std::os::fd::OwnedFd;

pub use self::answer::Answer;
pub use self::process::Held;
use crate::{Errno, Result};

/// What can be asked for: `SD_BUS_CREDS_*`.
pub mod mask {
    #![allow(missing_docs, reason = "the names are those of sd-bus.h")]
    pub const PID: u64 = 1 << 0;
    pub const TID: u64 = 1 << 1;
    pub const PPID: u64 = 1 << 2;
    pub const UID: u64 = 1 << 3;
    pub const EUID: u64 = 1 << 4;
    pub const SUID: u64 = 1 << 5;
    pub const FSUID: u64 = 1 << 6;
    pub const GID: u64 = 1 << 7;
    pub const EGID: u64 = 1 << 8;
    pub const SGID: u64 = 1 << 9;
    pub const FSGID: u64 = 1 << 10;
    pub const SUPPLEMENTARY_GIDS: u64 = 1 << 11;
    pub const COMM: u64 = 1 << 12;
    pub const TID_COMM: u64 = 1 << 13;
    pub const EXE: u64 = 1 << 14;
    pub const CMDLINE: u64 = 1 << 15;
    pub const CGROUP: u64 = 1 << 16;
    pub const UNIT: u64 = 1 << 17;
    pub const SLICE: u64 = 1 << 18;
    pub const USER_UNIT: u64 = 1 << 19;
    pub const USER_SLICE: u64 = 1 << 20;
    pub const SESSION: u64 = 1 << 21;
    pub const OWNER_UID: u64 = 1 << 22;
    pub const EFFECTIVE_CAPS: u64 = 1 << 23;
    pub const PERMITTED_CAPS: u64 = 1 << 24;
    pub const INHERITABLE_CAPS: u64 = 1 << 25;
    pub const BOUNDING_CAPS: u64 = 1 << 26;
    pub const SELINUX_CONTEXT: u64 = 1 << 27;
    pub const AUDIT_SESSION_ID: u64 = 1 << 28;
    pub const AUDIT_LOGIN_UID: u64 = 1 << 29;
    pub const TTY: u64 = 1 << 30;
    pub const UNIQUE_NAME: u64 = 1 << 31;
    pub const WELL_KNOWN_NAMES: u64 = 1 << 32;
    pub const DESCRIPTION: u64 = 1 << 33;
    pub const PIDFD: u64 = 1 << 34;
    /// What nobody has said is read out of /proc.
    pub const AUGMENT: u64 = 1 << 63;
    pub const ALL: u64 = (1 << 35) - 1;

    /// Those that are in /proc/PID/status.
    pub const STATUS: u64 = PPID
        | UID
        | EUID
        | SUID
        | FSUID
        | GID
        | EGID
        | SGID
        | FSGID
        | SUPPLEMENTARY_GIDS
        | EFFECTIVE_CAPS
        | PERMITTED_CAPS
        | INHERITABLE_CAPS
        | BOUNDING_CAPS;
    /// Those that a cgroup's path tells.
    pub const OF_CGROUP: u64 = CGROUP | UNIT | SLICE | USER_UNIT | USER_SLICE | SESSION | OWNER_UID;
    /// Those that /proc tells.
    pub const OF_PROCESS: u64 = STATUS
        | OF_CGROUP
        | COMM
        | EXE
        | CMDLINE
        | SELINUX_CONTEXT
        | AUDIT_SESSION_ID
        | AUDIT_LOGIN_UID
        | TTY
        | PIDFD;
}

/// `sd_bus_creds`: `known` says which of the fields mean something. None is what a process does not have.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the names are those of the functions")]
pub struct Creds {
    known: u64,
    /// Those of them that nobody vouches for.
    augmented: u64,
    pub pid: i32,
    pub ppid: Option<i32>,
    pub pidfd: Option<OwnedFd>,
    pub users: Ids,
    pub groups: Ids,
    pub supplementary_gids: Vec<u32>,
    pub comm: CString,
    pub exe: Option<CString>,
    pub cmdline: Option<Vec<CString>>,
    pub cgroup: CString,
    pub unit: Option<CString>,
    pub slice: CString,
    pub user_unit: Option<CString>,
    pub user_slice: Option<CString>,
    pub session: Option<CString>,
    pub owner_uid: Option<u32>,
    pub caps: Caps,
    pub selinux_context: CString,
    pub audit_session_id: Option<u32>,
    pub audit_login_uid: Option<u32>,
    pub tty: Option<CString>,
    pub unique_name: CString,
    pub well_known_names: Vec<CString>,
}

/// The four of a user or group that a process has: credentials(7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words are the manual's")]
pub struct Ids {
    pub real: u32,
    pub effective: u32,
    pub saved: u32,
    pub filesystem: u32,
}

/// The sets of capabilities(7), a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words are the manual's")]
pub struct Caps {
    pub effective: u64,
    pub permitted: u64,
    pub inheritable: u64,
    pub bounding: u64,
}

impl Creds {
    /// What is known.
    pub fn mask(&self) -> u64 {
        self.known
    }

    /// What of that was read out of /proc.
    pub fn augmented(&self) -> u64 {
        self.augmented
    }

    /// Sees that something is known.
    ///
    /// # Errors
    /// ENODATA
    pub fn has(&self, field: u64) -> Result<()> {
        match self.known & field {
            0 => Err(Errno::NODATA),
            _ => Ok(()),
        }
    }

    /// Notes that fields were told by who knows.
    pub fn told(&mut self, fields: u64) {
        self.known |= fields;
    }

    fn found(&mut self, fields: u64) {
        self.known |= fields;
        self.augmented |= fields;
    }

    /// The effective user, if one was told by who knows: what was read out of /proc may be another process's.
    pub fn trusted_user(&self) -> Option<u32> {
        let is_told = self.known & !self.augmented & mask::EUID != 0;
        is_told.then_some(self.users.effective)
    }
}

/// Sees that a mask asks for nothing that is not known here.
///
/// # Errors
/// EOPNOTSUPP
pub fn check(mask: u64) -> Result<()> {
    match mask & !(mask::ALL | mask::AUGMENT) {
        0 => Ok(()),
        _ => Err(Errno::OPNOTSUPP),
    }
}
