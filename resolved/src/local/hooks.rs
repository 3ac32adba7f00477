//! Other services that know names: io.systemd.Resolve.Hook (systemd 259), which machined serves for machines.
//!
//! Every socket in a directory is a hook. What a hook says is believed if the directory, the socket and who listens on it are
//! root's. A hook tells which names it wants to be asked for, and again whenever that changes; for other names it is as
//! if it were not there. One that hangs costs a lookup of a name it wants at most [`hook::PATIENCE`], and is left alone for a
//! while after that.

mod client;
mod filter;
mod hook;
mod record;
pub mod trial;

use std::{
    cell::{Cell, RefCell},
    fs::{self, Metadata},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    rc::Rc,
    time::{Duration, SystemTime},
};

use futures_util::future::join_all;
use hickory_proto::rr::Name;
use tokio::sync::Notify;

use self::hook::Hook;
use crate::{
    failure::Failure,
    message::{Answer, Lookup},
};

/// What a directory's time of modification is exact to, with a margin: within it a second change may not show.
const GRANULARITY: Duration = Duration::from_secs(1);

/// How many there may be: each costs connections.
const MOST_HOOKS: usize = 64;

/// The hooks of a directory.
#[derive(Debug)]
pub(super) struct Hooks {
    directory: PathBuf,
    /// Who is believed.
    owner: u32,
    enabled: bool,
    scanned: Cell<Option<SystemTime>>,
    /// In the order of their names.
    hooks: RefCell<Vec<Rc<Hook>>>,
    generation: Rc<Count>,
}

impl Hooks {
    /// Those of a directory, if they and it are `owner`'s. Nothing is connected to before the first lookup.
    pub fn new(directory: PathBuf, owner: u32, enabled: bool) -> Self {
        Self {
            directory,
            owner,
            enabled,
            scanned: Cell::default(),
            hooks: RefCell::default(),
            generation: Rc::default(),
        }
    }

    /// Waits until one changes what it wants. Who comes and goes is seen in the directory.
    pub async fn changed(&self) {
        self.generation.changed.notified().await;
    }

    /// Counts how often a hook came, went or changed what it wants.
    pub fn generation(&self) -> u64 {
        self.scan();
        self.generation.get()
    }

    /// Whether any said that it wants the name, be it that it does not answer now. One that begins to want it changes the
    /// generation.
    pub fn want(&self, name: &Name) -> bool {
        self.hooks
            .borrow()
            .iter()
            .any(|hook| hook.said_it_wants(name))
    }

    /// Asks those that want the name, all at once; the first in order that knows it decides. Which there are was seen when
    /// the [generation](Self::generation) was last asked for, as each lookup does at its start.
    pub fn ask(
        &self,
        lookup: &Lookup,
    ) -> impl Future<Output = Option<Result<Answer, Failure>>> + use<> {
        let hooks = self.hooks.borrow();
        let asked: Vec<_> = hooks
            .iter()
            .filter(|hook| hook.may_want(&lookup.name))
            .cloned()
            .collect();
        // Most lookups concern no hook.
        let lookup = (!asked.is_empty()).then(|| lookup.clone());
        async move {
            let lookup = &lookup?;
            let verdicts = asked.iter().map(|hook| hook.ask(lookup));
            join_all(verdicts).await.into_iter().flatten().next()
        }
    }

    /// Takes in what came and went.
    fn scan(&self) {
        if !self.enabled {
            return;
        }
        let modified = fs::symlink_metadata(&self.directory).and_then(|metadata| {
            self.check(&self.directory, &metadata)?;
            metadata.modified()
        });
        let modified = match modified {
            Ok(modified) => modified,
            Err(_) => {
                self.replace(Vec::new());
                self.scanned.set(None);
                return;
            }
        };
        if self.scanned.get() == Some(modified) {
            return;
        }
        let settled = modified.elapsed().is_ok_and(|age| age > GRANULARITY);
        self.scanned.set(settled.then_some(modified));
        match self.sockets() {
            Ok(sockets) => self.replace(sockets),
            Err(error) => tracing::warn!("Failed to read {}: {error}", self.directory.display()),
        }
    }

    /// The sockets in the directory that may be believed, in the order of their names, each with what tells it from a
    /// successor.
    fn sockets(&self) -> io::Result<Vec<(PathBuf, Identity)>> {
        let mut sockets = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            // Sockets on their way to their name.
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            let path = entry.path();
            if metadata.file_type().is_socket() && self.check(&path, &metadata).is_ok() {
                sockets.push((path, (metadata.dev(), metadata.ino())));
            }
        }
        sockets.sort_unstable();
        if sockets.len() > MOST_HOOKS {
            tracing::warn!(
                "Only the first {MOST_HOOKS} hooks in {} are asked",
                self.directory.display()
            );
            sockets.truncate(MOST_HOOKS);
        }
        Ok(sockets)
    }

    /// Only its owner may put another in its place. (To connect to a socket one must be able to write to it.)
    fn check(&self, path: &Path, metadata: &Metadata) -> io::Result<()> {
        let others_write = metadata.is_dir() && metadata.mode() & 0o022 != 0;
        if metadata.uid() == self.owner && !others_write {
            return Ok(());
        }
        tracing::debug!("Hooks: {} is not root's alone, ignored", path.display());
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn replace(&self, sockets: Vec<(PathBuf, Identity)>) {
        let mut hooks = self.hooks.borrow_mut();
        let same = |hook: &Rc<Hook>, (path, identity): &(PathBuf, Identity)| {
            hook.path() == path && hook.identity() == *identity
        };
        if hooks.len() == sockets.len()
            && hooks
                .iter()
                .zip(&sockets)
                .all(|(hook, socket)| same(hook, socket))
        {
            return;
        }
        let old = std::mem::take(&mut *hooks);
        hooks.extend(sockets.into_iter().map(|socket| {
            let known = old.iter().find(|hook| same(hook, &socket)).cloned();
            let (path, identity) = socket;
            known.unwrap_or_else(|| {
                Rc::new(Hook::new(
                    path,
                    identity,
                    self.owner,
                    Rc::clone(&self.generation),
                ))
            })
        }));
        self.generation.add();
    }
}

/// How often something changed.
#[derive(Debug, Default)]
struct Count {
    number: Cell<u64>,
    changed: Notify,
}

impl Count {
    fn get(&self) -> u64 {
        self.number.get()
    }

    fn add(&self) {
        self.number.set(self.number.get() + 1);
        self.changed.notify_one();
    }
}

/// Device and inode.
type Identity = (u64, u64);

#[cfg(test)]
mod tests;
