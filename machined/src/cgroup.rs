//! The cgroup hierarchy in which processes are told apart: version 2, or version 1's `name=systemd`.
//!
//! With both mounted (hybrid) it is version 2, as libsystemd has it, so that `ps -o machine` looks where we put them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::unit_name;

/// Which kind of hierarchy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// cgroup2, with cgroup.events and cgroup.kill.
    V2,
    /// The named hierarchy of version 1, which can hold processes and no more.
    V1,
}

/// The hierarchy. Paths of cgroups are those of /proc/PID/cgroup: absolute, as seen from our cgroup namespace.
#[derive(Debug)]
pub struct Hierarchy {
    version: Version,
    /// Where it is mounted, and the cgroup that is mounted there; `None` where it is not: cgroups can be read then, but
    /// not made.
    mount: Option<(PathBuf, String)>,
    /// The cgroup below which units stand: `/` but in a container.
    root: String,
}

impl Hierarchy {
    /// Finds it.
    pub fn find() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let (version, mount) = find_mount(&mounts);
        let mut hierarchy = Self {
            version,
            mount,
            root: "/".to_owned(),
        };
        hierarchy.root = hierarchy
            .path_of(1)
            .map_or("/".to_owned(), |path| root_of(&path).to_owned());
        hierarchy
    }

    /// One whose root is this folder.
    #[cfg(test)]
    pub fn at(folder: &Path) -> Self {
        Self {
            version: Version::V2,
            mount: Some((folder.to_owned(), "/".to_owned())),
            root: "/".to_owned(),
        }
    }

    /// Which kind it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The cgroup of a process; `None` if it has ended, or its cgroup can't be told.
    pub fn path_of(&self, pid: u32) -> Option<String> {
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let own = |line: &&str| match self.version {
            Version::V2 => line.starts_with("0::"),
            Version::V1 => line.split(':').nth(1) == Some("name=systemd"),
        };
        let line = text.lines().find(own)?;
        let path = line.splitn(3, ':').nth(2)?;
        // A cgroup that was removed under its last process, a zombie.
        Some(path.strip_suffix(" (deleted)").unwrap_or(path).to_owned())
    }

    /// The unit that a process is in and the cgroup below it, empty for the unit's own.
    pub fn unit_of(&self, pid: u32) -> Option<(String, String)> {
        let path = self.path_of(pid)?;
        let (unit, below) = unit_name::unit_of_cgroup(self.below_root(&path))?;
        Some((unit.to_owned(), below.to_owned()))
    }

    /// The cgroup of the unit that `path` lies in.
    pub fn path_of_unit<'a>(&self, path: &'a str) -> Option<&'a str> {
        let (_, below) = unit_name::unit_of_cgroup(self.below_root(path))?;
        let path = path.strip_suffix(below)?;
        Some(path.trim_end_matches('/'))
    }

    /// The path of a cgroup of ours: `name` below `slice`.
    pub fn place(&self, slice: &str, name: &str) -> Option<String> {
        let slice = unit_name::path_of_slice(slice)?;
        Some(format!(
            "{}/{slice}/{name}",
            self.root.trim_end_matches('/')
        ))
    }

    /// The cgroup below which units stand.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The folder of a cgroup. A path that leads out of what is mounted has none.
    pub fn dir(&self, path: &str) -> Option<PathBuf> {
        let (point, mounted) = self.mount.as_ref()?;
        let below = strip_path(path, mounted)?.trim_start_matches('/');
        let is_plain = !below.split('/').any(|part| matches!(part, "." | ".."));
        is_plain.then(|| point.join(below))
    }

    /// All processes of a cgroup and of those below it.
    pub fn processes(&self, path: &str) -> io::Result<Vec<u32>> {
        let dir = self.dir(path).ok_or(io::ErrorKind::NotFound)?;
        let mut processes = Vec::new();
        collect(&dir, &mut processes)?;
        Ok(processes)
    }

    /// Moves a process, with all its threads, into a cgroup that is there, if it can be; whether it was.
    pub fn enter(&self, path: &str, process: u32) -> bool {
        let dir = self.dir(path);
        dir.is_some_and(|dir| fs::write(dir.join("cgroup.procs"), process.to_string()).is_ok())
    }

    fn below_root<'a>(&self, path: &'a str) -> &'a str {
        strip_path(path, &self.root).unwrap_or(path)
    }
}

fn collect(dir: &Path, processes: &mut Vec<u32>) -> io::Result<()> {
    let text = fs::read_to_string(dir.join("cgroup.procs"))?;
    // 0 stands for a process of a pid namespace that is not below ours.
    let numbers = text.lines().filter_map(|line| line.parse::<u32>().ok());
    processes.extend(numbers.filter(|&pid| pid > 0));
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            match collect(&entry.path(), processes) {
                // One that was removed since.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result?,
            }
        }
    }
    Ok(())
}

/// `path` without a leading `prefix` of whole components; it begins with `/` or is empty.
fn strip_path<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let prefix = prefix.trim_end_matches('/');
    let rest = path.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// The cgroup in which the cgroup of PID 1 stands: PID 1 itself moves into a leaf.
fn root_of(path: &str) -> &str {
    let leaves = ["/init.scope", "/system.slice", "/system"];
    let root = leaves
        .iter()
        .find_map(|leaf| path.strip_suffix(leaf))
        .unwrap_or(path);
    if root.is_empty() { "/" } else { root }
}

/// Out of /proc/self/mountinfo, proc(5): the place of the hierarchy and its root there. One that is mounted where it
/// belongs counts before one in a container's root.
fn find_mount(mountinfo: &str) -> (Version, Option<(PathBuf, String)>) {
    let mounts: Vec<_> = mountinfo.lines().filter_map(mount_of).collect();
    let best = mounts.iter().min_by_key(|(version, (point, _))| {
        (
            !point.starts_with("/sys/fs/cgroup"),
            *version == Version::V1,
        )
    });
    match best {
        Some((version, mount)) => (*version, Some(mount.clone())),
        None => (Version::V2, None),
    }
}

fn mount_of(line: &str) -> Option<(Version, (PathBuf, String))> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let (root, point) = (left.next()?, left.next()?);
    let mut right = right.split(' ');
    let kind = right.next()?;
    let options = right.nth(1).unwrap_or_default();
    let version = match kind {
        "cgroup2" => Version::V2,
        "cgroup" if options.split(',').any(|option| option == "name=systemd") => Version::V1,
        _ => return None,
    };
    Some((version, (PathBuf::from(unescape(point)), unescape(root))))
}

/// Blanks and backslashes stand as three octal digits there.
fn unescape(text: &str) -> String {
    let codes = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    codes.iter().fold(text.to_owned(), |text, (code, plain)| {
        text.replace(code, plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "40 30 0:34 / /sys/fs/cgroup/systemd rw,relatime shared:9 - cgroup cgroup rw,xattr,name=systemd";
    const V2: &str = "31 30 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
    const HYBRID: &str = "31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 none rw";
    const IN_CONTAINER: &str = "31 30 0:27 /../a\\040b /sys/fs/cgroup ro - cgroup2 cgroup rw";

    #[test]
    fn hierarchies() {
        let found = |text: &str| {
            let (version, mount) = find_mount(text);
            (
                version,
                mount.map(|(point, root)| (point.display().to_string(), root)),
            )
        };
        let mount = |point: &str, root: &str| Some((point.to_owned(), root.to_owned()));
        assert_eq!(
            found(V1),
            (Version::V1, mount("/sys/fs/cgroup/systemd", "/"))
        );
        assert_eq!(found(V2), (Version::V2, mount("/sys/fs/cgroup", "/")));
        let hybrid = format!("{V1}\n{HYBRID}\n");
        assert_eq!(
            found(&hybrid),
            (Version::V2, mount("/sys/fs/cgroup/unified", "/"))
        );
        assert_eq!(
            found(IN_CONTAINER),
            (Version::V2, mount("/sys/fs/cgroup", "/../a b"))
        );
        for broken in ["", "x", "1 2 3", " - cgroup2", "1 2 3 4 5 - "] {
            assert_eq!(found(broken).1, None, "{broken}");
        }
    }

    fn hierarchy(mounted: &str, root: &str) -> Hierarchy {
        let mount = Some((PathBuf::from("/cg"), mounted.to_owned()));
        Hierarchy {
            version: Version::V2,
            mount,
            root: root.to_owned(),
        }
    }

    #[test]
    fn folders() {
        let whole = hierarchy("/", "/");
        assert_eq!(whole.dir("/a/b"), Some(PathBuf::from("/cg/a/b")));
        assert_eq!(whole.dir("/a/../../etc"), None);
        let part = hierarchy("/ctr", "/ctr");
        assert_eq!(part.dir("/ctr/a"), Some(PathBuf::from("/cg/a")));
        assert_eq!(part.dir("/ctrl/a"), None);
        assert_eq!(
            part.place("machine.slice", "x.scope").as_deref(),
            Some("/ctr/machine.slice/x.scope")
        );
        assert_eq!(
            whole.place("a-b.slice", "x.scope").as_deref(),
            Some("/a.slice/a-b.slice/x.scope")
        );
        assert_eq!(whole.place("../x", "x.scope"), None);
    }

    #[test]
    fn units_below_the_root() {
        let inside = hierarchy("/", "/machine.slice/machine-outer.scope");
        let path = "/machine.slice/machine-outer.scope/machine.slice/machine-a.scope/payload";
        assert_eq!(
            unit_name::unit_of_cgroup(inside.below_root(path)),
            Some(("machine-a.scope", "payload"))
        );
        let unit = "/machine.slice/machine-outer.scope/machine.slice/machine-a.scope";
        assert_eq!(inside.path_of_unit(path), Some(unit));
        assert_eq!(inside.path_of_unit(unit), Some(unit));
    }

    #[test]
    fn the_root_is_where_pid_1_began() {
        assert_eq!(root_of("/init.scope"), "/");
        assert_eq!(root_of("/"), "/");
        assert_eq!(root_of("/lxc/a/init.scope"), "/lxc/a");
        assert_eq!(root_of("/machine.slice/a.scope"), "/machine.slice/a.scope");
    }
}
