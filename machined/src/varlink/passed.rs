//! Sockets that the service manager opened for us, told apart by where they are bound: it has one name for all of a unit.

use std::{ffi::OsStr, os::fd::OwnedFd, os::unix::ffi::OsStrExt, path::Path};

use rustix::net::{SocketAddrUnix, getsockname};

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
    let address = getsockname(socket).ok();
    let address = address.and_then(|address| SocketAddrUnix::try_from(address).ok());
    let bound = address.as_ref().and_then(SocketAddrUnix::path);
    bound.is_some_and(|bound| Path::new(OsStr::from_bytes(bound.to_bytes())) == path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

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
}
