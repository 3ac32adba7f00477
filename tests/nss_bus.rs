//! nss-mymachines at systemd's machined, while that and the bus between them are stopped, killed, and come back: before a
//! lookup and in the midst of one.

mod nss_probe;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use nss_probe::{Probe, compile, figure};
use rustix::process::Signal;
use support::{Daemon, Options, Sandbox, Via, Which, sandbox, skip};

const FAILED: &str = "UNAVAIL errno=121 h_errno=3";
const HUNG_UP: &str = "UNAVAIL errno=104 h_errno=3";
const NOBODY_THERE: &str = "UNAVAIL errno=111 h_errno=3";
const TOO_LATE: &str = "UNAVAIL errno=110 h_errno=3";

fn options() -> Options {
    Options::new()
        .machined(Which::Peer)
        .hosts("mymachines")
        .timeout(Duration::from_secs(200))
}

/// A container that systemd's machined knows. Gives what is asked, and what it must be told.
fn begin(s: &Sandbox) -> (Probe<'_>, String) {
    let (probe, web) = (Probe::new(s), s.container("web").start());
    s.register(&web, Via::BusRegister);
    let found = format!(
        "SUCCESS errno=0 h_errno=0 ttl=0 name=web {} {}",
        web.ipv4(),
        web.ipv6()
    );
    let all = || probe.ask("4", "web").starts_with(&found);
    s.wait_for(all, "the addresses");
    (probe, found)
}

/// Kills a daemon, and waits for that.
fn kill(daemon: &Daemon) {
    daemon.kill(Signal::KILL);
    daemon.wait();
}

/// How often a lookup is made that makes machined fork, or the bus: nss_bus_hostile does these 10,000 times, with a bus
/// that costs less.
const SLOW: usize = 1_000;

#[test]
fn lookups_in_each_state_leave_nothing() {
    sandbox!(options(), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let (probe, found) = begin(s);
        let (machined, bus) = (s.machined(), s.bus());
        let state = |state: &str, expected: &str| {
            let slow = expected == found || expected == FAILED;
            let many = if slow { SLOW } else { 10_000 };
            let said = probe.leaves_nothing(state, many, "4", "web");
            assert!(said.starts_with(expected), "{state}: {said}");
        };
        state("all is well", &found);
        machined.stop();
        state("machined is stopped", TOO_LATE);
        bus.stop();
        state("both are stopped", TOO_LATE);
        machined.cont();
        state("the bus is stopped", TOO_LATE);
        bus.cont();
        state("both go on", &found);
        kill(machined);
        // The bus tries to start it each time, and can't: systemd would have to.
        state("machined is killed", FAILED);
        machined.start_again();
        state("machined is back", &found);
        kill(bus);
        state("the bus is killed", NOBODY_THERE);
        bus.start_again();
        // systemd's does not come back to it by itself.
        state("the bus is back alone", FAILED);
        machined.restart();
        state("both are back", &found);
    });
}

/// What a lookup gives that is under way when something happens, and how long after that.
fn meanwhile(s: &Sandbox, probe: &Probe<'_>, happens: impl FnOnce()) -> (String, f64) {
    thread::scope(|scope| {
        let lookup = scope.spawn(|| probe.ask("4", "web"));
        // It has connected, and sleeps until something is said.
        let waits = || {
            let pid = s.cmd("pgrep").args(["-x", "nss_probe"]).run().stdout;
            let line = format!("ls -l /proc/{0}/fd; cat /proc/{0}/stat", pid.trim());
            let said = s.run(&line).stdout;
            said.contains("socket:") && said.contains(") S ")
        };
        s.wait_for(waits, "a lookup under way");
        let begun = Instant::now();
        happens();
        (lookup.join().unwrap(), begun.elapsed().as_secs_f64())
    })
}

#[test]
fn what_happens_in_the_midst_of_a_lookup() {
    sandbox!(options(), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let (probe, found) = begin(s);
        let (machined, bus) = (s.machined(), s.bus());
        let told = |what: &str, (said, took): (String, f64), expected: &str, from: f64, to: f64| {
            println!("{what}: {said} after {took:.2} s");
            assert!(said.starts_with(expected), "{what}: {said}");
            assert!((from..to).contains(&took), "{what}: {took}");
        };
        machined.stop();
        let outcome = meanwhile(s, &probe, || machined.cont());
        told("machined goes on", outcome, &found, 0.0, 2.0);
        bus.stop();
        let outcome = meanwhile(s, &probe, || bus.cont());
        told("the bus goes on", outcome, &found, 0.0, 2.0);

        machined.stop();
        let outcome = meanwhile(s, &probe, || bus.stop());
        told("the bus is stopped, too", outcome, TOO_LATE, 4.0, 6.0);
        bus.cont();
        let outcome = meanwhile(s, &probe, || kill(machined));
        told("machined is killed", outcome, FAILED, 0.0, 2.0);
        machined.start_again();
        assert!(probe.ask("4", "web").starts_with(&found));

        machined.stop();
        let outcome = meanwhile(s, &probe, || kill(bus));
        told("the bus is killed", outcome, HUNG_UP, 0.0, 2.0);
        bus.start_again();
        machined.restart();
        assert!(probe.ask("4", "web").starts_with(&found));
        bus.stop();
        let outcome = meanwhile(s, &probe, || kill(bus));
        told("a stopped bus is killed", outcome, HUNG_UP, 0.0, 2.0);
    });
}

/// What befalls both, over and over, until told to stop.
fn disturb(machined: &Daemon, bus: &Daemon, stop: &AtomicBool) -> usize {
    let mut times = 0;
    let pause = || sleep(Duration::from_millis(100));
    while !stop.load(Ordering::Relaxed) {
        for daemon in [machined, bus] {
            daemon.stop();
            pause();
            daemon.cont();
            pause();
        }
        kill(machined);
        pause();
        machined.start_again();
        pause();
        kill(bus);
        bus.start_again();
        machined.restart();
        pause();
        times += 1;
    }
    times
}

#[test]
fn ten_thousand_lookups_while_both_come_and_go() {
    sandbox!(options(), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let (probe, found) = begin(s);
        let stop = AtomicBool::new(false);
        let said = thread::scope(|scope| {
            let times = scope.spawn(|| disturb(s.machined(), s.bus(), &stop));
            let run = probe.command("-n 10000", "4", "web");
            let run = run.timeout(Duration::from_secs(100)).run();
            stop.store(true, Ordering::Relaxed);
            println!("{} rounds of disturbances\n{run}", times.join().unwrap());
            run.ok()
        });
        assert_eq!(figure(&said, "fds="), 0, "{said}");
        assert!(figure(&said, "kb=") < 64, "{said}");
        assert!(probe.ask("4", "web").starts_with(&found));
    });
}

/// A machined that let a deadline pass is left alone for 5 s, and then asked again.
#[test]
fn a_machined_that_goes_on_is_asked_again() {
    sandbox!(options(), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let again = include_str!("c/nss_again.c");
        let again = compile(s, "again", again, "-Wall -Werror");
        begin(s);
        s.machined().stop();
        thread::scope(|scope| {
            let again = s.cmd(&again).timeout(Duration::from_secs(20));
            let found = scope.spawn(|| again.run().ok());
            // Beyond the first deadline, so that it is missed.
            sleep(Duration::from_millis(6500));
            s.machined().cont();
            let seconds: f64 = found.join().unwrap().trim().parse().unwrap();
            assert!((9.9..12.5).contains(&seconds), "found after {seconds} s");
        });
    });
}
