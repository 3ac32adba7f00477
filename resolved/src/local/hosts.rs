//! /etc/hosts: hosts(5).

mod table;

use std::{
    cell::RefCell,
    fs::{File, Metadata},
    io::{self, Read},
    net::IpAddr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, Instant},
};

use hickory_proto::rr::{DNSClass, Name, RecordType};

use self::table::Table;
use super::answer::{Made, asks_for};
use crate::{
    flags::Flags,
    message::{Answer, Lookup},
    name,
};

/// How long a look at the file holds.
const LOOK: Duration = Duration::from_secs(2);

/// The file, read again when it has changed.
#[derive(Debug)]
pub(super) struct Hosts {
    path: PathBuf,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    table: Rc<Table>,
    looked: Option<Instant>,
    /// Of the file that was read; `None`: there was none.
    stamp: Option<Stamp>,
    generation: u64,
}

/// Tells one state of a file from another: device, inode, size, time of modification.
type Stamp = (u64, u64, u64, i64, i64);

impl Hosts {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            state: RefCell::default(),
        }
    }

    /// It has changed: the next who asks looks at it.
    pub fn look_again(&self) {
        self.state.borrow_mut().looked = None;
    }

    /// Counts how often the file changed.
    pub fn generation(&self) -> u64 {
        self.table();
        self.state.borrow().generation
    }

    /// The answer, if the file has the name or the address.
    ///
    /// A name it has is answered for both families, even if one has no address there: the file overrides the network.
    pub fn answer(&self, lookup: &Lookup) -> Option<Answer> {
        if lookup.class != DNSClass::IN {
            return None;
        }
        let table = self.table();
        if asks_for(lookup, RecordType::A) || asks_for(lookup, RecordType::AAAA) {
            let answer = addresses(&table, lookup);
            if answer.is_some() {
                return answer;
            }
        }
        if asks_for(lookup, RecordType::PTR) {
            return pointers(&table, lookup);
        }
        None
    }

    fn table(&self) -> Rc<Table> {
        let mut state = self.state.borrow_mut();
        if state.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            state.look(&self.path);
        }
        Rc::clone(&state.table)
    }
}

impl State {
    fn look(&mut self, path: &Path) {
        self.looked = Some(Instant::now());
        let stamp = std::fs::metadata(path)
            .ok()
            .map(|metadata| stamp(&metadata));
        if stamp == self.stamp {
            return;
        }
        match stamp.map(|_| read(path)) {
            Some(Ok((table, stamp))) => {
                self.table = Rc::new(table);
                self.stamp = Some(stamp);
            }
            None => {
                self.table = Rc::default();
                self.stamp = None;
            }
            // What was read before holds; tried again at the next look.
            Some(Err(error)) => {
                tracing::warn!("Failed to read {}: {error}", path.display());
                return;
            }
        }
        self.generation += 1;
    }
}

fn stamp(metadata: &Metadata) -> Stamp {
    (
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    )
}

fn read(path: &Path) -> io::Result<(Table, Stamp)> {
    let mut file = File::open(path)?;
    // Before it is read: what is written meanwhile shows at the next look.
    let stamp = stamp(&file.metadata()?);
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let table = Table::parse(&text, |line, what| {
        tracing::warn!("{}:{line}: {what}, skipped", path.display());
    });
    Ok((table, stamp))
}

fn addresses(table: &Table, lookup: &Lookup) -> Option<Answer> {
    let key = key(&lookup.name)?;
    let mut made = Made::new(lookup);
    let Some(host) = table.host(&key) else {
        return table.is_blocked(&key).then(|| made.answer());
    };
    let own = name::parse(&host.name).ok()?;
    let wanted: Vec<IpAddr> = host
        .addresses
        .iter()
        .copied()
        .filter(|address| match address {
            IpAddr::V4(_) => asks_for(lookup, RecordType::A),
            IpAddr::V6(_) => asks_for(lookup, RecordType::AAAA),
        })
        .collect();
    // The first name of a line is the canonical one: hosts(5). Told as an alias, if there is only one and it may be.
    let mut firsts = wanted
        .iter()
        .filter_map(|address| table.names(address).first());
    let first = firsts
        .next()
        .filter(|first| firsts.all(|other| other == *first));
    let canonical = first
        .and_then(|first| name::parse(first).ok())
        .filter(|first| *first != own);
    let owner = match canonical {
        Some(canonical) if !lookup.flags.contains(Flags::NO_CNAME) => {
            made.alias(&own, canonical.clone());
            canonical
        }
        _ => own,
    };
    for address in wanted {
        made.address(&owner, address, 0);
    }
    Some(made.answer())
}

fn pointers(table: &Table, lookup: &Lookup) -> Option<Answer> {
    let names = table.names(&super::synthesis::reverse(&lookup.name)?);
    let mut made = Made::new(lookup);
    for name in names {
        made.pointer(name::parse(name).ok()?, 0);
    }
    (!names.is_empty()).then(|| made.answer())
}

/// How the table writes a name; `None` if it can't be there.
fn key(name: &Name) -> Option<String> {
    let name = name::to_ascii(name)?;
    let mut key = String::with_capacity(name.len());
    for label in name.iter() {
        if !key.is_empty() {
            key.push('.');
        }
        for byte in label {
            if !byte.is_ascii_alphanumeric() && *byte != b'-' {
                return None;
            }
            key.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    Some(key)
}

#[cfg(test)]
mod tests;
