//! What hooks say, through all that reads it, without a hook: for fuzzing.

use hickory_proto::rr::Name;

use super::{
    client,
    filter::{self, Filter},
    record,
};
use crate::{
    failure::Failure,
    message::{Answer, Lookup},
};

/// The verdict that a message holds on a lookup.
#[must_use]
pub fn try_verdict(message: &[u8], lookup: &Lookup) -> Option<Result<Answer, Failure>> {
    let reply: client::Reply<record::Reply> = serde_json::from_slice(message).ok()?;
    reply.parameters().ok()?.verdict(lookup)
}

/// Whether the filter that a message holds wants a name.
#[must_use]
pub fn try_filter(message: &[u8], name: &Name) -> Option<bool> {
    let reply: client::Reply<filter::Reply> = serde_json::from_slice(message).ok()?;
    Some(Filter::from(reply.parameters().ok()?).wants(name))
}
