//! What the daemon gives up before anyone can call it.

use std::{io, path::Path};

use daemon::{
    confine,
    privileges::{self, CapabilitySet},
    seccomp,
    user::User,
};

/// NET_RAW: to bind sockets to a link, and to mark packets. NET_BIND_SERVICE: listeners that a reload brings.
const CAPABILITIES: CapabilitySet = CapabilitySet::NET_RAW.union(CapabilitySet::NET_BIND_SERVICE);

/// The user to become; `None` if there is none, or this process may not become one (in a user namespace of one id).
pub fn user(name: &str) -> io::Result<Option<User>> {
    let user = User::find(name)?;
    if user.is_none() {
        tracing::warn!(
            "There is no user {name}: going on as root, with few capabilities. Make it with sysusers.d/switchyard.conf"
        );
    }
    Ok(user.filter(|user| {
        is_mapped("/proc/self/uid_map", user.uid) && is_mapped("/proc/self/gid_map", user.gid)
    }))
}

/// user_namespaces(7): first id inside, first outside, how many.
fn is_mapped(map: &str, id: u32) -> bool {
    let Ok(text) = std::fs::read_to_string(map) else {
        return true;
    };
    text.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().map(str::parse::<u64>);
        match (fields.next(), fields.next(), fields.next()) {
            (Some(Ok(first)), Some(_), Some(Ok(count))) => {
                (first..first.saturating_add(count)).contains(&u64::from(id))
            }
            _ => false,
        }
    })
}

/// To be called while there is one thread. What the kernel has not got is missed; privileges that stay are not acceptable.
pub fn drop(user: Option<User>, writable: &Path) -> io::Result<()> {
    if let Some(user) = user {
        // SETPCAP lets the next step empty the bounding set.
        user.assume(CAPABILITIES | CapabilitySet::SETPCAP)?;
    }
    privileges::keep_only(CAPABILITIES)?;
    match confine::write_only_below(&[writable]) {
        Ok(true) => {}
        Ok(false) => tracing::debug!("No Landlock in this kernel"),
        Err(error) => tracing::warn!("No confinement of file access: {error}"),
    }
    if let Err(error) = seccomp::deny_what_nobody_needs() {
        tracing::warn!("No system call filter: {error}");
    }
    Ok(())
}
