//! Sockets to listen on.

use std::{
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    rc::Rc,
};

use rustix::{
    fs::{Mode, stat},
    net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with, sockopt,
    },
};

/// A socket that listens, and its name in the file system.
#[derive(Debug)]
pub struct Socket {
    pub(crate) fd: Rc<OwnedFd>,
    /// Where we bound it, and which file we made there; `None` for one that was handed to us.
    bound: Option<(PathBuf, Identity)>,
}

type Identity = (u64, u64);

impl Socket {
    /// Binds `path`, open to all (mode 0666), and makes the directories that lead there (0755). What a daemon that died
    /// left in its place is replaced in one step, so a client finds either the old or the new one.
    ///
    /// # Errors
    /// Of the file system.
    pub fn bind(path: &Path) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            make_directories(directory)?;
        }
        let temporary = beside(path);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        bind(&fd, &SocketAddrUnix::new(&temporary)?)?;
        let identity = rustix::fs::chmod(&temporary, Mode::from_raw_mode(0o666))
            // The kernel cuts it to net.core.somaxconn.
            .and_then(|()| listen(&fd, 4096))
            .and_then(|()| identity(&temporary))
            .map_err(io::Error::from)
            .and_then(|identity| fs::rename(&temporary, path).map(|()| identity))
            .inspect_err(|_| drop(fs::remove_file(&temporary)))?;
        Ok(Self {
            fd: Rc::new(fd),
            bound: Some((path.to_owned(), identity)),
        })
    }

    /// Takes a listening socket that a service manager opened: sd_listen_fds(3). It is not removed at the end.
    ///
    /// # Errors
    /// Where it is no listening stream socket of AF_UNIX.
    pub fn inherited(fd: OwnedFd) -> io::Result<Self> {
        let fits = sockopt::socket_domain(&fd)? == AddressFamily::UNIX
            && sockopt::socket_type(&fd)? == SocketType::STREAM
            && sockopt::socket_acceptconn(&fd)?;
        if !fits {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a listening stream socket of AF_UNIX",
            ));
        }
        rustix::io::ioctl_fionbio(&fd, true)?;
        Ok(Self {
            fd: Rc::new(fd),
            bound: None,
        })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some((path, identity)) = &self.bound {
            // Not that of a successor.
            if self::identity(path).is_ok_and(|now| now == *identity) {
                drop(fs::remove_file(path));
            }
        }
    }
}

fn identity(path: &Path) -> rustix::io::Result<Identity> {
    stat(path).map(|stat| (stat.st_dev, stat.st_ino))
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".#{name}"))
}

/// Makes the directories whatever the umask, and leaves alone what is there.
fn make_directories(directory: &Path) -> io::Result<()> {
    if directory.as_os_str().is_empty() || directory.is_dir() {
        return Ok(());
    }
    if let Some(parent) = directory.parent() {
        make_directories(parent)?;
    }
    match fs::create_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        result => result?,
    }
    Ok(rustix::fs::chmod(directory, Mode::from_raw_mode(0o755))?)
}
