//! Which files there are: one folder of each root, the earlier hiding the later by the file's name.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};

use crate::Wrong;

/// More than any real file has; a lists of negative trust anchors comes closest.
const LARGEST_FILE: u64 = 16 << 20;

/// The files with this ending, in order of their names, whatever folder they are in.
///
/// One that is a link to /dev/null, or empty, hides those of its name in later folders and is left out itself.
pub fn list(dirs: &[PathBuf], ending: &str, wrong: &mut Wrong) -> Vec<PathBuf> {
    let mut found: BTreeMap<_, PathBuf> = BTreeMap::new();
    for dir in dirs {
        let entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    wrong.file(dir, error.to_string());
                }
                continue;
            }
        };
        for name in entries.flatten().map(|entry| entry.file_name()) {
            let bytes = name.as_encoded_bytes();
            if bytes.ends_with(ending.as_bytes()) && !bytes.starts_with(b".") {
                let path = dir.join(&name);
                found.entry(name).or_insert(path);
            }
        }
    }
    found
        .into_values()
        .filter(|path| !is_masked(path))
        .collect()
}

/// The folders that have the configuration of programs below them; what is in an earlier one goes first.
pub const ROOTS: [&str; 4] = ["/etc", "/run", "/usr/local/lib", "/usr/lib"];

/// A program's file, if there is one, and its drop-ins (`FILE.d/*.conf`), in the order in which one overrides the other.
pub fn with_drop_ins(roots: &[PathBuf], file: &str, wrong: &mut Wrong) -> Vec<PathBuf> {
    let drop_ins = format!("{file}.d");
    let dirs: Vec<_> = roots.iter().map(|root| root.join(&drop_ins)).collect();
    let mut files: Vec<_> = first(roots, file).into_iter().collect();
    files.extend(list(&dirs, ".conf", wrong));
    files
}

/// The first of the roots that has this file.
fn first(roots: &[PathBuf], file: &str) -> Option<PathBuf> {
    let mut paths = roots.iter().map(|root| root.join(file));
    let path = paths.find(|path| path.symlink_metadata().is_ok())?;
    (!is_masked(&path)).then_some(path)
}

fn is_masked(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| {
        (found.is_file() && found.size() == 0) || found.file_type().is_char_device()
    })
}

/// The bytes of a file. `None`, and a diagnostic, if it can't be read.
pub fn read(path: &Path, wrong: &mut Wrong) -> Option<Vec<u8>> {
    match try_read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            wrong.file(path, format!("can't be read: {error}"));
            None
        }
    }
}

/// The bytes of a regular file.
///
/// # Errors
/// Of the file system; if it is no regular file, or larger than any real one.
pub fn try_read(path: &Path) -> io::Result<Vec<u8>> {
    // NONBLOCK: a FIFO in its place is no reason to wait.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn the_earlier_folder_hides_the_later() {
        let root = tempfile::tempdir().unwrap();
        let dirs = [
            root.path().join("etc"),
            root.path().join("lib"),
            root.path().join("none"),
        ];
        for dir in &dirs[..2] {
            fs::create_dir(dir).unwrap();
        }
        for name in [
            "20-b.conf",
            "10-a.conf",
            "30-c.conf",
            "40-d.conf",
            ".x.conf",
            "y.conf~",
        ] {
            fs::write(dirs[1].join(name), "lib").unwrap();
        }
        fs::write(dirs[0].join("15-e.conf"), "etc").unwrap();
        fs::write(dirs[0].join("20-b.conf"), "etc").unwrap();
        fs::write(dirs[0].join("40-d.conf"), "").unwrap();
        symlink("/dev/null", dirs[0].join("30-c.conf")).unwrap();
        let mut wrong = Wrong::default();
        let listed = list(&dirs, ".conf", &mut wrong);
        let expected = [
            dirs[1].join("10-a.conf"),
            dirs[0].join("15-e.conf"),
            dirs[0].join("20-b.conf"),
        ];
        assert_eq!(listed, expected);
        assert_eq!(wrong.into_list(), []);
    }

    #[test]
    fn the_first_root_that_has_it() {
        let root = tempfile::tempdir().unwrap();
        let roots = [root.path().join("etc"), root.path().join("lib")];
        for root in &roots {
            fs::create_dir(root).unwrap();
        }
        assert_eq!(first(&roots, "x"), None);
        fs::write(roots[1].join("x"), "lib").unwrap();
        assert_eq!(first(&roots, "x"), Some(roots[1].join("x")));
        symlink("/dev/null", roots[0].join("x")).unwrap();
        assert_eq!(first(&roots, "x"), None);
    }

    #[test]
    fn what_is_no_file_is_named() {
        let root = tempfile::tempdir().unwrap();
        let mut wrong = Wrong::default();
        assert_eq!(read(root.path(), &mut wrong), None);
        assert_eq!(read(&root.path().join("none"), &mut wrong), None);
        assert_eq!(wrong.into_list().len(), 2);
    }
}
