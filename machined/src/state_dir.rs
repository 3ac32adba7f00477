//! The files in /run/systemd/machines, which others read instead of asking anyone: `NAME` for each machine, and
//! `unit:UNIT`, a symbolic link whose text is the machine's name.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

use crate::record::Record;

/// The folder of the state files.
#[derive(Debug)]
pub(crate) struct StateDir {
    dir: PathBuf,
    broken: PathBuf,
}

/// What was found in the folder at start.
pub(crate) enum Found {
    Record(Box<Record>),
    /// The name of a file that is none, and why.
    Broken(String, String),
}

impl StateDir {
    /// `dir` for the files, `broken` for what could not be read.
    pub fn new(dir: PathBuf, broken: PathBuf) -> Self {
        Self { dir, broken }
    }

    /// Makes the folder, which others take for the sign that there is a machined at all.
    pub fn create(&self) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&self.dir)
    }

    /// Writes a machine's file, and the link from its unit if `unit` is given. All or nothing.
    pub fn save(&self, record: &Record, unit: Option<&str>) -> io::Result<()> {
        let name = record.name.as_str();
        self.replace(name, &record.format())?;
        let linked = unit.map_or(Ok(()), |unit| self.link(unit, name));
        if linked.is_err() {
            self.remove(name, None);
        }
        linked
    }

    /// Removes a machine's file, and the link from its unit if that leads to it.
    pub fn remove(&self, name: &str, unit: Option<&str>) {
        if let Some(unit) = unit {
            let link = self.dir.join(format!("unit:{unit}"));
            if fs::read_link(&link).is_ok_and(|target| target == Path::new(name)) {
                report("remove", &link, fs::remove_file(&link));
            }
        }
        let file = self.dir.join(name);
        report("remove", &file, fs::remove_file(&file));
    }

    /// Readers see the old text or the new, never a part.
    fn replace(&self, name: &str, text: &str) -> io::Result<()> {
        let temporary = self.dir.join(format!(".#{name}"));
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o644)
                .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
                .open(&temporary)?;
            file.write_all(text.as_bytes())?;
            // The umask may have taken bits away, and every user reads these files.
            file.set_permissions(Permissions::from_mode(0o644))?;
            fs::rename(&temporary, self.dir.join(name))
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })
    }

    fn link(&self, unit: &str, name: &str) -> io::Result<()> {
        let link = self.dir.join(format!("unit:{unit}"));
        match symlink(name, &link) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(&link)?;
                symlink(name, &link)
            }
            result => result,
        }
    }

    /// All that is in the folder. Half-written files of a predecessor are removed.
    pub fn load(&self) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let file_name = entry.file_name();
            let name = file_name.to_string_lossy();
            if name.starts_with(".#") {
                report("remove", &entry.path(), fs::remove_file(entry.path()));
            }
            if name.starts_with('.') || name.starts_with("unit:") {
                continue;
            }
            let read = read_file(&entry.path()).map_err(|error| error.to_string());
            found.push(match read.and_then(|text| Record::parse(&name, &text)) {
                Ok(record) => Found::Record(Box::new(record)),
                Err(why) => Found::Broken(name.into_owned(), why),
            });
        }
        Ok(found)
    }

    /// Removes the links of units whose machine has no file.
    pub fn remove_stale_links(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let is_link = entry.file_name().to_string_lossy().starts_with("unit:");
            if is_link && !entry.path().exists() {
                report("remove", &entry.path(), fs::remove_file(entry.path()));
            }
        }
        Ok(())
    }

    /// Moves a file that can't be read out of the way, where someone can look at it.
    pub fn set_aside(&self, name: &str) -> io::Result<PathBuf> {
        let builder = &mut DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.broken)?;
        let (from, to) = (self.dir.join(name), self.broken.join(name));
        match fs::rename(&from, &to) {
            // Two mounts below /run.
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                fs::copy(&from, &to)?;
                fs::remove_file(&from)?;
            }
            result => result?,
        }
        Ok(to)
    }
}

/// A file of this folder holds a kilobyte; one that is endless, or no file at all, shall not hold up the start.
fn read_file(path: &Path) -> io::Result<String> {
    const LIMIT: u64 = 64 * 1024;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > LIMIT {
        return Err(io::Error::new(ErrorKind::InvalidData, "not a file of text"));
    }
    io::read_to_string(io::Read::take(file, LIMIT))
}

fn report(what: &str, path: &Path, result: io::Result<()>) {
    match result {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!("Failed to {what} {}: {error}", path.display());
        }
        _ => {}
    }
}
