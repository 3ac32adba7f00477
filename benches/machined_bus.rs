//! GetMachineAddresses through dbus-daemon, of systemd's machined and of ours: client, bus and daemon on one core; and of a
//! program that only writes the same reply, which is what the bus alone takes. And the memory of both with one machine and
//! with 1,000 more.
//!
//! dbus-daemon compares every message with the policies of all services. So it is measured twice: with those of systemd and of
//! the other packages of the suite, and as on a host that has none of them.

#[path = "figures.rs"]
mod figures;
#[path = "machined_bus_floor.rs"]
mod floor;
#[path = "goals.rs"]
mod goals;
#[path = "one_core.rs"]
mod one_core;
#[path = "../tests/machined_bus_raw.rs"]
mod raw;

use std::fs;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use figures::cpu_time;
use goals::Goals;
use raw::Raw;
use support::{Container, Daemon, Options, Ready, Sandbox, Via, run_program};
use zbus::message::{Builder, Message};

const CALLS: usize = 5000;
const WARM_UP: usize = 200;
const MACHINES: usize = 1000;
const POLICIES: &str = "/usr/share/dbus-1/system.d";

/// The policies of a container host without systemd.
const FEW: [&str; 3] = [
    "org.freedesktop.PolicyKit1.conf",
    "org.freedesktop.machine1.conf",
    "org.freedesktop.resolve1.conf",
];

/// A method and its argument.
type Question = (&'static str, Option<&'static str>);

fn main() {
    floor::run_if_asked();
    one_core::pin();
    let options = Options::new().machined(None);
    std::process::exit(run_program(&options, compare));
}

fn compare(s: &Sandbox) -> i32 {
    let web = s.container("web").start();
    let leaders = Leaders::start(s);
    let mut goals = Goals::default();
    println!("µs a call, {CALLS} calls           median      p90      p99      CPU");
    println!("with all policies:");
    daemons(s, &web, Some(&leaders), &mut goals);
    leaders.end();
    println!("with those of a host without systemd:");
    keep_few_policies(s);
    daemons(s, &web, None, &mut goals);
    goals.status()
}

const PROGRAMS: [(&str, &str); 2] = [
    ("systemd", "/usr/lib/systemd/systemd-machined"),
    ("switchyard", "/usr/libexec/switchyard/machined"),
];

fn start((name, program): (&str, &str)) -> Daemon {
    Daemon::start(name, &[program], &[], Ready::BusName(floor::NAME.into()))
}

/// The speed of both; and their memory, if there are leaders of more machines.
fn daemons(s: &Sandbox, web: &Container, leaders: Option<&Leaders>, goals: &mut Goals) {
    let addresses = ("GetMachineAddresses", Some("web"));
    let mut floor = f64::INFINITY;
    let mut ping_of_systemd = 0.0;
    for program in PROGRAMS {
        floor = floor.min(measure_floor(s, addresses));
        let daemon = start(program);
        s.register(web, Via::BusRegister);
        let mut client = Raw::connect();
        for question in [addresses, ("GetMachine", Some("web")), ("Ping", None)] {
            let median = measure(&mut client, program.0, question, daemon.pid());
            match (program.0, question.0) {
                ("systemd", "Ping") => ping_of_systemd = median,
                ("switchyard", "GetMachineAddresses") => {
                    goals.at_most("GetMachineAddresses, µs", median, 60.0);
                    let to_bus = median / floor;
                    goals.at_most("GetMachineAddresses to the bus alone", to_bus, 1.25);
                    let to_ping = median / ping_of_systemd;
                    println!("  and to systemd's Ping: {to_ping:.2}");
                }
                _ => (),
            }
        }
        if let Some(leaders) = leaders {
            memory((program.0, daemon.pid()), &mut client, leaders, goals);
        }
        unregister(&mut client, "web");
        daemon.end();
    }
}

/// Of a daemon that has one machine and has been asked a lot.
fn memory((name, pid): (&str, u32), client: &mut Raw, leaders: &Leaders, goals: &mut Goals) {
    let one = resident(pid);
    let begun = Instant::now();
    leaders.register(client);
    let took = begun.elapsed().as_micros() as f64 / MACHINES as f64;
    let each = resident(pid).saturating_sub(one) as f64 / MACHINES as f64;
    println!(
        "{name:10} memory {one} kB, and {each:.2} kB for each of {MACHINES} more, registered in {took:.0} µs"
    );
    if name == "switchyard" {
        goals.at_most("memory with one machine, MB", one as f64 / 1000.0, 8.0);
        goals.at_most("memory of a machine, kB", each, 4.0);
    }
    leaders.unregister(client);
}

fn keep_few_policies(s: &Sandbox) {
    for policy in fs::read_dir(POLICIES).unwrap() {
        let policy = policy.unwrap();
        if !FEW.iter().any(|kept| policy.file_name() == *kept) {
            fs::remove_file(policy.path()).unwrap();
        }
    }
    let bus = "org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus";
    s.run(&format!("busctl call {bus} ReloadConfig")).ok();
}

fn unregister(client: &mut Raw, name: &str) {
    let call = to_manager("UnregisterMachine").build(&name).unwrap();
    client.call(call.data().bytes()).unwrap();
}

/// Processes with a network of their own each, in scopes of their own, as systemd's machined wants it.
struct Leaders(Vec<Child>);

impl Leaders {
    fn start(s: &Sandbox) -> Self {
        fs::create_dir_all("/tmp/leaders").unwrap();
        let tops = ["systemd", "unified", "."].map(|top| format!("/sys/fs/cgroup/{top}"));
        let tops = tops
            .iter()
            .filter(|top| fs::exists(format!("{top}/cgroup.procs")).unwrap());
        let tops: Vec<_> = tops.collect();
        let start = |number: usize| {
            let line = format!("exec unshare -n sh -c '>/tmp/leaders/{number} && exec sleep 900'");
            let leader = Command::new("sh").args(["-c", &line]).spawn().unwrap();
            for top in &tops {
                let scope = format!("{top}/machine.slice/machine-p{number}.scope");
                fs::create_dir_all(&scope).unwrap();
                fs::write(format!("{scope}/cgroup.procs"), leader.id().to_string()).unwrap();
            }
            leader
        };
        let leaders = Self((0..MACHINES).map(start).collect());
        let all = || fs::read_dir("/tmp/leaders").unwrap().count() == MACHINES;
        s.wait_within(Duration::from_secs(120), all, "all leaders");
        leaders
    }

    fn register(&self, client: &mut Raw) {
        let id: &[u8] = &[];
        for (number, leader) in self.0.iter().enumerate() {
            let name = format!("p{number}");
            let body = (&*name, id, "bench", "container", leader.id(), "");
            let call = to_manager("RegisterMachine").build(&body).unwrap();
            client.call(call.data().bytes()).unwrap();
        }
    }

    fn unregister(&self, client: &mut Raw) {
        for number in 0..self.0.len() {
            unregister(client, &format!("p{number}"));
        }
    }

    fn end(self) {
        for mut leader in self.0 {
            leader.kill().unwrap();
            leader.wait().unwrap();
        }
    }
}

/// The resident memory of a process, in kB, counted page by page.
fn resident(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap()
}

fn call(member: &'static str, interface: &'static str) -> Builder<'static> {
    Message::method_call("/org/freedesktop/machine1", member)
        .destination("org.freedesktop.machine1")
        .interface(interface)
}

fn to_manager(member: &'static str) -> Builder<'static> {
    call(member, "org.freedesktop.machine1.Manager")
}

fn message(member: &'static str, argument: Option<&str>) -> Vec<u8> {
    let message = match argument {
        Some(argument) => to_manager(member).build(&argument),
        None => call(member, "org.freedesktop.DBus.Peer").build(&()),
    };
    message.unwrap().data().bytes().to_vec()
}

/// The same for the program that only replies.
fn measure_floor(s: &Sandbox, question: Question) -> f64 {
    let mut program = floor::start();
    s.wait_for(is_served, "the floor");
    let median = measure(&mut Raw::connect(), "the bus", question, program.id());
    program.kill().unwrap();
    program.wait().unwrap();
    s.wait_for(|| !is_served(), "the end of the floor");
    median
}

/// Calls a daemon again and again; the median of the times, in µs.
fn measure(client: &mut Raw, name: &str, (member, argument): Question, pid: u32) -> f64 {
    let call = message(member, argument);
    for _ in 0..WARM_UP {
        client.call(&call).unwrap();
    }
    let before = cpu_time(pid);
    let mut times: Vec<Duration> = (0..CALLS).map(|_| time(client, &call)).collect();
    let cpu = (cpu_time(pid) - before) as f64 / CALLS as f64 / 1000.0;
    times.sort_unstable();
    let [median, p90, p99] =
        [500, 900, 990].map(|part| times[times.len() * part / 1000].as_nanos() as f64 / 1000.0);
    println!("{name:10} {member:20} {median:8.1} {p90:8.1} {p99:8.1} {cpu:8.1}");
    median
}

/// Whether anybody has machined's name.
fn is_served() -> bool {
    let has_owner = Message::method_call("/org/freedesktop/DBus", "GetNameOwner")
        .destination("org.freedesktop.DBus")
        .interface("org.freedesktop.DBus")
        .build(&floor::NAME);
    let has_owner = has_owner.unwrap();
    Raw::connect().call(has_owner.data().bytes()).is_ok()
}

fn time(client: &mut Raw, call: &[u8]) -> Duration {
    let begun = Instant::now();
    client.call(call).unwrap();
    begun.elapsed()
}
