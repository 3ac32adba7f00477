//! What pairs of a module and a resolved are asked, and how their answers are compared.
#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::BTreeMap;

use crate::nss_probe::Probe;
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

/// What modules say at a resolved, by whether the module is ours.
pub type Said = BTreeMap<(bool, Question), String>;

/// Asks each module each question.
pub fn ask_each(probes: &[(bool, Probe<'_>)]) -> Said {
    let mut said = BTreeMap::new();
    for question in questions() {
        for (ours, probe) in probes {
            let answer = probe.ask(question.0, &question.1);
            said.insert((*ours, question.clone()), answer);
        }
    }
    said
}

/// Where they say at our resolved another thing than at systemd's, but for what is meant: of a name either an address, if it is
/// asked for one of that family, or that there is no answer.
pub fn differing(theirs: &Said, ours: &Said, meant: &[(&str, &str)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for ((module, question), expected) in theirs {
        let said = &ours[&(*module, question.clone())];
        let different = meant.iter().find(|(name, _)| *name == question.1);
        let right = match different {
            // It has no IPv6 address.
            Some((_, "TRYAGAIN")) => said.starts_with("TRYAGAIN"),
            Some(_) if question.0 == "3-6" => said.starts_with("NOTFOUND"),
            Some((_, address)) => said.contains(address),
            None => sorted(said) == sorted(expected),
        };
        if !right {
            let module = if *module { "our" } else { "systemd's" };
            wrong.push(format!(
                "{module} module, {question:?}:\n  systemd's: {expected}\n  ours:      {said}"
            ));
        }
    }
    wrong
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
