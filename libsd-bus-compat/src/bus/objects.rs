//! What is at which path, and what is below it.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::sync::Arc;

/// Paths with what was put there. A path above one that has something is there, too.
#[derive(Debug)]
pub struct Objects<T> {
    nodes: BTreeMap<Arc<CStr>, Node<T>>,
    /// How many nodes there were.
    born: u64,
    /// How often it was changed.
    changes: u64,
}

#[derive(Debug)]
struct Node<T> {
    born: u64,
    here: Vec<T>,
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

impl<T> Objects<T> {
    /// Puts something at a path; `place` says before which of what is there.
    pub fn insert(&mut self, path: &CStr, what: T, place: impl FnOnce(&[T]) -> usize) {
        self.changes += 1;
        self.node(path);
        if let Some(node) = self.nodes.get_mut(path) {
            let place = place(&node.here).min(node.here.len());
            node.here.insert(place, what);
        }
    }

    /// Sees that a path is there, with all above it.
    fn node(&mut self, path: &CStr) {
        let mut path: Arc<CStr> = path.into();
        let mut child = None;
        loop {
            if let Some(node) = self.nodes.get_mut(&path) {
                node.below.extend(child);
                return;
            }
            self.born += 1;
            let node = Node {
                born: self.born,
                here: Vec::new(),
                below: child.into_iter().collect(),
            };
            self.nodes.insert(Arc::clone(&path), node);
            let Some(above) = above(&path) else {
                return;
            };
            child = Some((self.born, path));
            path = above.into();
        }
    }

    /// Takes away what is meant from a path, and paths that have nothing then.
    pub fn remove(&mut self, path: &CStr, is_meant: impl Fn(&T) -> bool) {
        let Some(node) = self.nodes.get_mut(path) else {
            return;
        };
        node.here.retain(|what| !is_meant(what));
        self.changes += 1;
        let mut path = path.to_owned();
        while let Some(node) = self.nodes.get(path.as_c_str())
            && node.here.is_empty()
            && node.below.is_empty()
        {
            let born = node.born;
            self.nodes.remove(path.as_c_str());
            let Some(above) = above(&path) else {
                return;
            };
            if let Some(parent) = self.nodes.get_mut(above.as_c_str()) {
                parent.below.remove(&born);
            }
            path = above;
        }
    }

    /// What is at a path, if the path is there.
    pub fn at(&self, path: &CStr) -> Option<&[T]> {
        self.nodes.get(path).map(|node| node.here.as_slice())
    }

    /// The paths one element below, the newest first, as in sd-bus.
    pub fn below(&self, path: &CStr) -> impl Iterator<Item = &Arc<CStr>> {
        let node = self.nodes.get(path);
        node.into_iter().flat_map(|node| node.below.values().rev())
    }

    /// Another number after each change.
    pub fn changes(&self) -> u64 {
        self.changes
    }
}

/// The path above this one.
pub fn above(path: &CStr) -> Option<CString> {
    let path = path.to_str().ok()?;
    CString::new(dbus::path::ancestors(path).next()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(objects: &Objects<u32>, path: &CStr) -> Vec<String> {
        let paths = objects.below(path);
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
        assert_eq!(objects.at(c"/a/b"), Some(&[3, 4][..]));
        assert_eq!(objects.at(c"/"), Some(&[][..]));
        assert_eq!(objects.at(c"/a/x"), None);
        assert_eq!(below(&objects, c"/a"), ["/a/d", "/a/b"]);
        assert_eq!(below(&objects, c"/"), ["/a"]);
        objects.remove(c"/a/b", |_| true);
        assert_eq!(below(&objects, c"/a/b"), ["/a/b/c"]);
        objects.remove(c"/a/b/c", |what| *what == 1);
        assert_eq!(objects.at(c"/a/b"), None);
        assert_eq!(below(&objects, c"/a"), ["/a/d"]);
        objects.remove(c"/a/d", |what| *what == 1);
        assert_eq!(objects.at(c"/a/d"), Some(&[2][..]));
        objects.remove(c"/a/d", |what| *what == 2);
        assert_eq!(objects.at(c"/"), None);
    }
}
