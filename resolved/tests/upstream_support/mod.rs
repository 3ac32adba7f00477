//! Servers for the tests of `upstream`: they answer by UDP and TCP on a port of the loopback as they are told to.
#![allow(dead_code, reason = "each test uses a part")]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata},
};
use resolved::{
    failure::Failure,
    message::{Question, Response},
    name,
    server::DnsServer,
    upstream::{Ask, Settings, Upstream},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UdpSocket},
};

/// A question as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub message: Message,
    pub tcp: bool,
    /// From 0: the connection, or the datagram.
    pub connection: usize,
    pub from: SocketAddr,
}

impl Asked {
    pub fn name(&self) -> Name {
        self.message.queries[0].name.clone()
    }

    pub fn cookie(&self) -> Option<Vec<u8>> {
        option(&self.message, 10)
    }
}

pub fn option(message: &Message, code: u16) -> Option<Vec<u8>> {
    use hickory_proto::rr::rdata::opt::EdnsOption;
    let options = message.edns.as_ref()?.options();
    options
        .as_ref()
        .iter()
        .find_map(|(_, option)| match option {
            EdnsOption::Unknown(found, data) if *found == code => Some(data.clone()),
            _ => None,
        })
}

pub fn with_option(message: &mut Message, code: u16, data: Vec<u8>) {
    use hickory_proto::rr::rdata::opt::EdnsOption;
    let edns = message.edns.get_or_insert_default();
    edns.options_mut().insert(EdnsOption::Unknown(code, data));
}

/// What a server does on a question.
#[derive(Clone, Debug)]
pub enum Act {
    Say(Message),
    Raw(Vec<u8>),
    /// From another port.
    Elsewhere(Message),
    Wait(Duration),
    /// The connection.
    Close,
}

pub struct Fake {
    pub address: SocketAddr,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    pub fn server(&self) -> DnsServer {
        DnsServer {
            port: self.address.port(),
            ..DnsServer::new(self.address.ip())
        }
    }

    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    pub fn last(&self) -> Asked {
        self.asked.lock().unwrap().last().cloned().unwrap()
    }

    pub fn all(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// One that does as `acts` says, by UDP and TCP.
    pub async fn new(acts: impl Fn(&Asked) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let (udp, tcp) = loop {
            let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = tcp.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let acts: Arc<Acts> = Arc::new(acts);
        tokio::spawn(serve_udp(udp, Arc::clone(&asked), Arc::clone(&acts)));
        tokio::spawn(serve_tcp(tcp, Arc::clone(&asked), acts));
        Self { address, asked }
    }

    /// One that does as `acts` says, by UDP alone.
    pub fn on(udp: UdpSocket, acts: impl Fn(&Asked) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let address = udp.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve_udp(udp, Arc::clone(&asked), Arc::new(acts)));
        Self { address, asked }
    }

    /// One that answers every question with one address.
    pub async fn honest() -> Self {
        Self::new(|asked| vec![Act::Say(address_for(asked))]).await
    }

    /// It takes questions and says nothing.
    pub async fn silent() -> Self {
        Self::new(|_| vec![]).await
    }
}

/// Nobody listens there.
pub async fn nobody() -> DnsServer {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    DnsServer {
        port: socket.local_addr().unwrap().port(),
        ..DnsServer::new(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }
}

pub type Acts = dyn Fn(&Asked) -> Vec<Act> + Send + Sync;

async fn serve_udp(socket: UdpSocket, asked: Arc<Mutex<Vec<Asked>>>, acts: Arc<Acts>) {
    let socket = Arc::new(socket);
    let mut buffer = [0; 4096];
    let mut connection = 0;
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let question = Asked {
            message: Message::from_vec(&buffer[..length]).unwrap(),
            tcp: false,
            connection,
            from,
        };
        connection += 1;
        asked.lock().unwrap().push(question.clone());
        let socket = Arc::clone(&socket);
        let acts = acts(&question);
        tokio::spawn(async move {
            for act in acts {
                match act {
                    Act::Say(message) => {
                        drop(socket.send_to(&message.to_vec().unwrap(), from).await)
                    }
                    Act::Raw(bytes) => drop(socket.send_to(&bytes, from).await),
                    Act::Elsewhere(message) => {
                        let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                        drop(other.send_to(&message.to_vec().unwrap(), from).await);
                    }
                    Act::Wait(time) => tokio::time::sleep(time).await,
                    Act::Close => {}
                }
            }
        });
    }
}

async fn serve_tcp(listener: TcpListener, asked: Arc<Mutex<Vec<Asked>>>, acts: Arc<Acts>) {
    for connection in 0.. {
        let (stream, from) = listener.accept().await.unwrap();
        tokio::spawn(serve_stream(
            stream,
            from,
            connection,
            Arc::clone(&asked),
            Arc::clone(&acts),
        ));
    }
}

/// RFC 1035, 4.2.2, over anything.
pub async fn serve_stream(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + 'static,
    from: SocketAddr,
    connection: usize,
    asked: Arc<Mutex<Vec<Asked>>>,
    acts: Arc<Acts>,
) {
    let (mut reader, writer) = tokio::io::split(stream);
    let writer = Arc::new(tokio::sync::Mutex::new(writer));
    while let Ok(length) = reader.read_u16().await {
        let mut bytes = vec![0; length.into()];
        if reader.read_exact(&mut bytes).await.is_err() {
            return;
        }
        let question = Asked {
            message: Message::from_vec(&bytes).unwrap(),
            tcp: true,
            connection,
            from,
        };
        asked.lock().unwrap().push(question.clone());
        for act in acts(&question) {
            let bytes = match act {
                Act::Say(message) | Act::Elsewhere(message) => message.to_vec().unwrap(),
                Act::Raw(bytes) => bytes,
                Act::Wait(time) => {
                    tokio::time::sleep(time).await;
                    continue;
                }
                Act::Close => return,
            };
            let mut writer = writer.lock().await;
            drop(writer.write_u16(bytes.len().try_into().unwrap()).await);
            drop(writer.write_all(&bytes).await);
            drop(writer.flush().await);
        }
    }
}

/// An empty response to a question.
pub fn response_to(asked: &Asked) -> Message {
    let mut message = Message::response(asked.message.id, asked.message.op_code);
    message.metadata.recursion_desired = true;
    message.metadata.recursion_available = true;
    message.add_queries(asked.message.queries.clone());
    if asked.message.edns.is_some() {
        message.set_edns(hickory_proto::op::Edns::new());
    }
    message
}

pub fn rcode(asked: &Asked, rcode: ResponseCode) -> Message {
    let mut message = response_to(asked);
    message.metadata.response_code = rcode;
    message
}

pub const TRUTH: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub const LIE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 66);

pub fn a(name: &Name, address: Ipv4Addr) -> Record {
    Record::from_rdata(name.clone(), 300, RData::A(rdata::A(address)))
}

pub fn cname(name: &Name, target: &str) -> Record {
    Record::from_rdata(name.clone(), 300, RData::CNAME(rdata::CNAME(n(target))))
}

pub fn soa(zone: &str) -> Record {
    let soa = rdata::SOA::new(n("ns.nowhere.test"), n("hm.nowhere.test"), 1, 2, 3, 4, 60);
    Record::from_rdata(n(zone), 300, RData::SOA(soa))
}

pub fn address_for(asked: &Asked) -> Message {
    with_address(asked, TRUTH)
}

pub fn with_address(asked: &Asked, address: Ipv4Addr) -> Message {
    let mut message = response_to(asked);
    message.add_answer(a(&asked.name(), address));
    message
}

pub fn n(text: &str) -> Name {
    name::parse(text).unwrap()
}

pub fn upstream(servers: Vec<DnsServer>) -> Upstream {
    Upstream::new(Settings {
        servers,
        ..Settings::default()
    })
}

pub fn question(name: &str) -> Question {
    Question::new(n(name), RecordType::A)
}

pub async fn lookup(upstream: &Upstream, name: &str) -> Result<Response, Failure> {
    upstream.query(&question(name), Ask::default()).await
}

/// The addresses in an answer.
pub fn addresses(response: &Response) -> Vec<Ipv4Addr> {
    response
        .answers
        .iter()
        .filter_map(|record| match record.data {
            RData::A(rdata::A(address)) => Some(address),
            _ => None,
        })
        .collect()
}

/// A name asked for, that yields the truth.
pub async fn truth(upstream: &Upstream, name: &str) {
    let response = lookup(upstream, name).await.unwrap();
    assert_eq!(addresses(&response), [TRUTH], "{name}");
}
