//! Static records: what the administrator says that names have, in *.rr files (JSON; systemd-resolved.service(8)).

mod record;

use std::{
    cell::RefCell,
    collections::HashMap,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use hickory_proto::rr::{Name, Record};

use super::{Diagnostic, files, wrong::Wrong};

/// How long changes of the files may go unseen. systemd's own.
const RECHECK: Duration = Duration::from_secs(2);

/// The records of all `*.rr` files, read again when the files change.
#[derive(Debug)]
pub struct StaticRecords {
    dirs: Vec<PathBuf>,
    known: RefCell<Known>,
}

#[derive(Debug, Default)]
struct Known {
    looked: Option<Instant>,
    is_due: bool,
    files: Vec<Version>,
    records: HashMap<Name, Rc<[Record]>>,
    wrong: Vec<Diagnostic>,
    generation: u64,
}

/// A file as it was read: its path, device, inode, size, and the time of its last change in nanoseconds.
type Version = (PathBuf, u64, u64, u64, i64, i64);

impl StaticRecords {
    /// Those of these folders; see [`Sources::static_records`](super::Sources::static_records).
    #[must_use]
    pub fn new(dirs: Vec<PathBuf>) -> Self {
        Self {
            dirs,
            known: RefCell::default(),
        }
    }

    /// All records of a name, of whatever type, time to live 0; `None`: the files do not name it.
    ///
    /// What is below a name is not touched by what it has. The files are looked at again at most every 2 seconds.
    #[must_use]
    pub fn lookup(&self, name: &Name) -> Option<Rc<[Record]>> {
        self.refresh();
        self.known.borrow().records.get(name).cloned()
    }

    /// Counts how often the files changed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.refresh();
        self.known.borrow().generation
    }

    /// They have changed: the next who asks looks at them.
    pub fn look_again(&self) {
        self.known.borrow_mut().is_due = true;
    }

    /// What is wrong with the files.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        self.refresh();
        self.known.borrow().wrong.clone()
    }

    fn refresh(&self) {
        let mut known = self.known.borrow_mut();
        let is_recent = |looked: Instant| looked.elapsed() < RECHECK;
        if known.looked.is_some_and(is_recent) && !known.is_due {
            return;
        }
        known.is_due = false;
        let is_first = known.looked.is_none();
        known.looked = Some(Instant::now());
        let mut wrong = Wrong::default();
        let paths = files::list(&self.dirs, ".rr", &mut wrong);
        let files: Vec<Version> = paths.into_iter().filter_map(version).collect();
        if known.files == files && !is_first {
            return;
        }
        let mut records: HashMap<Name, Vec<Record>> = HashMap::new();
        for (path, ..) in &files {
            let Some(bytes) = files::read(path, &mut wrong) else {
                continue;
            };
            for record in record::read(path, &bytes, &mut wrong) {
                let of_name = records.entry(record.name.clone()).or_default();
                if !of_name.contains(&record) {
                    of_name.push(record);
                }
            }
        }
        known.files = files;
        known.generation += 1;
        known.records = records
            .into_iter()
            .map(|(name, list)| (name, list.into()))
            .collect();
        known.wrong = wrong.into_list();
        for wrong in &known.wrong {
            tracing::warn!("{wrong}");
        }
    }
}

fn version(path: PathBuf) -> Option<Version> {
    let found = path.metadata().ok()?;
    let (seconds, nanoseconds) = (found.ctime(), found.ctime_nsec());
    Some((
        path,
        found.dev(),
        found.ino(),
        found.size(),
        seconds,
        nanoseconds,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::testing::Tree, name};

    fn count(records: &StaticRecords, name: &str) -> Option<usize> {
        let found = records.lookup(&name::parse(name).unwrap());
        found.map(|found| found.len())
    }

    #[test]
    fn names_have_what_all_files_say() {
        let tree = Tree::new();
        let file = |name: &str| format!("systemd/resolve/static.d/{name}.rr");
        let a = r#"{"key": {"type": 1, "name": "A.example"}, "address": [192, 0, 2, 1]}"#;
        let b = r#"[{"key": {"type": 28, "name": "a.example"}, "address": [32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1]},
                    {"key": {"type": 1, "name": "b.example"}, "address": [192, 0, 2, 2]}]"#;
        tree.write("lib", &file("10"), a);
        tree.write("etc", &file("20"), b);
        tree.write("etc", &file("30"), a);
        tree.write("etc", &file("40"), "{}");
        let records = StaticRecords::new(tree.sources.static_records());
        assert_eq!(count(&records, "a.EXAMPLE"), Some(2));
        assert_eq!(count(&records, "b.example"), Some(1));
        assert_eq!(count(&records, "x.b.example"), None);
        let wrong = records.diagnostics();
        assert_eq!(wrong.len(), 1);
        assert!(wrong[0].path.ends_with("40.rr"));
    }

    #[test]
    fn changes_are_seen_after_a_while() {
        let tree = Tree::new();
        let file = "systemd/resolve/static.d/a.rr";
        let text = |last| {
            format!(r#"{{"key": {{"type": 1, "name": "a"}}, "address": [192, 0, 2, {last}]}}"#)
        };
        let records = StaticRecords::new(tree.sources.static_records());
        assert_eq!(count(&records, "a"), None);
        tree.write("etc", file, text(1));
        assert_eq!(count(&records, "a"), None);
        let later = |records: &StaticRecords| {
            let mut known = records.known.borrow_mut();
            known.looked = Instant::now().checked_sub(RECHECK);
            assert!(known.looked.is_some());
        };
        later(&records);
        let one = records.lookup(&name::parse("a").unwrap()).unwrap();
        later(&records);
        let same = records.lookup(&name::parse("a").unwrap()).unwrap();
        assert!(Rc::ptr_eq(&one, &same));
        tree.write("etc", file, text(22));
        later(&records);
        let other = records.lookup(&name::parse("a").unwrap()).unwrap();
        assert_ne!(one, other);
        std::fs::remove_file(tree.path("etc", file)).unwrap();
        later(&records);
        assert_eq!(count(&records, "a"), None);
    }
}
