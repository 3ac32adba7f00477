//! What resolved tells everybody: answers that are read without asking.

use lookaside::{Item, Lookaside, Question, Verdict};
use nss_host::Failure;
use varlink_call::resolve::Found;

/// Made by Switchyard's resolved; docs/lookaside.md
static MAP: Lookaside = Lookaside::new(c"/run/switchyard/resolve.map");

/// The verdict on a question, if it is known. What was found is handed over as if resolved had said it.
pub(crate) fn known(
    question: Option<Question>,
    found: &mut dyn FnMut(Found<'_>),
) -> Option<Result<(), Failure>> {
    let verdict = MAP.lookup(&question?, &mut |item| {
        found(match item {
            Item::Address { octets, ifindex } => Found::Address { octets, ifindex },
            Item::Name(name) => Found::Name(name),
        });
    });
    match verdict {
        Verdict::Found { ttl } => {
            if let Some(ttl) = ttl {
                found(Found::TimeToLive(ttl));
            }
            Some(Ok(()))
        }
        Verdict::NoData { .. } => Some(Err(Failure::NoData)),
        Verdict::NotFound { .. } => Some(Err(Failure::NotFound)),
        Verdict::Miss => None,
    }
}
