//! Why a file is not read: what processes that ask do not believe either.

use std::{
    fmt,
    fs::{self, File, Metadata},
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

/// What every map begins with, whatever its version.
const MAGIC: &[u8; 8] = b"lookasid";
/// The version that this program reads.
const VERSION: u32 = 2;
/// Who else could have written to it.
const GROUP_AND_OTHERS: u32 = 0o022;

/// What is wrong with a file.
#[derive(Debug)]
pub enum Refusal {
    Missing,
    Unreadable(io::Error),
    NoFile,
    Owner { is: u32, should_be: u32 },
    Mode(u32),
    Version(u32),
    NoMap,
}

impl Refusal {
    /// Looks at what was refused, in the order in which readers do.
    pub fn of(path: &Path, owner: u32) -> Self {
        Self::look(path, owner).unwrap_or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Refusal::Missing,
            _ => Refusal::Unreadable(error),
        })
    }

    fn look(path: &Path, owner: u32) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        if let Some(refusal) = Self::by_metadata(&metadata, owner) {
            return Ok(refusal);
        }
        let mut head = [0; 12];
        // It was a file just now; were it a pipe by now, this would not wait for a writer.
        let nonblock = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        let mut file = File::options()
            .read(true)
            .custom_flags(nonblock)
            .open(path)?;
        match file.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(Refusal::NoMap);
            }
            other => other?,
        }
        let [magic @ .., a, b, c, d] = head;
        Ok(match u32::from_ne_bytes([a, b, c, d]) {
            version if magic == *MAGIC && version != VERSION => Refusal::Version(version),
            _ => Refusal::NoMap,
        })
    }

    fn by_metadata(metadata: &Metadata, owner: u32) -> Option<Self> {
        if !metadata.is_file() {
            Some(Refusal::NoFile)
        } else if metadata.uid() != owner {
            let (is, should_be) = (metadata.uid(), owner);
            Some(Refusal::Owner { is, should_be })
        } else if metadata.mode() & GROUP_AND_OTHERS != 0 {
            Some(Refusal::Mode(metadata.mode() & 0o7777))
        } else {
            None
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = "Processes ask the daemon instead. Start it again, and it makes a new one";
        match self {
            Refusal::Missing => f.write_str(
                "there is no such map. Its daemon is not running, or shares no answers \
                 (Lookaside=no, SWITCHYARD_LOOKASIDE=no)",
            ),
            Refusal::Unreadable(error) => write!(f, "it can't be read: {error}"),
            Refusal::NoFile => write!(f, "it is not a regular file. {again}"),
            Refusal::Owner { is, should_be } => {
                write!(f, "its owner is user {is}, not {should_be}. {again}")
            }
            Refusal::Mode(mode) => {
                write!(f, "others can write to it (mode {mode:04o}). {again}")
            }
            Refusal::Version(version) => write!(
                f,
                "it has version {version} of the format, this program knows {VERSION}. Use the one that its daemon came with"
            ),
            Refusal::NoMap => write!(f, "it is not a map. {again}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{OpenOptions, Permissions},
        os::unix::fs::{FileExt, PermissionsExt, symlink},
    };

    use super::*;
    use crate::map::{Map, tests};

    /// What is said of a map after something was done to it.
    fn said(spoil: impl FnOnce(&Path), owner: u32) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map");
        let _writer = tests::writer(&path);
        let owner = owner + tests::me(directory.path());
        spoil(&path);
        Map::read(path, owner).stat.unwrap_err().to_string()
    }

    fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.write_all_at(bytes, at).unwrap();
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        type Spoil = fn(&Path);
        let cases: [(Spoil, &str); 8] = [
            (
                |path| fs::remove_file(path).unwrap(),
                "there is no such map",
            ),
            (
                |path| {
                    fs::remove_file(path).unwrap();
                    fs::create_dir(path).unwrap();
                },
                "not a regular file",
            ),
            (
                |path| {
                    let real = path.with_extension("real");
                    fs::rename(path, &real).unwrap();
                    symlink(real, path).unwrap();
                },
                "not a regular file",
            ),
            (
                |path| fs::set_permissions(path, Permissions::from_mode(0o646)).unwrap(),
                "(mode 0646)",
            ),
            (|path| overwrite(path, 0, b"x"), "not a map"),
            (|path| overwrite(path, 12, b"x"), "not a map"),
            (
                |path| overwrite(path, 8, &1_u32.to_ne_bytes()),
                "version 1 of the format",
            ),
            (|path| fs::write(path, "lookasid").unwrap(), "not a map"),
        ];
        for (spoil, expected) in cases {
            let said = said(spoil, 0);
            assert!(said.contains(expected), "{expected}: {said}");
        }
        let other = said(|_| (), 1);
        assert!(other.contains("its owner is user"), "{other}");
    }

    #[test]
    fn a_path_that_can_be_none_is_missing_or_unreadable() {
        let said = |path: &str| Map::read(path.into(), 0).stat.unwrap_err().to_string();
        assert!(said("/dev/null/map").contains("can't be read"));
        assert!(said("a\0b").contains("can't be read"));
    }
}
