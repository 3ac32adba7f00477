//! What was found wrong so far.

use std::path::Path;

use super::Diagnostic;

/// The list of diagnostics while files are read.
#[derive(Debug, Default)]
pub(super) struct Wrong(Vec<Diagnostic>);

impl Wrong {
    /// About a line, from 1.
    pub(super) fn line(&mut self, path: &Path, line: usize, message: impl Into<String>) {
        self.0.push(Diagnostic {
            path: path.to_owned(),
            line,
            message: message.into(),
        });
    }

    /// About a file as a whole.
    pub(super) fn file(&mut self, path: &Path, message: impl Into<String>) {
        self.line(path, 0, message);
    }

    /// All of it.
    pub(super) fn into_list(self) -> Vec<Diagnostic> {
        self.0
    }
}
