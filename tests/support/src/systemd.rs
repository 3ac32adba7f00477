//! systemd as the service manager of the sandbox: the real one, as PID 1 of a pid namespace below the sandbox's own.
//!
//! Everything of the test then runs in that inner namespace, so that systemd, machined, clients and containers agree
//! about process ids, while the sandbox's own PID 1 still sees the test end. systemd runs the bus, as it does on a machine
//! (it joins a bus only as dbus.service), and nothing else: every unit that boot would start is left out.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bus;
use crate::daemon::{LOGS, spawn_logged};
use crate::must::Must;
use crate::sandbox::wait_for;

/// Turns a PID 1 into systemd.
const START: &str = include_str!("systemd/start.sh");

/// Tells the process id that the sandbox's own PID 1 knows this one by.
const TELL: &str = "read pid rest </proc/self/stat; echo $pid; exec >&2; mount -t proc proc /proc";

/// What is started, and no more.
const UNITS: [(&str, &str); 3] = [
    (
        "sandbox.target",
        "[Unit]\nDefaultDependencies=no\nWants=dbus.service\n",
    ),
    (
        "dbus.socket",
        "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/dbus/system_bus_socket\n",
    ),
    (
        "dbus.service",
        "[Unit]\nDefaultDependencies=no\nRequires=dbus.socket\n[Service]\nType=notify\n\
         ExecStart=/usr/bin/dbus-daemon --config-file=/etc/dbus-1/sandbox.conf --address=systemd: --nofork --nopidfile \
         --systemd-activation\nStandardError=append:/run/log/sandbox/dbus\n",
    ),
];

/// Starts systemd and gives its process id as the sandbox's PID 1 sees it, once it and the bus answer.
#[expect(
    clippy::zombie_processes,
    reason = "the caller is a PID 1, which waits for every child"
)]
pub(crate) fn start() -> u32 {
    units(Path::new("/"));
    fs::create_dir_all(LOGS).must("make the folder of logs");
    bus::write_config();
    let mut unshare = Command::new("unshare");
    unshare
        .args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            &format!("{TELL}\n{START}"),
        ])
        .stdout(Stdio::piped());
    let mut child = spawn_logged("systemd", &mut unshare);
    let mut line = String::new();
    BufReader::new(child.stdout.take().must("the pipe"))
        .read_line(&mut line)
        .must("systemd's process id");
    for socket in ["/run/systemd/private", bus::SOCKET] {
        wait_for(|| UnixStream::connect(socket).is_ok(), "systemd to start");
    }
    line.trim().parse().must("systemd's process id")
}

/// Writes the units of a system with this root, whose /usr is the sandbox's, and gives the script that starts it.
pub(crate) fn units(root: &Path) -> &'static str {
    let lib = Path::new("/usr/lib/systemd/system");
    for entry in lib.read_dir().must("systemd's units").flatten() {
        if entry.path().extension().is_some_and(|kind| kind == "wants") {
            fs::remove_dir_all(entry.path()).must("leave out what boot would start");
        }
    }
    let dir = root.join("etc/systemd/system");
    fs::create_dir_all(&dir).must("make the folder of units");
    for (name, text) in UNITS {
        fs::write(dir.join(name), text).must(format_args!("write {name}"));
    }
    START
}

/// The command that runs another beside systemd, in this directory.
pub(crate) fn beside(leader: u32, program: impl AsRef<OsStr>, dir: &Path) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["-t", &leader.to_string(), "--mount", "--pid"]);
    command
        .arg(format!("--wdns={}", dir.display()))
        .arg(program);
    command
}
