//! nsd for a resolved to ask, and the network without which a resolved takes every server for unreachable.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;

use support::Sandbox;

/// The configuration of an nsd with all that is its own in `dir`; `listen`: lines of its section `server`; `zones`: each
/// with its file in there.
pub fn configuration(dir: &str, listen: &str, zones: &[(&str, &str)]) -> String {
    let zones: String = zones
        .iter()
        .map(|(name, file)| format!("zone:\n  name: \"{name}\"\n  zonefile: \"{file}\"\n"))
        .collect();
    format!(
        "server:\n{listen}
  username: \"\"
  chroot: \"\"
  zonesdir: \"{dir}\"
  database: \"\"
  pidfile: \"\"
  xfrdfile: \"{dir}/xfrd.state\"
  zonelistfile: \"{dir}/zone.list\"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
{zones}"
    )
}

/// Where it listens in most tests.
pub const LISTEN: &str = "  ip-address: 127.0.0.10@53";

/// A link and a default route.
pub fn network(s: &Sandbox) {
    s.run(
        "ip link add up0 type veth peer name up1 && ip addr add 10.77.0.1/24 dev up0 &&
         ip link set up0 up && ip link set up1 up && ip route add default via 10.77.0.2",
    )
    .ok();
}

/// The same, with addresses that stay as they are.
///
/// Addresses under duplicate address detection are given out by one resolved and not by the other; and there is none at all
/// before the kernel has come to see that the link is up.
pub fn settled_network(s: &Sandbox) {
    network(s);
    if fs::exists("/proc/net/if_inet6").unwrap() {
        let settled =
            "ip -6 -o address show scope link -tentative | grep -c -w -e up0 -e up1 || true";
        let settled = || s.run(settled).ok().trim() == "2";
        s.wait_for(settled, "addresses to be settled");
    }
}
