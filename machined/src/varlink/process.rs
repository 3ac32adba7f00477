//! How a caller points at a process: by number, or by an object that proves which process the number means.

use std::{fs, io};

use rustix::{
    fs::fstat,
    process::{Pid, PidfdFlags, pidfd_open},
};
use serde::{Deserialize, Serialize};

use crate::{leader::Leader, registration::ProcessRef};

/// A process: `1234`, or `{"pid":1234,"pidfdId":5678,"bootId":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum ProcessId {
    Number(u32),
    Proven(Proven),
}

/// The object form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Proven {
    pid: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pidfd_id: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot_id: Option<String>,
}

impl ProcessId {
    pub(super) fn pid(&self) -> u32 {
        match self {
            Self::Number(pid) => *pid,
            Self::Proven(proven) => proven.pid,
        }
    }

    /// Whether the process it means is the one that now has its number.
    pub(super) fn is_current(&self) -> bool {
        let Self::Proven(proven) = self else {
            return true;
        };
        if !proven.of_this_boot() {
            return false;
        }
        match proven.pidfd_id {
            None => true,
            Some(id) => pidfd_id(proven.pid).is_ok_and(|now| now == id),
        }
    }

    /// As the registry takes it; number 0 is the caller. `None` for a process of an earlier boot.
    pub(super) fn into_ref(self) -> Option<ProcessRef> {
        match self {
            Self::Number(0) => Some(ProcessRef::Caller),
            Self::Number(pid) => Some(ProcessRef::Pid(pid)),
            Self::Proven(proven) if !proven.of_this_boot() => None,
            Self::Proven(Proven { pid: 0, .. }) => Some(ProcessRef::Caller),
            Self::Proven(Proven { pid, pidfd_id, .. }) => Some(match pidfd_id {
                Some(id) => ProcessRef::PidAndId(pid, id),
                None => ProcessRef::Pid(pid),
            }),
        }
    }
}

impl Proven {
    /// A process of a machine, as a reply shows it.
    pub(super) fn of(leader: &Leader) -> Self {
        Self {
            pid: leader.pid,
            pidfd_id: leader.pidfd_id,
            boot_id: boot_id(),
        }
    }

    fn of_this_boot(&self) -> bool {
        self.boot_id
            .as_ref()
            .is_none_or(|id| boot_id().is_some_and(|now| now == id.replace('-', "")))
    }
}

/// random(4): changes with each boot. 32 hexadecimal digits.
fn boot_id() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().replace('-', ""))
}

/// The inode number of the process's pidfd: unique until the next boot (pidfs, Linux 6.9).
fn pidfd_id(pid: u32) -> io::Result<u64> {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or(io::ErrorKind::InvalidInput)?;
    Ok(fstat(pidfd_open(pid, PidfdFlags::empty())?)?.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<ProcessId> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn both_forms() {
        assert_eq!(parse("5"), Some(ProcessId::Number(5)));
        assert_eq!(parse(r#"{"pid":5}"#).unwrap().pid(), 5);
        for wrong in [
            "-1",
            "\"5\"",
            "{}",
            r#"{"pid":5,"x":1}"#,
            "4294967296",
            "1.5",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_process_of_another_boot_is_nobody() {
        let other = parse(r#"{"pid":1,"bootId":"00000000000000000000000000000000"}"#).unwrap();
        assert!(!other.is_current());
        assert!(other.into_ref().is_none());
        let own = boot_id().unwrap();
        assert!(
            parse(&format!(r#"{{"pid":1,"bootId":"{own}"}}"#))
                .unwrap()
                .is_current()
        );
    }

    #[test]
    fn a_number_alone_proves_nothing_and_an_id_does() {
        let pid = std::process::id();
        assert!(ProcessId::Number(pid).is_current());
        let id = pidfd_id(pid).unwrap();
        assert!(
            parse(&format!(r#"{{"pid":{pid},"pidfdId":{id}}}"#))
                .unwrap()
                .is_current()
        );
        assert!(
            !parse(&format!(r#"{{"pid":{pid},"pidfdId":{}}}"#, id + 1))
                .unwrap()
                .is_current()
        );
    }
}
