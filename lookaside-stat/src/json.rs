//! Maps as JSON for programs: an array with an object each.

use lookaside::Stat;
use serde::Serialize;

use crate::map::{Map, State};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Numbers<'m> {
    path: &'m str,
    state: &'static str,
    lease: Option<u32>,
    complete: bool,
    age: u32,
    size: usize,
    entries: u32,
    slots: usize,
    long_entries: u32,
    long_slots: usize,
    published: u32,
    removed: u32,
    evicted: u32,
    too_long: u32,
    voided: u32,
}

#[derive(Serialize)]
struct Trouble<'m> {
    path: &'m str,
    error: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'m> {
    Numbers(Numbers<'m>),
    Trouble(Trouble<'m>),
}

/// All maps; of those that could not be read, why.
pub fn of(maps: &[Map]) -> String {
    let paths: Vec<_> = maps.iter().map(|map| map.path.to_string_lossy()).collect();
    let entries: Vec<_> = maps
        .iter()
        .zip(&paths)
        .map(|(map, path)| match &map.stat {
            Ok(stat) => Entry::Numbers(numbers(path, stat)),
            Err(refusal) => Entry::Trouble(Trouble {
                path,
                error: refusal.to_string(),
            }),
        })
        .collect();
    // Texts and numbers: there is nothing that JSON could not say.
    let mut text = serde_json::to_string_pretty(&entries).unwrap_or_default();
    text.push('\n');
    text
}

fn numbers<'m>(path: &'m str, stat: &Stat) -> Numbers<'m> {
    Numbers {
        path,
        state: State::of(stat).name(),
        lease: stat.lease,
        complete: stat.is_complete,
        age: stat.age,
        size: stat.size,
        entries: stat.entries,
        slots: stat.slots,
        long_entries: stat.long_entries,
        long_slots: stat.blocks,
        published: stat.published,
        removed: stat.removed,
        evicted: stat.evicted,
        too_long: stat.refused,
        voided: stat.voided,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::table::tests::maps;

    #[test]
    fn each_map_is_an_object() {
        let all: Value = serde_json::from_str(&of(&maps())).unwrap();
        let expected = json!({
            "path": "/a/long/path", "state": "answering", "lease": 4, "complete": true, "age": 93784,
            "size": 4194304, "entries": 310, "slots": 21376, "longEntries": 9, "longSlots": 2672,
            "published": 1200, "removed": 7, "evicted": 6, "tooLong": 5, "voided": 3,
        });
        assert_eq!(all[0], expected);
        assert_eq!(all[1]["path"], "none");
        assert!(all[1]["error"].as_str().unwrap().contains("no such map"));
        assert_eq!(
            (&all[2]["state"], &all[2]["lease"]),
            (&json!("retired"), &Value::Null)
        );
    }
}
