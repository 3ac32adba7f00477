//! The system user that a daemon becomes.

use std::{fs, io, path::Path};

use rustix::{
    fs::{Gid, Uid, chown},
    thread::{
        CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_keep_capabilities,
        set_thread_groups, set_thread_res_gid, set_thread_res_uid,
    },
};

/// A system user: of /etc/passwd alone. NSS may lead to a daemon of ours, and that would wait for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// First group.
    pub gid: u32,
}

impl User {
    /// Looks a user up by name. `None`: there is none.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn find(name: &str) -> io::Result<Option<Self>> {
        match fs::read("/etc/passwd") {
            Ok(bytes) => Ok(parse(&String::from_utf8_lossy(&bytes), name)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives this user a file.
    ///
    /// # Errors
    /// Those of chown(2).
    pub fn own(self, path: &Path) -> io::Result<()> {
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        Ok(chown(path, Some(uid), Some(gid))?)
    }

    /// Becomes this user for good, with no group but its first. Of the capabilities it had, the process keeps `keep`. To be
    /// called while there is one thread: ids belong to threads.
    ///
    /// # Errors
    /// If the kernel refuses; the process may then have more than it should, and is better ended.
    pub fn assume(self, keep: CapabilitySet) -> io::Result<()> {
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        set_keep_capabilities(true)?;
        set_thread_groups(&[])?;
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)?;
        let kept = capabilities(None)?.permitted & keep;
        let sets = CapabilitySets {
            effective: kept,
            permitted: kept,
            inheritable: CapabilitySet::empty(),
        };
        set_capabilities(None, sets)?;
        Ok(set_keep_capabilities(false)?)
    }
}

/// passwd(5): `name:password:uid:gid:…`
fn parse(text: &str, name: &str) -> Option<User> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let _password = fields.next()?;
        let id = |text: &str| text.parse().ok().filter(|&id| id != u32::MAX);
        Some(User {
            uid: id(fields.next()?)?,
            gid: id(fields.next()?)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_users_by_name() {
        let text =
            "root:x:0:0::/:/bin/sh\nbad\nx:x:4294967295:1::\nr:x:996:997:a:/:/sbin/nologin\n";
        assert_eq!(parse(text, "root"), Some(User { uid: 0, gid: 0 }));
        assert_eq!(parse(text, "r"), Some(User { uid: 996, gid: 997 }));
        assert_eq!(parse(text, "x"), None);
        assert_eq!(parse(text, "bad"), None);
        assert_eq!(parse(text, "996"), None);
    }
}
