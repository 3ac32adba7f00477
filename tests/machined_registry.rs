//! A registry to try things on: its files, its calls, and processes to register.

#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    fs,
    net::IpAddr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use support::{Daemon, Ready, Sandbox};
use zbus::Variant;

use crate::args;
use crate::machined_bus_client::{
    Answer, Client, MACHINE, MACHINE_IFACE, MANAGER, MANAGER_IFACE, PROPERTIES,
};

/// The state files.
pub const DIR: &str = "/run/systemd/machines";
/// How soon an end is to be seen.
pub const SOON: Duration = Duration::from_millis(100);

pub const NOBODY: u32 = 65534;
/// `daemon`: a bus lets in whom it finds in /etc/passwd.
pub const OTHER: u32 = 1;

/// polkit lets anyone make machines, as it does at the console.
pub fn anyone_may_register(s: &Sandbox) {
    let rule = "polkit.addRule(function(action, subject) {\n\
        if (/machine1.(create|register)-machine$/.test(action.id)) return polkit.Result.YES; });\n";
    fs::create_dir_all("/etc/polkit-1/rules.d").unwrap();
    fs::write("/etc/polkit-1/rules.d/10-test.rules", rule).unwrap();
    s.run("chmod -R a+rX /etc/polkit-1").ok();
}

pub fn process_of(user: u32) -> Child {
    let mut sleep = Command::new("sleep");
    sleep.arg("60").uid(user).gid(user).spawn().unwrap()
}

pub fn state(name: &str) -> String {
    fs::read_to_string(Path::new(DIR).join(name)).unwrap_or_default()
}

pub fn has_file(name: &str) -> bool {
    Path::new(DIR).join(name).symlink_metadata().is_ok()
}

pub fn names() -> Vec<String> {
    let entries = fs::read_dir(DIR).unwrap();
    let mut names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub fn program(line: &str) -> Child {
    Command::new("sh")
        .args(["-c", &format!("exec {line}")])
        .spawn()
        .unwrap()
}

/// RegisterMachine.
pub fn register(client: &Client, name: &str, leader: u32) -> Answer {
    client.manager(
        "RegisterMachine",
        args![
            name.to_owned(),
            Vec::<u8>::new(),
            "test",
            "container",
            leader,
            ""
        ],
    )
}

/// CreateMachine.
pub fn create(
    client: &Client,
    name: &str,
    leader: u32,
    properties: Vec<(&'static str, Variant<'static>)>,
) -> Answer {
    client.manager(
        "CreateMachine",
        args![
            name.to_owned(),
            Vec::<u8>::new(),
            "test",
            "container",
            leader,
            "",
            properties
        ],
    )
}

pub fn property(client: &Client, machine: &str, name: &str) -> String {
    let path = format!("{MACHINE}/{machine}");
    client
        .call(
            &path,
            PROPERTIES,
            "Get",
            args![MACHINE_IFACE, name.to_owned()],
        )
        .ok()
}

/// What GetMachineAddresses gives, as text; or the name of the error.
pub fn addresses(client: &Client, machine: &str) -> Vec<String> {
    let call = client.connection.call_method(
        Some("org.freedesktop.machine1"),
        MANAGER,
        Some(MANAGER_IFACE),
        "GetMachineAddresses",
        &machine,
    );
    let reply = match client.block_on(call) {
        Ok(reply) => reply,
        Err(_) => {
            let again = client.manager("GetMachineAddresses", args![machine.to_owned()]);
            return vec![again.kind().to_owned()];
        }
    };
    let list: Vec<(i32, Vec<u8>)> = reply.body().deserialize().unwrap();
    let text = |(_, bytes): (i32, Vec<u8>)| match <[u8; 4]>::try_from(&*bytes) {
        Ok(v4) => IpAddr::from(v4).to_string(),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(&*bytes).unwrap()).to_string(),
    };
    list.into_iter().map(text).collect()
}

/// The folder of a cgroup in the hierarchy of version 2.
pub fn cgroup(path: &str) -> PathBuf {
    let unified = Path::new("/sys/fs/cgroup/unified");
    let mount = if unified.is_dir() {
        unified
    } else {
        Path::new("/sys/fs/cgroup")
    };
    mount.join(path)
}

pub fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

/// The cgroups that a machined finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cgroups {
    /// Version 2 alone, where it belongs.
    V2,
    /// Version 1 alone, of which `name=systemd` counts.
    V1,
    None,
}

impl Cgroups {
    /// Those that are made for this machined, as the test sees them; `None` where the sandbox has no such hierarchy.
    pub fn top(self) -> Option<PathBuf> {
        let top = match self {
            Self::V2 => cgroup(""),
            Self::V1 => "/sys/fs/cgroup/systemd".into(),
            Self::None => return None,
        };
        top.is_dir().then_some(top)
    }

    /// Starts a machined that sees no others.
    pub fn start_machined(self) -> Daemon {
        self.start("machined", "", Ready::Notify)
    }

    /// Starts another by a command in front of it, and does not wait until it is ready.
    pub fn start_machined_under(self, command: &str) -> Daemon {
        self.start("machined-under", command, Ready::Now)
    }

    fn start(self, name: &str, under: &str, ready: Ready) -> Daemon {
        let is_hybrid = Path::new("/sys/fs/cgroup/systemd").is_dir();
        let mounts = match self {
            Self::V2 if is_hybrid => {
                "umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup"
            }
            Self::V2 => "true",
            Self::V1 => "umount /sys/fs/cgroup/unified",
            Self::None => "umount -R /sys/fs/cgroup",
        };
        let line = format!("{mounts} && exec {under} /usr/libexec/switchyard/machined");
        let command = ["unshare", "--mount", "sh", "-c", &line];
        Daemon::start(name, &command, &[], ready)
    }
}
