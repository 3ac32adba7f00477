//! The cgroup of a process, in the hierarchy that the service manager uses.

use std::fs;
use std::path::Path;

use rustix::fs::statfs;

use super::Login;
use crate::{Errno, Result, errno_of};

// linux/magic.h
const CGROUP2: u64 = 0x6367_7270;
const TMPFS: u64 = 0x0102_1994;
const SYSFS: u64 = 0x6265_6572;

/// Which hierarchy is the service manager's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hierarchy {
    /// Version 2, alone or beside others.
    Unified,
    /// `name=systemd` of version 1.
    Named,
}

impl Login {
    /// The path of a process's cgroup below that of PID 1, or below the root of the cgroup namespace.
    ///
    /// # Errors
    /// ESRCH if there is no such process, ENODATA if it is in no such hierarchy, ENOMEDIUM if none is mounted.
    pub(super) fn cgroup(&self, pid: i32) -> Result<String> {
        let hierarchy = self.hierarchy()?;
        let path = self.cgroup_in(hierarchy, &pid_or_self(pid))?;
        let top = self.cgroup_in(hierarchy, "1")?;
        // PID 1 stands in a cgroup of its own below the top.
        let top = ["/init.scope", "/system.slice", "/system"]
            .iter()
            .find_map(|own| top.strip_suffix(own))
            .unwrap_or(&top)
            .trim_end_matches('/');
        match path.strip_prefix(top) {
            Some("") => Ok("/".to_owned()),
            Some(below) if below.starts_with('/') => Ok(below.to_owned()),
            _ => Ok(path),
        }
    }

    fn cgroup_in(&self, hierarchy: Hierarchy, pid: &str) -> Result<String> {
        let file = self.path(&format!("/proc/{pid}/cgroup"));
        let text = fs::read(file).map_err(|error| match errno_of(&error) {
            Errno::NOENT => Errno::SRCH,
            errno => errno,
        })?;
        let text = String::from_utf8(text).map_err(|_| Errno::INVAL)?;
        let path = text.lines().find_map(|line| path_in(hierarchy, line));
        path.map(str::to_owned).ok_or(Errno::NODATA)
    }

    /// As it is mounted: cgroups(7), "Version 1 and 2".
    fn hierarchy(&self) -> Result<Hierarchy> {
        let kind = |path: &str| kind_of(&self.path(path));
        match kind("/sys/fs/cgroup")? {
            CGROUP2 => Ok(Hierarchy::Unified),
            TMPFS => match kind("/sys/fs/cgroup/unified") {
                Ok(CGROUP2) => Ok(Hierarchy::Unified),
                _ => match kind("/sys/fs/cgroup/systemd") {
                    Ok(CGROUP2) => Ok(Hierarchy::Unified),
                    Ok(_) => Ok(Hierarchy::Named),
                    Err(Errno::NOENT) => Err(Errno::NOMEDIUM),
                    Err(errno) => Err(errno),
                },
            },
            SYSFS => Err(Errno::NOMEDIUM),
            _ => Err(Errno::NOMEDIUM),
        }
    }
}

fn kind_of(path: &Path) -> Result<u64> {
    // Of another size on each architecture; the value has 32 bits on all.
    let magic = statfs(path)?.f_type & 0xffff_ffff;
    u64::try_from(magic).map_err(|_| Errno::NOMEDIUM)
}

fn pid_or_self(pid: i32) -> String {
    match pid {
        0 => "self".to_owned(),
        pid => pid.to_string(),
    }
}

/// The path in a line `NUMBER:CONTROLLERS:PATH`, if it is of this hierarchy.
fn path_in(hierarchy: Hierarchy, line: &str) -> Option<&str> {
    let (number, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    let is_meant = match hierarchy {
        Hierarchy::Unified => number == "0" && controllers.is_empty(),
        Hierarchy::Named => controllers.split(',').any(|name| name == "name=systemd"),
    };
    // So the kernel marks one that was removed while the process is in it.
    is_meant.then(|| path.strip_suffix(" (deleted)").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let unified = "0::/system.slice/a.service";
        let named = "1:name=systemd:/system.slice/a.service (deleted)";
        let path = Some("/system.slice/a.service");
        assert_eq!(path_in(Hierarchy::Unified, unified), path);
        assert_eq!(path_in(Hierarchy::Named, named), path);
        assert_eq!(path_in(Hierarchy::Unified, named), None);
        assert_eq!(path_in(Hierarchy::Named, unified), None);
        assert_eq!(path_in(Hierarchy::Unified, "0"), None);
        assert_eq!(path_in(Hierarchy::Unified, "0::/a:b"), Some("/a:b"));
    }
}
