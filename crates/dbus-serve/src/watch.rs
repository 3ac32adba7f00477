//! Waiting for a socket to appear.

use std::path::Path;

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use tokio::net::unix::pipe::Receiver;

/// An eye on the folder that a socket is, or will be, made in.
///
/// A `Receiver` without the check for a pipe is the one safe way that tokio has to wait for any descriptor to be readable.
pub(crate) struct Watch(Receiver);

impl Watch {
    /// Watches the nearest folder above `socket` that exists: the first thing that must happen for the socket to appear
    /// happens there.
    pub(crate) fn over(socket: &Path) -> Option<Self> {
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()?;
        let flags =
            WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ATTRIB | WatchFlags::ONLYDIR;
        socket
            .ancestors()
            .skip(1)
            .find(|folder| add_watch(&inotify, *folder, flags).is_ok())?;
        Receiver::from_owned_fd_unchecked(inotify).ok().map(Self)
    }

    /// Waits until something happens there. What it was does not matter, so that the events need not be read: the watch is
    /// used once.
    pub(crate) async fn event(self) {
        drop(self.0.readable().await);
    }
}

#[cfg(test)]
mod tests {
    use super::Watch;
    use std::{fs, time::Duration};

    #[tokio::test(flavor = "current_thread")]
    async fn a_folder_then_a_socket() {
        let top = std::env::temp_dir().join(format!("dbus-serve-watch-{}", std::process::id()));
        fs::create_dir_all(&top).unwrap();
        let socket = top.join("below/socket");
        let watch = Watch::over(&socket).unwrap();
        fs::create_dir(top.join("below")).unwrap();
        tokio::time::timeout(Duration::from_secs(5), watch.event())
            .await
            .unwrap();
        let watch = Watch::over(&socket).unwrap();
        fs::write(&socket, "").unwrap();
        tokio::time::timeout(Duration::from_secs(5), watch.event())
            .await
            .unwrap();
        fs::remove_dir_all(&top).unwrap();
    }
}
