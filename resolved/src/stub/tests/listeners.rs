//! The listeners at work, on ports of their own.

use std::{
    cell::{Cell, RefCell},
    net::{SocketAddr, TcpListener, UdpSocket},
    rc::Rc,
    time::Duration,
};

use hickory_proto::{op::ResponseCode, rr::RecordType};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    task::LocalSet,
    time::timeout,
};

use super::*;
use crate::{
    cache::Cache,
    failure::Failure,
    flags::Flags,
    message::{Answer, Found, Lookup, Question, Response},
    mode::StubListener,
    stub::{Resolve, Settings, Sockets, Stub},
};

const SOON: Duration = Duration::from_secs(10);

/// Answers every name with one address, as from the cache; `slow.*` when it is told to.
#[derive(Clone)]
struct Fake(Rc<State>);

struct State {
    asked: RefCell<Vec<Lookup>>,
    bypassed: Cell<u32>,
    watched: Cell<bool>,
    go: Semaphore,
}

impl Resolve for Fake {
    async fn answer(&self, lookup: Lookup) -> Result<Answer, Failure> {
        self.0.asked.borrow_mut().push(lookup.clone());
        let text = name::format(&lookup.name);
        if text.starts_with("slow.") {
            drop(self.0.go.acquire().await);
        }
        if text.starts_with("dead.") {
            return Err(Failure::TimedOut);
        }
        let record = a(&text, 60, 1);
        let mut answer = Answer::made_here(lookup.name, vec![Found { ifindex: 0, record }]);
        if !text.starts_with("synthetic.") {
            answer.flags = Flags::DNS | Flags::FROM_CACHE;
        }
        Ok(answer)
    }

    async fn bypass(&self, _: Question, _: bool, _: bool) -> Result<Response, Failure> {
        self.0.bypassed.set(self.0.bypassed.get() + 1);
        Err(Failure::Rcode(ResponseCode::Refused, None))
    }

    fn may_be_copied(&self, _: &Name) -> bool {
        !self.0.watched.get()
    }
}

/// A stub, and what its parts are reached by.
struct World {
    fake: Rc<State>,
    cache: Cache,
    stub: Stub,
    address: SocketAddr,
    proxy: SocketAddr,
    tcp: SocketAddr,
}

fn world() -> World {
    let hot = UdpSocket::bind("127.0.0.1:0").unwrap();
    let proxy = UdpSocket::bind("127.0.0.1:0").unwrap();
    let stream = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    stream.set_nonblocking(true).unwrap();
    let addresses = [hot.local_addr(), proxy.local_addr(), stream.local_addr()];
    let [address, proxy_address, tcp] = addresses.map(Result::unwrap);
    let sockets = Sockets {
        hot: vec![hot],
        datagrams: vec![(proxy, Profile::PROXY)],
        streams: vec![(stream, Profile::STUB)],
    };
    let settings = Settings {
        listener: StubListener::Yes,
        extra: Vec::new(),
        wire_bytes: 1 << 20,
        threads: 1,
    };
    let fake = Rc::new(State {
        asked: RefCell::default(),
        bypassed: Cell::new(0),
        watched: Cell::new(false),
        go: Semaphore::new(0),
    });
    let cache = Cache::new(1 << 20);
    let stub = Stub::start(sockets, Fake(Rc::clone(&fake)), cache.shared(), &settings).unwrap();
    World {
        fake,
        cache,
        stub,
        address,
        proxy: proxy_address,
        tcp,
    }
}

fn on_one_thread(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async { timeout(6 * SOON, test).await.unwrap() });
}

async fn client() -> tokio::net::UdpSocket {
    tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

async fn receive(client: &tokio::net::UdpSocket, asked: &Bytes) -> Message {
    let mut reply = [0; 4096];
    let length = timeout(SOON, client.recv(&mut reply))
        .await
        .unwrap()
        .unwrap();
    read(&reply[..length], asked)
}

async fn exchange(address: SocketAddr, asked: &Bytes) -> Message {
    let client = client().await;
    client.send_to(&asked.bytes(), address).await.unwrap();
    receive(&client, asked).await
}

#[test]
fn what_was_answered_is_answered_again_without_a_lookup() {
    on_one_thread(async {
        let world = world();
        for round in 0..10 {
            let message = exchange(world.address, &ask("web.test", 1).id(round)).await;
            assert_eq!(message.answers.len(), 1);
        }
        assert_eq!(world.fake.asked.borrow().len(), 1);
        assert_eq!(world.cache.statistics().hits, 9);
        let lookup = world.fake.asked.borrow()[0].clone();
        assert_eq!(lookup.flags, Flags::PROTOCOLS | Flags::NO_SEARCH);
        assert_eq!(
            (lookup.types, lookup.dnssec_ok),
            (vec![RecordType::A], false)
        );

        // A flush reaches the copies.
        world.cache.flush();
        exchange(world.address, &ask("web.test", 1)).await;
        assert_eq!(world.fake.asked.borrow().len(), 2);

        // Everything is seen while somebody watches.
        world.fake.watched.set(true);
        world.cache.new_generation();
        for _ in 0..3 {
            exchange(world.address, &ask("web.test", 1)).await;
        }
        assert_eq!(world.fake.asked.borrow().len(), 5);
    });
}

#[test]
fn copies_hold_for_two_seconds_without_a_question_to_the_main_thread() {
    on_one_thread(async {
        let world = world();
        exchange(world.address, &ask("web.test", 1)).await;
        tokio::time::sleep(Duration::from_millis(2100)).await;
        exchange(world.address, &ask("web.test", 1)).await;
        assert_eq!(world.fake.asked.borrow().len(), 2);
        exchange(world.address, &ask("web.test", 1)).await;
        assert_eq!(world.fake.asked.borrow().len(), 2);
    });
}

#[test]
fn what_did_not_come_from_the_cache_is_looked_up_each_time() {
    on_one_thread(async {
        let world = world();
        for _ in 0..3 {
            let message = exchange(world.address, &ask("synthetic.test", 1)).await;
            assert!(message.metadata.authoritative);
            let message = exchange(world.address, &ask("dead.test", 1).opt(1232, 0, false)).await;
            assert_eq!(message.metadata.response_code, ResponseCode::ServFail);
            assert_eq!(message.edns.unwrap().options().as_ref().len(), 1);
        }
        assert_eq!(world.fake.asked.borrow().len(), 6);
    });
}

#[test]
fn checking_disabled() {
    on_one_thread(async {
        let world = world();
        exchange(world.address, &ask("web.test", 1).flags(RD | CD)).await;
        assert!(
            world.fake.asked.borrow()[0]
                .flags
                .contains(Flags::NO_VALIDATE)
        );
        assert_eq!(world.fake.bypassed.get(), 0);
        let asked = ask("web.test", 1).flags(RD | CD).opt(1232, 0, true);
        let message = exchange(world.address, &asked).await;
        assert_eq!(message.metadata.response_code, ResponseCode::Refused);
        assert_eq!(world.fake.bypassed.get(), 1);
    });
}

#[test]
fn the_proxy_passes_everything_on_but_what_is_wrong() {
    on_one_thread(async {
        let world = world();
        exchange(world.proxy, &ask("web.test", 1)).await;
        assert_eq!(world.fake.bypassed.get(), 1);
        let message = exchange(world.proxy, &ask("web.test", 252)).await;
        assert_eq!(message.metadata.response_code, ResponseCode::Refused);
        assert_eq!(
            (world.fake.bypassed.get(), world.fake.asked.borrow().len()),
            (1, 0)
        );
    });
}

#[test]
fn the_same_query_under_way_is_looked_up_once() {
    on_one_thread(async {
        let world = world();
        let (one, other) = (client().await, client().await);
        let asked = ask("slow.test", 1);
        for client in [&one, &one, &one, &other] {
            client.send_to(&asked.bytes(), world.address).await.unwrap();
        }
        one.send_to(&ask("slow.test", 1).id(9).bytes(), world.address)
            .await
            .unwrap();
        while world.fake.asked.borrow().len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.fake.go.add_permits(100);
        receive(&other, &asked).await;
        receive(&one, &asked).await;
        receive(&one, &ask("slow.test", 1).id(9)).await;
        assert_eq!(world.fake.asked.borrow().len(), 3);
    });
}

#[test]
fn beyond_2048_lookups_clients_are_told() {
    on_one_thread(async {
        let world = world();
        let client = client().await;
        for id in 0..2048 {
            client
                .send_to(&ask("slow.test", 1).id(id).bytes(), world.address)
                .await
                .unwrap();
            while id % 64 == 0 && world.fake.asked.borrow().len() < usize::from(id) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        while world.fake.asked.borrow().len() < 2048 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let message = exchange(world.address, &ask("web.test", 1)).await;
        assert_eq!(message.metadata.response_code, ResponseCode::ServFail);
        world.fake.go.close();
        while exchange(world.address, &ask("web.test", 1))
            .await
            .answers
            .is_empty()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}

async fn read_framed(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let length = timeout(SOON, stream.read_u16()).await.unwrap().ok()?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await.unwrap();
    Some(message)
}

fn framed(asked: &Bytes) -> Vec<u8> {
    let bytes = asked.bytes();
    [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat()
}

#[test]
fn a_connection_carries_many_queries_and_answers_as_they_are_ready() {
    on_one_thread(async {
        let world = world();
        let mut stream = TcpStream::connect(world.tcp).await.unwrap();
        let mut sent = framed(&ask("slow.test", 1).id(0));
        for id in 1..31 {
            sent.extend(framed(&ask("web.test", 1).id(id)));
        }
        sent.extend(framed(&ask("web.test", 252).id(31)));
        for piece in sent.chunks(7) {
            stream.write_all(piece).await.unwrap();
        }
        let mut ids = Vec::new();
        for _ in 1..32 {
            let message = Message::from_vec(&read_framed(&mut stream).await.unwrap()).unwrap();
            ids.push(message.metadata.id);
        }
        ids.sort_unstable();
        assert_eq!(ids, (1..32).collect::<Vec<_>>());
        world.fake.go.add_permits(1);
        let last = read_framed(&mut stream).await.unwrap();
        assert_eq!(Message::from_vec(&last).unwrap().metadata.id, 0);
        stream.shutdown().await.unwrap();
        assert!(read_framed(&mut stream).await.is_none());
    });
}

#[test]
fn one_connection_has_32_queries_at_a_time() {
    on_one_thread(async {
        let world = world();
        let mut stream = TcpStream::connect(world.tcp).await.unwrap();
        let sent: Vec<_> = (0..100)
            .flat_map(|id| framed(&ask("slow.test", 1).id(id)))
            .collect();
        stream.write_all(&sent).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(world.fake.asked.borrow().len(), 32);
        world.fake.go.add_permits(100);
        for _ in 0..100 {
            read_framed(&mut stream).await.unwrap();
        }
    });
}

#[test]
fn of_129_connections_one_is_closed() {
    on_one_thread(async {
        let world = world();
        let mut streams = Vec::new();
        for _ in 0..128 {
            let mut stream = TcpStream::connect(world.tcp).await.unwrap();
            stream
                .write_all(&framed(&ask("web.test", 1)))
                .await
                .unwrap();
            read_framed(&mut stream).await.unwrap();
            streams.push(stream);
        }
        let mut more = TcpStream::connect(world.tcp).await.unwrap();
        assert!(read_framed(&mut more).await.is_none());
    });
}

#[test]
fn its_ports_are_free_when_it_has_ended() {
    on_one_thread(async {
        let world = world();
        exchange(world.address, &ask("web.test", 1)).await;
        let (address, proxy, tcp) = (world.address, world.proxy, world.tcp);
        // With lookups under way, and a connection.
        let asked = ask("slow.test", 1).bytes();
        let client = client().await;
        client.send_to(&asked, address).await.unwrap();
        client.send_to(&asked, proxy).await.unwrap();
        let mut stream = TcpStream::connect(tcp).await.unwrap();
        stream
            .write_all(&framed(&ask("slow.test", 1)))
            .await
            .unwrap();
        while world.fake.asked.borrow().len() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.stub.end().await;
        UdpSocket::bind(address).unwrap();
        UdpSocket::bind(proxy).unwrap();
        TcpListener::bind(tcp).unwrap();
        assert!(read_framed(&mut stream).await.is_none());
    });
}
