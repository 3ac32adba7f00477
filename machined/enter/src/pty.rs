//! A terminal of the machine.

use std::{
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use rustix::{fs::OFlags, io::Errno, pty::OpenptFlags};

use crate::{fault::Fault, root::Root};

/// DEVPTS_SUPER_MAGIC (linux/magic.h).
const DEVPTS: u64 = 0x1cd1;

/// Both ends of a terminal.
#[derive(Debug)]
pub struct Terminal {
    /// Our end.
    pub ours: OwnedFd,
    /// The other.
    pub theirs: OwnedFd,
    /// The path of the other.
    pub path: String,
}

/// Opens a new terminal in the devpts that the machine has at /dev/pts. What else may be mounted or put there is refused:
/// the caller of machined is going to type into it.
pub fn open(root: &Root) -> Result<Terminal, Fault> {
    let directory = root
        .directory(Path::new("/dev/pts"))
        .map_err(Fault::to("open /dev/pts in the machine"))?;
    devpts(&directory)?;
    // The instance's own, which CAP_DAC_OVERRIDE opens whatever the mount option ptmxmode says. Not the one in /dev, where the
    // machine may have a node of any device: to open it would make that do things.
    let ours = rustix::fs::openat(
        &directory,
        "ptmx",
        OFlags::RDWR | OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )
    .map_err(Fault::to("open /dev/pts/ptmx in the machine"))?;
    rustix::pty::unlockpt(&ours).map_err(Fault::to("unlock the machine's terminal"))?;
    let name = rustix::pty::ptsname(&ours, Vec::new())
        .map_err(Fault::to("name the machine's terminal"))?;
    let path = name
        .into_string()
        .map_err(|_| Fault::new("The machine's terminal has no name", Errno::ILSEQ))?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let theirs = rustix::pty::ioctl_tiocgptpeer(&ours, flags)
        .map_err(Fault::to("open the other end of the machine's terminal"))?;
    same(&theirs, &directory, &PathBuf::from(&path))?;
    Ok(Terminal { ours, theirs, path })
}

fn devpts(directory: &OwnedFd) -> Result<(), Fault> {
    let stat = rustix::fs::fstatfs(directory).map_err(Fault::to("look at /dev/pts"))?;
    if u64::try_from(stat.f_type) != Ok(DEVPTS) {
        return Err(Fault::refused(
            "/dev/pts in the machine is not a devpts file system",
        ));
    }
    Ok(())
}

/// Makes sure that the path, which is all that the machine's programs get, leads to the terminal that we hold.
fn same(theirs: &OwnedFd, directory: &OwnedFd, path: &Path) -> Result<(), Fault> {
    let name = path.file_name().unwrap_or_default();
    let held = rustix::fs::fstat(theirs).map_err(Fault::to("look at the machine's terminal"))?;
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    let named = rustix::fs::statat(directory, name, flags).map_err(Fault::on("look at", path))?;
    if (held.st_dev, held.st_ino) != (named.st_dev, named.st_ino) {
        return Err(Fault::refused(format!(
            "{} in the machine is not the terminal it should be",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_a_terminal_of_this_system() {
        let terminal = open(&Root::own().unwrap()).unwrap();
        assert!(terminal.path.starts_with("/dev/pts/"));
        rustix::io::write(&terminal.theirs, b"x").unwrap();
        let mut buffer = [0; 4];
        assert_eq!(rustix::io::read(&terminal.ours, &mut buffer).unwrap(), 1);
    }
}
