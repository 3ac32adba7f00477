//! What pairs of a module and a resolved are asked, and how their answers are compared.
#![allow(dead_code, reason = "each test program uses its part")]

use crate::nss_resolve_questions::{ADDRESSES, MORE_ADDRESSES, MORE_NAMES, names};

/// What is asked, and by which entry point.
pub type Question = (&'static str, String);

pub fn questions() -> Vec<Question> {
    let names = names().into_iter().chain(MORE_NAMES.map(String::from));
    let by_name = names.flat_map(|name| {
        // One for both families, one for each.
        ["4", "2", "3-6"].map(|function| (function, name.clone()))
    });
    let addresses = ADDRESSES.iter().map(|(address, _)| *address);
    let by_address = addresses
        .chain(MORE_ADDRESSES)
        .map(|address| ("addr2", address.to_owned()));
    by_name.chain(by_address).collect()
}

/// The time to live: only our daemon tells it, and only to our module.
pub fn ttl(answer: &str) -> Option<i64> {
    let (_, rest) = answer.split_once(" ttl=")?;
    rest.split(' ').next()?.parse().ok()
}

fn without_ttl(answer: &str) -> String {
    let words = answer.split(' ');
    let others: Vec<_> = words.filter(|word| !word.starts_with("ttl=")).collect();
    others.join(" ")
}

/// In any order, whichever of the names comes first, and however they are spelt: ours is spelt as in the question. The
/// link-local addresses of the host, and the numbers of its links, are new each time.
pub fn sorted(answer: &str) -> Vec<String> {
    let answer = without_ttl(answer).to_lowercase();
    let answer = answer.replace(" alias=", " name=");
    let word = |word: &str| match word.strip_prefix("fe80::") {
        Some(host) if host.len() > 4 => "fe80::".to_owned(),
        _ => word.to_owned(),
    };
    let mut words: Vec<_> = answer.split(' ').map(word).collect();
    words.sort();
    words
}
