//! One server: what is known of it, and one attempt to have a question answered by it.

use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use hickory_net::NetError;
use hickory_proto::op::{Message, ResponseCode};
use rustls::ClientConfig;
use tokio::time::Instant;

use super::{
    Settings,
    cookie::Cookies,
    ladder::{Ladder, Level, Policy},
    reply::{Reply, Unusable},
    socket::Sockets,
    stream::{Carrier, Peer, Stream},
    tls, udp,
    wire::{self, Bits, Datagram},
};
use crate::{
    message::Question,
    mode::DnsOverTls,
    server::{DnsServer, Transport},
};

/// TLS that may be had is not waited for longer.
const OPPORTUNISTIC_CONNECT: Duration = Duration::from_secs(1);
const CONNECT: Duration = Duration::from_secs(5);
/// So many answers with another case, and its names are sent as they are spelt.
const WRONG_CASES: u32 = 2;
/// Rungs, a cookie renewed, and cookies left out: more turns are no progress.
const TURNS: usize = 10;
/// RFC 7873, 5.3: once more with the new cookie, then by TCP.
const BAD_COOKIES: usize = 2;

/// A server that may be asked.
pub(super) struct Server {
    pub config: DnsServer,
    settings: Rc<Settings>,
    ladder: RefCell<Ladder>,
    cookies: RefCell<Cookies>,
    cookies_refused: Cell<bool>,
    wrong_cases: Cell<u32>,
    plain: Stream,
    secure: Stream,
    /// Kept for its sessions: a second connection is cheaper.
    tls: RefCell<Option<Arc<ClientConfig>>>,
    pub facts: Facts,
}

/// For io.systemd.Resolve.Monitor.DumpServerState.
#[derive(Default)]
pub(super) struct Facts {
    pub udp_max: Cell<usize>,
    pub tcp_failed: Cell<u32>,
    pub truncated: Cell<bool>,
    pub bad_opt: Cell<bool>,
    pub no_signatures: Cell<bool>,
    pub invalid: Cell<bool>,
}

/// What is asked for with the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Want {
    pub dnssec_ok: bool,
    pub checking_disabled: bool,
}

/// What an attempt brought.
pub(super) struct Answer {
    pub reply: Reply,
    /// The rung that it was asked on.
    pub level: Level,
    pub encrypted: bool,
}

/// Why an attempt brought nothing.
#[derive(Debug)]
pub(super) enum Miss {
    /// No way there. It may come back.
    Unreachable(io::Error),
    /// It answers with this error.
    Rcode(Box<Reply>),
    /// What it sends is no answer.
    Unusable(Option<Unusable>),
}

impl Server {
    pub fn new(config: DnsServer, settings: Rc<Settings>) -> Self {
        let policy = policy(&config, &settings);
        Self {
            config,
            settings,
            ladder: RefCell::new(Ladder::new(policy)),
            cookies: RefCell::default(),
            cookies_refused: Cell::new(false),
            wrong_cases: Cell::new(0),
            plain: Stream::default(),
            secure: Stream::default(),
            tls: RefCell::default(),
            facts: Facts::default(),
        }
    }

    /// The same server under new settings: what was learnt is kept where it still says something.
    pub fn moved(&self, settings: Rc<Settings>) -> Self {
        let new = Self::new(self.config.clone(), Rc::clone(&settings));
        let same_sockets = settings.ifindex == self.settings.ifindex
            && settings.firewall_mark == self.settings.firewall_mark
            && settings.certificates == self.settings.certificates;
        if same_sockets && new.ladder.borrow().policy() == self.ladder.borrow().policy() {
            new.ladder.replace(self.ladder.borrow().clone());
            new.cookies.replace(self.cookies.borrow().clone());
            new.cookies_refused.set(self.cookies_refused.get());
            new.wrong_cases.set(self.wrong_cases.get());
        }
        new
    }

    fn address(&self, default_port: u16) -> SocketAddr {
        let bound = DnsServer {
            ifindex: self.ifindex(),
            ..self.config.clone()
        };
        bound.socket_address(default_port)
    }

    /// The link that it is asked by; 0: any.
    pub fn ifindex(&self) -> u32 {
        match self.settings.ifindex {
            0 => self.config.ifindex,
            ifindex => ifindex,
        }
    }

    pub fn ladder(&self) -> std::cell::RefMut<'_, Ladder> {
        self.ladder.borrow_mut()
    }

    /// A connection is opened for each question, or reused; a second one to the same place within one lookup helps only
    /// if the first is dead.
    pub fn by_stream(&self) -> bool {
        let level = self.ladder.borrow().possible();
        level.encrypted() || level == Level::Tcp
    }

    /// Asks, on as many rungs as it takes until the server understands.
    pub async fn attempt(
        &self,
        question: &Question,
        want: Want,
        fresh: bool,
    ) -> Result<Answer, Miss> {
        let mut last = None;
        let mut bad_cookies = 0;
        for _ in 0..TURNS {
            let level = self.ladder().level(Instant::now());
            let bits = Bits {
                edns: level.edns(),
                dnssec_ok: want.dnssec_ok,
                checking_disabled: want.checking_disabled,
            };
            let message = wire::message(question, bits);
            let message = if level.encrypted() {
                match self.ask_secure(message, fresh).await {
                    Ok(message) => message,
                    Err(error) => {
                        tracing::debug!(server = %self.config.address, %error, "no TLS");
                        self.facts
                            .tcp_failed
                            .set(self.facts.tcp_failed.get().saturating_add(1));
                        if self.ladder().no_tls(level, Instant::now()) {
                            continue;
                        }
                        return Err(Miss::Unreachable(unreachable_error(error)));
                    }
                }
            } else {
                let udp = level != Level::Tcp && bad_cookies < BAD_COOKIES;
                self.ask_plain(message, udp, fresh).await?
            };
            let answer = self.read(question, level, message)?;
            bad_cookies += usize::from(answer.reply.rcode == ResponseCode::BADCOOKIE);
            if !self.understood(&answer) {
                last = Some(answer);
                continue;
            }
            return judge(answer);
        }
        last.map_or(Err(Miss::Unusable(None)), judge)
    }

    /// False: it is worth asking again in another way.
    fn understood(&self, answer: &Answer) -> bool {
        let Answer { reply, level, .. } = answer;
        let now = Instant::now();
        match reply.rcode {
            ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BADVERS => {
                if level.edns() && !self.cookies_refused.get() && !level.encrypted() {
                    // Options that it does not know: RFC 6891, 6.1.2 has it ignore them.
                    self.cookies_refused.set(true);
                    return false;
                }
                !(level.edns() && self.ladder().not_understood(*level, now))
            }
            ResponseCode::BADCOOKIE => false,
            _ => {
                if level.edns() && !reply.edns {
                    self.facts.bad_opt.set(true);
                    self.ladder().no_edns(now);
                } else {
                    self.ladder().answered(*level);
                }
                true
            }
        }
    }

    fn read(&self, question: &Question, level: Level, message: Message) -> Result<Answer, Miss> {
        let reply = Reply::new(question, message).map_err(|unusable| {
            self.facts.invalid.set(true);
            Miss::Unusable(Some(unusable))
        })?;
        Ok(Answer {
            reply,
            level,
            encrypted: level.encrypted(),
        })
    }

    async fn ask_plain(&self, message: Message, udp: bool, fresh: bool) -> Result<Message, Miss> {
        if udp {
            match self.ask_by_udp(&message).await? {
                Some(message) if message.truncation => self.facts.truncated.set(true),
                Some(message) => return Ok(message),
                None => {}
            }
        }
        let answer = self
            .plain
            .ask(&self.peer(false), &Carrier::Tcp, &message, fresh, CONNECT)
            .await;
        match answer {
            Ok(answer) => {
                self.facts.tcp_failed.set(0);
                self.checked(&message, answer)
            }
            Err(error) => {
                self.facts
                    .tcp_failed
                    .set(self.facts.tcp_failed.get().saturating_add(1));
                if self.wrong_cases.get() > 0 && udp {
                    // It changed the case, and has no TCP: believed from the next attempt on, without random case.
                    self.wrong_cases.set(WRONG_CASES);
                }
                Err(Miss::Unreachable(unreachable_error(error)))
            }
        }
    }

    /// `None`: UDP will not do.
    async fn ask_by_udp(&self, message: &Message) -> Result<Option<Message>, Miss> {
        let random_case = self.wrong_cases.get() < WRONG_CASES;
        let datagram = {
            let mut cookies = self.cookies.borrow_mut();
            let cookies = (!self.cookies_refused.get()).then_some(&mut *cookies);
            Datagram::new(message.clone(), random_case, cookies)
        };
        let datagram = datagram.map_err(|_| Miss::Unusable(None))?;
        match udp::exchange(
            self.sockets(),
            self.address(self.config.transport.default_port()),
            &datagram,
            &self.cookies,
        )
        .await
        {
            udp::Outcome::Answer(message, length) => {
                self.facts.udp_max.set(self.facts.udp_max.get().max(length));
                Ok(Some(*message))
            }
            udp::Outcome::AskByTcp(why) => {
                tracing::debug!(server = %self.config.address, ?why, "asking by TCP");
                if why == udp::Why::WrongCase {
                    self.wrong_cases
                        .set(self.wrong_cases.get().saturating_add(1));
                }
                Ok(None)
            }
            udp::Outcome::Garbage => {
                self.facts.invalid.set(true);
                Err(Miss::Unusable(None))
            }
            udp::Outcome::Unreachable(error) => Err(Miss::Unreachable(error)),
        }
    }

    async fn ask_secure(&self, mut message: Message, fresh: bool) -> Result<Message, NetError> {
        wire::pad(&mut message)?;
        let carrier = self.carrier().map_err(NetError::from)?;
        let connect = match self.ladder.borrow().policy().tls {
            DnsOverTls::Opportunistic => OPPORTUNISTIC_CONNECT,
            _ => CONNECT,
        };
        let answer = self
            .secure
            .ask(&self.peer(true), &carrier, &message, fresh, connect)
            .await?;
        self.facts.tcp_failed.set(0);
        match self.checked(&message, answer) {
            Ok(answer) => Ok(answer),
            Err(_) => Err(NetError::Message("the answer is not to the question")),
        }
    }

    /// An answer by a stream: nobody else can write there, but it must be the answer.
    fn checked(&self, asked: &Message, answer: Message) -> Result<Message, Miss> {
        let unread = answer.queries.is_empty()
            && matches!(
                answer.response_code,
                ResponseCode::FormErr | ResponseCode::NotImp
            );
        if answer.truncation || !(unread || answer.queries == asked.queries) {
            self.facts.invalid.set(true);
            return Err(Miss::Unusable(None));
        }
        Ok(answer)
    }

    fn carrier(&self) -> io::Result<Carrier> {
        let kept = self.tls.borrow().clone();
        let config = match (kept, self.ladder.borrow().policy().tls) {
            (Some(config), _) => config,
            (None, DnsOverTls::Opportunistic) => tls::opportunistic()?,
            (None, _) => tls::strict(self.settings.certificates.as_deref())?,
        };
        self.tls.replace(Some(Arc::clone(&config)));
        Ok(match &self.config.transport {
            Transport::Https(path) => Carrier::Https(config, path.as_str().into()),
            Transport::Quic => Carrier::Quic(config),
            Transport::Default | Transport::Plain | Transport::Tls => Carrier::Tls(config),
        })
    }

    fn peer(&self, secure: bool) -> Peer {
        let port = match self.config.transport {
            Transport::Default if secure => Transport::Tls.default_port(),
            _ => self.config.transport.default_port(),
        };
        Peer {
            address: self.address(port),
            name: self.config.name.as_deref().map(Arc::from),
            sockets: self.sockets(),
        }
    }

    fn sockets(&self) -> Sockets {
        Sockets {
            ifindex: self.ifindex(),
            mark: self.settings.firewall_mark,
        }
    }
}

fn judge(answer: Answer) -> Result<Answer, Miss> {
    match answer.reply.rcode {
        ResponseCode::NoError | ResponseCode::NXDomain => Ok(answer),
        _ => Err(Miss::Rcode(Box::new(answer.reply))),
    }
}

fn policy(server: &DnsServer, settings: &Settings) -> Policy {
    let tls = match server.transport {
        Transport::Default => settings.dns_over_tls,
        Transport::Plain => DnsOverTls::No,
        Transport::Tls | Transport::Https(_) | Transport::Quic => DnsOverTls::Yes,
    };
    Policy {
        tls,
        dnssec: settings.dnssec,
    }
}

fn unreachable_error(error: NetError) -> io::Error {
    match error {
        NetError::Io(error) => io::Error::new(error.kind(), error.to_string()),
        NetError::Timeout => io::ErrorKind::TimedOut.into(),
        other => io::Error::other(other.to_string()),
    }
}
