//! A real container: namespaces, a root and an init of its own, and a veth to the sandbox.

mod builder;
mod tree;
mod veth;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

pub use self::builder::Builder;
use crate::daemon::{Daemon, Ready};
use crate::sandbox::wait_for;
use crate::{Command, Sandbox};

/// The system bus of a container, seen from its root.
const BUS: &str = "run/dbus/system_bus_socket";

impl Sandbox {
    /// A container to be described and started.
    pub fn container(&self, name: &str) -> Builder {
        Builder::new(name)
    }

    /// Lays out a root for another manager (systemd-nspawn, crun, runc) to make a container of: busybox, and an init
    /// that reaps and ends at once when told to. Gives its directory, `/var/lib/machines/NAME`.
    pub fn root_tree(&self, name: &str) -> PathBuf {
        let root = Path::new("/var/lib/machines").join(name);
        tree::bootable(&root, name);
        root
    }
}

/// A running container. It runs until it is killed or the sandbox ends; dropping this does not end it.
#[derive(Debug)]
pub struct Container {
    name: String,
    index: u16,
    leader: u32,
    interface: Option<u32>,
    root: PathBuf,
    /// How its user namespace is entered, where it has one of its own.
    users: Option<Users>,
    unshare: Mutex<Child>,
}

/// The users of a user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Users {
    /// 65536 from this one on.
    From(u32),
    /// One: the user of the sandbox, who has no others to give, and may not change groups (user_namespaces(7)).
    One,
}

impl Container {
    /// Its name, and its hostname.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id of its init, as the sandbox sees it.
    pub fn leader(&self) -> u32 {
        self.leader
    }

    /// The index of the sandbox's end of its veth.
    pub fn interface(&self) -> Option<u32> {
        self.interface
    }

    /// The directory of the sandbox that is its root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file of it, reached through its leader: also what is mounted inside.
    pub fn inside(&self, path: &str) -> PathBuf {
        Path::new("/proc")
            .join(self.leader.to_string())
            .join("root")
            .join(path.trim_start_matches('/'))
    }

    /// Its IPv4 address.
    pub fn ipv4(&self) -> String {
        let [high, low] = self.index.to_be_bytes();
        Ipv4Addr::new(10, 88 + high, low, 2).to_string()
    }

    /// Its IPv6 address.
    pub fn ipv6(&self) -> String {
        Ipv6Addr::new(0xfd00, 0x88, self.index, 0, 0, 0, 0, 2).to_string()
    }

    /// A machine id of its own: 16 bytes.
    pub fn id(&self) -> [u8; 16] {
        id(self.index)
    }

    /// A command to run inside.
    pub fn cmd(&self, program: &str) -> Command {
        self.enter().arg(program)
    }

    /// Runs a line of shell inside, 30 s at most.
    #[track_caller]
    pub fn run(&self, line: &str) -> crate::Output {
        self.enter().args(["sh", "-c", line]).run()
    }

    /// Starts a system bus inside, for `busctl -M` and its like. Wants [`Builder::usr`].
    #[track_caller]
    pub fn start_bus(&self) -> Daemon {
        let leader = self.leader.to_string();
        let mut command = vec!["nsenter", "-t", &leader];
        command.extend(self.namespaces());
        command.extend([
            "dbus-daemon",
            "--config-file=/etc/dbus-1/sandbox.conf",
            "--nofork",
            "--nopidfile",
        ]);
        let ready = Ready::Socket(self.inside(BUS));
        Daemon::start(&format!("dbus@{}", self.name), &command, &[], ready)
    }

    /// Whether its init still runs.
    pub fn is_running(&self) -> bool {
        let mut child = self.unshare.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(child.try_wait(), Ok(None))
    }

    /// Kills its init, and so all of it, and waits for the end.
    #[track_caller]
    pub fn kill(&self) {
        if let Some(leader) = i32::try_from(self.leader).ok().and_then(Pid::from_raw) {
            let _ = kill_process(leader, Signal::KILL);
        }
        wait_for(|| !self.is_running(), "a killed container to end");
    }

    fn enter(&self) -> Command {
        Command::new("nsenter")
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .args(["-t", &self.leader.to_string()])
            .args(self.namespaces())
            .arg("--")
    }

    fn namespaces(&self) -> Vec<&'static str> {
        let mut args = vec!["--mount", "--uts", "--ipc", "--net", "--pid", "--wdns=/"];
        match self.users {
            Some(Users::One) => args.extend(["--user", "--preserve-credentials"]),
            Some(Users::From(_)) => args.push("--user"),
            None => {}
        }
        args
    }
}

fn id(index: u16) -> [u8; 16] {
    (0xc5c5_c5c5_c5c5_c5c5_c5c5_c5c5_0000_0001_u128 + u128::from(index)).to_be_bytes()
}

/// An id as machine-id(5) has it.
pub(crate) fn hex(id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(id))
}
