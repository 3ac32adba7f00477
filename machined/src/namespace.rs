//! Which namespaces a process is in.

use std::fs;

/// What tells one namespace from another of its kind: the inode of the file that stands for it, namespaces(7).
pub type Id = u64;

/// The namespace of this kind (`net`, `pid`, `user`, …) that a process is in; `None` if the process has ended or may not be
/// looked at.
///
/// The link's text is asked for, `net:[4026531840]`, and not what it leads to: for stat(2) the kernel makes an inode and
/// lets go of it, which takes twice as long.
pub fn id_of(pid: u32, kind: &str) -> Option<Id> {
    let link = fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()?;
    let text = link.to_str()?.strip_prefix(kind)?;
    text.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
}

/// Our own.
pub fn id_of_own(kind: &str) -> Option<Id> {
    id_of(std::process::id(), kind)
}

#[cfg(test)]
mod tests {
    use super::{id_of, id_of_own};
    use std::{fs, os::unix::fs::MetadataExt};

    #[test]
    fn it_is_the_inode_of_what_the_link_leads_to() {
        for kind in ["net", "pid", "user"] {
            let metadata = fs::metadata(format!("/proc/self/ns/{kind}")).unwrap();
            assert_eq!(id_of_own(kind), Some(metadata.ino()), "{kind}");
        }
        assert_eq!(id_of(u32::MAX, "net"), None);
        assert_eq!(id_of_own("none"), None);
    }
}
