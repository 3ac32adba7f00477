//! A directory or file of the host, mounted into the running machine.
//!
//! The mount is made on the host and attached in the machine, by the mount API of Linux 5.12, so no container manager needs
//! to have prepared a directory for it.

use std::{os::fd::OwnedFd, path::Path};

use rustix::{
    fs::{FileType, Mode, OFlags},
    io::Errno,
    mount::{MoveMountFlags, OpenTreeFlags},
};

use crate::{
    fault::Fault,
    leader::Leader,
    root::{Root, split},
    sys::{self, MountAttributes},
};

/// A mount that is not attached anywhere yet.
#[derive(Debug)]
pub struct Mount {
    tree: OwnedFd,
    directory: bool,
}

impl Mount {
    /// Takes the path on the host, which is followed as usual, without what is mounted below it. With the ids of the machine, if those are its own.
    pub fn of_host(leader: &Leader, path: &Path, read_only: bool) -> Result<Self, Fault> {
        let source = Root::own()?
            .open(path, OFlags::PATH)
            .map_err(Fault::on("open", path))?;
        let stat = rustix::fs::fstat(&source).map_err(Fault::on("look at", path))?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let tree = rustix::mount::open_tree(
            &source,
            "",
            OpenTreeFlags::OPEN_TREE_CLONE
                | OpenTreeFlags::OPEN_TREE_CLOEXEC
                | OpenTreeFlags::AT_EMPTY_PATH,
        )
        .map_err(Fault::on("clone the mount of", path))?;
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

    /// Attaches it in the machine, from inside.
    pub fn attach(self, root: &Root, path: &Path, mkdir: bool) -> Result<(), Fault> {
        let target = self.target(root, path, mkdir)?;
        rustix::mount::move_mount(
            &self.tree,
            "",
            &target,
            "",
            MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH,
        )
        .map_err(Fault::on("mount on", path))
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
