//! Hooks that answer, change their mind, hang, die and lie.

use std::{
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{Arc, Mutex},
};

use hickory_proto::rr::{DNSClass, RecordType};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::*;
use crate::{flags::Flags, name};

/// How a hook of the tests answers a call, as often as it has replies.
type Script = Arc<Mutex<dyn FnMut(&str) -> Vec<Value> + Send>>;

/// Serves a socket in threads of its own until the process ends.
fn serve(path: &Path, script: impl FnMut(&str) -> Vec<Value> + Send + 'static) {
    let listener = UnixListener::bind(path).unwrap();
    let script: Script = Arc::new(Mutex::new(script));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let script = Arc::clone(&script);
            std::thread::spawn(move || converse(stream.unwrap(), &script));
        }
    });
}

fn converse(stream: UnixStream, script: &Script) {
    use std::io::{BufRead, BufReader, Write};
    let mut calls = BufReader::new(stream.try_clone().unwrap()).split(0);
    while let Some(Ok(call)) = calls.next() {
        let call: Value = serde_json::from_slice(&call).unwrap();
        let replies = (script.lock().unwrap())(call["method"].as_str().unwrap());
        for reply in replies {
            let mut message = serde_json::to_vec(&reply).unwrap();
            message.push(0);
            (&stream).write_all(&message).unwrap();
        }
    }
}

fn filter(domains: &[&str], continues: bool) -> Value {
    json!({ "parameters": { "filterDomains": domains }, "continues": continues })
}

fn nothing_there() -> Vec<Value> {
    vec![json!({ "parameters": { "rcode": 3 } })]
}

fn hooks(directory: &Path) -> Hooks {
    Hooks::new(
        directory.to_owned(),
        rustix::process::getuid().as_raw(),
        true,
    )
}

fn lookup(name: &str) -> Lookup {
    Lookup {
        name: name::parse(name).unwrap(),
        class: DNSClass::IN,
        types: vec![RecordType::A],
        ifindex: 0,
        flags: Flags::PROTOCOLS,
        dnssec_ok: false,
    }
}

/// Runs a test in a fresh directory, as the daemon runs.
fn run<F: Future<Output = ()>>(test: impl FnOnce(PathBuf) -> F) {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test(directory.path().to_owned()));
}

/// As a lookup does: it looks which hooks there are, and asks them.
fn ask(hooks: &Hooks, name: &str) -> impl Future<Output = Option<Result<Answer, Failure>>> + use<> {
    hooks.generation();
    hooks.ask(&lookup(name))
}

async fn answers(hooks: &Hooks, name: &str) -> bool {
    ask(hooks, name).await.is_some()
}

#[test]
fn a_hook_is_asked_for_what_it_wants_from_the_first_lookup_on() {
    run(|directory| async move {
        serve(&directory.join("one"), |method| match method {
            "io.systemd.Resolve.Hook.QueryFilter" => vec![filter(&["web"], true)],
            _ => nothing_there(),
        });
        let hooks = hooks(&directory);
        assert!(answers(&hooks, "web").await);
        assert!(answers(&hooks, "below.WEB").await);
        assert!(!answers(&hooks, "other").await);
        let many = (0..20).map(|_| ask(&hooks, "web"));
        assert!(join_all(many).await.iter().all(Option::is_some));
    });
}

#[test]
fn hooks_come_and_go_and_change_their_mind() {
    run(|directory| async move {
        let hooks = hooks(&directory);
        assert!(!answers(&hooks, "web").await);
        let before = hooks.generation();
        serve(&directory.join("one"), |method| match method {
            "io.systemd.Resolve.Hook.QueryFilter" => {
                vec![filter(&[], true), filter(&["web"], true)]
            }
            _ => nothing_there(),
        });
        // The first reply says that it wants nothing; the second follows at once.
        answers(&hooks, "web").await;
        sleep(Duration::from_millis(50)).await;
        assert!(answers(&hooks, "web").await);
        assert!(hooks.generation() > before);
        fs::remove_file(directory.join("one")).unwrap();
        assert!(!answers(&hooks, "web").await);
    });
}

#[test]
fn one_that_never_speaks_delays_only_the_first_lookup() {
    run(|directory| async move {
        serve(&directory.join("mute"), |_| Vec::new());
        let hooks = hooks(&directory);
        let start = Instant::now();
        assert!(!answers(&hooks, "web").await);
        assert!(start.elapsed() < Duration::from_millis(500));
        let start = Instant::now();
        assert!(!answers(&hooks, "web").await);
        assert!(start.elapsed() < Duration::from_millis(50));
    });
}

#[test]
fn one_that_hangs_delays_what_it_wants_once_and_nothing_else() {
    run(|directory| async move {
        serve(&directory.join("stuck"), |method| match method {
            "io.systemd.Resolve.Hook.QueryFilter" => vec![filter(&["web"], true)],
            _ => Vec::new(),
        });
        let hooks = hooks(&directory);
        let start = Instant::now();
        assert!(!answers(&hooks, "other").await);
        assert!(start.elapsed() < Duration::from_secs(1));
        assert!(!answers(&hooks, "web").await);
        assert!(start.elapsed() < hook::PATIENCE + Duration::from_secs(1));
        let start = Instant::now();
        assert!(!answers(&hooks, "web").await);
        assert!(
            start.elapsed() < Duration::from_millis(50),
            "it is left alone"
        );
    });
}

#[test]
fn the_first_in_order_decides_and_the_others_are_not_lost() {
    run(|directory| async move {
        let wants_all = || json!({ "parameters": {}, "continues": true });
        serve(&directory.join("a"), move |method| match method {
            "io.systemd.Resolve.Hook.QueryFilter" => vec![wants_all()],
            _ => vec![json!({ "parameters": {} })],
        });
        serve(&directory.join("b"), move |method| match method {
            "io.systemd.Resolve.Hook.QueryFilter" => vec![wants_all()],
            _ => vec![json!({ "parameters": { "rcode": 5 } })],
        });
        serve(&directory.join("c"), move |method| match method {
            "io.systemd.Resolve.Hook.QueryFilter" => vec![wants_all()],
            _ => nothing_there(),
        });
        let verdict = ask(&hooks(&directory), "web").await.unwrap();
        assert!(matches!(verdict, Err(Failure::Rcode(..))));
    });
}

#[test]
fn nonsense_is_no_answer() {
    for nonsense in [
        json!(7),
        json!({ "error": "io.systemd.System" }),
        json!({}),
        json!({ "parameters": [] }),
    ] {
        run(|directory| async move {
            serve(&directory.join("one"), move |method| match method {
                "io.systemd.Resolve.Hook.QueryFilter" => vec![filter(&["web"], false)],
                _ => vec![nonsense.clone()],
            });
            assert!(!answers(&hooks(&directory), "web").await);
        });
    }
}

#[test]
fn others_are_not_believed() {
    run(|directory| async move {
        serve(&directory.join("one"), |method| match method {
            "io.systemd.Resolve.Hook.QueryFilter" => vec![filter(&["web"], true)],
            _ => nothing_there(),
        });
        let another = rustix::process::getuid().as_raw() + 1;
        assert!(!answers(&Hooks::new(directory.clone(), another, true), "web").await);
        assert!(
            !answers(&Hooks::new(directory.clone(), another - 1, false), "web").await,
            "switched off"
        );
        let writable = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(&directory, writable).unwrap();
        assert!(!answers(&hooks(&directory), "web").await);
        let elsewhere = directory.join("one");
        assert!(
            client::Connection::open(&elsewhere, another).await.is_err(),
            "another listens"
        );
    });
}
