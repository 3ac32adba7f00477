//! Whose process it is. An ordinary user may register processes of their own only: whoever is a machine's leader can be
//! told to end by whoever may end the machine.

use std::fs::{self, File};

use crate::{error::Error, leader::Leader, namespace, sys};

/// How deep user namespaces can be nested: MAX_USER_NS_LEVEL is 32, user_namespaces(7).
const DEEPEST: usize = 32;

/// Refuses if the process is neither the user's own nor inside a user namespace that the user made.
///
/// # Errors
/// [`Error::AccessDenied`].
pub fn check(process: &Leader, uid: u32) -> Result<(), Error> {
    let is_owned = runs_as(process, uid) || is_in_namespace_of(process, uid);
    // What was read is only known to be the process's if that has not ended meanwhile.
    if uid == 0 || (is_owned && process.is_alive()) {
        return Ok(());
    }
    Err(Error::AccessDenied(format!(
        "Process {} does not belong to user {uid}",
        process.pid
    )))
}

/// All of the process's ids must be the user's: a set-user-ID program that the user started is not theirs.
fn runs_as(process: &Leader, uid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid)).unwrap_or_default();
    ids_of(&status).is_some_and(|ids| ids.iter().all(|&id| id == uid))
}

/// Real, effective, saved and file system id, proc(5).
fn ids_of(status: &str) -> Option<Vec<u32>> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    let ids: Result<Vec<_>, _> = line.split_ascii_whitespace().map(str::parse).collect();
    ids.ok().filter(|ids| ids.len() == 4)
}

fn is_in_namespace_of(process: &Leader, uid: u32) -> bool {
    let own = namespace::id_of_own("user");
    if own.is_none() || namespace::id_of(process.pid, "user") == own {
        return false;
    }
    let Ok(file) = File::open(format!("/proc/{}/ns/user", process.pid)) else {
        return false;
    };
    let mut user_namespace = file.into();
    for _ in 0..DEEPEST {
        if sys::owner_of_user_namespace(&user_namespace) == Ok(uid) {
            return true;
        }
        // The owner of our own namespace, and of those above, owns the machine, not this process.
        match sys::parent_of_user_namespace(&user_namespace) {
            Ok(parent) if !is_own(&parent) => user_namespace = parent,
            _ => return false,
        }
    }
    false
}

fn is_own(user_namespace: &std::os::fd::OwnedFd) -> bool {
    let id = rustix::fs::fstat(user_namespace).map(|stat| stat.st_ino);
    id.ok() == namespace::id_of_own("user")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_ids_count() {
        let ids = |line: &str| ids_of(&format!("Name:\ta\n{line}\nGid:\t0\t0\t0\t0\n"));
        assert_eq!(ids("Uid:\t1000\t0\t0\t0"), Some(vec![1000, 0, 0, 0]));
        assert_eq!(ids("Uid:\t1000"), None);
        assert_eq!(ids("Uid:\tx\t0\t0\t0"), None);
        assert_eq!(ids("Kid:\t1\t1\t1\t1"), None);
    }

    #[test]
    fn our_own_process_is_ours_and_nobody_elses() {
        let own = Leader::open(std::process::id()).unwrap();
        let uid = rustix::process::getuid().as_raw();
        assert!(check(&own, uid).is_ok());
        assert!(check(&own, uid + 4711).is_err());
        assert!(check(&own, 0).is_ok());
    }
}
