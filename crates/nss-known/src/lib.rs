//! Answers to NSS questions out of a daemon's map of known answers, without asking it.
//!
//! What is found comes in the shape in which the daemon itself would have said it.
#![no_std]
#![forbid(unsafe_code)]

use lookaside::{Item, Lookaside, Question, Verdict};
use nss_host::{Address, Failure, Family};
use varlink_call::resolve::Found;

/// The question for the addresses of a name; `None`: no map has an answer.
pub fn name(name: &[u8], family: Option<Family>) -> Option<Question<'_>> {
    let family = match family {
        None => lookaside::Family::Any,
        Some(Family::Inet) => lookaside::Family::Inet,
        Some(Family::Inet6) => lookaside::Family::Inet6,
    };
    Question::name(name, family)
}

/// The question for the names of an address.
pub fn address(address: &Address) -> Option<Question<'_>> {
    Question::address(address.octets())
}

/// The verdict of the map; `None`: the daemon has to be asked.
pub fn verdict(
    map: &Lookaside,
    question: Option<Question<'_>>,
    found: &mut dyn FnMut(Found<'_>),
) -> Option<Result<(), Failure>> {
    let verdict = map.lookup(&question?, &mut |item| {
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
