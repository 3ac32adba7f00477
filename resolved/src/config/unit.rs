//! Files that are one thing each, named like it, and have a folder of drop-ins beside them.

use std::path::PathBuf;

use super::{Sources, files, wrong::Wrong};

/// `ID.ending` and what is in `ID.ending.d/*.conf`.
pub(super) struct Unit {
    pub(super) id: String,
    pub(super) path: PathBuf,
    /// The file itself, then its drop-ins.
    pub(super) files: Vec<PathBuf>,
}

/// All with this ending, in order of their names. One whose name is not text is skipped.
pub(super) fn list(sources: &Sources, folder: &str, ending: &str, wrong: &mut Wrong) -> Vec<Unit> {
    let dirs = sources.dirs(folder);
    let mut units = Vec::new();
    for path in files::list(&dirs, ending, wrong) {
        let name = path.file_name().and_then(|name| name.to_str());
        let id = name.and_then(|name| name.strip_suffix(ending));
        let is_plain = |id: &&str| !id.is_empty() && !id.chars().any(char::is_control);
        let Some(id) = id.filter(is_plain) else {
            wrong.file(&path, "the file's name has to be plain text");
            continue;
        };
        let drop_ins: Vec<_> = dirs
            .iter()
            .map(|dir| dir.join(format!("{id}{ending}.d")))
            .collect();
        let mut all = vec![path.clone()];
        all.extend(files::list(&drop_ins, ".conf", wrong));
        units.push(Unit {
            id: id.to_owned(),
            path,
            files: all,
        });
    }
    units
}
