//! The machine's users, read off its /etc/passwd and /etc/group. NSS is out of the question: it would run the machine's code, or
//! answer with the host's users.

use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::{fault::Fault, root::Root};

/// Longer files than this are no user databases.
const LIMIT: u64 = 4 * 1024 * 1024;

/// The kernel takes no more (NGROUPS_MAX, limits.h).
const MAX_GROUPS: usize = 65536;

/// One user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// First group.
    pub gid: u32,
    /// All groups, the first among them.
    pub groups: Vec<u32>,
    /// Home directory.
    pub home: PathBuf,
    /// Login shell: an absolute path.
    pub shell: PathBuf,
}

impl User {
    /// Looks a user up by name, else by number.
    pub fn find(root: &Root, key: &str) -> Result<Self, Fault> {
        let file = |path| -> Result<String, Fault> {
            let bytes = root.read(Path::new(path), LIMIT)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let passwd = match file("/etc/passwd") {
            Ok(text) => text,
            // The smallest of containers have none; root needs none.
            Err(fault) if fault.errno == Errno::NOENT && matches!(key, "root" | "0") => {
                "root:x:0:0::/:/bin/sh".to_owned()
            }
            Err(fault) => return Err(fault),
        };
        let mut user = parse(&passwd, key).ok_or_else(|| {
            let what = format!(
                "No user '{}' in the machine's /etc/passwd",
                key.escape_debug()
            );
            Fault::new(what, Errno::SRCH)
        })?;
        let group = file("/etc/group").unwrap_or_default();
        user.groups = groups(&group, &user.name, user.gid);
        Ok(user)
    }
}

/// passwd(5): the user with this name, else the first with this number.
pub(crate) fn parse(text: &str, key: &str) -> Option<User> {
    let users = || text.lines().filter_map(line);
    let number: Option<u32> = key.parse().ok();
    users()
        .find(|user| user.name == key)
        .or_else(|| users().find(|user| Some(user.uid) == number))
}

fn line(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    let _password = fields.next()?;
    let id = |text: &str| text.parse().ok().filter(|&id| id != u32::MAX);
    let uid = id(fields.next()?)?;
    let gid = id(fields.next()?)?;
    let _gecos = fields.next()?;
    let path = |text: Option<&str>, default: &str| {
        let text = text.filter(|text| text.starts_with('/')).unwrap_or(default);
        PathBuf::from(text)
    };
    Some(User {
        name: name.to_owned(),
        uid,
        gid,
        groups: vec![gid],
        home: path(fields.next(), "/"),
        shell: path(fields.next(), "/bin/sh"),
    })
}

/// group(5): the first group and every group that names the user.
pub(crate) fn groups(text: &str, name: &str, first: u32) -> Vec<u32> {
    let mut groups = vec![first];
    for line in text.lines() {
        let mut fields = line.split(':').skip(2);
        let (Some(gid), Some(members)) = (fields.next(), fields.next()) else {
            continue;
        };
        let Ok(gid) = gid.parse() else { continue };
        if members.split(',').any(|member| member.trim() == name) && gid != u32::MAX {
            groups.push(gid);
        }
    }
    groups.sort_unstable();
    groups.dedup();
    groups.truncate(MAX_GROUPS);
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "\
# a comment
broken
+::::::
root:x:0:0:root:/root:/bin/bash
web:x:33:33:www:relative:
nofields:x:1
huge:x:99999999999:1::/:/bin/sh
minus:x:4294967295:1::/:/bin/sh
33:x:77:77::/home/33:/bin/zsh
";

    #[test]
    fn finds_users() {
        let root = parse(PASSWD, "root").unwrap();
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(root.shell, Path::new("/bin/bash"));
        let web = parse(PASSWD, "web").unwrap();
        assert_eq!(web.home, Path::new("/"));
        assert_eq!(web.shell, Path::new("/bin/sh"));
    }

    #[test]
    fn a_name_goes_before_a_number() {
        assert_eq!(parse(PASSWD, "33").unwrap().uid, 77);
        assert_eq!(parse(PASSWD, "77").unwrap().name, "33");
        assert_eq!(parse(PASSWD, "0").unwrap().name, "root");
    }

    #[test]
    fn refuses_what_is_not_there_or_broken() {
        for key in [
            "",
            "nobody",
            "broken",
            "nofields",
            "huge",
            "minus",
            "+",
            "4294967295",
        ] {
            assert_eq!(parse(PASSWD, key), None, "{key}");
        }
    }

    #[test]
    fn gathers_groups() {
        let text = "a:x:5:web,root\nb:x:6:webx\nc:x:oops:web\nd:x:33:web\ne:x:7: web \nf:x\n";
        assert_eq!(groups(text, "web", 33), [5, 7, 33]);
        assert_eq!(groups("", "web", 33), [33]);
    }
}
