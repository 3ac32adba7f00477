//! Either resolved killed and started again while 64 threads look names up by our module: only right answers.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use support::{Sandbox, Which, skip};

use crate::nss_probe::compile;
use crate::nss_resolve_world::World;

/// With `nss_load`, which see for its names: they are in the search domain, and where the daemon can't be asked, files has
/// another address for each.
pub fn comes_and_goes(s: &Sandbox, which: Which) {
    if s.is_rootless() {
        skip!("resolved becomes another user, and there is none");
    }
    let drop_in = "/etc/systemd/resolved.conf.d";
    fs::create_dir_all(drop_in).unwrap();
    let settings = "[Resolve]\nDomains=load.test\nReadEtcHosts=no\n";
    fs::write(format!("{drop_in}/load.conf"), settings).unwrap();
    let names = ["p", "c", "x"].map(|kind| (0..10).map(move |n| format!(" {kind}{n}")));
    let names: String = names.into_iter().flatten().collect();
    // It is asked each time.
    let world = match which {
        Which::Ours => World::start_unshared(s),
        Which::Peer => World::start_of(s, which),
    };
    fs::write("/etc/hosts", format!("192.0.2.1{names}\n")).unwrap();
    let source = include_str!("c/nss_load.c");
    let program = compile(s, "nss_load", source, "-Wall -Werror");
    let load = std::thread::spawn(move || {
        let load = support::Command::new(program).args(["64", "60000", "10"]);
        load.timeout(Duration::from_secs(60)).run().ok()
    });
    let mut restarts = 0;
    while !load.is_finished() {
        std::thread::sleep(Duration::from_millis(700));
        let signal = [Signal::KILL, Signal::TERM];
        world.resolved.kill(signal[restarts % 2]);
        world.resolved.wait();
        std::thread::sleep(Duration::from_millis(200));
        world.resolved.start_again();
        restarts += 1;
    }
    let said = load.join().unwrap();
    println!("{restarts} restarts: {said}");
    let count = |key: &str| -> i64 {
        let value = said.split(key).nth(1).unwrap();
        value.split_whitespace().next().unwrap().parse().unwrap()
    };
    assert!(
        restarts > 2 && count("found=") > 1000 && count("none=") > 100,
        "{said}"
    );
    assert!(count("unasked=") > 64, "{said}");
    assert_eq!(count("wrong="), 0, "{said}");
    assert!(count("slowest=") < 2000, "{said}");
    assert!(count("fds=") == 0 && count("kb=") < 1024, "{said}");
}
