//! Varlink, as callers and hooks speak it to resolved.

use std::{any::Any, cell::OnceCell, fs, path::Path, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use hickory_proto::{
    op::Message,
    rr::{DNSClass, RData, RecordType},
};
use resolved::{
    flags::Flags,
    links::Network,
    local::hooks::trial::{try_filter, try_verdict},
    manager::{Manager, Paths},
    message::{Lookup, record_bytes},
    name, varlink,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    runtime::Runtime,
    task::LocalSet,
    time::timeout,
};

use crate::config::memory;

/// What a hook says: no more than was asked for is believed.
pub fn hook_reply(bytes: &[u8]) {
    let lookup = Lookup {
        name: name::parse("web").unwrap(),
        class: DNSClass::IN,
        types: vec![RecordType::A, RecordType::AAAA],
        ifindex: 0,
        flags: Flags::PROTOCOLS,
        dnssec_ok: false,
    };
    let _ = try_filter(bytes, &lookup.name);
    let Some(Ok(answer)) = try_verdict(bytes, &lookup) else {
        return;
    };
    assert!(answer.flags.contains(Flags::FROM_HOOK));
    let mut names = vec![lookup.name.clone()];
    for record in answer.records.iter().map(|found| &found.record) {
        assert!(names.contains(&record.name) && record.dns_class == DNSClass::IN);
        match &record.data {
            RData::CNAME(target) => names.push(target.0.clone()),
            data => assert!(lookup.types.contains(&data.record_type())),
        }
    }
}

/// The records of a DNS message as replies have them: JSON, with their bytes.
pub fn record_json(bytes: &[u8]) {
    let Ok(message) = Message::from_vec(bytes) else {
        return;
    };
    for record in message.all_sections() {
        let Some(text) = varlink::trial::try_record(record) else {
            continue;
        };
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let raw = BASE64_STANDARD.decode(value["raw"].as_str().unwrap());
        assert_eq!(raw.ok(), record_bytes(record));
        assert!(value["rr"].is_null() || value["rr"]["key"]["type"].is_u64());
    }
}

thread_local! {
    static SERVER: OnceCell<Server> = const { OnceCell::new() };
}

/// A resolver that knows no server, and its sockets.
struct Server {
    local: LocalSet,
    runtime: Runtime,
    dir: TempDir,
    /// For as long as the process lives, and named, so that nobody takes it for lost.
    _served: &'static dyn Any,
}

impl Server {
    fn new() -> Self {
        let (local, dir) = (LocalSet::new(), memory());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let path = dir.path().to_owned();
        let served = local.block_on(&runtime, async move {
            let (manager, _) = Manager::new(paths(&path));
            manager.network_began(Network::default());
            let guards = varlink::serve(&manager, &path).unwrap();
            Box::new((manager, guards))
        });
        Self {
            local,
            runtime,
            dir,
            _served: Box::leak(served),
        }
    }

    /// Sends these bytes, and gives what comes before the server hangs up.
    fn exchange(&self, socket: &str, bytes: &[u8]) -> Vec<u8> {
        let path = self.dir.path().join(socket);
        let exchange = async {
            let mut stream = UnixStream::connect(path).await.unwrap();
            let mut received = Vec::new();
            // It may have hung up already.
            drop(stream.write_all(bytes).await);
            drop(stream.shutdown().await);
            drop((&mut stream).take(1 << 20).read_to_end(&mut received).await);
            received
        };
        let limited = async { timeout(Duration::from_secs(10), exchange).await };
        let result = self.local.block_on(&self.runtime, limited);
        result.expect("the server hangs up after what it was asked")
    }
}

fn paths(dir: &Path) -> Paths {
    let mut paths = Paths::default();
    let off = "[Resolve]\nLLMNR=no\nMulticastDNS=no\nFallbackDNS=\nReadEtcHosts=no\n";
    fs::create_dir_all(dir.join("etc/systemd")).unwrap();
    fs::write(dir.join("etc/systemd/resolved.conf"), off).unwrap();
    fs::create_dir_all(dir.join("netif")).unwrap();
    paths.sources.roots = vec![dir.join("etc")];
    paths.sources.proc_cmdline = dir.join("cmdline");
    paths.sources.credentials = Vec::new();
    paths.local.hosts = dir.join("hosts");
    paths.local.hooks = dir.join("hooks");
    paths.local.static_records = Vec::new();
    paths.resolv_conf.etc = dir.join("resolv.conf");
    paths.resolv_conf.dir = dir.to_owned();
    paths.resolv_conf.fixed = dir.join("fixed");
    paths.run = dir.to_owned();
    paths.saved = dir.join("netif");
    paths.networkd = dir.join("networkd");
    paths
}

/// Calls: whatever comes, answers are whole, have Varlink's form, and are no more than calls, unless more are wanted.
pub fn varlink_call(bytes: &[u8]) {
    let Some((socket, calls)) = bytes.split_first() else {
        return;
    };
    let sockets = [
        "io.systemd.Resolve",
        "io.systemd.Resolve.Monitor",
        "io.switchyard.Resolve",
    ];
    let socket = sockets[usize::from(*socket) % sockets.len()];
    let received = SERVER.with(|server| server.get_or_init(Server::new).exchange(socket, calls));
    let Some(replies) = received.strip_suffix(&[0]) else {
        assert!(received.is_empty(), "half a reply");
        return;
    };
    let mut last = 0;
    for reply in replies.split(|byte| *byte == 0) {
        let reply: Value = serde_json::from_slice(reply).expect("JSON");
        let reply = reply.as_object().expect("an object");
        let known = ["parameters", "error", "continues"];
        assert!(reply.keys().all(|key| known.contains(&key.as_str())));
        if let Some(error) = reply.get("error") {
            assert!(error.as_str().is_some_and(|error| error.contains('.')));
        }
        last += usize::from(reply.get("continues") != Some(&Value::Bool(true)));
    }
    assert!(last <= calls.iter().filter(|byte| **byte == 0).count());
}
