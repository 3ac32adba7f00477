//! Giving up what the daemon doesn't need.

use std::io;

pub use rustix::thread::CapabilitySet;
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{
        CapabilitySets, capabilities, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
    },
};

/// Raises the soft limit of open descriptors to the hard one, and the hard one to `wanted` if we may.
///
/// # Errors
/// If even the soft limit can't be set.
pub fn raise_descriptor_limit(wanted: u64) -> io::Result<()> {
    let now = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted);
    if is_enough(now.current) {
        return Ok(());
    }
    let limit = |maximum| Rlimit {
        current: maximum,
        maximum,
    };
    if !is_enough(now.maximum) && setrlimit(Resource::Nofile, limit(Some(wanted))).is_ok() {
        return Ok(());
    }
    Ok(setrlimit(Resource::Nofile, limit(now.maximum))?)
}

/// Keeps these capabilities and no others, now and across any exec, and gains none ever again (no_new_privs).
///
/// What the process has not got in the first place (in a user namespace, or started by a supervisor that dropped it)
/// is not an error. To be called while there is one thread: capabilities belong to threads.
///
/// # Errors
/// If the kernel refuses; the process then has more than it should, and is better ended.
pub fn keep_only(keep: CapabilitySet) -> io::Result<()> {
    clear_ambient_capability_set()?;
    let now = capabilities(None)?;
    // CAP_SETPCAP is what it takes to empty the bounding set; without it the permitted set below still binds us, and a
    // program with file capabilities gains nothing thanks to no_new_privs.
    if now.effective.contains(CapabilitySet::SETPCAP) {
        for capability in CapabilitySet::all().difference(keep).iter() {
            match remove_capability_from_bounding_set(capability) {
                // A capability that this kernel does not know.
                Ok(()) | Err(rustix::io::Errno::INVAL) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    let kept = now.permitted & keep;
    set_capabilities(
        None,
        CapabilitySets {
            effective: kept,
            permitted: kept,
            inheritable: CapabilitySet::empty(),
        },
    )?;
    Ok(set_no_new_privs(true)?)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rustix::{
        io::Errno,
        thread::{capability_is_in_bounding_set, no_new_privs},
    };

    use super::*;

    /// Capabilities and filters belong to threads, so one of its own can show what becomes of them.
    #[test]
    fn what_is_left() {
        let left = thread::spawn(|| {
            keep_only(CapabilitySet::KILL).unwrap();
            crate::seccomp::deny_what_nobody_needs().unwrap();
            let sets = capabilities(None).unwrap();
            assert!(CapabilitySet::KILL.contains(sets.effective | sets.permitted));
            assert!(sets.inheritable.is_empty() && no_new_privs().unwrap());
            // A call that is denied gives EPERM, whoever asks; one that is not does its work.
            assert_eq!(rustix::system::sethostname(b"x"), Err(Errno::PERM));
            assert!(
                rustix::fs::statx(
                    rustix::fs::CWD,
                    "/",
                    rustix::fs::AtFlags::empty(),
                    rustix::fs::StatxFlags::ALL
                )
                .is_ok()
            );
            // A second time is as good as once: nothing is there to lose.
            keep_only(CapabilitySet::KILL).unwrap();
            let was_root = sets.permitted.contains(CapabilitySet::KILL);
            !was_root || !capability_is_in_bounding_set(CapabilitySet::SYS_MODULE).unwrap()
        });
        assert!(left.join().unwrap());
    }

    #[test]
    fn the_limit_of_descriptors_is_only_raised() {
        let before = getrlimit(Resource::Nofile).current;
        raise_descriptor_limit(16).unwrap();
        assert_eq!(getrlimit(Resource::Nofile).current, before);
        raise_descriptor_limit(u64::MAX - 1).unwrap();
        assert!(getrlimit(Resource::Nofile).current >= before);
    }
}
