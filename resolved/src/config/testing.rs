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
            credentials: Vec::new(),
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

/// The same noise in every run (xorshift, Marsaglia 2003).
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ seed)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    /// Some pieces one after another, a few bytes of any value among them.
    pub(crate) fn text(&mut self, pieces: &[&str]) -> Vec<u8> {
        let mut text = Vec::new();
        let length = [6, 6, 6, 60][self.below(4)];
        for _ in 0..self.below(length) {
            if self.below(20) == 0 {
                text.push(u8::try_from(self.below(256)).unwrap());
            } else {
                text.extend_from_slice(pieces[self.below(pieces.len())].as_bytes());
            }
        }
        text
    }
}
