//! Object paths (D-Bus specification, "Valid Object Paths").

use crate::{
    element::{self, DIGIT, LETTER, SLASH},
    label,
};

/// Whether it is an object path: `/`, or elements of letters, digits and `_`, each after a `/`. There is no limit to its length.
pub fn is_valid(path: &[u8]) -> bool {
    match path {
        [b'/'] => true,
        [b'/', elements @ ..] => {
            element::count(elements, SLASH, LETTER | DIGIT, LETTER | DIGIT).is_some()
        }
        _ => false,
    }
}

/// Whether it is this path or below it, `path_namespace` of match rules: `/a/b` is below `/a` and `/`, `/ab` not below `/a`.
pub fn is_below(path: &[u8], namespace: &[u8]) -> bool {
    below(path, namespace).is_some()
}

/// Whether either is the other or ends in `/` and begins it: `argNpath` of match rules.
pub fn is_either_prefix(one: &[u8], other: &[u8]) -> bool {
    let begins = |prefix: &[u8], path: &[u8]| prefix.ends_with(b"/") && path.starts_with(prefix);
    one == other || begins(one, other) || begins(other, one)
}

/// The paths above this one, from the nearest to `/`.
pub fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(parent(path), |path| parent(path))
}

fn parent(path: &[u8]) -> Option<&[u8]> {
    match path.iter().rposition(|byte| *byte == b'/')? {
        _ if path.len() == 1 => None,
        0 => path.get(..1),
        end => path.get(..end),
    }
}

/// A path for what has a name of its own, below `prefix`: `sd_bus_path_encode`. Nothing if the prefix is no path.
pub fn encode(prefix: &str, name: &[u8]) -> Option<String> {
    if !is_valid(prefix.as_bytes()) {
        return None;
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    Some(format!("{prefix}/{}", label::escape(name)))
}

/// The name that [`encode`] put below `prefix`, `sd_bus_path_decode`: nothing if it is not below it. As in sd-bus the prefix itself
/// has the empty name, and what lies deeper has names with `/` in them. What it is made of are bytes, which may be no UTF-8.
pub fn decode(path: &str, prefix: &str) -> Option<Vec<u8>> {
    below(path.as_bytes(), prefix.as_bytes()).map(label::unescape)
}

/// The names that stand in a path where `%` stands in a template, `sd_bus_path_decode_many`; nothing if it is not of that form. Each
/// is what an element has beside the template's own text around it.
pub fn decode_many(mut path: &[u8], mut template: &[u8]) -> Option<Vec<Vec<u8>>> {
    let until = |text: &[u8], end: u8| text.iter().position(|byte| *byte == end);
    let mut names = Vec::new();
    while let Some(at) = until(template, b'%') {
        path = path.strip_prefix(template.get(..at)?)?;
        let (element, rest) = path.split_at(until(path, b'/').unwrap_or(path.len()));
        let behind = template.get(at + 1..)?;
        // A second one in an element stands for itself.
        let (suffix, behind) = behind.split_at(until(behind, b'/').unwrap_or(behind.len()));
        names.push(label::unescape(element.strip_suffix(suffix)?));
        (path, template) = (rest, behind);
    }
    (path == template).then_some(names)
}

/// What comes after a path and its `/`; nothing if it is not below that.
fn below<'p>(path: &'p [u8], prefix: &[u8]) -> Option<&'p [u8]> {
    let rest = path.strip_prefix(prefix.strip_suffix(b"/").unwrap_or(prefix))?;
    match rest {
        [] => Some(rest),
        [b'/', rest @ ..] => Some(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
