//! All seats, sessions, users, machines.

use std::fs;

use super::Login;
use super::machine::is_name;
use crate::number::parse_uid;
use crate::{Errno, Result, errno_of};

impl Login {
    /// All seats.
    ///
    /// # Errors
    /// Of reading the folder, but that it is not there; so do all here.
    pub fn seats(&self) -> Result<Vec<String>> {
        self.files("/run/systemd/seats")
    }

    /// All sessions.
    ///
    /// # Errors
    /// Of reading the folder.
    pub fn sessions(&self) -> Result<Vec<String>> {
        self.files("/run/systemd/sessions")
    }

    /// All users who have a session, or whose service manager lingers.
    ///
    /// # Errors
    /// Of reading the folder.
    pub fn uids(&self) -> Result<Vec<u32>> {
        let files = self.files("/run/systemd/users")?;
        Ok(files
            .iter()
            .filter_map(|name| parse_uid(name).ok())
            .collect())
    }

    /// All machines, but the host.
    ///
    /// # Errors
    /// Of reading the folder.
    pub fn machines(&self) -> Result<Vec<String>> {
        let mut files = self.files("/run/systemd/machines")?;
        files.retain(|name| !name.starts_with("unit:") && is_name(name));
        Ok(files)
    }

    /// Names of files in a folder; hidden ones and copies that an editor left are none.
    fn files(&self, folder: &str) -> Result<Vec<String>> {
        let entries = match fs::read_dir(self.path(folder)) {
            Ok(entries) => entries,
            Err(error) => {
                return match errno_of(&error) {
                    Errno::NOENT => Ok(Vec::new()),
                    errno => Err(errno),
                };
            }
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| errno_of(&error))?;
            let is_file = entry
                .file_type()
                .is_ok_and(|kind| kind.is_file() || kind.is_symlink());
            let name = entry.file_name().into_string();
            match name {
                Ok(name) if is_file && !name.starts_with('.') && !name.ends_with('~') => {
                    names.push(name)
                }
                _ => {}
            }
        }
        Ok(names)
    }
}
