//! Static records: what the administrator says a name has, in *.rr files.

use std::{path::PathBuf, rc::Rc};

use hickory_proto::rr::{Name, Record};

use super::Diagnostic;

/// The records of all `*.rr` files, read again when the files change.
#[derive(Debug)]
pub struct StaticRecords {
    dirs: Vec<PathBuf>,
}

impl StaticRecords {
    /// Those of these folders; see [`Sources::static_records`](super::Sources::static_records).
    #[must_use]
    pub fn new(dirs: Vec<PathBuf>) -> Self {
        Self { dirs }
    }

    /// All records of a name, of whatever type; `None`: the files do not name it.
    #[must_use]
    pub fn lookup(&self, _name: &Name) -> Option<Rc<[Record]>> {
        let _ = &self.dirs;
        None
    }

    /// What is wrong with the files.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }
}
