//! A bus that refuses a connection or ends it before its name is there, beside the original: what callers see of that.

mod sd_probe;

use sd_probe::{Probe, quiet};
use support::sandbox;

const PROBE: &str = include_str!("c/refused_probe.c");

/// Who begins hears of what fails at once; who waits for the connection hears that there is none.
#[test]
fn refused() {
    sandbox!(quiet(), |s| {
        let said = Probe::new(s, "refused_probe", PROBE).compare("$probe all", &[]);
        assert!(said.contains("sd_bus_start(bus) = -32 EPIPE"), "{said}");
        let rejected = said.split_once("rejects and closes\n").unwrap().1;
        let name = "sd_bus_get_unique_name(bus, &name) = -107 ENOTCONN";
        assert!(rejected.contains(name), "{said}");
    });
}
