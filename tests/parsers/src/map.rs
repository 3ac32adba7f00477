//! The map of answers that a daemon shares with every process.

use lookaside::trial::{is_well_formed, try_map, try_record};

/// What stands in the place of a map, or in a record of a good one: a reader hands over what is of the promised form and
/// nothing else, and comes to an end.
pub fn lookaside_reader(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let outcome = if kind & 1 == 0 {
        try_map(bytes)
    } else {
        try_record(bytes)
    };
    assert!(is_well_formed(&outcome), "{outcome:?}");
}
