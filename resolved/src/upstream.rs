//! Unicast DNS: the servers of one scope, and how they are asked.
//!
//! [`Upstream`] is a set of servers with what was learnt of each. A question goes to the current server; when that one is
//! late or fails, the next is asked while the first is still listened to. What a server can do is found out as it answers
//! (`ladder`), and what it says is believed after `reply` and, where DNSSEC is on, `validate`.

mod cookie;
mod ladder;
mod pool;
mod reply;
mod server;
mod settings;
mod socket;
mod stream;
mod tls;
pub mod trial;
mod udp;
mod validate;
mod wire;

use std::{cell::RefCell, rc::Rc, time::Duration};

use hickory_proto::{dnssec::Proof, rr::DNSClass};
use tokio::time::Instant;

pub use self::settings::{Ask, ServerState, Settings};
use self::{
    pool::{Hook, Pool},
    server::{Answer, Server, Want},
    validate::Validator,
};
use crate::{
    failure::{DnssecFault, Failure},
    flags::Flags,
    message::{Question, Response},
    mode::Dnssec,
    server::DnsServer,
};

/// The servers of one scope. A clone is the same one.
#[derive(Clone)]
pub struct Upstream(Rc<Inner>);

struct Inner {
    settings: RefCell<Rc<Settings>>,
    pool: RefCell<Rc<Pool>>,
    validator: RefCell<Rc<Validator>>,
    on_change: Hook,
}

/// For everything that one question takes. The daemon's verdict is to be heard within 8 s.
const BUDGET: Duration = Duration::from_millis(7500);
const ATTEMPTS_TO_VALIDATE: usize = 2;

impl Upstream {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let settings = Rc::new(settings);
        let on_change = Rc::default();
        let servers = servers(&settings, &[]);
        let pool = Pool::new(servers, 0, Rc::clone(&on_change));
        Self(Rc::new(Inner {
            validator: RefCell::new(validator(&settings)),
            settings: RefCell::new(settings),
            pool: RefCell::new(Rc::new(pool)),
            on_change,
        }))
    }

    /// Other settings; what was learnt of servers that stay, stays. True if the servers or their use changed, so that
    /// what was cached of them no longer holds.
    pub fn update(&self, settings: Settings) -> bool {
        let old = self.settings();
        if *old == settings {
            return false;
        }
        let settings = Rc::new(settings);
        let pool = self.pool();
        let current = pool.current().map(|server| server.config.clone());
        let servers = servers(&settings, pool.servers());
        let index = servers
            .iter()
            .position(|server| Some(&server.config) == current.as_ref());
        let pool = Pool::new(servers, index.unwrap_or(0), Rc::clone(&self.0.on_change));
        self.0.pool.replace(Rc::new(pool));
        self.0.validator.replace(validator(&settings));
        self.0.settings.replace(settings);
        true
    }

    /// Asks. Takes 8 s at most.
    ///
    /// # Errors
    /// [`Failure::NoNameServers`], [`Failure::StubLoop`], [`Failure::TimedOut`], [`Failure::MaxAttempts`],
    /// [`Failure::NetworkDown`], [`Failure::InvalidReply`], [`Failure::CnameLoop`], [`Failure::Rcode`],
    /// [`Failure::DnssecFailed`].
    pub async fn query(&self, question: &Question, ask: Ask) -> Result<Response, Failure> {
        let settings = self.settings();
        let pool = self.pool();
        if pool.servers().is_empty() {
            return Err(if settings.servers.is_empty() {
                Failure::NoNameServers
            } else {
                Failure::StubLoop
            });
        }
        match tokio::time::timeout(BUDGET, self.within_budget(question, ask, &settings, &pool))
            .await
        {
            Ok(result) => result,
            Err(_) => Err(Failure::TimedOut),
        }
    }

    async fn within_budget(
        &self,
        question: &Question,
        ask: Ask,
        settings: &Settings,
        pool: &Pool,
    ) -> Result<Response, Failure> {
        let secured = question.class == DNSClass::IN && settings.dnssec != Dnssec::No;
        if ask.validate && !ask.checking_disabled && secured {
            return self.validated(question, pool).await;
        }
        let want = Want {
            dnssec_ok: ask.dnssec_ok,
            checking_disabled: ask.checking_disabled,
        };
        let (answer, server) = pool.ask(question, want, 0).await?;
        Ok(response(answer, Proof::Indeterminate, &server))
    }

    async fn validated(&self, question: &Question, pool: &Pool) -> Result<Response, Failure> {
        let validator = Rc::clone(&self.0.validator.borrow());
        let mut last = None;
        // A fault may be the server's own: another one is asked too.
        for skip in 0..pool.servers().len().min(ATTEMPTS_TO_VALIDATE) {
            let (mut answer, server) =
                match (pool.ask(question, validate::WANT, skip).await, last.take()) {
                    (Ok(answered), _) => answered,
                    (Err(_), Some(failure)) | (Err(failure), None) => return Err(failure),
                };
            let job = validator.job(pool, skip);
            let fault = if validate::may_be_signed(&answer) {
                match job.reply(question, &mut answer.reply).await {
                    Ok(proof) => {
                        pool.prefer_server(&server);
                        return Ok(response(answer, proof, &server));
                    }
                    Err(fault)
                        if is_of_missing_data(fault)
                            && job.strips(&question.name, &server).await =>
                    {
                        DnssecFault::IncompatibleServer
                    }
                    Err(fault) => fault,
                }
            } else if validator.leaves_out(&question.name) {
                return Ok(response(answer, Proof::Insecure, &server));
            } else {
                DnssecFault::IncompatibleServer
            };
            tracing::debug!(name = %question.name, ?fault, server = %server.config.address, "not validated");
            if fault == DnssecFault::IncompatibleServer {
                server.facts.no_signatures.set(true);
                if server.ladder().no_signatures(Instant::now()) {
                    return Ok(response(answer, Proof::Insecure, &server));
                }
            }
            last = Some(Failure::DnssecFailed(fault, answer.reply.extended_error));
        }
        Err(last.unwrap_or(Failure::NoNameServers))
    }

    /// The one that is asked first; `None` if there is none.
    #[must_use]
    pub fn current_server(&self) -> Option<DnsServer> {
        self.pool().current().map(|server| server.config.clone())
    }

    /// All, in order of preference.
    #[must_use]
    pub fn servers(&self) -> Vec<DnsServer> {
        self.settings().servers.clone()
    }

    /// Forgets what was learnt: features, cookies, connections, keys of zones.
    pub fn reset_features(&self) {
        let settings = self.settings();
        let pool = self.pool();
        let current = pool
            .servers()
            .iter()
            .position(|server| pool.is_current(server));
        let pool = Pool::new(
            servers(&settings, &[]),
            current.unwrap_or(0),
            Rc::clone(&self.0.on_change),
        );
        self.0.pool.replace(Rc::new(pool));
        self.0.validator.replace(validator(&settings));
    }

    /// Answers are validated, and the current server lets them be, as far as known.
    #[must_use]
    pub fn dnssec_supported(&self) -> bool {
        self.settings().dnssec != Dnssec::No
            && self
                .pool()
                .current()
                .is_none_or(|server| server.ladder().possible().signatures())
    }

    /// What is known of each server.
    #[must_use]
    pub fn state(&self) -> Vec<ServerState> {
        let mode = self.settings().dnssec;
        self.pool()
            .servers()
            .iter()
            .map(|server| state(server, mode))
            .collect()
    }

    /// `hook` is called when another server becomes the current one. It takes the place of the one before it.
    pub fn on_change(&self, hook: impl Fn() + 'static) {
        self.0.on_change.replace(Some(Rc::new(hook)));
    }

    fn settings(&self) -> Rc<Settings> {
        Rc::clone(&self.0.settings.borrow())
    }

    fn pool(&self) -> Rc<Pool> {
        Rc::clone(&self.0.pool.borrow())
    }
}

/// Those that may be asked. What is known of one in `known` is kept.
fn servers(settings: &Rc<Settings>, known: &[Rc<Server>]) -> Vec<Rc<Server>> {
    let ours = |server: &&DnsServer| {
        let address = server.socket_address(server.transport.default_port());
        settings.stub_addresses.contains(&address)
    };
    let servers = settings.servers.iter().filter(|server| !ours(server));
    servers
        .map(
            |config| match known.iter().find(|server| server.config == *config) {
                Some(server) => Rc::new(server.moved(Rc::clone(settings))),
                None => Rc::new(Server::new(config.clone(), Rc::clone(settings))),
            },
        )
        .collect()
}

fn validator(settings: &Settings) -> Rc<Validator> {
    Rc::new(Validator::new(
        &settings.trust_anchors,
        &settings.negative_trust_anchors,
    ))
}

/// What a server that leaves out signatures looks like.
fn is_of_missing_data(fault: DnssecFault) -> bool {
    matches!(
        fault,
        DnssecFault::NoSignature | DnssecFault::MissingKey | DnssecFault::NsecMismatch
    )
}

fn response(answer: Answer, proof: Proof, server: &Server) -> Response {
    let Answer {
        mut reply,
        encrypted,
        ..
    } = answer;
    // What proves nothing by itself is no better than the whole.
    if proof == Proof::Insecure {
        for record in reply.answers.iter_mut().chain(&mut reply.authorities) {
            if record.proof == Proof::Indeterminate {
                record.proof = proof;
            }
        }
    }
    Response {
        rcode: reply.rcode,
        answers: reply.answers,
        authorities: reply.authorities,
        additionals: reply.additionals,
        proof,
        confidential: encrypted || server.config.address.is_loopback(),
        source: Flags::DNS | Flags::FROM_NETWORK,
        ifindex: server.ifindex(),
        from_localhost: server.config.address.is_loopback(),
        stale: false,
        extended_error: reply.extended_error,
    }
}

fn state(server: &Server, dnssec_mode: Dnssec) -> ServerState {
    let ladder = server.ladder();
    ServerState {
        server: server.config.clone(),
        verified_feature_level: ladder.verified().map(ladder::Level::as_str),
        possible_feature_level: ladder.possible().as_str(),
        dnssec_mode,
        dnssec_supported: dnssec_mode != Dnssec::No && ladder.possible().signatures(),
        received_udp_max: server.facts.udp_max.get(),
        failed_udp_attempts: ladder.lost_in_a_row(),
        failed_tcp_attempts: server.facts.tcp_failed.get(),
        packet_truncated: server.facts.truncated.get(),
        packet_bad_opt: server.facts.bad_opt.get(),
        packet_rrsig_missing: server.facts.no_signatures.get(),
        packet_invalid: server.facts.invalid.get(),
    }
}
