//! Moving into the leader's cgroups: what runs in a machine is accounted, limited and killed with it.

use std::{fs, path::PathBuf};

use crate::{
    fault::{Fault, errno},
    leader::Leader,
};

/// Moves this process into every cgroup of the leader that is not its own already. Hierarchies that are mounted nowhere here
/// can't be joined, and count for nothing either.
pub fn join(leader: &Leader) -> Result<(), Fault> {
    let read = |path: &str| {
        fs::read_to_string(path)
            .map_err(|error| Fault::new(format!("Failed to read {path}"), errno(&error)))
    };
    let (mounts, ours) = (read("/proc/self/mountinfo")?, read("/proc/self/cgroup")?);
    for line in leader.read("cgroup")?.lines() {
        if ours.lines().any(|own| own == line) {
            continue;
        }
        let Some(directory) = directory(line, &mounts) else {
            continue;
        };
        let file = directory.join("cgroup.procs");
        fs::write(&file, "0").map_err(|error| Fault::on("join", &directory)(errno(&error)))?;
    }
    Ok(())
}

/// The directory for a line of /proc/PID/cgroup (`ID:CONTROLLERS:PATH`, cgroups(7)) by /proc/PID/mountinfo (proc(5)).
fn directory(line: &str, mounts: &str) -> Option<PathBuf> {
    let mut fields = line.splitn(3, ':');
    let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    mounts.lines().find_map(|mount| {
        let (place, kind) = mount.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (base, point) = (place.next()?, place.next()?);
        let mut kind = kind.split(' ');
        let (name, options) = (kind.next()?, kind.nth(1)?);
        let matches = match name {
            "cgroup2" => controllers.is_empty(),
            "cgroup" => {
                !controllers.is_empty()
                    && controllers
                        .split(',')
                        .all(|wanted| options.split(',').any(|has| has == wanted))
            }
            _ => false,
        };
        if !matches {
            return None;
        }
        let below = if base == "/" {
            path
        } else {
            path.strip_prefix(base)?
        };
        // "/.." begins the path of a cgroup outside this cgroup namespace.
        if below.starts_with("/..") {
            return None;
        }
        Some(PathBuf::from(point).join(below.trim_start_matches('/')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
24 1 0:22 / /sys rw - sysfs sysfs rw
30 24 0:26 / /sys/fs/cgroup/unified rw shared:1 - cgroup2 cgroup2 rw
31 24 0:27 /box /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
32 24 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
";

    #[test]
    fn finds_the_directory_of_each_hierarchy() {
        let at = |line| directory(line, MOUNTS).map(|path| path.to_str().unwrap().to_owned());
        assert_eq!(
            at("0::/machine.slice/a.scope").as_deref(),
            Some("/sys/fs/cgroup/unified/machine.slice/a.scope")
        );
        assert_eq!(
            at("1:name=systemd:/box/a:b").as_deref(),
            Some("/sys/fs/cgroup/systemd/a:b")
        );
        assert_eq!(
            at("4:cpu,cpuacct:/x").as_deref(),
            Some("/sys/fs/cgroup/cpu,cpuacct/x")
        );
        for none in [
            "1:name=systemd:/other",
            "5:memory:/x",
            "0::/../x",
            "rubbish",
            "",
        ] {
            assert_eq!(at(none), None, "{none}");
        }
    }
}
