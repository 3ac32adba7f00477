//! Sockets that the service manager opened for us, told apart by where they are bound: it has one name for all of a unit.

use std::{
    os::{fd::OwnedFd, unix::net::UnixListener},
    path::Path,
};

/// Those that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Passed(Vec<OwnedFd>);

impl Passed {
    pub fn new(sockets: Vec<OwnedFd>) -> Self {
        Self(sockets)
    }

    /// The one that is bound here.
    pub fn take(&mut self, path: &str) -> Option<OwnedFd> {
        let is_here = |socket: &OwnedFd| is_bound_to(socket, Path::new(path));
        let index = self.0.iter().position(is_here)?;
        Some(self.0.swap_remove(index))
    }

    /// How many are left: we know nothing to serve on them.
    pub fn left(&self) -> usize {
        self.0.len()
    }
}

fn is_bound_to(socket: &OwnedFd, path: &Path) -> bool {
    // By std: rustix's reader of addresses panics at a path that fills all of its 108 bytes.
    let listener = socket.try_clone().map(UnixListener::from);
    let address = listener.and_then(|listener| listener.local_addr());
    address.is_ok_and(|address| address.as_pathname() == Some(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, socket};

    use super::*;

    #[test]
    fn by_where_they_are_bound() {
        let folder = std::env::temp_dir().join(format!("machined-passed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let bind = |name: &str| UnixListener::bind(folder.join(name)).unwrap().into();
        let (unbound, _) = UnixStream::pair().unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        let mut passed = Passed::new(vec![null.into(), bind("a"), unbound.into(), bind("b")]);
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        assert!(passed.take(&path("c")).is_none());
        assert!(is_bound_to(
            &passed.take(&path("b")).unwrap(),
            &folder.join("b")
        ));
        assert!(passed.take(&path("b")).is_none());
        assert!(passed.take(&path("a")).is_some());
        assert_eq!(passed.left(), 2);
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// The kernel takes a path of 108 bytes, and ends it with a 0 behind these. unix(7)
    #[test]
    fn the_longest_path_there_is() {
        const LONGEST: usize = 108;
        let folder = std::env::temp_dir().join(format!("machined-longest-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let name = "x".repeat(LONGEST - folder.as_os_str().len() - 1);
        let path = folder.join(name);
        let kind = SocketType::STREAM;
        let bound = || {
            let socket = socket(AddressFamily::UNIX, kind, None).unwrap();
            let _ = std::fs::remove_file(&path);
            bind(&socket, &SocketAddrUnix::new(&path).unwrap()).unwrap();
            socket
        };
        assert_eq!(path.as_os_str().len(), LONGEST);
        let mut passed = Passed::new(vec![bound()]);
        assert!(
            passed
                .take("/run/systemd/machine/io.systemd.Machine")
                .is_none()
        );
        assert!(passed.take(path.to_str().unwrap()).is_some());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
