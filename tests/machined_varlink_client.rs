//! A raw Varlink client of machined: any call, what came back, and the descriptors that came with it.

#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    collections::VecDeque,
    io::{IoSliceMut, Write},
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Child, Command},
    time::Duration,
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg, sockopt::Timeout,
};
pub use serde_json::{Value, json};
use support::{Container, Sandbox, Via};

/// machined's sockets, by the interface each serves.
const SOCKETS: [(&str, &str); 7] = [
    (
        "io.systemd.MachineImage",
        "/run/systemd/machine/io.systemd.MachineImage",
    ),
    (
        "io.systemd.Machine",
        "/run/systemd/machine/io.systemd.Machine",
    ),
    (
        "io.systemd.service",
        "/run/systemd/machine/io.systemd.Machine",
    ),
    (
        "org.varlink.service",
        "/run/systemd/machine/io.systemd.Machine",
    ),
    (
        "io.systemd.UserDatabase",
        "/run/systemd/userdb/io.systemd.Machine",
    ),
    (
        "io.systemd.Resolve.Hook",
        "/run/systemd/resolve.hook/io.systemd.Machine",
    ),
    (
        "io.switchyard.Machines",
        "/run/switchyard/machined/io.switchyard.Machines",
    ),
];

/// The interface most calls are of.
pub const MACHINE: &str = "io.systemd.Machine";

/// The socket of an interface.
pub fn socket(interface: &str) -> &'static str {
    let (_, path) = SOCKETS
        .iter()
        .find(|(name, _)| *name == interface)
        .expect("an interface of machined");
    path
}

/// A connection.
pub struct Client {
    stream: UnixStream,
    received: VecDeque<u8>,
    /// The descriptors that came, in order.
    pub fds: Vec<OwnedFd>,
}

impl Client {
    /// Connects to the socket of an interface. Nothing waits longer than 10 s.
    pub fn new(interface: &str) -> Self {
        let stream = UnixStream::connect(socket(interface)).unwrap();
        let limit = Some(Duration::from_secs(10));
        rustix::net::sockopt::set_socket_timeout(&stream, Timeout::Recv, limit).unwrap();
        Self {
            stream,
            received: VecDeque::new(),
            fds: Vec::new(),
        }
    }

    /// Sends a message.
    pub fn send(&mut self, message: &Value) {
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.stream.write_all(&bytes).unwrap();
    }

    /// The next message.
    #[track_caller]
    pub fn receive(&mut self) -> Value {
        loop {
            if let Some(end) = self.received.iter().position(|&byte| byte == 0) {
                let message: Vec<u8> = self.received.drain(..=end).collect();
                return serde_json::from_slice(&message[..end]).unwrap();
            }
            let mut bytes = [0; 65536];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut iov = [IoSliceMut::new(&mut bytes)];
            let got = recvmsg(
                &self.stream,
                &mut iov,
                &mut control,
                RecvFlags::CMSG_CLOEXEC,
            )
            .expect("a reply in time")
            .bytes;
            for message in control.drain() {
                if let RecvAncillaryMessage::ScmRights(fds) = message {
                    self.fds.extend(fds);
                }
            }
            assert_ne!(got, 0, "machined hung up");
            self.received.extend(&bytes[..got]);
        }
    }

    /// Calls a method by its full name, for one reply.
    #[track_caller]
    pub fn call(&mut self, method: &str, parameters: &Value) -> Reply {
        self.send(&json!({ "method": method, "parameters": parameters }));
        let reply = self.receive();
        assert_eq!(reply.get("continues"), None, "{reply}");
        Reply(reply)
    }

    /// Calls a method with `more`, for all its replies: those that end.
    #[track_caller]
    pub fn call_more(&mut self, method: &str, parameters: &Value) -> Vec<Reply> {
        self.send(&json!({ "method": method, "parameters": parameters, "more": true }));
        let mut replies = Vec::new();
        loop {
            let reply = self.receive();
            let last = reply["continues"] != true;
            replies.push(Reply(reply));
            if last {
                return replies;
            }
        }
    }
}

/// A reply as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply(pub Value);

impl Reply {
    /// The parameters of a reply that is no error.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.0.get("error").is_none(), "{}", self.0);
        self.0.get("parameters").cloned().unwrap_or(json!({}))
    }

    /// The full name of the error, or nothing.
    pub fn error(&self) -> &str {
        self.0["error"].as_str().unwrap_or_default()
    }

    /// The last word of the error, or nothing.
    pub fn is(&self, error: &str) -> bool {
        self.error().rsplit('.').next() == Some(error)
    }

    /// The parameter that an InvalidParameter blames, or nothing.
    pub fn blames(&self) -> &str {
        match self.error() {
            "org.varlink.service.InvalidParameter" => self.0["parameters"]["parameter"]
                .as_str()
                .unwrap_or_default(),
            _ => "",
        }
    }
}

/// One call on a connection of its own, of an interface's method.
#[track_caller]
pub fn ask(interface: &str, method: &str, parameters: Value) -> Reply {
    Client::new(interface).call(&format!("{interface}.{method}"), &parameters)
}

/// One call of io.systemd.Machine.
#[track_caller]
pub fn machine(method: &str, parameters: Value) -> Reply {
    ask(MACHINE, method, parameters)
}

/// Runs `body` in a thread that is another user, so that what it connects to sees that user.
pub fn as_user<R: Send>(uid: u32, body: impl FnOnce() -> R + Send) -> R {
    use rustix::process::{Gid, Uid};
    use rustix::thread::{set_thread_res_gid, set_thread_res_uid};
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
            set_thread_res_gid(group, group, group).unwrap();
            set_thread_res_uid(user, user, user).unwrap();
            body()
        });
        thread.join().unwrap()
    })
}

/// A process that does nothing, for machines without a container.
pub fn idle() -> Child {
    Command::new("sleep").arg("60").spawn().unwrap()
}

/// Kills it.
pub fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Waits until no machine has this name.
pub fn gone(s: &Sandbox, name: &str) {
    s.wait_for(
        || machine("List", json!({ "name": name })).is("NoSuchMachine"),
        "the machine to be gone",
    );
}

/// A container that stands in its scope, registered.
pub fn registered(s: &Sandbox, name: &str) -> Container {
    let container = s.container(name).start();
    s.place_in_scope(&container);
    s.register(&container, Via::Varlink);
    container
}

/// One call of io.systemd.Machine by a process that is another user's from its start, for polkit looks at the process.
pub fn call_as(s: &Sandbox, user: u32, method: &str, parameters: &Value) -> Reply {
    let script = "import socket, sys\n\
        s = socket.socket(socket.AF_UNIX)\n\
        s.connect('/run/systemd/machine/io.systemd.Machine')\n\
        s.sendall(sys.argv[1].encode() + bytes(1))\n\
        print(s.recv(65536).decode().rstrip(chr(0)))";
    let call =
        json!({ "method": format!("io.systemd.Machine.{method}"), "parameters": parameters });
    let python = s.cmd("python3").args(["-c", script, &call.to_string()]);
    let said = python.user(user).run().ok();
    Reply(serde_json::from_str(&said).unwrap())
}
