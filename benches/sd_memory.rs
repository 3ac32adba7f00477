//! What a process with one open bus has in memory, with our libsystemd.so.0 and with systemd's: the same program, in turn.
//!
//! Rss is what is resident, pages of files that others have as well among them; what is dirty is its own, and what each further
//! process costs. Pss counts a page in parts, and so tells also who else is there: dbus-daemon has systemd's library in it.

#[path = "goals.rs"]
mod goals;
#[path = "../tests/sd_probe.rs"]
mod sd_probe;

use goals::Goals;
use sd_probe::{OURS, compile, theirs};
use support::{Options, Sandbox, run_program};

const ROUNDS: usize = 15;
const COLUMNS: [&str; 4] = ["Rss", "Pss", "dirty", "VmRSS"];

fn main() {
    std::process::exit(run_program(&Options::new().machined(None), compare));
}

fn compare(s: &Sandbox) -> i32 {
    std::fs::write("/tmp/sd_memory.c", include_str!("../tests/c/sd_memory.c")).unwrap();
    compile(
        s,
        &format!("-Wall -o /tmp/sd_memory /tmp/sd_memory.c {OURS}/libsystemd.so.0"),
    );
    let theirs = theirs(s);
    println!("KiB, median of {ROUNDS}: {COLUMNS:?}, the first three of smaps_rollup");
    let mut goals = Goals::default();
    for (what, argument) in [("loaded, no bus", "none"), ("one open bus", "")] {
        let mut figures = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (library, figures) in [OURS, &theirs].iter().zip(&mut figures) {
                let line = format!("LD_LIBRARY_PATH={library} /tmp/sd_memory {argument}");
                figures.push(numbers(&s.run(&line).ok()));
            }
        }
        let [ours, theirs] = figures.map(median);
        println!("{what:16} ours {ours:?}, systemd's {theirs:?}");
        if argument.is_empty() {
            let goals_of = |(column, _): &(&&str, _)| **column != "Pss";
            let both = COLUMNS.iter().zip(ours.iter().zip(theirs));
            for (column, (ours, theirs)) in both.filter(goals_of) {
                goals.at_most(
                    &format!("{what}: {column} to systemd's"),
                    ours / theirs,
                    1.0,
                );
            }
        }
    }
    goals.status()
}

fn numbers(line: &str) -> [f64; COLUMNS.len()] {
    let numbers: Vec<f64> = line
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    numbers.try_into().unwrap()
}

fn median(of: Vec<[f64; COLUMNS.len()]>) -> [f64; COLUMNS.len()] {
    std::array::from_fn(|column| {
        let mut figures: Vec<f64> = of.iter().map(|round| round[column]).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    })
}
