//! Sockets that were bound before the daemon started: the protocol of sd_listen_fds(3).

use std::{
    env,
    os::fd::{OwnedFd, RawFd},
    process,
};

use rustix::io::{FdFlags, fcntl_setfd};

/// SD_LISTEN_FDS_START of sd_listen_fds(3).
const FIRST: RawFd = 3;

/// A socket that was passed, and the name it was given (`FileDescriptorName=`); `unknown` if none.
#[derive(Debug)]
pub struct Passed {
    /// What the service manager calls it.
    pub name: String,
    /// The socket, close-on-exec.
    pub fd: OwnedFd,
}

/// The sockets passed to this process, in order. To be called once, before the first descriptor is opened.
pub fn passed_sockets() -> Vec<Passed> {
    let var = |name| env::var(name).ok();
    let Some(count) = count(var("LISTEN_PID"), var("LISTEN_FDS"), process::id()) else {
        return Vec::new();
    };
    let names = var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').filter(|name| !name.is_empty());
    let sockets = crate::sys::take_inherited(FIRST, count);
    sockets
        .into_iter()
        .map(|fd| {
            // A descriptor that the fcntl can't mark is still good to listen on; a child would hold it, no more.
            let _ = fcntl_setfd(&fd, FdFlags::CLOEXEC);
            let name = names.next().unwrap_or("unknown").to_owned();
            Passed { name, fd }
        })
        .collect()
}

/// How many descriptors are meant for the process `own`; `None` if the variables are absent, wrong or for another
/// process that passed its environment on.
fn count(pid: Option<String>, fds: Option<String>, own: u32) -> Option<RawFd> {
    if pid?.parse::<u32>().ok()? != own {
        return None;
    }
    fds?.parse().ok().filter(|count| (1..=1024).contains(count))
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn only_what_is_meant_for_us() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(count(some("7"), some("2"), 7), Some(2));
        assert_eq!(count(some("8"), some("2"), 7), None);
        assert_eq!(count(None, some("2"), 7), None);
        assert_eq!(count(some("7"), some("-1"), 7), None);
        assert_eq!(count(some("7"), some("x"), 7), None);
        assert_eq!(count(some("7"), some("99999"), 7), None);
    }
}
