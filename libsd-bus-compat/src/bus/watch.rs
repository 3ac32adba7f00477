//! A socket in the file system that is not there yet: sd_bus_set_watch_bind(3).

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

use super::route::unix_path;
use super::socket::Socket;
use crate::{Errno, Result};

/// How many symbolic links are followed, as in path_resolution(7).
const MAX_LINKS: usize = 40;
/// How many events are looked at in a turn.
const AT_ONCE: usize = 1024;

/// What a folder is watched for: names in it and, as a socket that was bound gets its mode when it is ready, their modes.
fn wanted() -> WatchFlags {
    WatchFlags::CREATE
        | WatchFlags::MOVED_TO
        | WatchFlags::ATTRIB
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR
}

/// An inotify(7) on each folder that the path leads through, as far as there are some.
#[derive(Debug)]
pub struct Watch {
    path: Vec<u8>,
    /// It is the same from beginning to end, as programs wait for it.
    descriptor: Socket,
    /// Which name matters in which folder.
    watched: Vec<(i32, Vec<u8>)>,
}

impl Watch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// Of inotify_init1(2).
    pub fn new(path: Vec<u8>) -> Result<Self> {
        let descriptor = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self {
            path,
            descriptor: Socket::of(descriptor, None)?,
            watched: Vec::new(),
        })
    }

    /// What is readable when something has changed.
    pub fn descriptor(&self) -> &Socket {
        &self.descriptor
    }

    /// Watches what there is by now, and connects; nothing if there is no server yet.
    ///
    /// # Errors
    /// Of connect(2); of inotify_add_watch(2) if nothing can be watched.
    pub fn connect(&mut self) -> Result<Option<Socket>> {
        // In this order, so that nothing happens in between.
        self.watch()?;
        match unix_path(&self.path) {
            Ok(socket) => Ok(Some(socket)),
            Err(Errno::NOENT | Errno::CONNREFUSED) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn watch(&mut self) -> Result<()> {
        let before = std::mem::take(&mut self.watched);
        let mut last = Ok(());
        for (folder, name) in steps(Path::new(OsStr::from_bytes(&self.path))) {
            match inotify::add_watch(self.descriptor.input(), &folder, wanted()) {
                Ok(number) => self.watched.push((number, name)),
                // One that may be entered but not read leads on.
                Err(Errno::ACCESS | Errno::NOENT | Errno::NOTDIR) => last = Err(Errno::ACCESS),
                Err(errno) => return Err(errno),
            }
        }
        for (number, _) in before {
            if self.watched.iter().all(|(kept, _)| *kept != number) {
                let _ = inotify::remove_watch(self.descriptor.input(), number);
            }
        }
        match self.watched.is_empty() {
            true => last,
            false => Ok(()),
        }
    }

    /// Whether something that matters has changed since this was asked for last.
    ///
    /// # Errors
    /// Of read(2).
    pub fn has_changed(&self) -> Result<bool> {
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(self.descriptor.input(), &mut space);
        let mut any = false;
        for _ in 0..AT_ONCE {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN | Errno::INTR) => break,
                Err(errno) => return Err(errno),
            };
            any |= match event.file_name() {
                Some(name) => self
                    .watched
                    .iter()
                    .any(|(number, own)| *number == event.wd() && own == name.to_bytes()),
                // The folder itself, or there were more than the kernel keeps; but not that a watch was removed.
                None => event.events() != ReadFlags::IGNORED,
            };
        }
        Ok(any)
    }
}

/// The folders that a path leads through, links followed, each with what comes next in it; as far as they are there.
fn steps(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let names = |path: &[u8]| -> VecDeque<Vec<u8>> {
        let names = path.split(|byte| *byte == b'/');
        let names = names.filter(|name| !name.is_empty() && *name != b".");
        names.map(<[u8]>::to_vec).collect()
    };
    let start = |path: &Path, relative: PathBuf| match path.is_absolute() {
        true => PathBuf::from("/"),
        false => relative,
    };
    let mut at = start(path, PathBuf::from("."));
    let mut rest = names(path.as_os_str().as_bytes());
    let mut steps = Vec::new();
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        let next = at.join(OsStr::from_bytes(&name));
        steps.push((at.clone(), name));
        let Ok(kind) = fs::symlink_metadata(&next).map(|data| data.file_type()) else {
            break;
        };
        if kind.is_dir() {
            // `..` is left to the kernel, which knows where it leads.
            at = next;
        } else if kind.is_symlink() && links < MAX_LINKS {
            links += 1;
            let Ok(target) = fs::read_link(&next) else {
                break;
            };
            at = start(&target, at);
            let mut longer = names(&target.into_os_string().into_vec());
            longer.append(&mut rest);
            rest = longer;
        } else {
            break;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn where_a_path_leads() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::create_dir_all(root.join("real/deep")).unwrap();
        symlink("real/deep", root.join("link")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let names = |path: &str| -> Vec<String> {
            let all = steps(&root.join(path));
            let names = all
                .into_iter()
                .map(|(_, name)| String::from_utf8(name).unwrap());
            let above = root.components().count() - 1;
            names.skip(above).collect()
        };
        assert_eq!(names("none/a/b"), ["none"]);
        assert_eq!(names("link/a"), ["link", "real", "deep", "a"]);
        assert_eq!(names("real/../real/x"), ["real", "..", "real", "x"]);
        assert_eq!(names("loop/a").len(), 1 + MAX_LINKS);
    }

    #[test]
    fn what_matters() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a");
        let path = folder.join("bus");
        let mut watch = Watch::new(path.as_os_str().as_bytes().to_vec()).unwrap();
        assert!(watch.connect().unwrap().is_none());
        assert_eq!(watch.has_changed(), Ok(false));
        fs::write(root.path().join("other"), "").unwrap();
        assert_eq!(watch.has_changed(), Ok(false));
        fs::create_dir(&folder).unwrap();
        assert_eq!(watch.has_changed(), Ok(true));
        assert!(watch.connect().unwrap().is_none());
        let _server = UnixListener::bind(&path).unwrap();
        assert_eq!(watch.has_changed(), Ok(true));
        assert!(watch.connect().unwrap().is_some());
    }
}
