//! What sd-bus costs by our library, by systemd's, by libdbus, and what the kernel takes for the same bytes: messages, calls and
//! signals from one process to another, and by way of dbus-daemon. All on one core.
//!
//! The ways are taken in turn, so that whatever else the machine does meets all alike, and compared within each round.

#[path = "goals.rs"]
mod goals;
#[path = "one_core.rs"]
mod one_core;
#[path = "../tests/sd_probe.rs"]
mod sd_probe;

use std::{fs, time::Duration};

use goals::Goals;
use sd_probe::{OURS, open_bus, quiet, theirs};
use support::{Sandbox, run_program};

const ROUNDS: usize = 9;

/// What is measured: what it is called, in bus_cost.c and in dbus_cost.c, how often, and what the bytes alone are measured by.
const COSTS: [(&str, &str, u32, Option<&str>); 10] = [
    ("a{sv} of six, by a format", "build", 50_000, None),
    ("a{sv} of six, by containers", "containers", 50_000, None),
    ("a{sv} of six, read", "read", 50_000, None),
    ("ay of 1 MiB, built", "array", 500, Some("memcpy")),
    ("call, peer to peer", "call", 10_000, Some("raw-call")),
    (
        "  to its system calls alone",
        "call",
        10_000,
        Some("raw-steps"),
    ),
    ("call of 1 MiB", "big", 300, Some("raw-big")),
    ("signal, peer to peer", "signal", 20_000, Some("raw-signal")),
    ("call by dbus-daemon", "bus-call", 5_000, None),
    ("signal by dbus-daemon", "bus-signal", 10_000, None),
];

/// No more than this times the bytes alone, and than systemd's.
const GOALS: [(Option<f64>, Option<f64>); COSTS.len()] = [
    (None, Some(0.5)),
    (None, Some(0.5)),
    (None, Some(0.5)),
    (Some(1.05), None),
    (Some(1.3), None),
    (None, None),
    (None, Some(1.05)),
    (Some(2.0), None),
    (None, None),
    (None, None),
];

fn main() {
    one_core::pin();
    let options = quiet().timeout(Duration::from_secs(900));
    std::process::exit(run_program(&options, compare));
}

/// How it is done.
#[derive(Clone, Copy)]
enum Way {
    Ours,
    Systemd,
    LibDbus,
    Bytes,
}

const WAYS: [Way; 4] = [Way::Ours, Way::Systemd, Way::LibDbus, Way::Bytes];

fn compare(s: &Sandbox) -> i32 {
    let _bus = open_bus(s);
    let library = theirs(s);
    fs::write("/tmp/cost.h", include_str!("../tests/c/cost.h")).unwrap();
    let compile = |name: &str, source: &str, with: &str| {
        fs::write(format!("/tmp/{name}.c"), source).unwrap();
        let line = format!("cc -O2 -Wall -Wextra -Werror -o /tmp/{name} /tmp/{name}.c {with} 2>&1");
        let compiled = s.cmd("sh").args(["-c", &line]);
        compiled.timeout(Duration::from_secs(60)).run().ok();
    };
    compile(
        "bus_cost",
        include_str!("../tests/c/bus_cost.c"),
        &format!("-I/usr/include/switchyard {OURS}/libsystemd.so.0"),
    );
    compile(
        "dbus_cost",
        include_str!("../tests/c/dbus_cost.c"),
        &format!("{library}/libdbus-1.so.3 -Wl,--allow-shlib-undefined"),
    );
    let measure = |way: Way, (_, what, count, bytes): (&str, &str, u32, Option<&str>)| {
        let (library, program, what) = match way {
            Way::Ours => (OURS, "bus_cost", what),
            Way::Systemd => (library.as_str(), "bus_cost", what),
            // It has no formats.
            Way::LibDbus if what == "build" => return None,
            Way::LibDbus => (library.as_str(), "dbus_cost", what),
            Way::Bytes => (OURS, "bus_cost", bytes?),
        };
        let address = "DBUS_SESSION_BUS_ADDRESS=unix:path=/tmp/bus";
        let line = format!("{address} LD_LIBRARY_PATH={library} /tmp/{program} {what} {count}");
        let said = s.cmd("sh").args(["-c", &line]);
        let said = said.timeout(Duration::from_secs(60)).run().ok();
        Some(said.trim().parse::<f64>().unwrap())
    };
    let mut figures = [const { [const { Vec::<f64>::new() }; WAYS.len()] }; COSTS.len()];
    for _ in 0..ROUNDS {
        for (cost, figures) in COSTS.into_iter().zip(&mut figures) {
            for (way, figures) in WAYS.into_iter().zip(figures) {
                figures.extend(measure(way, cost));
            }
        }
    }
    println!(
        "median of {ROUNDS} rounds, ns; and what ours is of systemd's, and of the bytes alone"
    );
    println!(
        "{:32}switchyard   systemd   libdbus     bytes  of systemd's",
        ""
    );
    let mut goals = Goals::default();
    for (i, (name, ..)) in COSTS.into_iter().enumerate() {
        let column = |way: usize| match figures[i][way].is_empty() {
            true => format!("{:>10}", "-"),
            false => format!("{:10.0}", median(&figures[i][way])),
        };
        let columns = [0, 1, 2, 3].map(column).join("");
        let of = |way: usize| ratio(&figures[i][0], &figures[i][way]);
        println!("{name:30}  {columns}  {:.3}", of(1).unwrap());
        if let Some(theirs) = ratio(&figures[i][1], &figures[i][3]) {
            let ours = of(3).unwrap();
            println!("{:30}  {ours:10.3}{theirs:10.3}  of the bytes", "");
        }
        let (of_bytes, of_theirs) = GOALS[i];
        if let (Some(goal), Some(ratio)) = (of_bytes, of(3)) {
            goals.at_most(&format!("{name}, to the bytes alone"), ratio, goal);
        }
        if let (Some(goal), Some(ratio)) = (of_theirs, of(1)) {
            goals.at_most(&format!("{name}, to systemd's"), ratio, goal);
        }
    }
    goals.status()
}

/// The median of the ratios of the rounds; nothing if one of them was not measured.
fn ratio(of: &[f64], to: &[f64]) -> Option<f64> {
    let ratios: Vec<_> = of.iter().zip(to).map(|(a, b)| a / b).collect();
    (!ratios.is_empty()).then(|| median(&ratios))
}

fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
