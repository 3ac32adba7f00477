//! What is at which path, and what is below it.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::iter;
use std::sync::Arc;

use dbus::path::ancestors;

/// Paths with what was put there. A path above one that has something is there, too.
#[derive(Debug)]
pub struct Objects<T> {
    nodes: BTreeMap<Path, Node<T>>,
    /// How many nodes there were.
    born: u64,
    /// How often it was changed.
    changes: u64,
}

/// A path, which is found by its bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Path(Arc<CStr>);

impl Borrow<[u8]> for Path {
    fn borrow(&self) -> &[u8] {
        self.0.to_bytes()
    }
}

#[derive(Debug)]
struct Node<T> {
    born: u64,
    /// Shared with who looks at it while callbacks may change it: that is a copy then.
    here: Arc<Vec<T>>,
    /// The nodes one element below, by when they came to be.
    below: BTreeMap<u64, Arc<CStr>>,
}

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self {
            nodes: BTreeMap::new(),
            born: 0,
            changes: 0,
        }
    }
}

impl<T: Clone> Objects<T> {
    /// Puts something at a path; `place` says before which of what is there.
    pub fn insert(&mut self, path: &CStr, what: T, place: impl FnOnce(&[T]) -> usize) {
        self.changes += 1;
        self.node(path);
        if let Some(node) = self.nodes.get_mut(path.to_bytes()) {
            let place = place(&node.here).min(node.here.len());
            Arc::make_mut(&mut node.here).insert(place, what);
        }
    }

    /// Sees that a path is there, with all above it.
    fn node(&mut self, path: &CStr) {
        let mut child = None;
        for at in iter::once(path.to_bytes()).chain(ancestors(path.to_bytes())) {
            if let Some(node) = self.nodes.get_mut(at) {
                node.below.extend(child);
                return;
            }
            let Ok(at) = CString::new(at) else {
                return;
            };
            let at: Arc<CStr> = at.into();
            self.born += 1;
            let node = Node {
                born: self.born,
                here: Arc::default(),
                below: child.into_iter().collect(),
            };
            self.nodes.insert(Path(Arc::clone(&at)), node);
            child = Some((self.born, at));
        }
    }

    /// Takes away what is meant from a path, and paths that have nothing then.
    pub fn remove(&mut self, path: &CStr, is_meant: impl Fn(&T) -> bool) {
        let Some(node) = self.nodes.get_mut(path.to_bytes()) else {
            return;
        };
        Arc::make_mut(&mut node.here).retain(|what| !is_meant(what));
        self.changes += 1;
        let mut gone = None;
        for at in iter::once(path.to_bytes()).chain(ancestors(path.to_bytes())) {
            let Some(node) = self.nodes.get_mut(at) else {
                return;
            };
            if let Some(born) = gone {
                node.below.remove(&born);
            }
            if !node.here.is_empty() || !node.below.is_empty() {
                return;
            }
            gone = Some(node.born);
            self.nodes.remove(at);
        }
    }

    /// What is at a path, if the path is there.
    pub fn at(&self, path: &[u8]) -> Option<&[T]> {
        self.nodes.get(path).map(|node| node.here.as_slice())
    }

    /// The path and what is at it, if it is there.
    pub fn find(&self, path: &[u8]) -> Option<(&Arc<CStr>, &Arc<Vec<T>>)> {
        let found = self.nodes.get_key_value(path);
        found.map(|(path, node)| (&path.0, &node.here))
    }

    /// The paths one element below, the newest first, as in sd-bus.
    pub fn below(&self, path: &[u8]) -> impl Iterator<Item = &Arc<CStr>> {
        let node = self.nodes.get(path);
        node.into_iter().flat_map(|node| node.below.values().rev())
    }

    /// Another number after each change.
    pub fn changes(&self) -> u64 {
        self.changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(objects: &Objects<u32>, path: &CStr) -> Vec<String> {
        let paths = objects.below(path.to_bytes());
        paths
            .map(|path| path.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn paths_come_and_go_with_what_is_there() {
        let mut objects = Objects::default();
        objects.insert(c"/a/b/c", 1, |_| 0);
        objects.insert(c"/a/d", 2, |_| 0);
        objects.insert(c"/a/b", 3, |_| 0);
        objects.insert(c"/a/b", 4, |there| there.len());
        assert_eq!(objects.at(b"/a/b"), Some(&[3, 4][..]));
        assert_eq!(objects.at(b"/"), Some(&[][..]));
        assert_eq!(objects.at(b"/a/x"), None);
        assert_eq!(below(&objects, c"/a"), ["/a/d", "/a/b"]);
        assert_eq!(below(&objects, c"/"), ["/a"]);
        objects.remove(c"/a/b", |_| true);
        assert_eq!(below(&objects, c"/a/b"), ["/a/b/c"]);
        objects.remove(c"/a/b/c", |what| *what == 1);
        assert_eq!(objects.at(b"/a/b"), None);
        assert_eq!(below(&objects, c"/a"), ["/a/d"]);
        objects.remove(c"/a/d", |what| *what == 1);
        assert_eq!(objects.at(b"/a/d"), Some(&[2][..]));
        objects.remove(c"/a/d", |what| *what == 2);
        assert_eq!(objects.at(b"/"), None);
    }
}
