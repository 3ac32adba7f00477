//! Owner, permissions, times and extended attributes.

use std::os::fd::{AsFd, OwnedFd};

use rustix::{
    fs::{AtFlags, FileType, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags},
    io::Errno,
};

use super::entry::Metadata;

/// What becomes of owners and powers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Ids mean the same users on both sides, and are kept. Else the copies belong to root, and what names users (ACLs)
    /// stays behind.
    pub same_users: bool,
    /// The originals are a machine's, the copies the host's. Whoever is root in the machine can give a file any power, and
    /// need not be anyone out here, where any user may find the copy: it has none of set-user-ID, set-group-ID and file
    /// capabilities, and a device is for root alone.
    pub from_machine: bool,
}

impl Rules {
    /// Copies that are all that the originals are.
    #[cfg(test)]
    pub const SAME: Self = Self {
        same_users: true,
        from_machine: false,
    };
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
        if !is_known(name) {
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

const ACLS: [&[u8]; 2] = [b"system.posix_acl_access", b"system.posix_acl_default"];
const CAPABILITIES: &[u8] = b"security.capability";

/// Labels of security modules and `trusted.` are each side's own business.
fn is_known(name: &[u8]) -> bool {
    name.starts_with(b"user.") || ACLS.contains(&name) || name == CAPABILITIES
}

/// Whether the attribute goes along. Capabilities are bound to the users of a side, too (capabilities(7), version 3).
fn is_kept(name: &[u8], rules: Rules) -> bool {
    is_known(name)
        && (rules.same_users || name.starts_with(b"user."))
        && !(rules.from_machine && name == CAPABILITIES)
}

impl Metadata {
    fn owner(&self, rules: Rules) -> (Uid, Gid) {
        match rules.same_users && !(rules.from_machine && self.is_device()) {
            true => (Uid::from_raw(self.uid), Gid::from_raw(self.gid)),
            false => (Uid::ROOT, Gid::ROOT),
        }
    }

    fn is_device(&self) -> bool {
        let kind = FileType::from_raw_mode(self.mode);
        matches!(kind, FileType::BlockDevice | FileType::CharacterDevice)
    }

    /// The permissions. On a directory set-group-ID gives no power.
    pub fn permissions(&self, rules: Rules) -> Mode {
        let is_directory = FileType::from_raw_mode(self.mode) == FileType::Directory;
        let mask = match rules.from_machine {
            true if self.is_device() => 0o600,
            true if !is_directory => 0o1777,
            _ => 0o7777,
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
    pub fn apply(&self, file: &OwnedFd, rules: Rules) -> Result<(), Errno> {
        let (uid, gid) = self.owner(rules);
        rustix::fs::fchown(file, Some(uid), Some(gid))?;
        for (name, value) in &self.attributes {
            if !is_kept(name, rules) {
                continue;
            }
            match rustix::fs::fsetxattr(file, name.as_slice(), value, XattrFlags::empty()) {
                // A file system without attributes is no reason to have no copy.
                Ok(()) | Err(Errno::NOTSUP) => {}
                Err(errno) => return Err(errno),
            }
        }
        rustix::fs::fchmod(file, self.permissions(rules))?;
        rustix::fs::futimens(file, &self.timestamps())
    }

    /// Gives owner and times to what can't be opened but as O_PATH: a symlink or a node.
    pub fn apply_to_path(&self, file: impl AsFd, rules: Rules) -> Result<(), Errno> {
        let (uid, gid) = self.owner(rules);
        rustix::fs::chownat(&file, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
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

    const OUT: Rules = Rules {
        same_users: true,
        from_machine: true,
    };
    const OUT_OF_NAMESPACE: Rules = Rules {
        same_users: false,
        from_machine: true,
    };
    const INTO_NAMESPACE: Rules = Rules {
        same_users: false,
        from_machine: false,
    };

    fn file(mode: u32) -> Metadata {
        Metadata {
            mode,
            uid: 1000,
            gid: 1000,
            ..Metadata::default()
        }
    }

    #[test]
    fn powers_do_not_leave_a_machine() {
        let mode = |mode, rules| file(mode).permissions(rules).as_raw_mode();
        for (rules, kept) in [
            (Rules::SAME, 0o6755),
            (INTO_NAMESPACE, 0o6755),
            (OUT, 0o755),
            (OUT_OF_NAMESPACE, 0o755),
        ] {
            assert_eq!(mode(0o106_755, rules), kept, "{rules:?}");
        }
        assert_eq!(mode(0o042_755, OUT), 0o2755);
        assert_eq!(mode(0o010_666, OUT), 0o666); // a FIFO
        for device in [0o020_666, 0o060_666] {
            assert_eq!(mode(device, Rules::SAME), 0o666);
            assert_eq!(mode(device, OUT), 0o600);
            assert_eq!(file(device).owner(OUT).0, Uid::ROOT);
        }
        assert_eq!(file(0o100_644).owner(OUT).0, Uid::from_raw(1000));
        assert_eq!(file(0o100_644).owner(OUT_OF_NAMESPACE).0, Uid::ROOT);
    }

    #[test]
    fn what_names_users_stays_with_them() {
        let (acl, capability) = (ACLS[0], CAPABILITIES);
        assert!(is_kept(b"user.a", OUT_OF_NAMESPACE));
        assert!(is_kept(capability, Rules::SAME) && is_kept(acl, Rules::SAME));
        assert!(!is_kept(capability, OUT) && is_kept(acl, OUT));
        for rules in [INTO_NAMESPACE, OUT_OF_NAMESPACE] {
            assert!(!is_kept(capability, rules) && !is_kept(acl, rules));
        }
        for name in [&b"trusted.overlay.opaque"[..], b"security.selinux", b""] {
            assert!(!is_kept(name, Rules::SAME));
        }
    }
}
