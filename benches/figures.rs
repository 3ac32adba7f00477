//! What something costs a daemon with the map and without: the CPU time that the kernel counted for its threads, and how often
//! a second it was done.

#![allow(dead_code, reason = "each benchmark uses its part")]

use std::{fs, time::Instant};

use crate::goals::Goals;

/// Of one daemon and one thing to do, a round each.
#[derive(Default)]
pub struct Figures {
    /// µs of CPU time.
    cpu: Vec<f64>,
    /// Times a second.
    rate: Vec<f64>,
}

impl Figures {
    /// Does something so many times.
    pub fn measure(&mut self, pid: u32, times: usize, mut act: impl FnMut()) {
        let (before, begun) = (cpu_time(pid), Instant::now());
        (0..times).for_each(|_| act());
        let took = begun.elapsed().as_secs_f64();
        let cpu = cpu_time(pid) - before;
        self.rate.push(times as f64 / took);
        self.cpu.push(cpu as f64 / times as f64 / 1000.0);
    }
}

/// What the columns are.
pub fn print_head(thing: &str, rounds: usize, times: usize) {
    println!(
        "median of {rounds} rounds of {times}: µs of the daemon's CPU time a {thing}; {thing}s a second"
    );
    println!("{:36} shared      not    shared      not", "");
}

/// A line, and the goal: with the map it takes no more than 1.05 times as long.
pub fn compare_with_and_without(what: &str, [with, without]: &[Figures; 2], goals: &mut Goals) {
    println!(
        "{what:36}{:7.2} {:8.2} {:9.0} {:8.0}",
        median(&with.cpu),
        median(&without.cpu),
        median(&with.rate),
        median(&without.rate)
    );
    let less = ratio(&without.rate, &with.rate);
    let more = ratio(&with.cpu, &without.cpu);
    goals.at_most(&format!("{what}: time to that without"), less, 1.05);
    println!("  and of CPU time: {more:.3}");
}

/// What the threads of a process have used, in ns.
pub fn cpu_time(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks
        .map(|task| {
            let text = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            text.split(' ').next().unwrap().parse::<u64>().unwrap()
        })
        .sum()
}

/// The median of the ratios of the rounds.
fn ratio(of: &[f64], to: &[f64]) -> f64 {
    let ratios: Vec<_> = of.iter().zip(to).map(|(a, b)| a / b).collect();
    median(&ratios)
}

fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
