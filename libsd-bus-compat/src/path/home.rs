//! Where a user is at home, and what is there.

use std::fs;

use super::{World, as_path, join};
use crate::{Errno, Result};

/// The user that nothing belongs to, who is at home nowhere.
const NOBODY: u32 = 65534;

impl World<'_> {
    /// The user's home: what the environment says, or the list of users.
    pub fn home(&self) -> Result<Vec<u8>> {
        if let Some(home) = self.absolute("HOME") {
            return Ok(simple(&home));
        }
        match self.uid {
            0 => Ok(b"/root".into()),
            NOBODY => Ok(b"/".into()),
            uid => {
                let users = fs::read(self.passwd).map_err(|error| crate::errno_of(&error))?;
                let mut homes = users.split(|byte| *byte == b'\n').filter_map(|line| {
                    let mut fields = line.split(|byte| *byte == b':').skip(2);
                    let own = std::str::from_utf8(fields.next()?).ok()?;
                    let home = fields.nth(2)?;
                    (own.parse() == Ok(uid) && home.starts_with(b"/")).then_some(home)
                });
                homes.next().map(simple).ok_or(Errno::SRCH)
            }
        }
    }

    /// What a variable says, or a path below the home.
    pub fn in_home(&self, variable: Option<&str>, below: &str) -> Result<Vec<u8>> {
        if let Some(path) = variable.and_then(|name| self.absolute(name)) {
            return Ok(path);
        }
        let home = self.home()?;
        match below {
            "" => Ok(home),
            below => Ok(join(&home, below.as_bytes())),
        }
    }

    /// Where the user's configuration is.
    pub fn configuration(&self) -> Result<Vec<u8>> {
        self.in_home(Some("XDG_CONFIG_HOME"), ".config")
    }

    /// Where the user wants files of some sort to be, as xdg-user-dirs has written it down.
    pub fn user_directory(&self, name: &str, below: &str) -> Result<Vec<u8>> {
        let home = self.home()?;
        let file = join(&self.configuration()?, b"user-dirs.dirs");
        let lines = fs::read(as_path(&file)).unwrap_or_default();
        let mut lines = lines.split(|byte| *byte == b'\n');
        match lines.find_map(|line| value(line, name.as_bytes(), &home)) {
            Some(path) => Ok(path),
            None => self.in_home(None, below),
        }
    }
}

/// The path of a line `NAME="$HOME/..."` or `NAME="/..."`, if it is such a line.
fn value(line: &[u8], name: &[u8], home: &[u8]) -> Option<Vec<u8>> {
    let line = line.trim_ascii_start().strip_prefix(name)?;
    let line = line.trim_ascii_start().strip_prefix(b"=")?;
    let line = line.trim_ascii_start().strip_prefix(b"\"")?;
    // A quote behind a backslash is of the path.
    let is_end = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| line.get(before));
        line.get(*at) == Some(&b'"') && before != Some(&b'\\')
    };
    let end = (0..line.len()).find(is_end)?;
    let path = line.get(..end)?;
    match path.strip_prefix(b"$HOME") {
        Some(b"") => Some(home.into()),
        Some([b'/', below @ ..]) => Some(join(home, below)),
        Some(_) => None,
        None => path.starts_with(b"/").then(|| path.into()),
    }
}

/// A path without what says nothing: double slashes, `.`, and a slash at its end.
fn simple(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|byte| *byte == b'/');
    let said = parts.filter(|part| !matches!(part, [] | [b'.']));
    let mut simple = Vec::with_capacity(path.len());
    for part in said {
        simple.push(b'/');
        simple.extend(part);
    }
    match simple.as_slice() {
        [] => b"/".into(),
        _ => simple,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn lines_of_user_directories() {
        let of = |line: &str| {
            let path = value(line.as_bytes(), b"XDG_A_DIR", b"/h")?;
            Some(String::from_utf8(path).unwrap())
        };
        for (line, path) in [
            ("XDG_A_DIR=\"$HOME/x\"", "/h/x"),
            ("  XDG_A_DIR = \"$HOME/x\"  # y", "/h/x"),
            ("XDG_A_DIR=\"$HOME\"", "/h"),
            ("XDG_A_DIR=\"/a b\"", "/a b"),
            ("XDG_A_DIR=\"/a\\\"b\"", "/a\\\"b"),
        ] {
            assert_eq!(of(line).as_deref(), Some(path), "{line}");
        }
        for line in [
            "#XDG_A_DIR=\"/x\"",
            "XDG_A_DIR=/x",
            "XDG_A_DIR=\"x\"",
            "XDG_A_DIR=\"/x",
            "XDG_A_DIR=\"\"",
            "XDG_A_DIR=\"$HOMEx\"",
            "XDG_A_DIRS=\"/x\"",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }

    #[test]
    fn homes_of_a_list() {
        let directory = tempfile::tempdir().unwrap();
        let passwd = directory.path().join("passwd");
        let users = "a:x:1:1::relative:/bin/sh\nshort:x:2\nb:x:3:3:B:/home/b/:/bin/sh\n";
        fs::write(&passwd, users).unwrap();
        let home = |uid, passwd: &Path| {
            let world = World {
                variable: &|_| None,
                uid,
                passwd,
            };
            world.home()
        };
        assert_eq!(home(3, &passwd), Ok(b"/home/b".to_vec()));
        for uid in [1, 2, 4] {
            assert_eq!(home(uid, &passwd), Err(Errno::SRCH));
        }
        assert_eq!(home(0, &passwd), Ok(b"/root".to_vec()));
        assert_eq!(home(1, Path::new("/nowhere")), Err(Errno::NOENT));
    }
}
