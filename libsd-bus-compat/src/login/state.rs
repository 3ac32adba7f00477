//! The files of assignments in /run/systemd.

use std::fs;
use std::path::Path;

use crate::{Errno, Result, errno_of};

/// What one file says; of a key that it says twice, the last.
#[derive(Debug)]
pub struct State {
    lines: Vec<(String, String)>,
}

impl State {
    /// Reads a file.
    ///
    /// # Errors
    /// Of reading it; EINVAL if it is no UTF-8.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read(path).map_err(|error| errno_of(&error))?;
        let text = String::from_utf8(text).map_err(|_| Errno::INVAL)?;
        let lines = env_file::parse(&text).map(|(key, value)| (key.to_owned(), value));
        Ok(Self {
            lines: lines.collect(),
        })
    }

    /// The same, where it may be that there is none.
    ///
    /// # Errors
    /// As [`State::read`].
    pub fn find(path: &Path) -> Result<Option<Self>> {
        match Self::read(path) {
            Err(Errno::NOENT) => Ok(None),
            state => state.map(Some),
        }
    }

    /// The same, of something that is not there without the file.
    ///
    /// # Errors
    /// ENXIO without the file; as [`State::read`].
    pub fn known(path: &Path) -> Result<Self> {
        Self::find(path)?.ok_or(Errno::NXIO)
    }

    /// A value that is not empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut lines = self.lines.iter().rev();
        let found = lines.find(|(own, _)| own == key);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The words of a value.
    pub fn words(&self, key: &str) -> impl Iterator<Item = &str> {
        self.get(key).unwrap_or_default().split_ascii_whitespace()
    }
}
