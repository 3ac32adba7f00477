//! Servers that are asked by TLS and QUIC.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod upstream_support;

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use hickory_net::quic::QuicServer;
use hickory_proto::op::Message;
use resolved::{
    failure::Failure,
    mode::DnsOverTls,
    server::{DnsServer, Transport},
    upstream::{Settings, Upstream},
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::net::{TcpListener, UdpSocket};
use upstream_support::*;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/upstream_support/tls")
        .join(name)
}

/// For dns.test and 127.0.0.1, by the authority in ca.pem.
fn certificate() -> Arc<CertifiedKey> {
    let provider = rustls::crypto::ring::default_provider();
    let chain = vec![CertificateDer::from_pem_file(file("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    Arc::new(CertifiedKey::from_der(chain, key, &provider).unwrap())
}

/// A server that answers by TLS and, in the clear, by UDP, on one port.
struct Secure {
    fake: Fake,
    tls: Arc<Mutex<Vec<Asked>>>,
    /// The names that clients named (SNI).
    names: Arc<Mutex<Vec<Option<String>>>>,
}

impl Secure {
    async fn new() -> Self {
        let (tcp, udp) = loop {
            let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (tcp, udp);
            }
        };
        let fake = Fake::on(udp, |asked| vec![Act::Say(address_for(asked))]);
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(SingleCertAndKey::from(certificate())));
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let tls: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let names: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let (asked, named) = (Arc::clone(&tls), Arc::clone(&names));
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, from) = tcp.accept().await.unwrap();
                let (acceptor, asked, named) =
                    (acceptor.clone(), Arc::clone(&asked), Arc::clone(&named));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let name = stream.get_ref().1.server_name().map(str::to_owned);
                        named.lock().unwrap().push(name);
                        let acts = Arc::new(|asked: &Asked| vec![Act::Say(address_for(asked))]);
                        serve_stream(stream, from, connection, asked, acts).await;
                    }
                });
            }
        });
        Self { fake, tls, names }
    }

    fn by_tls(&self) -> usize {
        self.tls.lock().unwrap().len()
    }
}

fn settings(server: DnsServer, dns_over_tls: DnsOverTls, authorities: &str) -> Settings {
    Settings {
        servers: vec![server],
        dns_over_tls,
        certificates: Some(file(authorities)),
        ..Settings::default()
    }
}

#[tokio::test]
async fn strict_by_address_and_by_name() {
    for name in [None, Some("dns.test".to_owned())] {
        let secure = Secure::new().await;
        let server = DnsServer {
            name: name.clone(),
            ..secure.fake.server()
        };
        let upstream = Upstream::new(settings(server, DnsOverTls::Yes, "ca.pem"));
        let response = lookup(&upstream, "one.test").await.unwrap();
        assert!(response.confidential);
        futures_util::future::join_all((0..10).map(|_| truth(&upstream, "more.test"))).await;
        assert_eq!((secure.by_tls(), secure.fake.count()), (11, 0));
        assert_eq!(*secure.names.lock().unwrap(), [name], "one connection");
        let asked = secure.tls.lock().unwrap()[0].message.clone();
        assert_eq!(asked.to_vec().unwrap().len() % 128, 0, "padded");
    }
}

#[tokio::test]
async fn strict_is_strict() {
    for (name, authorities) in [(Some("other.test"), "ca.pem"), (None, "server.pem")] {
        let secure = Secure::new().await;
        let server = DnsServer {
            name: name.map(str::to_owned),
            ..secure.fake.server()
        };
        for mode in [DnsOverTls::Yes, DnsOverTls::Opportunistic] {
            let (server, mode) = match mode {
                DnsOverTls::Yes => (server.clone(), mode),
                // A scheme says the same for one server.
                _ => (
                    DnsServer {
                        transport: Transport::Tls,
                        ..server.clone()
                    },
                    mode,
                ),
            };
            let upstream = Upstream::new(settings(server, mode, authorities));
            assert_eq!(
                lookup(&upstream, "x.test").await.unwrap_err(),
                Failure::MaxAttempts
            );
        }
        assert_eq!((secure.by_tls(), secure.fake.count()), (0, 0));
    }
    // No TLS there at all.
    let plain = Fake::honest().await;
    let upstream = Upstream::new(settings(plain.server(), DnsOverTls::Yes, "ca.pem"));
    assert!(lookup(&upstream, "x.test").await.is_err());
    assert!(
        plain
            .all()
            .iter()
            .all(|asked| asked.tcp && asked.message.queries.is_empty())
    );
}

#[tokio::test]
async fn opportunistic_takes_any_certificate() {
    let secure = Secure::new().await;
    let server = DnsServer {
        name: Some("other.test".to_owned()),
        ..secure.fake.server()
    };
    let upstream = Upstream::new(settings(server, DnsOverTls::Opportunistic, "server.pem"));
    truth(&upstream, "one.test").await;
    assert_eq!((secure.by_tls(), secure.fake.count()), (1, 0));
    assert_eq!(
        upstream.state()[0].verified_feature_level,
        Some("TLS+EDNS0")
    );
}

#[tokio::test]
async fn opportunistic_falls_back_and_remembers() {
    // Nobody listens by TCP.
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let plain = Fake::on(udp, |asked| vec![Act::Say(address_for(asked))]);
    let upstream = Upstream::new(settings(
        plain.server(),
        DnsOverTls::Opportunistic,
        "ca.pem",
    ));
    for _ in 0..2 {
        let begun = Instant::now();
        truth(&upstream, "one.test").await;
        assert!(begun.elapsed() < Duration::from_millis(300));
    }
    assert_eq!(upstream.state()[0].possible_feature_level, "UDP+EDNS0");
    assert_eq!(plain.count(), 2);

    // Somebody does, but says nothing.
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let udp = UdpSocket::bind(tcp.local_addr().unwrap()).await.unwrap();
    let plain = Fake::on(udp, |asked| vec![Act::Say(address_for(asked))]);
    let upstream = Upstream::new(settings(
        plain.server(),
        DnsOverTls::Opportunistic,
        "ca.pem",
    ));
    let begun = Instant::now();
    truth(&upstream, "one.test").await;
    assert!(
        begun.elapsed() < Duration::from_millis(2500),
        "{:?}",
        begun.elapsed()
    );
    let begun = Instant::now();
    truth(&upstream, "two.test").await;
    assert!(begun.elapsed() < Duration::from_millis(300));
}

#[tokio::test]
async fn a_dead_server_of_two_by_tls() {
    let hole = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let hole = DnsServer {
        port: hole.local_addr().unwrap().port(),
        ..DnsServer::new(hole.local_addr().unwrap().ip())
    };
    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, hole.port)).await;
    let secure = Secure::new().await;
    let mut settings = settings(hole, DnsOverTls::Yes, "ca.pem");
    settings.servers.push(secure.fake.server());
    let upstream = Upstream::new(settings);
    let begun = Instant::now();
    truth(&upstream, "one.test").await;
    println!("dead TLS server of two: {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn by_quic() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let mut server =
        QuicServer::with_socket(socket, Arc::new(SingleCertAndKey::from(certificate()))).unwrap();
    let connections = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok(Some((mut streams, from))) = server.next().await {
            *counted.lock().unwrap() += 1;
            tokio::spawn(async move {
                while let Some(Ok(mut stream)) = streams.next().await {
                    let bytes = stream.receive_bytes().await.unwrap();
                    let asked = Asked {
                        message: Message::from_vec(&bytes).unwrap(),
                        tcp: false,
                        connection: 0,
                        from,
                    };
                    stream.send(address_for(&asked)).await.unwrap();
                    stream.finish().await.unwrap();
                }
            });
        }
    });
    for name in [None, Some("dns.test".to_owned())] {
        let server = DnsServer {
            port: address.port(),
            name,
            transport: Transport::Quic,
            ..DnsServer::new(address.ip())
        };
        let upstream = Upstream::new(settings(server, DnsOverTls::No, "ca.pem"));
        for name in ["one.test", "two.test"] {
            let response = lookup(&upstream, name).await.unwrap();
            assert_eq!(
                (addresses(&response), response.confidential),
                (vec![TRUTH], true)
            );
        }
    }
    assert_eq!(*connections.lock().unwrap(), 2);
    let wrong = DnsServer {
        port: address.port(),
        name: Some("other.test".to_owned()),
        transport: Transport::Quic,
        ..DnsServer::new(address.ip())
    };
    let upstream = Upstream::new(settings(wrong, DnsOverTls::No, "ca.pem"));
    assert!(matches!(
        lookup(&upstream, "x.test").await,
        Err(Failure::MaxAttempts | Failure::TimedOut)
    ));
}

#[tokio::test]
async fn a_silent_port_is_waited_for_by_all_at_once() {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let udp = UdpSocket::bind(tcp.local_addr().unwrap()).await.unwrap();
    let plain = Fake::on(udp, |asked| vec![Act::Say(address_for(asked))]);
    let upstream = Upstream::new(settings(
        plain.server(),
        DnsOverTls::Opportunistic,
        "ca.pem",
    ));
    let begun = Instant::now();
    futures_util::future::join_all((0..30).map(|_| truth(&upstream, "one.test"))).await;
    assert!(
        begun.elapsed() < Duration::from_millis(2500),
        "{:?}",
        begun.elapsed()
    );
}
