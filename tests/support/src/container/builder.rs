//! How a container is made.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

use super::{Container, Users, tree};
use crate::command::{handle, kept, text};
use crate::must::Must;
use crate::register;
use crate::sandbox::wait_for;

/// What a container's root holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contents {
    /// What the sandbox has, but for /proc and /run; no init that reaps.
    Bare,
    /// busybox, and an init that reaps.
    Busybox,
    /// The sandbox's /usr, and an init that reaps.
    Usr,
    /// The sandbox's /usr, and systemd as init.
    Systemd,
}

/// What a container shall be like; [`Builder::start`] starts it.
#[derive(Clone, Debug)]
pub struct Builder {
    name: String,
    veth: bool,
    contents: Contents,
    shift: Option<u32>,
}

impl Builder {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            veth: true,
            contents: Contents::Busybox,
            shift: None,
        }
    }

    /// A loopback interface only.
    pub fn no_network(mut self) -> Self {
        self.veth = false;
        self
    }

    /// The sandbox's /usr inside, rather than busybox alone: for a bus, bash, systemd's tools.
    pub fn usr(mut self) -> Self {
        self.contents = Contents::Usr;
        self
    }

    /// Namespaces and a process, and the sandbox's own root: for containers by the thousand.
    pub fn bare(mut self) -> Self {
        self.contents = Contents::Bare;
        self
    }

    /// systemd as init, with a bus: for `machinectl login` and `shell`, `systemctl -M`. Needs cgroups; it stands in
    /// `machine-NAME.scope` from the start, so register it, rather than have a scope created.
    pub fn systemd(mut self) -> Self {
        self.contents = Contents::Systemd;
        self
    }

    /// A user namespace: root inside is user `base` outside, for 65536 users. An ordinary user's sandbox has one user to
    /// give; there, root inside is root outside, and nobody else exists.
    pub fn user_namespace(mut self, base: u32) -> Self {
        self.shift = Some(base);
        self
    }

    /// Starts it and waits for its init to run; for systemd, until its bus answers.
    #[track_caller]
    pub fn start(self) -> Container {
        static COUNT: AtomicU16 = AtomicU16::new(0);
        let index = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = Path::new(tree::ROOTS).join(&self.name);
        tree::lay_out(&root, &self.name, self.contents);
        if self.contents != Contents::Bare {
            // Without one, systemd takes it for a first boot, and enables what its distribution enables.
            let id = super::hex(super::id(index));
            fs::write(root.join("etc/machine-id"), id).must("write a machine id");
        }
        let setgroups = fs::read_to_string("/proc/self/setgroups").unwrap_or_default();
        let one_user = setgroups.trim() == "deny";
        let users = self.shift.map(|base| {
            if one_user {
                Users::One
            } else {
                Users::From(base)
            }
        });
        if let Some(Users::From(base)) = users {
            tree::give(&root, base);
        }

        let log = kept("container");
        let mut unshare = self.unshare(&root, users);
        unshare
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(handle(&log));
        let mut child = unshare.spawn().must("unshare");
        let mut go = child.stdin.take().must("the pipe");
        let leader = told(&mut child);
        users.into_iter().for_each(|users| map(leader, users));
        if self.contents == Contents::Systemd {
            register::enter_scope(&self.name, leader);
        }
        let name = self.name.clone();
        let unshare = Mutex::new(child);
        let mut made = Container {
            name,
            index,
            leader,
            interface: None,
            root,
            users,
            unshare,
        };
        made.connect(self.veth);
        go.write_all(b"go\n").must("start the container");
        // Until the first is there, its root is still the sandbox's.
        let bus = || UnixStream::connect(made.inside(super::BUS)).is_ok();
        let ready =
            || made.inside("run/ready").exists() && (self.contents != Contents::Systemd || bus());
        let check = || {
            assert!(
                made.is_running(),
                "the init of {} ended:\n{}",
                made.name,
                text(&log)
            );
            ready()
        };
        wait_for(check, "a container's init");
        made
    }

    /// The command that makes the namespaces and waits in them: until the word is `go`, when the network and the map of
    /// users are made.
    fn unshare(&self, root: &Path, users: Option<Users>) -> Command {
        let mut unshare = Command::new("unshare");
        unshare.args([
            "--mount",
            "--net",
            "--pid",
            "--uts",
            "--ipc",
            "--fork",
            "--kill-child",
        ]);
        if users.is_some() {
            unshare.args(["--user", "--keep-caps"]);
        }
        let become_root = match users {
            Some(Users::From(_)) => "setpriv --reuid=0 --regid=0 --clear-groups ",
            Some(Users::One) => "setpriv --reuid=0 --regid=0 --keep-groups ",
            None => "",
        };
        // /proc is still the sandbox's, so this is the number that the sandbox knows it by.
        let tell = "read pid rest </proc/self/stat; echo $pid; exec >&2";
        let script = format!(r#"{tell}; read go; exec {become_root}busybox sh "$@" </dev/null"#);
        unshare
            .args(["sh", "-c", &script, "sh", tree::INIT])
            .arg(root)
            .arg(&self.name);
        unshare.arg(match self.contents {
            Contents::Bare => "bare",
            Contents::Busybox => "busybox",
            Contents::Usr => "usr",
            Contents::Systemd => "systemd",
        });
        unshare
    }
}

/// The process id that the script tells.
fn told(child: &mut Child) -> u32 {
    let mut line = String::new();
    let stdout = child.stdout.take().must("the pipe");
    BufReader::new(stdout)
        .read_line(&mut line)
        .must("a container's first process");
    line.trim().parse().must("a container's first process")
}

/// Writes the map of a new user namespace.
fn map(leader: u32, users: Users) {
    let map = match users {
        Users::From(base) => format!("0 {base} 65536"),
        Users::One => {
            fs::write(format!("/proc/{leader}/setgroups"), "deny").must("setgroups");
            "0 0 1".into()
        }
    };
    fs::write(format!("/proc/{leader}/uid_map"), &map).must("uid_map");
    fs::write(format!("/proc/{leader}/gid_map"), &map).must("gid_map");
}
