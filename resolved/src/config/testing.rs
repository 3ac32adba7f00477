//! Folders with configuration in them.

use std::{fs, path::PathBuf};

use super::Sources;

/// Two roots, `etc` before `lib`, gone with it.
pub(super) struct Tree {
    dir: tempfile::TempDir,
    pub(super) sources: Sources,
}

impl Tree {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sources = Sources {
            roots: ["etc", "lib"].map(|root| dir.path().join(root)).to_vec(),
            proc_cmdline: dir.path().join("cmdline"),
            credentials: None,
            ifindex_of: |_| None,
        };
        Self { dir, sources }
    }

    pub(super) fn path(&self, root: &str, file: &str) -> PathBuf {
        self.dir.path().join(root).join(file)
    }

    pub(super) fn write(&self, root: &str, file: &str, content: impl AsRef<[u8]>) {
        let path = self.path(root, file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}
