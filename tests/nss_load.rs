//! Many machines, many lookups, and daemons that come and go: only right answers, in time, and nothing left behind.

mod nss_probe;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nss_probe::{Probe, compile};
use rustix::process::Signal;
use support::{Daemon, Options, Sandbox, Via, sandbox};

const LOAD: &str = include_str!("c/nss_load.c");

/// Who asks nobody, because machined does not answer, finds this in /etc/hosts.
const UNASKED: &str = "192.0.2.1";

/// With NOTFOUND the search ends: so what the next service says tells that machined could not be asked.
fn options() -> Options {
    Options::new()
        .bus(false)
        .hosts("mymachines [NOTFOUND=return] files")
        .timeout(Duration::from_secs(180))
}

/// Processes with a network of their own each, in which is one address: of number N, `10.SECOND.H.L`.
struct Leaders {
    children: Vec<Child>,
}

impl Leaders {
    fn start(s: &Sandbox, second: u8, count: usize) -> Self {
        let ready = format!("/tmp/leaders-{second}");
        fs::create_dir_all(&ready).unwrap();
        let start = |number: usize| {
            let [.., high, low] = number.to_be_bytes();
            let line = format!(
                "exec unshare -n sh -c 'ip addr add 10.{second}.{high}.{low}/32 dev lo && >{ready}/{number} && exec sleep 300'"
            );
            Command::new("sh").args(["-c", &line]).spawn().unwrap()
        };
        let children = (0..count).map(start).collect();
        let all = || fs::read_dir(&ready).unwrap().count() == count;
        s.wait_within(Duration::from_secs(60), all, "all networks");
        Self { children }
    }

    fn end(self) {
        for mut child in self.children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// A call to machined; false if it was away, or refused.
fn call(method: &str, parameters: &str) -> bool {
    let exchange = || -> io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect("/run/systemd/machine/io.systemd.Machine")?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let call =
            format!(r#"{{"method":"io.systemd.Machine.{method}","parameters":{parameters}}}"#);
        stream.write_all(&[call.as_bytes(), b"\0"].concat())?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply)?;
        Ok(reply)
    };
    exchange().is_ok_and(|reply| reply.starts_with(br#"{"parameters""#) || reply == b"{}\0")
}

fn register(name: &str, leader: &Child) -> bool {
    let leader = leader.id();
    let parameters = format!(r#"{{"name":"{name}","class":"container","leader":{leader}}}"#);
    call("Register", &parameters)
}

fn unregister(name: &str) -> bool {
    call("Unregister", &format!(r#"{{"name":"{name}"}}"#))
}

fn descriptors(daemon: &Daemon) -> usize {
    let dir = format!("/proc/{}/fd", daemon.pid());
    fs::read_dir(dir).unwrap().count()
}

/// A figure of nss_load or nss_probe.
fn field(said: &str, key: &str) -> i64 {
    let rest = said.split(&format!("{key}=")).nth(1).unwrap();
    let text = rest.split_whitespace().next().unwrap();
    text.parse().unwrap()
}

#[test]
fn a_thousand_machines_are_found() {
    sandbox!(options(), |s| {
        const MANY: usize = 1000;
        let load = compile(s, "nss_load", LOAD, "-Wall -Wextra -Werror");
        let machined = s.machined();
        let (fds, kb) = (descriptors(machined), machined.own_memory());
        let begun = Instant::now();
        let leaders = Leaders::start(s, 77, MANY);
        println!("{MANY} networks in {:?}", begun.elapsed());
        let begun = Instant::now();
        for (number, leader) in leaders.children.iter().enumerate() {
            assert!(register(&format!("p{number}"), leader));
        }
        let grown = machined.own_memory() - kb;
        println!(
            "registered in {:?}; machined has grown by {} descriptors and {grown} kB",
            begun.elapsed(),
            descriptors(machined) - fds,
        );
        assert!(grown <= 4 * MANY as i64, "{grown} kB for {MANY} machines");
        // getent asks only for families of which the system has an address (AI_ADDRCONFIG).
        s.run("ip addr add 10.99.0.1/32 dev lo").ok();
        let begun = Instant::now();
        for chunk in (0..MANY).collect::<Vec<_>>().chunks(100) {
            let names: Vec<_> = chunk.iter().map(|number| format!("p{number}")).collect();
            let said = s.cmd("getent").arg("ahostsv4").args(&names).run().ok();
            for number in chunk {
                let [.., high, low] = number.to_be_bytes();
                let line = format!("10.77.{high}.{low}");
                let stream = |found: &str| {
                    let mut words = found.split_whitespace();
                    words.next() == Some(&*line) && words.nth(1) == Some(&format!("p{number}"))
                };
                assert!(said.lines().any(stream), "{line} in {said}");
            }
        }
        println!("each found in {:?}", begun.elapsed());
        let said = s.run("getent hosts 10.77.1.2 10.77.3.4").ok();
        assert!(
            said.contains(" p258\n") && said.contains(" p772\n"),
            "{said}"
        );
        // What one costs hardly grows with their number: nobody can keep machined busy with a few questions.
        let probe = Probe::new(s);
        for (function, question) in [
            ("4", "p772"),
            ("4", "x"),
            ("addr2", "10.77.3.4"),
            ("addr2", "10.79.0.1"),
        ] {
            let said = probe.ask_with("-n 100", function, question);
            let median = said.split("median=").nth(1).unwrap();
            println!("{function} {question}: {median}");
            let median: f64 = median.trim_end_matches("us").parse().unwrap();
            assert!(median < 2_000.0, "{function} {question}: {said}");
        }
        let begun = Instant::now();
        let said = s.run(&format!("{load} 16 20000 {MANY}")).ok();
        println!("20,000 lookups in {:?}: {said}", begun.elapsed());
        assert_eq!(field(&said, "wrong") + field(&said, "unasked"), 0, "{said}");
        // torn down
        let begun = Instant::now();
        leaders.end();
        let gone = || s.run("getent ahostsv4 p0 p500 p999").status == Some(2);
        s.wait_for(gone, "the machines to be gone");
        let gone = || descriptors(machined) <= fds + 4;
        s.wait_for(gone, "the descriptors to be closed");
        println!(
            "gone in {:?}; machined keeps {} kB",
            begun.elapsed(),
            machined.own_memory() - kb
        );
    });
}

/// Registers and takes away, until told to stop. How often that could be done.
fn come_and_go(leaders: &Leaders, stop: &AtomicBool) -> usize {
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) {
        for (number, leader) in leaders.children.iter().enumerate() {
            done += usize::from(register(&format!("c{number}"), leader));
        }
        for number in 0..leaders.children.len() {
            unregister(&format!("c{number}"));
        }
    }
    done
}

/// What befalls machined, over and over.
fn disturb(machined: &Daemon, stop: &AtomicBool) -> usize {
    let mut times = 0;
    let pause = |milliseconds| sleep(Duration::from_millis(milliseconds));
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..3 {
            pause(300);
            machined.kill(Signal::KILL);
            machined.wait();
            pause(50);
            machined.start_again();
            pause(300);
            machined.stop();
            pause(200);
            machined.cont();
            pause(300);
            machined.restart();
        }
        pause(300);
        machined.stop();
        pause(1500); // longer than anybody waits
        machined.cont();
        pause(6000); // longer than it is left alone afterwards
        times += 1;
    }
    times
}

#[test]
fn a_hundred_thousand_lookups_while_machines_come_and_go() {
    sandbox!(options(), |s| {
        a_hundred_thousand_lookups(s);
    });
}

#[test]
fn a_hundred_thousand_lookups_without_the_map() {
    sandbox!(options().lookaside(false), |s| {
        let said = a_hundred_thousand_lookups(s);
        assert!(field(&said, "unasked") > 100, "{said}");
    });
}

/// While machines come and go, and machined is killed, stopped and started. What came of them.
fn a_hundred_thousand_lookups(s: &Sandbox) -> String {
    const MANY: usize = 40;
    let load = compile(s, "nss_load", LOAD, "-Wall -Wextra -Werror");
    let (stay, come) = (Leaders::start(s, 77, MANY), Leaders::start(s, 78, MANY));
    for (number, leader) in stay.children.iter().enumerate() {
        assert!(register(&format!("p{number}"), leader));
    }
    let names = (0..MANY).flat_map(|number| ["p", "c", "x"].map(|kind| format!(" {kind}{number}")));
    fs::write(
        "/etc/hosts",
        format!("{UNASKED}{}\n", names.collect::<String>()),
    )
    .unwrap();
    let machined = s.machined();
    machined.restart(); // as it will be in the end
    let (fds, kb) = (descriptors(machined), machined.own_memory());
    let stop = AtomicBool::new(false);
    let said = std::thread::scope(|scope| {
        let rounds = scope.spawn(|| come_and_go(&come, &stop));
        let times = scope.spawn(|| disturb(machined, &stop));
        let command = s.cmd(&load).args(["64", "100000", &MANY.to_string()]);
        let run = command.timeout(Duration::from_secs(100)).run();
        stop.store(true, Ordering::Relaxed);
        println!(
            "{} machines have come and gone, in {} rounds of disturbances\n{run}",
            rounds.join().unwrap(),
            times.join().unwrap()
        );
        run.ok()
    });
    assert_eq!(field(&said, "wrong"), 0, "{said}");
    assert!(field(&said, "found") > 10_000, "{said}");
    // One second for machined, and what it takes until one of 64 threads is run again.
    assert!(field(&said, "slowest") < 2_000, "{said}");
    assert_eq!(field(&said, "fds"), 0, "{said}");
    assert!(field(&said, "kb") < 1_024, "{said}");
    // While machined was not there, they could not be taken away.
    for number in 0..MANY {
        unregister(&format!("c{number}"));
    }
    s.wait_for(
        || descriptors(machined) <= fds + 1,
        "the descriptors to be closed",
    );
    let grown = machined.own_memory() - kb;
    println!("machined has grown by {grown} kB");
    assert!(grown < 2_048, "{grown} kB");
    stay.end();
    come.end();
    said
}

#[test]
fn getent_in_each_state_of_machined_and_bus() {
    sandbox!(options().bus(true).lookaside(false), |s| {
        let web = s.container("web").start();
        s.register(&web, Via::Varlink);
        fs::write("/etc/hosts", format!("{UNASKED} web\n")).unwrap();
        let probe = Probe::new(s);
        let found = web.ipv4();
        let state = |state: &str, address: &str, limit: Duration| {
            let run = s.run("getent ahostsv4 web");
            println!("{state}: {:?}", run.took);
            assert!(run.took < limit, "{state}: {run}");
            let said = run.ok();
            assert_eq!(said.split_whitespace().next(), Some(address), "{state}");
            // Again and again in one process: nothing is left of it.
            let said = probe.ask_with("-n 10000", "4", "web");
            assert_eq!(
                said.starts_with("SUCCESS"),
                address == found,
                "{state}: {said}"
            );
            assert_eq!(field(&said, "fds"), 0, "{state}: {said}");
            assert!(field(&said, "kb") < 64, "{state}: {said}");
        };
        let (soon, late) = (Duration::from_millis(500), Duration::from_millis(1900));
        let (machined, bus) = (s.machined(), s.bus());
        let fds = descriptors(machined);
        state("all is well", &found, soon);
        bus.stop();
        state("the bus is stopped", &found, soon);
        bus.kill(Signal::KILL);
        bus.wait();
        state("the bus is killed", &found, soon);
        machined.stop();
        state("machined is stopped", UNASKED, late);
        bus.start_again();
        state("machined is stopped, with a bus", UNASKED, late);
        machined.cont();
        state("machined goes on", &found, soon);
        s.wait_for(
            || descriptors(machined) <= fds + 1,
            "the descriptors to be closed",
        );
        machined.kill(Signal::KILL);
        machined.wait();
        state("machined is killed", UNASKED, soon);
        machined.start_again();
        state("machined is back", &found, soon);
        fs::remove_file("/run/switchyard/machined/io.switchyard.Machines").unwrap();
        state("the socket is gone, D-Bus is there", &found, soon);
        drop(File::create("/run/switchyard/machined/io.switchyard.Machines").unwrap());
        state("the socket is a file", UNASKED, soon);
        machined.restart();
        state("it is made again", &found, soon);
        bus.kill(Signal::KILL);
        bus.wait();
        machined.end();
        state("machined has ended, there is no bus", UNASKED, soon);
        bus.start_again();
        let begun = s.run("getent ahostsv4 web").ok();
        assert!(
            begun.starts_with(&found),
            "the bus starts machined: {begun}"
        );
    });
}
