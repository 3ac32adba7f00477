//! What was found wrong so far.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A line that is wrong; it is skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file.
    pub path: PathBuf,
    /// From 1; 0: the file as a whole.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        write!(f, " {}", self.message)
    }
}

/// The list of diagnostics while files are read.
#[derive(Debug, Default)]
pub struct Wrong(Vec<Diagnostic>);

impl Wrong {
    /// About a line, from 1.
    pub fn line(&mut self, path: &Path, line: usize, message: impl Into<String>) {
        self.0.push(Diagnostic {
            path: path.to_owned(),
            line,
            message: message.into(),
        });
    }

    /// About a file as a whole.
    pub fn file(&mut self, path: &Path, message: impl Into<String>) {
        self.line(path, 0, message);
    }

    /// All of it.
    pub fn into_list(self) -> Vec<Diagnostic> {
        self.0
    }
}
