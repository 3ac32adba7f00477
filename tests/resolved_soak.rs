//! resolved for a long time: millions of damaged packets on the stub, and a day of mixed load. `make test` has a short part
//! of each; `make soak` all of it.

#[path = "resolved_soak/ask.rs"]
mod ask;
#[path = "resolved_soak/day.rs"]
mod day;
#[path = "resolved_soak/load.rs"]
mod load;
#[path = "resolved_soak/noise.rs"]
mod noise;
mod nsd;
#[path = "../resolved/src/stub/tests/packets.rs"]
mod packets;
#[path = "resolved_soak/weather.rs"]
mod weather;
#[path = "resolved_soak/wire.rs"]
mod wire;
#[path = "resolved_soak/zone.rs"]
mod zone;

use std::{env, fs, time::Duration};

use support::{Daemon, Options, Ready, sandbox};

const RESOLVED: &str = "/usr/libexec/switchyard/resolved";
const SOCKET: &str = "/run/systemd/resolve/io.systemd.Resolve";
const SETTINGS: &str = "/run/systemd/resolve/io.switchyard.Resolve";

/// What `make soak` asks for; else what is short enough for every run.
fn asked(variable: &str, short: u64) -> u64 {
    env::var(variable).map_or(short, |text| text.parse().expect(variable))
}

fn options() -> Options {
    Options::new()
        .machined(None)
        .bus(false)
        .timeout(Duration::from_secs(asked("SWITCHYARD_SOAK_TIMEOUT", 60)))
}

/// Starts our resolved with these lines of settings, the loopback's servers cached.
fn start(lines: &str) -> Daemon {
    fs::create_dir_all("/etc/systemd").unwrap();
    let settings = format!(
        "[Resolve]\nFallbackDNS=\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\nCacheFromLocalhost=yes\n{lines}\n"
    );
    fs::write("/etc/systemd/resolved.conf", settings).unwrap();
    // The last that it listens on.
    let ready = Ready::Socket(SETTINGS.into());
    Daemon::start("resolved", &[RESOLVED], &[], ready)
}

/// The resident memory of a process, in kB.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap()
}

#[test]
fn damaged_packets_by_the_hundred_thousand_do_no_harm() {
    sandbox!(options(), |s| noise::make(
        s,
        asked("SWITCHYARD_SOAK_PACKETS", 200_000)
    ));
}

#[test]
fn a_day_of_mixed_load_is_answered_right_and_leaves_no_memory_behind() {
    sandbox!(options(), |s| day::pass(
        s,
        Duration::from_secs(asked("SWITCHYARD_SOAK_DAY", 18))
    ));
}
