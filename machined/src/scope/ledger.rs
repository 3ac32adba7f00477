//! Which scopes are ours, written down before they are made: whatever becomes of us in the middle, our successor finds them.
//!
//! A file for each, below a folder of our own, at the path that its cgroup has. In it is the inode number of the cgroup's
//! folder, which tells it from one that somebody else has made there since; in an empty one it is not known yet. Until the
//! machine is registered there is also who was moved there for it, and from where.

use std::{
    fs, io,
    io::ErrorKind::NotFound,
    path::{Path, PathBuf},
};

use super::newcomer::Newcomer;

/// What a name begins with that is no scope's: the new text of a file, before it takes the old one's place.
const TEMPORARY: &str = ".#";

/// What is known of a scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// The inode number of its cgroup, unless that was yet to be made.
    pub inode: Option<u64>,
    /// Whoever is on the way there, for a machine that is not registered yet.
    pub newcomer: Option<Newcomer>,
}

impl Entry {
    fn parse(text: &str) -> Self {
        let values: Vec<_> = env_file::parse(text).collect();
        let value = |key: &str| {
            let found = values.iter().find(|(known, _)| *known == key);
            found.map(|(_, value)| value.as_str())
        };
        Self {
            inode: value("INODE").and_then(|inode| inode.parse().ok()),
            newcomer: Newcomer::parse(value),
        }
    }

    fn format(&self) -> String {
        let mut text = String::new();
        let inode = self.inode.map(|inode| inode.to_string());
        env_file::push(&mut text, "INODE", &inode.unwrap_or_default());
        if let Some(newcomer) = &self.newcomer {
            newcomer.push(&mut text);
        }
        text
    }
}

/// The list of scopes that we have made, or were about to.
#[derive(Debug)]
pub(super) struct Ledger {
    dir: PathBuf,
}

impl Ledger {
    /// In this folder, which is made when it is needed.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Writes down that this scope is ours; whether that is new. What is known of it stays.
    pub fn enter(&self, scope: &str) -> io::Result<bool> {
        let file = self.file(scope);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        match fs::File::create_new(file) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            made => made.map(|_| true),
        }
    }

    /// Writes down what is known of it. Whoever is killed in the middle leaves what was known before.
    pub fn describe(&self, scope: &str, entry: &Entry) -> io::Result<()> {
        let file = self.file(scope);
        let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let name = format!("{TEMPORARY}{}", name.display());
        let temporary = file.with_file_name(name);
        fs::write(&temporary, entry.format())?;
        fs::rename(temporary, file)
    }

    /// Takes a scope off the list, and the folders that are empty then.
    pub fn strike(&self, scope: &str) {
        let file = self.file(scope);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != NotFound => {
                tracing::warn!("Failed to remove {}: {error}", file.display());
            }
            _ => {}
        }
        let above = file.ancestors().skip(1);
        for folder in above.take_while(|folder| *folder != self.dir) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }

    /// All of them, each with what is known of it. What a predecessor had not written to its end is removed.
    pub fn scopes(&self) -> io::Result<Vec<(String, Entry)>> {
        let mut found = Vec::new();
        match self.collect(&self.dir, &mut found) {
            Err(error) if error.kind() == NotFound => {}
            result => result?,
        }
        Ok(found)
    }

    fn collect(&self, folder: &Path, found: &mut Vec<(String, Entry)>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                self.collect(&path, found)?;
            } else if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                fs::remove_file(&path)?;
            } else if let Some(below) = path.strip_prefix(&self.dir).ok().and_then(Path::to_str) {
                let known = Entry::parse(&fs::read_to_string(&path)?);
                found.push((format!("/{below}"), known));
            }
        }
        Ok(())
    }

    fn file(&self, scope: &str) -> PathBuf {
        self.dir.join(scope.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ProcessRecord;

    /// A list of this test's own, with its folder.
    fn list(test: &str) -> (Ledger, PathBuf) {
        let dir = format!("machined-ledger-{test}-{}", std::process::id());
        let dir = std::env::temp_dir().join(dir);
        (Ledger::new(dir.clone()), dir)
    }

    #[test]
    fn what_is_entered_is_there_until_it_is_struck() {
        let (ledger, dir) = list("entered");
        let list = || {
            let mut scopes = ledger.scopes().unwrap();
            scopes.sort_by(|one, other| one.0.cmp(&other.0));
            scopes
        };
        assert!(list().is_empty());
        let (a, b) = ("/a.slice/a-b.slice/x.scope", "/a.slice/y.scope");
        assert!(ledger.enter(a).unwrap() && ledger.enter(b).unwrap());
        let known = Entry {
            inode: Some(u64::MAX),
            newcomer: None,
        };
        ledger.describe(b, &known).unwrap();
        assert!(!ledger.enter(b).unwrap());
        let both = [(a.to_owned(), Entry::default()), (b.to_owned(), known)];
        assert_eq!(list(), both);
        ledger.strike(a);
        ledger.strike(a);
        assert_eq!(list(), both[1..]);
        assert!(!dir.join("a.slice/a-b.slice").exists());
        ledger.strike(b);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
        fs::remove_dir(dir).unwrap();
    }

    #[test]
    fn who_is_on_the_way_is_read_as_it_was_written() {
        let (ledger, dir) = list("newcomer");
        let scope = "/y.scope";
        ledger.enter(scope).unwrap();
        for (pidfd_id, is_alone) in [(Some(7), true), (None, false)] {
            let entry = Entry {
                inode: Some(1),
                newcomer: Some(Newcomer {
                    leader: ProcessRecord {
                        pid: 42,
                        pidfd_id,
                        start_time: Some(9),
                    },
                    former: "/a \"b\" $c\\.slice/ x ".to_owned(),
                    is_alone,
                }),
            };
            ledger.describe(scope, &entry).unwrap();
            assert_eq!(ledger.scopes().unwrap(), [(scope.to_owned(), entry)]);
        }
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_was_not_written_to_its_end_is_nothing() {
        let (ledger, dir) = list("half");
        let scope = "/a.slice/y.scope";
        ledger.enter(scope).unwrap();
        let half = dir.join("a.slice/.#y.scope");
        fs::write(&half, "INODE=1").unwrap();
        assert_eq!(
            ledger.scopes().unwrap(),
            [(scope.to_owned(), Entry::default())]
        );
        assert!(!half.exists());
        ledger.strike(scope);
        fs::remove_dir(dir).unwrap();
    }
}
