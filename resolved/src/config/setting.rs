//! One assignment, as it goes into what it sets; what is wrong with it is said with its place and skipped.

use std::{path::Path, str::FromStr};

use super::{
    Sources, domain, lists, server,
    syntax::{self, Assignment},
    words::{self, Escapes},
    wrong::Wrong,
};
use crate::{
    mode::parse_boolean,
    server::{DnsServer, Domain},
};

/// `Key=value`, and where it stands.
pub(super) struct Setting<'a> {
    pub(super) path: &'a Path,
    pub(super) set: &'a Assignment,
    pub(super) sources: &'a Sources,
    pub(super) wrong: &'a mut Wrong,
}

/// Hands every assignment of a file's section to `apply`.
pub(super) fn each(
    path: &Path,
    section: &str,
    sources: &Sources,
    wrong: &mut Wrong,
    mut apply: impl FnMut(&mut Setting<'_>),
) {
    let Some(bytes) = super::files::read(path, wrong) else {
        return;
    };
    for set in &syntax::parse(path, &bytes, section, wrong) {
        apply(&mut Setting {
            path,
            set,
            sources,
            wrong,
        });
    }
}

impl Setting<'_> {
    pub(super) fn key(&self) -> &str {
        &self.set.key
    }

    pub(super) fn value(&self) -> &str {
        &self.set.value
    }

    /// Says what is wrong.
    pub(super) fn refuse(&mut self, message: impl std::fmt::Display) {
        let message = format!("{}= {message}", self.set.key);
        self.wrong.line(self.path, self.set.line, message);
    }

    /// A key that this section has not.
    pub(super) fn unknown(&mut self, section: &str) {
        let message = format!("unknown key {}= in [{section}]", self.set.key);
        self.wrong.line(self.path, self.set.line, message);
    }

    /// Sets what is read of the value, if it can be. `is` says what it has to be.
    pub(super) fn put<T>(&mut self, target: &mut T, read: impl Fn(&str) -> Option<T>, is: &str) {
        match read(&self.set.value) {
            Some(value) => *target = value,
            None => self.refuse(format_args!("is {is}, not {:?}", self.set.value)),
        }
    }

    pub(super) fn boolean(&mut self, target: &mut bool) {
        self.put(target, parse_boolean, "yes or no");
    }

    /// One of the words of a mode.
    pub(super) fn mode<T: FromStr>(&mut self, target: &mut T, words: &str) {
        self.put(target, |word| word.parse().ok(), words);
    }

    /// Hands each word of a list to `add`; nothing at all empties the list.
    pub(super) fn list<T>(
        &mut self,
        target: &mut Vec<T>,
        mut add: impl FnMut(&mut Vec<T>, &str) -> Result<(), String>,
    ) {
        if self.set.value.is_empty() {
            target.clear();
            return;
        }
        let words = match words::split(&self.set.value, Escapes::Character) {
            Ok(words) => words,
            Err(message) => return self.refuse(message),
        };
        for word in words {
            // White space and quotes are ASCII: what is between them is as whole as the value.
            let word = String::from_utf8_lossy(&word);
            if let Err(message) = add(target, &word) {
                self.refuse(message);
            }
        }
    }

    pub(super) fn servers(&mut self, target: &mut Vec<DnsServer>) {
        let ifindex_of = self.sources.ifindex_of;
        self.list(target, |servers, word| {
            add_server(servers, word, ifindex_of)
        });
    }

    pub(super) fn domains(&mut self, target: &mut Vec<Domain>) {
        self.list(target, add_domain);
    }
}

/// Adds the server that a word names.
pub(super) fn add_server(
    servers: &mut Vec<DnsServer>,
    word: &str,
    ifindex_of: fn(&str) -> Option<u32>,
) -> Result<(), String> {
    let server = server::parse(word, &ifindex_of)?;
    if !server::is_usable(server.address) {
        return Err(format!("{word} would be this program itself, or nobody"));
    }
    if lists::add_server(servers, server) {
        Ok(())
    } else {
        Err(format!("{word}: there are too many servers"))
    }
}

/// Adds the domain that a word names.
pub(super) fn add_domain(domains: &mut Vec<Domain>, word: &str) -> Result<(), String> {
    if word.starts_with('#') {
        return Err("no comment can stand behind a value".to_owned());
    }
    if lists::add_domain(domains, domain::parse(word)?) {
        Ok(())
    } else {
        Err(format!("{word}: there are too many domains"))
    }
}
