//! One hook: what it wants, and connections to it.

use std::{
    cell::{Cell, RefCell},
    io,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use hickory_proto::rr::Name;
use tokio::{
    sync::{Semaphore, watch},
    task::AbortHandle,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Count, Identity,
    client::Connection,
    filter::{self, Filter},
    record::{self, Questions},
};
use crate::{
    failure::Failure,
    message::{Answer, Lookup},
};

/// How long a hook may take to answer. It leaves the network most of a lookup's 8 s.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// How long one that did not answer in time is not asked again.
const HOLD_OFF: Duration = Duration::from_secs(10);

/// How long lookups wait for a hook to say what it wants, from when it was found.
const INTRODUCTION: Duration = Duration::from_millis(100);

/// How soon it is connected to again after it went away, at first and at last.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// How many questions it is asked at the same time.
const CONNECTIONS: usize = 4;

/// One hook.
#[derive(Debug)]
pub(super) struct Hook {
    peer: Peer,
    identity: Identity,
    standing: watch::Sender<Standing>,
    /// Who follows what it wants.
    follower: RefCell<Option<AbortHandle>>,
    retry: Cell<Duration>,
    places: Semaphore,
    idle: RefCell<Vec<Connection>>,
    held_off_until: Cell<Option<Instant>>,
    generation: Rc<Count>,
}

#[derive(Clone, Debug)]
struct Peer {
    path: PathBuf,
    owner: u32,
}

impl Peer {
    async fn connect(&self) -> io::Result<Connection> {
        Connection::open(&self.path, self.owner).await
    }
}

/// What is known of what it wants.
#[derive(Debug)]
enum Standing {
    /// It is being asked since then.
    Asked(Instant),
    /// It said so, and says if that changes.
    Known(Filter),
    /// It does not answer, and is not asked before then.
    Away(Instant),
}

impl Hook {
    pub fn new(path: PathBuf, identity: Identity, owner: u32, generation: Rc<Count>) -> Self {
        Self {
            peer: Peer { path, owner },
            identity,
            standing: watch::Sender::new(Standing::Away(Instant::now())),
            follower: RefCell::default(),
            retry: Cell::new(RETRY.0),
            places: Semaphore::new(CONNECTIONS),
            idle: RefCell::default(),
            held_off_until: Cell::default(),
            generation,
        }
    }

    pub fn path(&self) -> &Path {
        &self.peer.path
    }

    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether it is worth waiting for: it wants the name, or may soon say so.
    pub fn may_want(self: &Rc<Self>, name: &Name) -> bool {
        let now = Instant::now();
        if self.held_off_until.get().is_some_and(|until| now < until) {
            return false;
        }
        let follow = match &*self.standing.borrow() {
            Standing::Known(filter) => return filter.wants(name),
            Standing::Asked(since) => return now < *since + INTRODUCTION,
            Standing::Away(until) => now >= *until,
        };
        if follow {
            self.standing.send_replace(Standing::Asked(now));
            // Weak: a hook that is gone from the directory is not kept by its follower.
            let task =
                tokio::task::spawn_local(follow_wishes(Rc::downgrade(self), self.peer.clone()));
            self.follower.replace(Some(task.abort_handle()));
        }
        follow
    }

    /// Whether it said that it wants the name, be it that it does not answer now.
    pub fn said_it_wants(&self, name: &Name) -> bool {
        matches!(&*self.standing.borrow(), Standing::Known(filter) if filter.wants(name))
    }

    /// Its verdict; `None`: it does not want the name, does not know it, or does not answer.
    pub async fn ask(&self, lookup: &Lookup) -> Option<Result<Answer, Failure>> {
        if !self.wants(&lookup.name).await {
            return None;
        }
        let reply = match timeout(PATIENCE, self.call(lookup)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => {
                tracing::debug!("Hook {}: {error}", self.path().display());
                return None;
            }
            Err(_) => {
                tracing::warn!("Hook {} does not answer", self.path().display());
                self.held_off_until.set(Some(Instant::now() + HOLD_OFF));
                return None;
            }
        };
        reply.verdict(lookup)
    }

    async fn wants(&self, name: &Name) -> bool {
        let mut standing = self.standing.subscribe();
        let since = match &*standing.borrow() {
            Standing::Asked(since) => *since,
            Standing::Known(filter) => return filter.wants(name),
            Standing::Away(_) => return false,
        };
        let known = standing.wait_for(|standing| !matches!(standing, Standing::Asked(_)));
        match timeout_at(since + INTRODUCTION, known).await {
            Ok(Ok(standing)) => matches!(&*standing, Standing::Known(filter) if filter.wants(name)),
            _ => false,
        }
    }

    async fn call(&self, lookup: &Lookup) -> io::Result<record::Reply> {
        let _place = self.places.acquire().await.map_err(io::Error::other)?;
        let idle = self.idle.borrow_mut().pop();
        if let Some(connection) = idle
            && let Ok(reply) = self.call_on(connection, lookup).await
        {
            return Ok(reply);
        }
        // A connection that was idle may have been closed meanwhile.
        self.call_on(self.peer.connect().await?, lookup).await
    }

    async fn call_on(
        &self,
        mut connection: Connection,
        lookup: &Lookup,
    ) -> io::Result<record::Reply> {
        let questions = Questions::of(lookup);
        connection
            .send("io.systemd.Resolve.Hook.ResolveRecord", &questions, false)
            .await?;
        let reply = connection.receive().await?;
        self.idle.borrow_mut().push(connection);
        reply.parameters()
    }

    fn set(&self, standing: Standing) {
        self.standing.send_replace(standing);
        self.generation.add();
    }

    fn is_away(&self, error: &io::Error) {
        tracing::debug!("Hook {}: {error}", self.path().display());
        let wait = self.retry.get();
        self.retry.set((wait * 2).min(RETRY.1));
        self.idle.take();
        self.set(Standing::Away(Instant::now() + wait));
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        if let Some(follower) = self.follower.take() {
            follower.abort();
        }
    }
}

/// Keeps what a hook wants until it goes away. The next lookup after that begins anew, so that a hook which is not there costs
/// an idle machine nothing.
async fn follow_wishes(hook: std::rc::Weak<Hook>, peer: Peer) {
    let error = match follow(&hook, &peer).await {
        Ok(never) => match never {},
        Err(error) => error,
    };
    if let Some(hook) = hook.upgrade() {
        hook.is_away(&error);
    }
}

async fn follow(hook: &std::rc::Weak<Hook>, peer: &Peer) -> io::Result<std::convert::Infallible> {
    let gone = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut connection = peer.connect().await?;
    let nothing = serde_json::Map::new();
    connection
        .send("io.systemd.Resolve.Hook.QueryFilter", &nothing, true)
        .await?;
    loop {
        let reply = connection.receive::<filter::Reply>().await?;
        let more = reply.continues;
        let filter = reply.parameters()?.into();
        let hook = hook.upgrade().ok_or_else(gone)?;
        hook.retry.set(RETRY.0);
        hook.set(Standing::Known(filter));
        drop(hook);
        if !more {
            connection.closed().await;
            return Err(gone());
        }
    }
}
