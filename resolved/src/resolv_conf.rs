//! /etc/resolv.conf: who writes it, what it says, and the files that it may lead to.

mod read;
mod write;

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

pub use self::{
    read::{Foreign, read_foreign},
    write::{View, write},
};

/// What /etc/resolv.conf is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Our file with the servers themselves.
    Uplink,
    /// Our file with the stub and the search domains.
    Stub,
    /// The installed file with the stub alone.
    Static,
    /// There is none.
    Missing,
    /// Somebody else's: its servers are ours, if nothing else names some.
    Foreign,
}

impl Mode {
    /// `ResolvConfMode` on both interfaces.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uplink => "uplink",
            Self::Stub => "stub",
            Self::Static => "static",
            Self::Missing => "missing",
            Self::Foreign => "foreign",
        }
    }
}

/// The name of our file with the servers themselves.
const UPLINK: &str = "resolv.conf";
/// The name of our file with the stub.
const STUB: &str = "stub-resolv.conf";

/// The files that it may be.
#[derive(Clone, Debug)]
pub struct Paths {
    /// What programs read.
    pub etc: PathBuf,
    /// Where [`write`] writes.
    pub dir: PathBuf,
    /// The installed one.
    pub fixed: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            etc: "/etc/resolv.conf".into(),
            dir: "/run/systemd/resolve".into(),
            fixed: "/usr/lib/systemd/resolv.conf".into(),
        }
    }
}

/// Which of them it is: the same file by its inode, whatever links lead there.
#[must_use]
pub fn mode(paths: &Paths) -> Mode {
    let etc = match inode(&paths.etc) {
        Ok(inode) => inode,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Mode::Missing,
        Err(_) => return Mode::Foreign,
    };
    let is = |path: &Path| inode(path).is_ok_and(|inode| inode == etc);
    // With the stub off the second is a link to the first.
    if is(&paths.dir.join(UPLINK)) {
        Mode::Uplink
    } else if is(&paths.dir.join(STUB)) {
        Mode::Stub
    } else if is(&paths.fixed) {
        Mode::Static
    } else {
        Mode::Foreign
    }
}

fn inode(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_file_is_known_by_its_inode() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths {
            etc: root.path().join("etc"),
            dir: root.path().to_owned(),
            fixed: root.path().join("fixed"),
        };
        assert_eq!(mode(&paths), Mode::Missing);
        symlink("resolv.conf", &paths.etc).unwrap();
        assert_eq!(mode(&paths), Mode::Missing);
        for name in ["resolv.conf", "stub-resolv.conf", "fixed", "foreign"] {
            fs::write(root.path().join(name), "").unwrap();
        }
        assert_eq!(mode(&paths), Mode::Uplink);
        for (target, expected) in [
            ("stub-resolv.conf", Mode::Stub),
            ("fixed", Mode::Static),
            ("foreign", Mode::Foreign),
        ] {
            fs::remove_file(&paths.etc).unwrap();
            symlink(target, &paths.etc).unwrap();
            assert_eq!(mode(&paths), expected);
        }
        fs::remove_file(&paths.etc).unwrap();
        fs::hard_link(paths.dir.join("stub-resolv.conf"), &paths.etc).unwrap();
        assert_eq!(mode(&paths), Mode::Stub);
        fs::remove_file(paths.dir.join("stub-resolv.conf")).unwrap();
        symlink("resolv.conf", paths.dir.join("stub-resolv.conf")).unwrap();
        fs::remove_file(&paths.etc).unwrap();
        symlink("stub-resolv.conf", &paths.etc).unwrap();
        assert_eq!(mode(&paths), Mode::Uplink);
    }
}
