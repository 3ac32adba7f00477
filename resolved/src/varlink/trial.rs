//! Records as replies have them, without a call: for fuzzing.

use super::record::Record;
use crate::message::Found;

/// The JSON of a record; `None`: it has no wire format.
#[must_use]
pub fn try_record(record: &hickory_proto::rr::Record) -> Option<String> {
    let found = Found {
        ifindex: 0,
        record: record.clone(),
    };
    serde_json::to_string(&Record::of(&found)?).ok()
}
