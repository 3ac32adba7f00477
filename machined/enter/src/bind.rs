//! A directory or file of the host, mounted into the running machine.
//!
//! The mount is made on the host and attached in the machine, by the mount API of Linux 5.12, so no container manager needs
//! to have prepared a directory for it.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{CWD, FileType, Mode, OFlags},
    io::Errno,
    mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags,
        OpenTreeFlags,
    },
};

use crate::{
    fault::Fault,
    join::Door,
    leader::Leader,
    root::{Root, split},
    sys::{self, MountAttributes},
};

/// The name of what a mount is attached to on its way.
const PLACE: &str = "mount";

/// A mount that is not attached anywhere yet.
#[derive(Debug)]
pub struct Mount {
    tree: OwnedFd,
    directory: bool,
}

impl Mount {
    /// Takes the path on the host, which is followed as usual, without what is mounted below it. It shows the user ids of
    /// the machine, if those are its own.
    pub fn of_host(leader: &Leader, path: &Path, read_only: bool) -> Result<Self, Fault> {
        let source = Root::own()?
            .open(path, OFlags::PATH)
            .map_err(Fault::on("open", path))?;
        let stat = rustix::fs::fstat(&source).map_err(Fault::on("look at", path))?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let tree = clone(source.as_fd(), "").map_err(Fault::on("clone the mount of", path))?;
        let mapped = if leader.shares("user")? {
            None
        } else {
            Some(leader.open("ns/user", OFlags::RDONLY)?)
        };
        let attributes = MountAttributes { read_only, mapped };
        let own_users = attributes.mapped.is_some();
        sys::mount_setattr(&tree, &attributes).map_err(|errno| {
            if own_users && errno == Errno::INVAL {
                return Fault::refused(format!(
                    "Can't bind mount on container with user namespacing applied: the file system of {} has no ID-mapped mounts",
                    path.display()
                ));
            }
            Fault::on("set up the mount of", path)(errno)
        })?;
        Ok(Self {
            tree,
            directory: kind == FileType::Directory,
        })
    }

    /// Makes it so that a machine with a user namespace of its own can't take back what it is not to do: write, above all.
    ///
    /// The kernel locks the flags of mounts, and only then, when a mount namespace is copied for a less privileged user
    /// namespace (mount_namespaces(7), "Restrictions"). So the mount goes through such a copy. It leaves this process in the
    /// machine's user namespace, and in a mount namespace that ends with the next one joined.
    ///
    /// In a machine without one, whoever has CAP_SYS_ADMIN can make a read-only mount writable, as with any manager: it is the
    /// host's.
    pub fn lock(self, door: &mut Door<'_>) -> Result<Self, Fault> {
        let failed = || Fault::to("lock the mount");
        sys::unshare_mounts().map_err(failed())?;
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        rustix::mount::mount_change("/", private).map_err(failed())?;
        let place = self.place().map_err(failed())?;
        door.join_users()?;
        // The working directory is the place's copy now. No path of the host would lead there: it may cross directories
        // that are closed to the machine's root.
        sys::unshare_mounts().map_err(failed())?;
        drop(place);
        Ok(Self {
            tree: clone(CWD, PLACE).map_err(failed())?,
            directory: self.directory,
        })
    }

    /// Attaches it in a file system of its own, and makes that the working directory.
    fn place(&self) -> Result<OwnedFd, Errno> {
        let tmpfs = rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        rustix::mount::fsconfig_create(&tmpfs)?;
        let place = rustix::mount::fsmount(
            &tmpfs,
            FsMountFlags::FSMOUNT_CLOEXEC,
            MountAttrFlags::empty(),
        )?;
        let root = Root::own().map_err(|fault| fault.errno)?;
        attach(&place, &root)?;
        let mode = Mode::from_raw_mode(0o755);
        if self.directory {
            rustix::fs::mkdirat(&place, PLACE, mode)?;
        } else {
            rustix::fs::mknodat(&place, PLACE, FileType::RegularFile, mode, 0)?;
        }
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let point = rustix::fs::openat(&place, PLACE, flags, Mode::empty())?;
        attach(&self.tree, &point)?;
        rustix::process::fchdir(&place)?;
        Ok(place)
    }

    /// Attaches it in the machine, from inside.
    pub fn attach(self, root: &Root, path: &Path, mkdir: bool) -> Result<(), Fault> {
        let target = self.target(root, path, mkdir)?;
        attach(&self.tree, &target).map_err(Fault::on("mount on", path))
    }

    fn target(&self, root: &Root, path: &Path, mkdir: bool) -> Result<OwnedFd, Fault> {
        let found = root.open(path, OFlags::PATH);
        if !(mkdir && matches!(found, Err(Errno::NOENT))) {
            return found.map_err(Fault::on("open in the machine", path));
        }
        if self.directory {
            return root.make_directory(path);
        }
        let (parent, name) = split(path)?;
        let parent = root.make_directory(parent)?;
        // A file can only be mounted on a file.
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o600))
            .map_err(Fault::on("create in the machine", path))
    }
}

fn clone(directory: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    rustix::mount::open_tree(directory, path, flags)
}

fn attach(tree: &OwnedFd, target: impl AsFd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(tree, "", target, "", flags)
}
