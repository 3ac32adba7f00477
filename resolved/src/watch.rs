//! Hearing of changes to the files in a folder, which need not be there yet: inotify(7).

use std::{
    io,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use rustix::{
    fs::inotify::{self, CreateFlags, Reader, WatchFlags},
    io::Errno,
};
use tokio::io::{Interest, unix::AsyncFd};

use crate::sys;

/// Files are made (links as well), written, replaced by renaming, and removed.
const FILES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// The next folder on the way may be made. Heard once: then it is looked at again where the way ends.
const FOLDERS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONESHOT)
    .union(WatchFlags::ONLYDIR);

/// A watch over the folder.
#[derive(Debug)]
pub struct Watch {
    dir: PathBuf,
    inotify: AsyncFd<OwnedFd>,
    /// The folder is there.
    found: bool,
}

impl Watch {
    /// Begins, inside of a tokio runtime. Read the files after that.
    ///
    /// # Errors
    /// Of the system.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let mut watch = Self {
            dir: dir.to_owned(),
            inotify: sys::async_fd(inotify, Interest::READABLE)?,
            found: false,
        };
        watch.found = watch.arm()?;
        Ok(watch)
    }

    /// Waits until some file may be another. Read them all then. It may be given up at any time.
    ///
    /// # Errors
    /// Of the system.
    pub async fn changed(&mut self) -> io::Result<()> {
        loop {
            // Cleared first: what comes from here on makes it ready again.
            self.inotify.readable().await?.clear_ready();
            self.forget_events()?;
            let was_found = std::mem::replace(&mut self.found, false);
            self.found = self.arm()?;
            if was_found || self.found {
                return Ok(());
            }
        }
    }

    /// Watches the folder, or what there is of the way to it. Says whether it is there.
    fn arm(&self) -> io::Result<bool> {
        let mut way: Vec<_> = self.dir.ancestors().collect();
        while let Some((path, above)) = way.split_first() {
            let flags = if *path == self.dir { FILES } else { FOLDERS };
            match inotify::add_watch(&self.inotify, *path, flags) {
                Ok(_) if *path == self.dir => return Ok(true),
                // Made since we looked for it?
                Ok(_) if self.exists_below(path) => way = self.dir.ancestors().collect(),
                Ok(_) => return Ok(false),
                Err(Errno::NOENT | Errno::NOTDIR) => way = above.to_vec(),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// Whether the next folder below this one is there.
    fn exists_below(&self, path: &Path) -> bool {
        let mut way = self.dir.ancestors();
        way.find(|folder| folder.parent() == Some(path))
            .is_some_and(Path::exists)
    }

    fn forget_events(&self) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.inotify, &mut buffer);
        loop {
            match events.next() {
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    const SOON: Duration = Duration::from_secs(5);
    const QUIET: Duration = Duration::from_millis(50);

    async fn hears(watch: &mut Watch) -> bool {
        match tokio::time::timeout(SOON, watch.changed()).await {
            Ok(result) => result.is_ok(),
            Err(_) => false,
        }
    }

    async fn is_quiet(watch: &mut Watch) -> bool {
        tokio::time::timeout(QUIET, watch.changed()).await.is_err()
    }

    #[tokio::test]
    async fn the_folder_comes_and_goes() {
        let root = tempfile::tempdir().unwrap();
        let netif = root.path().join("systemd/netif");
        let links = netif.join("links");
        let mut watch = Watch::open(&links).unwrap();
        fs::write(root.path().join("other"), "").unwrap();
        assert!(is_quiet(&mut watch).await);

        fs::create_dir_all(&netif).unwrap();
        assert!(is_quiet(&mut watch).await);
        fs::create_dir(&links).unwrap();
        assert!(hears(&mut watch).await);

        fs::write(links.join(".#3"), "DNS=192.0.2.1").unwrap();
        fs::rename(links.join(".#3"), links.join("3")).unwrap();
        assert!(hears(&mut watch).await);
        fs::remove_file(links.join("3")).unwrap();
        assert!(hears(&mut watch).await);

        fs::remove_dir_all(&netif).unwrap();
        assert!(hears(&mut watch).await);
        fs::create_dir_all(&links).unwrap();
        assert!(hears(&mut watch).await);
        fs::write(links.join("4"), "").unwrap();
        assert!(hears(&mut watch).await);
    }
}
