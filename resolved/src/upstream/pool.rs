//! The servers in turn: the current one first, the next when it is late or fails, and whoever answers first wins.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::Instant;

use super::{
    ladder::Level,
    reply::Unusable,
    server::{Answer, Miss, Server, Want},
};
use crate::{failure::Failure, message::Question};

/// How long the last attempt is alone before the next: by how often the next server was tried already. One dead server of
/// two costs the first of these, once.
const ALONE: [Duration; TRIES] = [
    Duration::from_millis(500),
    Duration::from_millis(700),
    Duration::from_millis(1500),
    Duration::from_millis(2500),
];
/// Of one server for one question.
const TRIES: usize = 4;
/// A connection takes some round trips to open.
const ALONE_BY_STREAM: Duration = Duration::from_millis(800);
/// Of a server that can't be reached. It may be starting.
const TRIES_UNREACHABLE: usize = 3;
/// When one server has failed, the silent ones are not waited for longer.
const SILENCE: Duration = Duration::from_secs(2);

/// What is called when another server becomes the current one.
pub(super) type Hook = Rc<RefCell<Option<Rc<dyn Fn()>>>>;

/// Some servers, and which of them is asked first.
pub(super) struct Pool {
    servers: Vec<Rc<Server>>,
    current: Cell<usize>,
    on_change: Hook,
}

impl Pool {
    pub fn new(servers: Vec<Rc<Server>>, current: usize, on_change: Hook) -> Self {
        Self {
            servers,
            current: Cell::new(current),
            on_change,
        }
    }

    pub fn servers(&self) -> &[Rc<Server>] {
        &self.servers
    }

    pub fn current(&self) -> Option<&Rc<Server>> {
        self.servers.get(self.current.get())
    }

    pub fn is_current(&self, server: &Rc<Server>) -> bool {
        self.current()
            .is_some_and(|current| Rc::ptr_eq(current, server))
    }

    /// Makes this one current.
    pub fn prefer_server(&self, server: &Rc<Server>) {
        if let Some(index) = self
            .servers
            .iter()
            .position(|known| Rc::ptr_eq(known, server))
        {
            self.prefer(index);
        }
    }

    fn prefer(&self, index: usize) {
        if self.current.replace(index) != index {
            let hook = self.on_change.borrow().clone();
            if let Some(hook) = hook {
                hook();
            }
        }
    }

    /// Asks until one answers. Waits without end for servers that are silent. `skip`: which is asked first, counted from
    /// the current one; who answers first becomes current only if that was asked first.
    ///
    /// # Errors
    /// Every server failed.
    pub async fn ask(
        &self,
        question: &Question,
        want: Want,
        skip: usize,
    ) -> Result<(Answer, Rc<Server>), Failure> {
        let mut race = Race::new(self, skip);
        let mut attempts = FuturesUnordered::new();
        let mut next = race.next();
        loop {
            if let Some(index) = next.take()
                && let Some(server) = race.start(index)
            {
                let fresh = race.tries(index) > 1;
                attempts.push(async move { (index, server.attempt(question, want, fresh).await) });
            }
            let alone = race.alone();
            let tick = tokio::time::sleep(alone.unwrap_or(SILENCE));
            tokio::select! {
                Some((index, outcome)) = attempts.next(), if !attempts.is_empty() => {
                    race.ended(index);
                    match outcome {
                        Ok(answer) => {
                            if skip == 0 {
                                self.prefer(index);
                            }
                            let server = self.servers.get(index).cloned().ok_or(Failure::Aborted)?;
                            return Ok((answer, server));
                        }
                        Err(miss) => race.missed(index, miss)?,
                    }
                    next = race.less_tried(index);
                    if next.is_none() && attempts.is_empty() && race.next().is_none() {
                        return Err(race.failure());
                    }
                }
                () = tick => {
                    race.late();
                    next = race.next();
                    let exhausted = next.is_none() && attempts.is_empty();
                    if exhausted || race.has_waited_enough() {
                        return Err(race.failure());
                    }
                }
            }
        }
    }
}

/// How the servers do with one question.
struct Race<'a> {
    pool: &'a Pool,
    skip: usize,
    entrants: Vec<Entrant>,
    begun: Instant,
    last: Option<(usize, Level)>,
    failure: Option<Failure>,
}

#[derive(Clone, Default)]
struct Entrant {
    tries: usize,
    pending: usize,
    most: usize,
    unreachable: Option<io::ErrorKind>,
}

impl<'a> Race<'a> {
    fn new(pool: &'a Pool, skip: usize) -> Self {
        let entrant = Entrant {
            most: TRIES,
            ..Entrant::default()
        };
        Self {
            pool,
            skip,
            entrants: vec![entrant; pool.servers.len()],
            begun: Instant::now(),
            last: None,
            failure: None,
        }
    }

    /// The one to ask next: of those that were tried least, the first from the current one on.
    fn next(&self) -> Option<usize> {
        let count = self.entrants.len();
        (0..count)
            .filter_map(|step| (self.pool.current.get() + self.skip + step).checked_rem(count))
            .filter_map(|index| Some((index, self.entrants.get(index)?)))
            .filter(|(_, entrant)| entrant.tries < entrant.most)
            .min_by_key(|(_, entrant)| entrant.tries)
            .map(|(index, _)| index)
    }

    /// When one has failed: the one that is to be asked at once, as it was tried less.
    fn less_tried(&self, failed: usize) -> Option<usize> {
        self.next()
            .filter(|index| self.tries(*index) < self.tries(failed))
    }

    fn tries(&self, index: usize) -> usize {
        self.entrants.get(index).map_or(0, |entrant| entrant.tries)
    }

    fn start(&mut self, index: usize) -> Option<Rc<Server>> {
        let server = self.pool.servers.get(index)?;
        let entrant = self.entrants.get_mut(index)?;
        entrant.tries += 1;
        entrant.pending += 1;
        self.last = Some((index, server.ladder().possible()));
        Some(Rc::clone(server))
    }

    fn ended(&mut self, index: usize) {
        if let Some(entrant) = self.entrants.get_mut(index) {
            entrant.pending = entrant.pending.saturating_sub(1);
        }
    }

    /// How long to wait before the next attempt.
    fn alone(&self) -> Option<Duration> {
        let index = self.next()?;
        let alone = ALONE.get(self.tries(index)).copied()?;
        let by_stream = self
            .last
            .and_then(|(last, _)| self.pool.servers.get(last))
            .is_some_and(|server| server.by_stream());
        Some(if by_stream {
            alone.max(ALONE_BY_STREAM)
        } else {
            alone
        })
    }

    /// The last attempt is late.
    fn late(&mut self) {
        if let Some((index, level)) = self.last.take()
            && self
                .entrants
                .get(index)
                .is_some_and(|entrant| entrant.pending > 0)
            && let Some(server) = self.pool.servers.get(index)
        {
            server.ladder().lost(level, Instant::now());
        }
    }

    fn missed(&mut self, index: usize, miss: Miss) -> Result<(), Failure> {
        let Some(entrant) = self.entrants.get_mut(index) else {
            return Ok(());
        };
        match miss {
            Miss::Unreachable(error) => {
                tracing::debug!(server = index, %error, "unreachable");
                entrant.most = entrant.most.min(TRIES_UNREACHABLE);
                entrant.unreachable = Some(error.kind());
                return Ok(());
            }
            // That is what the zones say.
            Miss::Unusable(Some(Unusable::CnameLoop)) => return Err(Failure::CnameLoop),
            Miss::Unusable(_) => {
                self.failure.get_or_insert(Failure::InvalidReply);
            }
            Miss::Rcode(reply) => {
                let failure = Failure::Rcode(reply.rcode, reply.extended_error);
                if !matches!(self.failure, Some(Failure::Rcode(..))) {
                    self.failure = Some(failure);
                }
            }
        }
        entrant.most = 0;
        Ok(())
    }

    fn has_waited_enough(&self) -> bool {
        self.failure.is_some() && self.begun.elapsed() >= SILENCE
    }

    fn failure(self) -> Failure {
        let no_network = |kind: io::ErrorKind| {
            matches!(
                kind,
                io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::NetworkDown
                    | io::ErrorKind::HostUnreachable
            )
        };
        let down = self
            .entrants
            .iter()
            .all(|entrant| entrant.unreachable.is_some_and(no_network));
        match self.failure {
            Some(failure) => failure,
            None if down => Failure::NetworkDown,
            None => Failure::MaxAttempts,
        }
    }
}
