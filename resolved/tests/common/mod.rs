//! A manager of its own, in a directory of its own, and a DNS server that answers as it is told.
#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    fs,
    future::Future,
    net::SocketAddr,
    path::Path,
    rc::Rc,
    time::Duration,
};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata},
};
use resolved::{
    flags::Flags,
    links::Network,
    manager::{Manager, Paths},
    message::Lookup,
    name,
};
use tempfile::TempDir;
use tokio::{net::UdpSocket, task::LocalSet};

/// Runs a test on one thread, as the daemon does, for at most 20 s.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let limited = async { tokio::time::timeout(Duration::from_secs(20), test).await };
    LocalSet::new()
        .block_on(&runtime, limited)
        .expect("in time");
}

/// What the server says of a name and type: records, or a code.
type Zone = HashMap<(String, RecordType), Vec<Record>>;

/// A server on a port of the loopback.
pub struct Server {
    pub address: SocketAddr,
    pub zone: RefCell<Zone>,
    pub asked: Cell<usize>,
    /// It takes this long.
    pub delay: Cell<Duration>,
    /// It does not answer.
    pub dead: Cell<bool>,
    /// It answers with this instead.
    pub rcode: Cell<Option<ResponseCode>>,
}

impl Server {
    pub async fn start() -> Rc<Self> {
        let socket = Rc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let server = Rc::new(Self {
            address: socket.local_addr().unwrap(),
            zone: RefCell::default(),
            asked: Cell::new(0),
            delay: Cell::default(),
            dead: Cell::new(false),
            rcode: Cell::new(None),
        });
        let answering = Rc::clone(&server);
        tokio::task::spawn_local(async move {
            let mut buffer = [0; 4096];
            loop {
                let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
                let (server, socket) = (Rc::clone(&answering), Rc::clone(&socket));
                let query = Message::from_vec(&buffer[..length]).unwrap();
                server.asked.set(server.asked.get() + 1);
                tokio::task::spawn_local(async move {
                    tokio::time::sleep(server.delay.get()).await;
                    if !server.dead.get() {
                        let answer = server.answer(&query).to_vec().unwrap();
                        socket.send_to(&answer, client).await.unwrap();
                    }
                });
            }
        });
        server
    }

    pub fn add(&self, text: &str, data: RData) {
        self.add_for(text, 300, data);
    }

    pub fn add_for(&self, text: &str, ttl: u32, data: RData) {
        let record = Record::from_rdata(name::parse(text).unwrap(), ttl, data);
        let key = (text.to_owned(), record.record_type());
        self.zone.borrow_mut().entry(key).or_default().push(record);
    }

    /// As an authoritative server that follows aliases within its zone: one step a response.
    fn answer(&self, query: &Message) -> Message {
        let mut answer = Message::response(query.id, query.op_code);
        answer.metadata.recursion_available = true;
        answer.metadata.recursion_desired = query.recursion_desired;
        let question = query.queries[0].clone();
        answer.add_query(question.clone());
        if let Some(rcode) = self.rcode.get() {
            answer.metadata.response_code = rcode;
            return answer;
        }
        let zone = self.zone.borrow();
        let text = name::format(&question.name().to_lowercase());
        let of = |rtype| {
            zone.get(&(text.clone(), rtype))
                .cloned()
                .unwrap_or_default()
        };
        let found = of(question.query_type());
        let alias = of(RecordType::CNAME);
        if !found.is_empty() {
            answer.insert_answers(found);
        } else if !alias.is_empty() {
            answer.insert_answers(alias);
        } else {
            let exists = zone.keys().any(|(name, _)| *name == text);
            if !exists {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            let soa = rdata::SOA::new(Name::root(), Name::root(), 1, 60, 60, 60, 60);
            let apex = name::parse("test").unwrap();
            answer.add_authority(Record::from_rdata(apex, 60, RData::SOA(soa)));
        }
        answer
    }
}

pub fn a(address: &str) -> RData {
    RData::A(rdata::A(address.parse().unwrap()))
}

pub fn cname(target: &str) -> RData {
    RData::CNAME(rdata::CNAME(name::parse(target).unwrap()))
}

/// A manager whose files are all below a directory that goes with it.
pub struct World {
    pub dir: TempDir,
    pub manager: Rc<Manager>,
}

impl World {
    /// With this `[Resolve]` section, and LLMNR, mDNS off.
    pub fn new(resolve: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "[Resolve]\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\nCacheFromLocalhost=yes\n{resolve}\n"
        );
        write(&dir.path().join("etc/systemd/resolved.conf"), &text);
        write(&dir.path().join("etc/hosts"), "192.0.2.99 hosts.test\n");
        let (manager, diagnostics) = Manager::new(paths(dir.path()));
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        manager.network_began(Network::default());
        Self { dir, manager }
    }

    pub fn write(&self, path: &str, text: &str) {
        write(&self.dir.path().join(path), text);
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn paths(dir: &Path) -> Paths {
    let mut paths = Paths::default();
    paths.sources.roots = vec![dir.join("etc"), dir.join("run"), dir.join("lib")];
    paths.sources.proc_cmdline = dir.join("cmdline");
    paths.sources.credentials = Vec::new();
    paths.local.hosts = dir.join("etc/hosts");
    paths.local.hooks = dir.join("hooks");
    paths.local.static_records = vec![dir.join("etc/systemd/resolve/static.d")];
    paths.resolv_conf.etc = dir.join("etc/resolv.conf");
    paths.resolv_conf.dir = dir.join("resolve");
    paths.resolv_conf.fixed = dir.join("lib/resolv.conf");
    paths.run = dir.join("resolve");
    paths.saved = dir.join("resolve/netif");
    paths.networkd = dir.join("networkd");
    fs::create_dir_all(&paths.saved).unwrap();
    paths
}

/// A lookup of addresses, as by ResolveHostname.
pub fn lookup(text: &str, types: &[RecordType]) -> Lookup {
    Lookup {
        name: name::parse(text).unwrap(),
        class: hickory_proto::rr::DNSClass::IN,
        types: types.to_vec(),
        ifindex: 0,
        flags: Flags::PROTOCOLS,
        dnssec_ok: false,
    }
}
