//! One map, read.

use std::{ffi::CString, os::unix::ffi::OsStrExt, path::PathBuf};

use lookaside::{Complete, Stat};

use crate::refusal::Refusal;

/// A file, and what there is to say of it.
#[derive(Debug)]
pub struct Map {
    pub path: PathBuf,
    pub stat: Result<Stat, Refusal>,
}

/// What a map is to a process that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It answers.
    Answering,
    /// Its lease has run out: nobody has asked its daemon for a while, or it has hung or been killed.
    Lapsed,
    /// Its daemon has ended, or has another map.
    Retired,
}

impl Map {
    /// What is at `path`, read as by a process that believes `owner`.
    pub fn read(path: PathBuf, owner: u32) -> Self {
        let name = CString::new(path.as_os_str().as_bytes()).ok();
        let stat = name
            .and_then(|name| Stat::owned_by(owner, &name))
            .ok_or_else(|| Refusal::of(&path, owner));
        Self { path, stat }
    }
}

impl State {
    pub fn of(stat: &Stat) -> Self {
        match stat.lease {
            _ if stat.is_retired => State::Retired,
            Some(_) => State::Answering,
            None => State::Lapsed,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            State::Answering => "answering",
            State::Lapsed => "lapsed",
            State::Retired => "retired",
        }
    }
}

/// Of what the map has all there is, in a word.
pub fn complete(stat: &Stat) -> &'static str {
    match stat.complete {
        Complete::Nothing => "nothing",
        Complete::Names => "names",
        Complete::All => "all",
    }
}

#[cfg(test)]
pub mod tests {
    use std::{os::unix::fs::MetadataExt, path::Path};

    use lookaside::{Answer, Family, Item, Question, Settings, Writer};

    use super::*;

    /// A map of 64 KiB that two answers are in.
    pub fn writer(path: &Path) -> Writer {
        let settings = Settings {
            size: 64 << 10,
            lease: 60,
        };
        let mut writer = Writer::create(path, settings).unwrap();
        let question = |name: &'static str| Question::name(name.as_bytes(), Family::Any).unwrap();
        let address = Item::Address {
            octets: &[192, 0, 2, 1],
            ifindex: 0,
        };
        assert!(writer.publish(&question("short.example"), Answer::Found(&[address]), None));
        let long = [Item::Name(&[b'x'; 200])];
        assert!(writer.publish(&question("long.example"), Answer::Found(&long), Some(60)));
        writer
    }

    pub fn me(directory: &Path) -> u32 {
        std::fs::metadata(directory).unwrap().uid()
    }

    fn state(path: &Path, owner: u32) -> State {
        State::of(&Map::read(path.to_owned(), owner).stat.unwrap())
    }

    #[test]
    fn a_map_is_what_its_daemon_makes_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let (path, owner) = (directory.path().join("map"), me(directory.path()));
        let mut writer = writer(&path);
        assert_eq!(state(&path, owner), State::Lapsed);
        writer.renew();
        assert_eq!(state(&path, owner), State::Answering);
        let stat = Map::read(path.clone(), owner).stat.unwrap();
        assert_eq!(
            (stat.size, stat.entries, stat.long_entries),
            (64 << 10, 2, 1)
        );
        assert!(stat.lease.is_some_and(|left| (1..=60).contains(&left)));
        drop(writer);
        assert_eq!(state(&path, owner), State::Retired);
    }
}
