//! Trust anchors: what DNSSEC validation begins with, and where it does not take place. dnssec-trust-anchors.d(5)

mod built_in;
mod line;

use std::path::Path;

use hickory_proto::rr::Name;

use super::{Sources, TrustAnchor, files, wrong::Wrong};

pub(super) use self::built_in::{of_the_root, private_zones};

const FOLDER: &str = "dnssec-trust-anchors.d";

/// The positive and the negative ones.
///
/// Those for the root are built in unless a file has one; so are those of private zones unless any file has a negative one.
/// A zone of them that has a positive one is not private.
pub(super) fn read(sources: &Sources, wrong: &mut Wrong) -> (Vec<TrustAnchor>, Vec<Name>) {
    let dirs = sources.dirs(FOLDER);
    let mut positive: Vec<TrustAnchor> = Vec::new();
    for path in files::list(&dirs, ".positive", wrong) {
        each_line(&path, wrong, &mut |text| {
            let anchor = line::positive(text)?;
            if !positive.contains(&anchor) {
                positive.push(anchor);
            }
            Ok(())
        });
    }
    let mut negative: Vec<Name> = Vec::new();
    for path in files::list(&dirs, ".negative", wrong) {
        each_line(&path, wrong, &mut |text| {
            let name = line::negative(text)?;
            if !negative.contains(&name) {
                negative.push(name);
            }
            Ok(())
        });
    }
    if negative.is_empty() {
        negative = private_zones();
        negative.retain(|zone| positive.iter().all(|anchor| anchor.name != *zone));
    }
    if positive.iter().all(|anchor| !anchor.name.is_root()) {
        positive.extend(of_the_root());
    }
    (positive, negative)
}

/// Hands the lines that are neither empty nor comments to `take`.
fn each_line(path: &Path, wrong: &mut Wrong, take: &mut dyn FnMut(&str) -> Result<(), String>) {
    let Some(bytes) = files::read(path, wrong) else {
        return;
    };
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let taken = match std::str::from_utf8(line).map(str::trim) {
            Ok("") => Ok(()),
            Ok(line) if line.starts_with(';') => Ok(()),
            Ok(line) => take(line),
            Err(_) => Err("not UTF-8".to_owned()),
        };
        if let Err(message) = taken {
            wrong.line(path, index + 1, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::testing::Tree, name};

    const DIGEST: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn without_files_those_built_in_hold() {
        let tree = Tree::new();
        let (positive, negative) = read(&tree.sources, &mut Wrong::default());
        assert_eq!(positive, of_the_root());
        assert_eq!(negative, private_zones());
    }

    #[test]
    fn files_add_to_the_root_or_replace_it() {
        let tree = Tree::new();
        let file = "dnssec-trust-anchors.d/a.positive";
        tree.write(
            "lib",
            file,
            format!("; mine\n\ncorp. IN DS 1 8 2 {DIGEST}\n"),
        );
        let (positive, negative) = read(&tree.sources, &mut Wrong::default());
        assert_eq!(positive.len(), 3);
        assert!(!negative.contains(&name::parse("corp").unwrap()));
        assert_eq!(negative.len(), private_zones().len() - 1);

        tree.write("etc", file, format!(". IN DS 1 8 2 {DIGEST}\n"));
        let (positive, _) = read(&tree.sources, &mut Wrong::default());
        assert_eq!(positive.len(), 1);
        assert!(positive[0].name.is_root());
    }

    #[test]
    fn negative_ones_replace_those_built_in() {
        let tree = Tree::new();
        tree.write(
            "etc",
            "dnssec-trust-anchors.d/a.negative",
            "a.example\n;b\nc..d\nA.example.\ntwo words\n\u{e9}\n",
        );
        let mut wrong = Wrong::default();
        let (_, negative) = read(&tree.sources, &mut wrong);
        let negative: Vec<_> = negative.iter().map(name::format).collect();
        assert_eq!(negative, ["a.example", "xn--9ca"]);
        let lines: Vec<_> = wrong.into_list().iter().map(|wrong| wrong.line).collect();
        assert_eq!(lines, [3, 5]);
    }
}
