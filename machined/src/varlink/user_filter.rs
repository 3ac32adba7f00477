//! What a caller of the user database may ask of a record besides its name and number, since systemd 257.

use serde::Deserialize;

/// The disposition of all records here.
pub(super) const DISPOSITION: &str = "container";

/// How long a word must be to be found misspelt.
const LONG: usize = 5;

/// How many letters of it may be wrong then.
const MISSPELT: usize = 2;

/// The parameters; each that is given must be met.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    #[serde(alias = "gidMin")]
    uid_min: Option<u32>,
    #[serde(alias = "gidMax")]
    uid_max: Option<u32>,
    /// One of these must be in the name or the real name.
    fuzzy_names: Option<Vec<String>>,
    /// Which kinds of users are asked for.
    disposition_mask: Option<Vec<String>>,
}

impl Filter {
    /// Whether a record with this number and these names is one that is asked for.
    pub fn meets(&self, id: u32, names: &[&str]) -> bool {
        let range = self.uid_min.unwrap_or(0)..=self.uid_max.unwrap_or(u32::MAX);
        let is_like = |word: &String| names.iter().any(|name| is_like(name, word));
        range.contains(&id)
            && self
                .disposition_mask
                .as_ref()
                .is_none_or(|mask| mask.iter().any(|word| word == DISPOSITION))
            && self
                .fuzzy_names
                .as_ref()
                .is_none_or(|words| words.iter().any(is_like))
    }
}

/// As systemd has it: the word is part of the name, or, if it is long, nearly the name. The case of ASCII is no matter.
fn is_like(name: &str, word: &str) -> bool {
    let (name, word) = (name.to_ascii_lowercase(), word.to_ascii_lowercase());
    // Of other words the distance need not be counted, however long a caller has made them.
    let is_nearly_as_long = word.len() >= LONG && name.len().abs_diff(word.len()) <= MISSPELT;
    name.contains(&word) || (is_nearly_as_long && distance(&name, &word) <= MISSPELT)
}

/// How many bytes have to be put in, taken out or replaced to make the one the other: Levenshtein's distance.
fn distance(one: &str, other: &str) -> usize {
    // From the part of `one` so far to each beginning of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, byte) in one.bytes().enumerate() {
        let mut next = vec![index + 1];
        for (column, pair) in other.bytes().zip(row.windows(2)) {
            let &[diagonal, above] = pair else { continue };
            let left = next.last().copied().unwrap_or_default();
            let replaced = diagonal + usize::from(column != byte);
            next.push(replaced.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(filter: &str) -> bool {
        let filter: Filter = serde_json::from_str(filter).unwrap();
        filter.meets(200_007, &["vu-web-7", "UID 7 of Container web"])
    }

    #[test]
    fn each_must_be_met() {
        for good in [
            "{}",
            r#"{"uidMin":200007,"uidMax":200007}"#,
            r#"{"gidMax":200008}"#,
            r#"{"dispositionMask":["regular","container"]}"#,
            r#"{"fuzzyNames":["nope","WEB"]}"#,
            r#"{"fuzzyNames":["vu-wbe-7"]}"#,
        ] {
            assert!(meets(good), "{good}");
        }
        for bad in [
            r#"{"uidMin":200008}"#,
            r#"{"uidMin":0,"uidMax":200006}"#,
            r#"{"gidMax":1}"#,
            r#"{"dispositionMask":["regular"]}"#,
            r#"{"dispositionMask":[]}"#,
            r#"{"fuzzyNames":["db","xeb"]}"#,
            r#"{"fuzzyNames":["web"],"uidMax":5}"#,
        ] {
            assert!(!meets(bad), "{bad}");
        }
    }

    #[test]
    fn distances() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("abc", "abc", 0),
            ("abc", "acb", 2),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }
}
