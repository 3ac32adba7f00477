//! Maps as a table for people: a column each.

use std::fmt::Write;

use lookaside::Stat;

use crate::map::{Map, State};

const SPACE: &str = "   ";

/// The table of the maps that could be read; nothing if there are none.
pub fn of(maps: &[Map]) -> String {
    let columns: Vec<_> = maps
        .iter()
        .filter_map(|map| Some((map.path.display().to_string(), map.stat.as_ref().ok()?)))
        .collect();
    if columns.is_empty() {
        return String::new();
    }
    let head = columns.iter().map(|(path, _)| path.clone()).collect();
    let mut lines: Vec<(&str, Vec<String>)> = vec![("", head)];
    for (label, value) in LINES {
        let values = columns.iter().map(|(_, stat)| value(stat)).collect();
        lines.push((label, values));
    }
    laid_out(&lines)
}

type Value = fn(&Stat) -> String;

const LINES: [(&str, Value); 12] = [
    ("State", |stat| State::of(stat).name().to_owned()),
    ("Lease", |stat| stat.lease.map_or("-".to_owned(), time)),
    ("Complete", |stat| {
        (if stat.is_complete { "yes" } else { "no" }).to_owned()
    }),
    ("Age", |stat| time(stat.age)),
    ("Size", |stat| size(stat.size)),
    ("Entries", |stat| of_all(stat.entries, stat.slots)),
    ("Long entries", |stat| {
        of_all(stat.long_entries, stat.blocks)
    }),
    ("Published", |stat| stat.published.to_string()),
    ("Removed", |stat| stat.removed.to_string()),
    ("Evicted", |stat| stat.evicted.to_string()),
    ("Too long", |stat| stat.refused.to_string()),
    ("Voided", |stat| stat.voided.to_string()),
];

fn laid_out(lines: &[(&str, Vec<String>)]) -> String {
    let widths: Vec<usize> = lines
        .iter()
        .map(|(_, values)| values.iter().map(|value| value.chars().count()))
        .fold(Vec::new(), |widths: Vec<usize>, line| {
            let so_far = widths.into_iter().chain(std::iter::repeat(0));
            line.zip(so_far).map(|(a, b)| a.max(b)).collect()
        });
    let label_width = lines
        .iter()
        .map(|(label, _)| label.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (label, values) in lines {
        let mut line = format!("{label:label_width$}");
        for (value, width) in values.iter().zip(&widths) {
            let _ = write!(line, "{SPACE}{value:width$}");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn of_all(some: u32, all: usize) -> String {
    format!("{some} of {all}")
}

/// In the largest unit that it is a multiple of.
fn size(bytes: usize) -> String {
    match bytes {
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} B"),
    }
}

/// In the two largest units.
fn time(seconds: u32) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min {} s", seconds % 60),
        3600..86400 => format!("{hours} h {} min", minutes % 60),
        86400.. => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::refusal::Refusal;

    pub fn maps() -> [Map; 3] {
        let stat = Stat {
            size: 4 << 20,
            slots: 21_376,
            entries: 310,
            blocks: 2672,
            long_entries: 9,
            age: 93_784,
            lease: Some(4),
            is_retired: false,
            is_complete: true,
            published: 1200,
            removed: 7,
            evicted: 6,
            refused: 5,
            voided: 3,
        };
        let retired = Stat {
            lease: None,
            is_retired: true,
            is_complete: false,
            age: 61,
            size: 100_000,
            ..stat
        };
        let map = |path: &str, stat| Map {
            path: path.into(),
            stat,
        };
        [
            map("/a/long/path", Ok(stat)),
            map("none", Err(Refusal::Missing)),
            map("b", Ok(retired)),
        ]
    }

    #[test]
    fn each_map_has_a_column() {
        let expected = "               /a/long/path   b
State          answering      retired
Lease          4 s            -
Complete       yes            no
Age            1 d 2 h        1 min 1 s
Size           4 MiB          100000 B
Entries        310 of 21376   310 of 21376
Long entries   9 of 2672      9 of 2672
Published      1200           1200
Removed        7              7
Evicted        6              6
Too long       5              5
Voided         3              3
";
        assert_eq!(of(&maps()), expected);
        assert_eq!(of(&[]), "");
    }

    #[test]
    fn times_and_sizes_are_in_units_for_people() {
        assert_eq!(
            [0, 59, 60, 3599, 3600, 86_400].map(time),
            [
                "0 s",
                "59 s",
                "1 min 0 s",
                "59 min 59 s",
                "1 h 0 min",
                "1 d 0 h"
            ]
        );
        assert_eq!(size(16 << 10), "16 KiB");
        assert_eq!(size(256 << 20), "256 MiB");
    }
}
