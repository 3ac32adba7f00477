//! A real container: namespaces, a root and an init of its own, and a veth to the sandbox.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

use crate::Command;
use crate::daemon::{Daemon, Ready};
use crate::must::Must;
use crate::sandbox::wait_for;

const ROOTS: &str = "/run/containers";
/// The applets of busybox as links, shared by all containers without a /usr of their own.
const APPLETS: &str = "/run/containers/.bin";

/// What their PID 1 runs first.
const INIT: &str = "/run/containers/.init";

/// What a container shall be like; [`Builder::start`] starts it.
#[derive(Clone, Debug)]
pub struct Builder {
    name: String,
    veth: bool,
    usr: bool,
    shift: Option<u32>,
}

impl Builder {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            veth: true,
            usr: false,
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
        self.usr = true;
        self
    }

    /// A user namespace: root inside is user `base` outside, for 65536 users. An ordinary user's sandbox has one user to
    /// give; there, root inside is root outside, and nobody else exists.
    pub fn user_namespace(mut self, base: u32) -> Self {
        self.shift = Some(base);
        self
    }

    /// Starts it and waits for its init to run.
    #[track_caller]
    pub fn start(self) -> Container {
        Container::start(self)
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
    users: Option<&'static str>,
    unshare: Mutex<Child>,
}

impl Container {
    #[track_caller]
    fn start(wanted: Builder) -> Self {
        static COUNT: AtomicU16 = AtomicU16::new(0);
        let index = COUNT.fetch_add(1, Ordering::Relaxed);
        let rootless =
            fs::read_to_string("/proc/self/setgroups").is_ok_and(|word| word.trim() == "deny");
        let root = Path::new(ROOTS).join(&wanted.name);
        tree(&root, &wanted.name, wanted.usr);
        if let Some(base) = wanted.shift.filter(|_| !rootless) {
            give(&root, base);
        }

        let mut unshare = process::Command::new("unshare");
        unshare.args([
            "--mount",
            "--net",
            "--pid",
            "--uts",
            "--ipc",
            "--fork",
            "--kill-child",
        ]);
        let users = wanted.shift.map(|_| {
            if rootless {
                "--keep-groups"
            } else {
                "--clear-groups"
            }
        });
        if users.is_some() {
            unshare.args(["--user", "--keep-caps"]);
        }
        // Held until the network and the map of users are made: `go` is the word.
        let become_root = users
            .map(|groups| format!("setpriv --reuid=0 --regid=0 {groups} "))
            .unwrap_or_default();
        // /proc is still the sandbox's, so this is the number that the sandbox knows it by.
        let tell = "read pid rest </proc/self/stat; echo $pid; exec >&2";
        let script =
            format!(r#"{tell}; read go; exec {become_root}/usr/bin/busybox sh "$@" </dev/null"#);
        unshare
            .args(["sh", "-c", &script, "sh", INIT])
            .arg(&root)
            .arg(&wanted.name);
        unshare.arg(if wanted.usr {
            "/usr/bin/busybox"
        } else {
            "/bin/busybox"
        });
        let log = crate::command::kept("container");
        unshare
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(crate::command::handle(&log));
        let mut child = unshare.spawn().must("unshare");
        let leader = told(&mut child);

        if let Some(base) = wanted.shift {
            let map = if rootless {
                "0 0 1".into()
            } else {
                format!("0 {base} 65536")
            };
            if rootless {
                fs::write(format!("/proc/{leader}/setgroups"), "deny").must("setgroups");
            }
            fs::write(format!("/proc/{leader}/uid_map"), &map).must("uid_map");
            fs::write(format!("/proc/{leader}/gid_map"), &map).must("gid_map");
        }
        let mut this = Self {
            name: wanted.name,
            index,
            leader,
            interface: None,
            root,
            users,
            unshare: Mutex::new(child),
        };
        this.network(wanted.veth);
        let mut go = this
            .unshare
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .stdin
            .take()
            .must("the pipe");
        go.write_all(b"go\n").must("start the container");
        let ready = this.inside("run/ready");
        wait_for(
            || {
                assert!(
                    this.is_running(),
                    "the init of {} ended:\n{}",
                    this.name,
                    crate::command::text(&log)
                );
                ready.exists()
            },
            "a container's init",
        );
        this
    }

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
        let mut id = [0xc5; 16];
        id[12..].copy_from_slice(&(u32::from(self.index) + 1).to_be_bytes());
        id
    }

    /// A command to run inside.
    pub fn cmd(&self, program: &str) -> Command {
        self.enter().arg(program)
    }

    /// Runs a line of shell inside, 10 s at most.
    #[track_caller]
    pub fn run(&self, line: &str) -> crate::Output {
        self.enter().args(["sh", "-c", line]).run()
    }

    /// Starts a system bus inside, for `busctl -M` and its like. Wants [`Builder::usr`].
    #[track_caller]
    pub fn start_bus(&self) -> Daemon {
        let config = include_str!("container-bus.conf");
        fs::write(self.inside("run/dbus.conf"), config).must("write a bus's configuration");
        let leader = self.leader.to_string();
        let mut command = vec!["nsenter", "-t", &leader];
        command.extend(self.namespaces());
        command.extend([
            "dbus-daemon",
            "--config-file=/run/dbus.conf",
            "--nofork",
            "--nopidfile",
        ]);
        let ready = Ready::Socket(self.inside("run/dbus/system_bus_socket"));
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
        let mut args = vec!["--mount", "--uts", "--ipc", "--net", "--pid", "--wd=/"];
        match self.users {
            Some("--keep-groups") => args.extend(["--user", "--preserve-credentials"]),
            Some(_) => args.push("--user"),
            None => {}
        }
        args
    }

    #[track_caller]
    fn network(&mut self, veth: bool) {
        let mut inside = "link set lo up\n".to_string();
        if veth {
            let name = format!("ve-{}", self.name);
            let name = name.get(..15).unwrap_or(&name); // IFNAMSIZ
            let (v4, v6) = (self.ipv4(), self.ipv6());
            let gate = |address: &str| address.trim_end_matches('2').to_string() + "1";
            let (gate4, gate6) = (gate(&v4), gate(&v6));
            let outside = format!(
                "link add {name} type veth peer name host0 netns {}\naddr add {gate4}/24 dev {name}\n\
                 addr add {gate6}/64 dev {name} nodad\nlink set {name} up\n",
                self.leader
            );
            batch(Command::new("ip"), &outside);
            inside += &format!(
                "addr add {v4}/24 dev host0\naddr add {v6}/64 dev host0 nodad\nlink set host0 up\n"
            );
            let index = fs::read_to_string(format!("/sys/class/net/{name}/ifindex"))
                .must("the veth's index");
            self.interface = Some(index.trim().parse().must("an interface index"));
        }
        let enter = Command::new("nsenter").args(["-t", &self.leader.to_string(), "--net", "ip"]);
        batch(enter, &inside);
    }
}

#[track_caller]
fn batch(ip: Command, lines: &str) {
    ip.args(["-batch", "-"]).input(lines).run().ok();
}

/// The process id that the script above tells.
fn told(child: &mut Child) -> u32 {
    let mut line = String::new();
    let stdout = child.stdout.take().must("the pipe");
    BufReader::new(stdout)
        .read_line(&mut line)
        .must("a container's first process");
    line.trim().parse().must("a container's first process")
}

/// Lays out a root: with busybox, or with places for the sandbox's /usr.
fn tree(root: &Path, name: &str, usr: bool) {
    static SHARED: Once = Once::new();
    SHARED.call_once(shared);
    let make =
        |dir: &str| fs::create_dir_all(root.join(dir)).must(format_args!("make {dir} of {name}"));
    [
        "proc", "sys", "dev", "run", "tmp", "etc", "root", "var/log", "usr",
    ]
    .into_iter()
    .for_each(make);
    if usr {
        for dir in ["bin", "sbin", "lib", "lib64"] {
            symlink(format!("usr/{dir}"), root.join(dir)).must("link into /usr");
        }
    } else {
        ["bin", "usr/bin"].into_iter().for_each(make);
    }
    symlink("/run", root.join("var/run")).must("link /var/run");
    let put = |file: &str, text: &str| {
        fs::write(root.join(file), text).must(format_args!("write {file} of {name}"))
    };
    put("etc/hostname", &format!("{name}\n"));
    put(
        "etc/os-release",
        "ID=switchyard-test\nNAME=\"A container of the tests\"\nPRETTY_NAME=\"A container of the tests\"\nVERSION_ID=1\n",
    );
    put(
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nmessagebus:x:101:101::/:/bin/false\nuser:x:1000:1000::/tmp:/bin/sh\n",
    );
    put("etc/group", "root:x:0:\nmessagebus:x:101:\nuser:x:1000:\n");
    put(
        "etc/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\n",
    );
    put("init", include_str!("container-reap.sh"));
}

/// What all containers share: busybox's applets, and the first script.
fn shared() {
    fs::create_dir_all(APPLETS).must("make the applets' folder");
    fs::write(INIT, include_str!("container-init.sh")).must("write the containers' first script");
    fs::copy("/usr/bin/busybox", format!("{APPLETS}/busybox")).must("copy busybox");
    for applet in Command::new("busybox").arg("--list").run().ok().lines() {
        if applet != "busybox" {
            symlink("busybox", Path::new(APPLETS).join(applet)).must("link an applet");
        }
    }
}

/// Makes a user the owner of a tree.
fn give(path: &Path, owner: u32) {
    lchown(path, Some(owner), Some(owner)).must("chown");
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).must("read a directory").flatten() {
            give(&entry.path(), owner);
        }
    }
}
