//! Paths below a root directory that they can't leave: openat2(2) with RESOLVE_IN_ROOT. Absolute links, `..` and a tree
//! that is changed meanwhile lead to something inside, or to an error; magic links of procfs are not followed.

use std::{
    ffi::OsStr,
    fs::File,
    io::Read,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags},
    io::Errno,
};

use crate::{
    fault::{Fault, errno},
    reopen,
};

/// How often to try again when the tree changed under a `..` (EAGAIN, openat2(2)).
const RETRIES: usize = 64;

/// A root directory.
#[derive(Debug)]
pub struct Root(OwnedFd);

impl Root {
    /// The directory behind a descriptor, which may be O_PATH.
    pub fn new(directory: OwnedFd) -> Self {
        Self(directory)
    }

    /// The one of this process.
    pub fn own() -> Result<Self, Fault> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open("/", flags, Mode::empty())
            .map(Self)
            .map_err(Fault::to("open /"))
    }

    /// Opens what is there.
    pub fn open(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let mut flags = flags | OFlags::CLOEXEC;
        // openat2 refuses flags that O_PATH would ignore.
        if !flags.contains(OFlags::PATH) {
            flags |= OFlags::NOCTTY;
        }
        let mut result = Err(Errno::AGAIN);
        for _ in 0..RETRIES {
            result = rustix::fs::openat2(&self.0, path, flags, Mode::empty(), resolve);
            if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
                break;
            }
        }
        result
    }

    /// Opens a directory, only to go on from it.
    pub fn directory(&self, path: &Path) -> Result<OwnedFd, Errno> {
        self.open(path, OFlags::PATH | OFlags::DIRECTORY)
    }

    /// Opens the directory that a file is in, and gives the file's name in it.
    pub fn parent<'a>(&self, path: &'a Path) -> Result<(OwnedFd, &'a OsStr), Fault> {
        let (parent, name) = split(path)?;
        let directory = self.directory(parent).map_err(Fault::on("open", parent))?;
        Ok((directory, name))
    }

    /// Makes the directory, and those it is in, where they are missing, and opens it.
    pub fn make_directory(&self, path: &Path) -> Result<OwnedFd, Fault> {
        match self.directory(path) {
            Err(Errno::NOENT) => {}
            other => return other.map_err(Fault::on("open", path)),
        }
        let (parent, name) = split(path)?;
        let parent = self.make_directory(parent)?;
        match rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(Fault::on("create directory", path)(errno)),
        }
        // By name in the parent, not by path again: a symlink put there meanwhile is refused.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&parent, name, flags, Mode::empty()).map_err(Fault::on("open", path))
    }

    /// Reads a regular file of at most `limit` bytes. A pipe or device is not even opened.
    pub fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, Fault> {
        let held = self
            .open(path, OFlags::PATH)
            .map_err(Fault::on("open", path))?;
        let file = reopen::regular(held).map_err(|errno| match errno {
            Errno::INVAL => {
                let what = format!("{} is not a regular file", path.display());
                Fault::new(what, Errno::INVAL)
            }
            errno => Fault::on("open", path)(errno),
        })?;
        let mut text = Vec::new();
        File::from(file)
            .take(limit + 1)
            .read_to_end(&mut text)
            .map_err(|error| Fault::on("read", path)(errno(&error)))?;
        if u64::try_from(text.len()).is_ok_and(|length| length > limit) {
            let what = format!("{} is longer than {limit} bytes", path.display());
            return Err(Fault::new(what, Errno::FBIG));
        }
        Ok(text)
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Splits an absolute path into directory and name. Slashes at the end do not matter.
pub fn split(path: &Path) -> Result<(&Path, &OsStr), Fault> {
    let mut bytes = path.as_os_str().as_bytes();
    while let Some(shorter) = bytes.strip_suffix(b"/") {
        bytes = shorter;
    }
    let slash = bytes.iter().rposition(|&byte| byte == b'/');
    let (parent, name) = match slash.and_then(|slash| bytes.split_at_checked(slash + 1)) {
        Some((parent, name)) if !matches!(name, b"." | b"..") => (parent, name),
        _ => {
            let what = format!(
                "{} does not name a file by an absolute path",
                path.display()
            );
            return Err(Fault::new(what, Errno::INVAL));
        }
    };
    Ok((
        Path::new(OsStr::from_bytes(parent)),
        OsStr::from_bytes(name),
    ))
}

#[cfg(test)]
mod tests {
    use rustix::fs::FileType;

    use super::*;
    use std::{fs, os::unix::fs::symlink, path::PathBuf};

    fn scratch(name: &str) -> (PathBuf, Root) {
        let path =
            std::env::temp_dir().join(format!("machined-enter-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("root/dir")).unwrap();
        reopen::prepare().unwrap();
        let root = rustix::fs::open(path.join("root"), OFlags::PATH, Mode::empty()).unwrap();
        (path, Root::new(root))
    }

    #[test]
    fn splits_paths() {
        let ok = |path| {
            let (parent, name) = split(Path::new(path)).unwrap();
            (parent.to_str().unwrap(), name.to_str().unwrap())
        };
        assert_eq!(ok("/a"), ("/", "a"));
        assert_eq!(ok("/a/b//"), ("/a/", "b"));
        assert_eq!(ok("/a/..b"), ("/a/", "..b"));
        for bad in ["", "/", "//", "a", "/a/..", "/a/../", "/.", "."] {
            assert!(split(Path::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn links_stay_inside() {
        let (path, root) = scratch("links");
        fs::write(path.join("secret"), "outside").unwrap();
        fs::write(path.join("root/secret"), "inside").unwrap();
        symlink("/secret", path.join("root/absolute")).unwrap();
        symlink("../../../../secret", path.join("root/dir/dots")).unwrap();
        symlink(path.join("secret"), path.join("root/full")).unwrap();
        symlink("loop", path.join("root/loop")).unwrap();
        let read = |name: &str| root.read(Path::new(name), 100);
        assert_eq!(read("/absolute").unwrap(), b"inside");
        assert_eq!(read("/dir/dots").unwrap(), b"inside");
        assert_eq!(read("/dir/../../../secret").unwrap(), b"inside");
        assert_eq!(read("/full").unwrap_err().errno, Errno::NOENT);
        assert_eq!(read("/loop").unwrap_err().errno, Errno::LOOP);
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn magic_links_are_not_followed() {
        let root = Root::own().unwrap();
        let error = root.directory(Path::new("/proc/self/root")).unwrap_err();
        assert_eq!(error, Errno::LOOP);
    }

    #[test]
    fn reads_only_regular_files_up_to_the_limit() {
        let (path, root) = scratch("read");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path.join("root/pipe"),
            FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .unwrap();
        fs::write(path.join("root/big"), "12345").unwrap();
        let read = |name: &str, limit| root.read(Path::new(name), limit);
        assert_eq!(read("/pipe", 9).unwrap_err().errno, Errno::INVAL);
        assert_eq!(read("/dir", 9).unwrap_err().errno, Errno::INVAL);
        // Opened, a device that nothing drives (240 is for local use: devices.txt of Linux) would be ENXIO, or EACCES.
        let device = rustix::fs::makedev(240, 0);
        let node = path.join("root/device");
        let (kind, mode) = (FileType::CharacterDevice, Mode::RUSR);
        // It takes root to make one.
        if rustix::fs::mknodat(rustix::fs::CWD, node, kind, mode, device).is_ok() {
            assert_eq!(read("/device", 9).unwrap_err().errno, Errno::INVAL);
        }
        assert_eq!(read("/big", 4).unwrap_err().errno, Errno::FBIG);
        assert_eq!(read("/big", 5).unwrap(), b"12345");
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn makes_directories_inside() {
        let (path, root) = scratch("mkdir");
        symlink("/dir", path.join("root/link")).unwrap();
        symlink("/nowhere", path.join("root/broken")).unwrap();
        root.make_directory(Path::new("/link/a/b")).unwrap();
        assert!(path.join("root/dir/a/b").is_dir());
        assert!(root.make_directory(Path::new("/broken/a")).is_err());
        fs::remove_dir_all(path).unwrap();
    }
}
