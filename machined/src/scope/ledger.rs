//! Which scopes are ours, written down before they are made: whatever becomes of us in the middle, our successor finds them.
//!
//! A file for each, below a folder of our own, at the path that its cgroup has. In it is the inode number of the cgroup's
//! folder, which tells it from one that somebody else has made there since; in an empty one it is not known yet.

use std::{
    fs, io,
    io::ErrorKind::NotFound,
    path::{Path, PathBuf},
};

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

    /// Writes down which cgroup it is.
    pub fn identify(&self, scope: &str, inode: u64) -> io::Result<()> {
        fs::write(self.file(scope), inode.to_string())
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

    /// All of them, each with the inode number of its cgroup where that is known.
    pub fn scopes(&self) -> io::Result<Vec<(String, Option<u64>)>> {
        let mut found = Vec::new();
        match self.collect(&self.dir, &mut found) {
            Err(error) if error.kind() == NotFound => {}
            result => result?,
        }
        Ok(found)
    }

    fn collect(&self, folder: &Path, found: &mut Vec<(String, Option<u64>)>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let (entry, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
            if kind.is_dir() {
                self.collect(&entry, found)?;
            } else if let Some(below) = entry.strip_prefix(&self.dir).ok().and_then(Path::to_str) {
                let inode = fs::read_to_string(&entry)?.parse().ok();
                found.push((format!("/{below}"), inode));
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

    #[test]
    fn what_is_entered_is_there_until_it_is_struck() {
        let dir = std::env::temp_dir().join(format!("machined-ledger-{}", std::process::id()));
        let ledger = Ledger::new(dir.clone());
        let list = || {
            let mut scopes = ledger.scopes().unwrap();
            scopes.sort();
            scopes
        };
        assert!(list().is_empty());
        let (a, b) = ("/a.slice/a-b.slice/x.scope", "/a.slice/y.scope");
        assert!(ledger.enter(a).unwrap() && ledger.enter(b).unwrap());
        ledger.identify(b, u64::MAX).unwrap();
        assert!(!ledger.enter(b).unwrap());
        let both = [(a.to_owned(), None), (b.to_owned(), Some(u64::MAX))];
        assert_eq!(list(), both);
        ledger.strike(a);
        ledger.strike(a);
        assert_eq!(list(), both[1..]);
        assert!(!dir.join("a.slice/a-b.slice").exists());
        ledger.strike(b);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
        fs::remove_dir(dir).unwrap();
    }
}
