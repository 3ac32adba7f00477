//! A server of an interface made for tests, and clients that speak bytes.

#![allow(dead_code, reason = "each test program uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

use std::{
    io::{Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use varlink_serve::{Answer, Call, Failure, Interface, Limits, Method, Server, Socket, Vendor};

pub const DESCRIPTION: &str = "interface org.example.test

method Echo(text: string) -> (text: string)
method Wait(milliseconds: int) -> ()
method Count(to: int) -> (number: int)
method Watch() -> (number: int)
method Big(bytes: int) -> (text: string)
method Open(text: string) -> (fileDescriptor: int)
method Who() -> (uid: int, pid: int, alive: bool)
";

/// How many calls of Watch are running.
pub type Watchers = Arc<AtomicUsize>;

pub const INTERFACE: Interface<Watchers> = Interface {
    name: "org.example.test",
    description: DESCRIPTION,
    methods: &[
        Method("Echo", |_, call| Box::pin(echo(call))),
        Method("Wait", |_, call| Box::pin(wait(call))),
        Method("Count", |_, call| Box::pin(count(call))),
        Method("Watch", |watchers, call| Box::pin(watch(watchers, call))),
        Method("Big", |_, call| Box::pin(big(call))),
        Method("Open", |_, call| Box::pin(open(call))),
        Method("Who", |_, call| Box::pin(who(call))),
    ],
};

#[derive(Deserialize, Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Number {
    number: u64,
}

async fn echo(call: Call<'_>) -> Result<Answer, Failure> {
    let text: Text = call.parameters()?;
    call.reply(&text).await
}

async fn wait(call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    struct Parameters {
        milliseconds: u64,
    }
    let Parameters { milliseconds } = call.parameters()?;
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    call.done().await
}

async fn count(mut call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    struct Parameters {
        to: u64,
    }
    if !call.more() {
        return Err(Failure::expected_more());
    }
    let Parameters { to } = call.parameters()?;
    for number in 1..to {
        call.update(&Number { number }).await?;
    }
    call.reply(&Number { number: to }).await
}

async fn watch(watchers: &Watchers, mut call: Call<'_>) -> Result<Answer, Failure> {
    struct Leave<'a>(&'a Watchers);
    impl Drop for Leave<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    watchers.fetch_add(1, Ordering::SeqCst);
    let _leave = Leave(watchers);
    call.update(&Number { number: 0 }).await?;
    Err(call.closed().await)
}

async fn big(call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    struct Parameters {
        bytes: usize,
    }
    let Parameters { bytes } = call.parameters()?;
    let text = "x".repeat(bytes);
    call.reply(&Text { text }).await
}

async fn open(call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Opened {
        file_descriptor: u32,
    }
    let Text { text } = call.parameters()?;
    let (read, mut write) = std::io::pipe().unwrap();
    write.write_all(text.as_bytes()).unwrap();
    let opened = Opened { file_descriptor: 0 };
    call.reply_with_fds(&opened, &[read.as_fd()]).await
}

async fn who(call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Serialize)]
    struct Peer {
        uid: u32,
        pid: u32,
        alive: bool,
    }
    let process = call.peer().process().unwrap();
    let peer = Peer {
        uid: call.peer().uid(),
        pid: process.pid,
        alive: process.pidfd.is_some(),
    };
    call.reply(&peer).await
}

/// A server in a thread of its own, on a socket in a directory of its own.
pub struct Running {
    pub directory: PathBuf,
    pub watchers: Watchers,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn new(limits: Limits) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("varlink-serve-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let path = directory.join("a/socket");
        let watchers = Watchers::default();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let state = Arc::clone(&watchers);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            tokio::task::LocalSet::new().block_on(&runtime, async {
                let vendor = Vendor {
                    vendor: "v",
                    product: "p",
                    version: "1",
                    url: "u",
                };
                let server = Server::new(state, vendor, &[INTERFACE], limits);
                let guard = server.listen(Socket::bind(&path).unwrap()).unwrap();
                ready.send(()).unwrap();
                let _ = stopped.await;
                drop(guard);
                tokio::task::yield_now().await;
            });
        });
        is_ready.recv_timeout(Duration::from_secs(10)).unwrap();
        Self {
            directory,
            watchers,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.join("a/socket")
    }

    pub fn connect(&self) -> Client {
        Client::new(&self.path())
    }

    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A client that gives up after ten seconds.
pub struct Client {
    pub stream: UnixStream,
    received: Vec<u8>,
}

impl Client {
    pub fn new(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        let patience = Some(Duration::from_secs(10));
        stream.set_read_timeout(patience).unwrap();
        stream.set_write_timeout(patience).unwrap();
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Sends JSON as it is, and the NUL byte.
    pub fn send(&mut self, json: &str) {
        self.stream.write_all(json.as_bytes()).unwrap();
        self.stream.write_all(&[0]).unwrap();
    }

    /// The next message; `None` at the end of the connection.
    pub fn receive(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.received.iter().position(|&byte| byte == 0) {
                let message: Vec<u8> = self.received.drain(..=end).collect();
                return Some(serde_json::from_slice(&message[..end]).unwrap());
            }
            let mut buffer = [0; 65536];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) => panic!("no message: {error}"),
            }
        }
    }

    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let call = serde_json::json!({"method": method, "parameters": parameters});
        self.send(&call.to_string());
        self.receive()
            .unwrap_or_else(|| panic!("{method}: the connection was closed"))
    }

    /// Whether the server still answers here.
    pub fn is_served(&mut self) -> bool {
        let _ = self
            .stream
            .write_all(b"{\"method\":\"org.varlink.service.GetInfo\"}\0");
        self.receive().is_some()
    }

    pub fn is_closed(&mut self) -> bool {
        self.receive().is_none()
    }
}
