//! The machine's one cache: RRsets by scope, name, class and type, in their wire form, within one budget of memory.
//!
//! What is kept (RFC 2181, 5.4.1; RFC 2308): of a response, the records of its answer section on the chain of CNAMEs and
//! DNAMEs that begins at the question's name, and what proves a negative answer. Nothing that came along unasked.
//!
//! Times are CLOCK_BOOTTIME, given by the caller: an answer ages while the machine sleeps.

mod divide;
mod entry;
mod key;
mod published;
mod store;
#[cfg(test)]
mod tests;

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hickory_proto::rr::{DNSClass, Name, Record, RecordType};

use crate::{
    failure::Failure,
    message::{Question, Response},
    mode::CacheMode,
    route::ScopeId,
};
use entry::{Content, Entry};
use key::{Key, Kind};
pub use published::Published;
use store::Store;

/// The longest time that anything is kept as fresh.
pub const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);
/// How long a failure is remembered. RFC 9520, 3.2: from 1 s to 5 minutes.
const FAILURE: Duration = Duration::from_secs(10);
/// The time to live of a stale answer. RFC 8767, 4
pub const STALE_TTL: u32 = 30;
/// Asked as often as this since it was stored, an RRset is worth a query before it ends.
const HOT: u32 = 3;
/// Of its time this part is left when it is fetched anew: a tenth.
const LAST_PART: u32 = 10;

/// What the cache shares with other threads, which answer from what it gave out earlier.
#[derive(Debug, Default)]
pub struct Shared {
    generation: AtomicU64,
    hits: AtomicU64,
}

impl Shared {
    /// Another number than before: something was flushed, and what was made from an older one is void.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Counts answers that were given from a copy.
    pub fn count_hits(&self, hits: u64) {
        self.hits.fetch_add(hits, Ordering::Relaxed);
    }
}

/// What an answer has to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Need {
    /// With its signatures, and the proof of absence (the DO bit).
    pub dnssec_ok: bool,
    /// One past its time will do: fresh ones could not be had.
    pub stale: bool,
}

/// How a response is kept.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// `Cache=`.
    pub mode: CacheMode,
    /// `StaleRetentionSec=`.
    pub stale_retention: Duration,
    /// It was asked for with the DO bit: its signatures are there if there are any.
    pub dnssec_ok: bool,
}

/// What the cache has for a question.
#[derive(Clone, Debug)]
pub struct Hit {
    /// One step: the RRset, or the CNAME at the name (which is to be followed by the caller, to the scope it leads to), or a
    /// negative answer with its SOA. `source` has FROM_CACHE and the protocol; the TTLs are what remains. Or a failure that
    /// was met a moment ago.
    pub outcome: Result<Response, Failure>,
    /// Asked often and soon over: the caller should ask again now. Said once.
    pub prefetch: bool,
}

/// The counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStatistics {
    /// RRsets and negative answers.
    pub size: u64,
    /// Questions that were answered.
    pub hits: u64,
    /// Questions that were not.
    pub misses: u64,
}

/// What there is of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameStatistics {
    /// RRsets and negative answers.
    pub size: u64,
    /// The memory that they take.
    pub bytes: usize,
    /// Questions that these answered. What the stub's copies and the map of answers did is not in it.
    pub hits: u64,
}

/// What kind of answer is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpKind {
    /// Records.
    Records,
    /// No records of this type.
    NoData,
    /// No such name.
    NxDomain,
    /// A failure.
    Failure,
}

/// One line of a dump.
#[derive(Clone, Debug)]
pub struct DumpEntry {
    /// In lower case.
    pub name: Name,
    /// Of what class.
    pub class: DNSClass,
    /// [`RecordType::ANY`] for a name that does not exist.
    pub rtype: RecordType,
    /// Of what kind.
    pub kind: DumpKind,
    /// Of [`DumpKind::Records`]; with their signatures, and the TTLs that they came with.
    pub records: Vec<Record>,
    /// On CLOCK_BOOTTIME.
    pub until: Duration,
}

/// The cache.
#[derive(Debug)]
pub struct Cache {
    store: RefCell<Store>,
    counts: RefCell<CacheStatistics>,
    shared: Arc<Shared>,
    /// What other processes see.
    pub published: Published,
}

impl Cache {
    /// An empty one that takes at most this much memory, what it needs for keeping order included.
    #[must_use]
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            store: RefCell::new(Store::new(limit_bytes)),
            counts: RefCell::default(),
            shared: Arc::default(),
            published: Published::default(),
        }
    }

    /// Another budget, in bytes, from the next entry on.
    pub fn set_limit(&self, limit_bytes: usize) {
        self.store.borrow_mut().set_limit(limit_bytes);
    }

    /// What other threads need to see.
    #[must_use]
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// What is known in this scope.
    pub fn get(
        &self,
        scope: ScopeId,
        question: &Question,
        need: Need,
        now: Duration,
    ) -> Option<Hit> {
        let hit = self.look_up(scope, question, need, now);
        let mut counts = self.counts.borrow_mut();
        match hit {
            Some(_) => counts.hits += 1,
            None => counts.misses += 1,
        }
        hit
    }

    fn look_up(
        &self,
        scope: ScopeId,
        question: &Question,
        need: Need,
        now: Duration,
    ) -> Option<Hit> {
        let mut store = self.store.borrow_mut();
        let exact = Kind::Records(question.rtype);
        let cname = Kind::Records(RecordType::CNAME);
        let fresh = [Kind::NxDomain, exact, cname, Kind::Failure(question.rtype)];
        // A name that once did not exist says nothing about now; a failure is what staleness is for.
        let stale = [exact, cname, Kind::Failure(question.rtype)];
        let order = fresh.iter().map(|kind| (kind, false));
        let order: Vec<_> = if need.stale {
            let fresh = order.take(3);
            fresh.chain(stale.iter().map(|kind| (kind, true))).collect()
        } else {
            order.collect()
        };
        for (kind, stale) in order {
            let key = Key::new(scope, &question.name, question.class, *kind);
            let Some(entry) = store.find(&key, |entry| entry.serves(need.dnssec_ok, stale, now))
            else {
                continue;
            };
            if let Some(outcome) = entry.outcome(question, need.dnssec_ok, now) {
                return Some(Hit {
                    outcome,
                    prefetch: entry.wants_prefetch(HOT, LAST_PART, now),
                });
            }
        }
        None
    }

    /// Keeps what a response says, if it may be kept.
    pub fn put(
        &self,
        scope: ScopeId,
        question: &Question,
        response: &Response,
        policy: Policy,
        now: Duration,
    ) {
        if policy.mode == CacheMode::No {
            return;
        }
        let Some(parts) = divide::divide(question, response) else {
            return;
        };
        let mut store = self.store.borrow_mut();
        for part in parts {
            let key_of = |kind| Key::new(scope, &part.name, question.class, kind);
            if part.is_positive() {
                store.remove(&key_of(Kind::NxDomain));
            }
            // Whatever was known of this question is no longer true.
            store.remove(&key_of(Kind::Records(question.rtype)));
            store.remove(&key_of(Kind::Failure(question.rtype)));
            let key = key_of(part.kind);
            let keep = part.is_positive() || policy.mode != CacheMode::NoNegative;
            match Entry::new(&part, response, policy, now).filter(|_| keep) {
                Some(entry) => store.insert(key, entry, now),
                None => store.remove(&key),
            }
        }
    }

    /// Remembers for 10 s that this question failed. Which failures are worth it is the caller's to say.
    pub fn put_failure(
        &self,
        scope: ScopeId,
        question: &Question,
        failure: &Failure,
        now: Duration,
    ) {
        let kind = Kind::Failure(question.rtype);
        let key = Key::new(scope, &question.name, question.class, kind);
        let entry = Entry::failure(failure.clone(), now.saturating_add(FAILURE));
        self.store.borrow_mut().insert(key, entry, now);
    }

    /// Forgets everything.
    pub fn flush(&self) {
        self.store.borrow_mut().clear();
        self.new_generation();
    }

    /// Forgets what one scope had.
    pub fn flush_scope(&self, scope: ScopeId) {
        self.store.borrow_mut().retain(|key| !key.is_in(scope));
        self.new_generation();
    }

    /// Forgets all that is kept of a name, in every scope.
    pub fn flush_name(&self, name: &Name) {
        let name = key::name_bytes(name);
        self.store
            .borrow_mut()
            .retain(|key| key.name_bytes() != name);
        self.new_generation();
    }

    /// Voids the copies that other threads and processes answer from, and nothing else: for what changes answers without the cache, such
    /// as /etc/hosts, or which scope a name is routed to.
    pub fn new_generation(&self) {
        self.shared.generation.fetch_add(1, Ordering::AcqRel);
        self.published.void();
    }

    /// See [`Shared::generation`].
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared.generation()
    }

    /// The counters.
    #[must_use]
    pub fn statistics(&self) -> CacheStatistics {
        let counts = *self.counts.borrow();
        CacheStatistics {
            size: u64::try_from(self.store.borrow().len()).unwrap_or(u64::MAX),
            hits: counts.hits + self.shared.hits.load(Ordering::Relaxed),
            misses: counts.misses,
        }
    }

    /// What there is of one name, in all scopes.
    #[must_use]
    pub fn statistics_of(&self, name: &Name) -> NameStatistics {
        let name = key::name_bytes(name);
        let store = self.store.borrow();
        let of_name = store.iter().filter(|(key, _)| key.name_bytes() == name);
        of_name.fold(NameStatistics::default(), |sum, (key, entry)| {
            NameStatistics {
                size: sum.size + 1,
                bytes: sum.bytes + store::cost(key, entry),
                hits: sum.hits + u64::from(entry.asked()),
            }
        })
    }

    /// Counts hits and misses from zero again.
    pub fn reset_statistics(&self) {
        *self.counts.borrow_mut() = CacheStatistics::default();
        self.shared.hits.store(0, Ordering::Relaxed);
    }

    /// How much memory is taken, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.store.borrow().bytes()
    }

    /// What is kept for one scope.
    #[must_use]
    pub fn dump(&self, scope: ScopeId) -> Vec<DumpEntry> {
        let store = self.store.borrow();
        let entries = store.iter().filter(|(key, _)| key.is_in(scope));
        entries
            .filter_map(|(key, entry)| dump(key, entry))
            .collect()
    }
}

fn dump(key: &Key, entry: &Entry) -> Option<DumpEntry> {
    let (kind, class) = key.kind_and_class()?;
    let (rtype, dump_kind) = match (kind, &entry.content) {
        (_, Content::Failure(_)) => (kind.rtype(), DumpKind::Failure),
        (Kind::NxDomain, _) => (RecordType::ANY, DumpKind::NxDomain),
        (_, Content::NoData(_)) => (kind.rtype(), DumpKind::NoData),
        _ => (kind.rtype(), DumpKind::Records),
    };
    Some(DumpEntry {
        name: key.name()?,
        class,
        rtype,
        kind: dump_kind,
        records: entry.records(),
        until: entry.expires,
    })
}
