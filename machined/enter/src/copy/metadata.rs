//! Owner, permissions, times and extended attributes.

use std::os::fd::{AsFd, OwnedFd};

use rustix::{
    fs::{AtFlags, FileType, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags},
    io::Errno,
};

use super::entry::Metadata;

/// Whose the copies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// The same ids as the originals: both sides mean the same by them.
    Kept,
    /// Root's, in a machine whose ids mean other users than the host's.
    MachineRoot,
    /// The host's root's, from such a machine.
    HostRoot,
}

/// The kernel's limit for one value (XATTR_SIZE_MAX) and for a list of names (XATTR_LIST_MAX).
const MAX_ATTRIBUTE: usize = 65536;

/// What is known of an open file.
pub fn read(file: &OwnedFd) -> Result<Metadata, Errno> {
    let mut metadata = Metadata::from(&rustix::fs::fstat(file)?);
    let mut buffer = vec![0; MAX_ATTRIBUTE];
    let names = match rustix::fs::flistxattr(file, buffer.as_mut_slice()) {
        Ok(length) => buffer.get(..length).unwrap_or_default().to_vec(),
        Err(Errno::NOTSUP) => return Ok(metadata),
        Err(errno) => return Err(errno),
    };
    for name in names.split(|&byte| byte == 0) {
        if !wanted(name, Ids::Kept) {
            continue;
        }
        match rustix::fs::fgetxattr(file, name, buffer.as_mut_slice()) {
            Ok(length) => {
                let value = buffer.get(..length).unwrap_or_default();
                metadata.attributes.push((name.to_vec(), value.to_vec()));
            }
            // Taken away since the list was read.
            Err(Errno::NODATA) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(metadata)
}

/// ACLs and file capabilities name users of the side they are from. Labels of security modules and `trusted.` are each
/// side's own business.
fn wanted(name: &[u8], ids: Ids) -> bool {
    const WITH_IDS: [&[u8]; 3] = [
        b"system.posix_acl_access",
        b"system.posix_acl_default",
        b"security.capability",
    ];
    name.starts_with(b"user.") || (ids == Ids::Kept && WITH_IDS.contains(&name))
}

impl Metadata {
    fn owner(&self, ids: Ids) -> (Option<Uid>, Option<Gid>) {
        match ids {
            Ids::Kept => (Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid))),
            Ids::MachineRoot | Ids::HostRoot => (Some(Uid::ROOT), Some(Gid::ROOT)),
        }
    }

    /// The permissions. What the machine's root made setuid must not become setuid to the host's: whoever is root in
    /// there need not be anyone out here.
    pub fn permissions(&self, ids: Ids) -> Mode {
        let directory = FileType::from_raw_mode(self.mode) == FileType::Directory;
        let mask = if ids == Ids::HostRoot && !directory {
            0o1777
        } else {
            0o7777
        };
        Mode::from_raw_mode(self.mode & mask)
    }

    fn timestamps(&self) -> Timestamps {
        let [access, modification] = self.times.map(|(seconds, nanoseconds)| Timespec {
            tv_sec: seconds,
            tv_nsec: nanoseconds.into(),
        });
        Timestamps {
            last_access: access,
            last_modification: modification,
        }
    }

    /// Gives all of it to an open file. The owner first, as a change of owner takes setuid and capabilities away.
    pub fn apply(&self, file: &OwnedFd, ids: Ids) -> Result<(), Errno> {
        let (uid, gid) = self.owner(ids);
        rustix::fs::fchown(file, uid, gid)?;
        for (name, value) in &self.attributes {
            if !wanted(name, ids) {
                continue;
            }
            match rustix::fs::fsetxattr(file, name.as_slice(), value, XattrFlags::empty()) {
                // A file system without attributes is no reason to have no copy.
                Ok(()) | Err(Errno::NOTSUP) => {}
                Err(errno) => return Err(errno),
            }
        }
        rustix::fs::fchmod(file, self.permissions(ids))?;
        rustix::fs::futimens(file, &self.timestamps())
    }

    /// Gives owner and times to what can't be opened but as O_PATH: a symlink or a node.
    pub fn apply_to_path(&self, file: impl AsFd, ids: Ids) -> Result<(), Errno> {
        let (uid, gid) = self.owner(ids);
        rustix::fs::chownat(&file, "", uid, gid, AtFlags::EMPTY_PATH)?;
        match rustix::fs::utimensat(&file, "", &self.timestamps(), AtFlags::EMPTY_PATH) {
            // Linux before 5.8 does not take an empty path.
            Err(Errno::INVAL | Errno::NOENT) => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setuid_does_not_leave_a_user_namespace() {
        let file = Metadata {
            mode: 0o106_755,
            ..Metadata::default()
        };
        assert_eq!(file.permissions(Ids::Kept).as_raw_mode(), 0o6755);
        assert_eq!(file.permissions(Ids::MachineRoot).as_raw_mode(), 0o6755);
        assert_eq!(file.permissions(Ids::HostRoot).as_raw_mode(), 0o755);
        let directory = Metadata {
            mode: 0o042_755,
            ..Metadata::default()
        };
        assert_eq!(directory.permissions(Ids::HostRoot).as_raw_mode(), 0o2755);
    }

    #[test]
    fn what_names_users_stays_with_them() {
        assert!(wanted(b"user.a", Ids::HostRoot));
        assert!(wanted(b"security.capability", Ids::Kept));
        assert!(!wanted(b"security.capability", Ids::HostRoot));
        assert!(!wanted(b"system.posix_acl_access", Ids::MachineRoot));
        assert!(!wanted(b"trusted.overlay.opaque", Ids::Kept));
        assert!(!wanted(b"security.selinux", Ids::Kept));
        assert!(!wanted(b"", Ids::Kept));
    }
}
