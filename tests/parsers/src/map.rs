//! The map of answers that a daemon shares with every process.

use lookaside::trial::{is_well_formed, try_changed, try_map, try_record};

/// What stands in the place of a map, in a record of a good one, or in single words of one: a reader hands over what is of the promised form and
/// nothing else, and comes to an end.
pub fn lookaside_reader(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let outcome = match kind & 3 {
        0 => try_map(bytes),
        2 => try_changed(bytes),
        _ => try_record(bytes),
    };
    assert!(is_well_formed(&outcome), "{outcome:?}");
}
