//! The real NetworkManager, of Debian's package, with `dns=systemd-resolved`: it tells either resolved, over the bus, which
//! servers and domains its connections have.
//!
//! There is no udev and no logind. Where /sys is read-only NetworkManager takes links as they are, as it does in containers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use support::{Daemon, Options, Ready, Sandbox, Which, sandbox, skip};

const OURS: &str = "/usr/libexec/switchyard/resolved";
const PEERS: &str = "/usr/lib/systemd/systemd-resolved";

fn options() -> Options {
    Options::new()
        .machined(None)
        .hosts("files")
        .timeout(Duration::from_secs(180))
}

const SETTINGS: &str = "\
[main]
plugins=keyfile
dns=systemd-resolved
rc-manager=unmanaged
auth-polkit=false
no-auto-default=*
hostname-mode=none
";

/// What a laptop has: its network, and a VPN for some domains.
const LAN: &str = "\
[connection]
id=lan
uuid=00000000-0000-4000-8000-000000000001
type=ethernet
interface-name=lan0
llmnr=1
mdns=2
dns-over-tls=1
[ipv4]
method=manual
address1=10.77.0.1/24,10.77.0.2
dns=10.77.0.53;10.77.0.54;
dns-search=lan.example;
[ipv6]
method=disabled
";
const VPN: &str = "\
[connection]
id=vpn
uuid=00000000-0000-4000-8000-000000000002
type=ethernet
interface-name=vpn0
autoconnect=false
[ipv4]
method=manual
address1=10.78.0.1/24
dns=10.78.0.53;
dns-search=vpn.example;~corp.example;
never-default=true
[ipv6]
method=disabled
";

fn connection(name: &str, text: &str) {
    let dir = "/etc/NetworkManager/system-connections";
    fs::create_dir_all(dir).unwrap();
    let path = format!("{dir}/{name}.nmconnection");
    fs::write(&path, text).unwrap();
    // Any other is refused.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn start_resolved(which: Which) -> Daemon {
    fs::create_dir_all("/etc/systemd").unwrap();
    let settings = "[Resolve]\nDNS=\nFallbackDNS=\nMulticastDNS=yes\nDNSSEC=no\n";
    fs::write("/etc/systemd/resolved.conf", settings).unwrap();
    let program = match which {
        Which::Ours => OURS,
        Which::Peer => PEERS,
    };
    let ready = Ready::BusName("org.freedesktop.resolve1".into());
    Daemon::start(&format!("resolved-{which:?}"), &[program], &[], ready)
}

/// All that links were told, as resolvectl shows it, but for mDNS: of a link that was told nothing of it, that is another
/// since 253.
fn told(s: &Sandbox) -> String {
    let verbs = ["dns", "domain", "default-route", "llmnr", "dnsovertls"];
    let lines = ["lan0", "vpn0"].map(|link| {
        let all = verbs.map(|verb| format!("resolvectl {verb} {link}"));
        all.join(" && ")
    });
    s.run(&lines.join(" && ")).stdout
}

/// Steps as a user takes them; what is told after each.
fn steps(s: &Sandbox, which: Which) -> Vec<String> {
    let resolved = start_resolved(which);
    let manager = s.spawn(
        "NetworkManager",
        &["NetworkManager", "--debug", "--log-level=INFO"],
    );
    let nmcli = |line: &str| s.run(&format!("nmcli --wait 20 {line}")).ok();
    let mut all = Vec::new();
    let mut after = |what: &str, parts: &[&str], not: &[&str]| {
        let holds = || {
            let told = told(s);
            parts.iter().all(|part| told.contains(part))
                && !not.iter().any(|part| told.contains(part))
        };
        s.wait_within(Duration::from_secs(20), holds, what);
        all.push(format!("{what}:\n{}", told(s)));
    };
    after(
        "its start",
        &["10.77.0.53 10.77.0.54", "lan.example", "opportunistic"],
        &[],
    );
    let mdns = || s.run("resolvectl mdns lan0").ok();
    assert!(mdns().contains(": yes"), "{}", mdns());
    nmcli("connection up vpn");
    after(
        "a second connection",
        &["10.77.0.53", "10.78.0.53", "vpn.example ~corp.example"],
        &[],
    );
    nmcli("connection modify vpn ipv4.dns 10.78.0.99 ipv4.dns-search other.example");
    nmcli("device reapply vpn0");
    after(
        "a change",
        &["10.78.0.99", "other.example"],
        &["corp.example"],
    );
    nmcli("connection modify vpn ipv4.dns-priority -50 ipv4.dns-search '~.'");
    nmcli("device reapply vpn0");
    after("all names", &["10.78.0.99", "~."], &[]);
    // It has no more to tell than a new resolved has forgotten.
    resolved.kill(rustix::process::Signal::KILL);
    resolved.wait();
    s.run("rm -rf /run/systemd/resolve/netif/*").ok();
    resolved.start_again();
    after("a resolved that knows nothing", &["10.78.0.99", "~."], &[]);
    nmcli("connection down vpn");
    after(
        "its end",
        &["10.77.0.53", "lan.example"],
        &["10.78.0.99", "~."],
    );
    nmcli(
        "connection modify lan connection.mdns 0 connection.llmnr 2 connection.dns-over-tls 0 ipv4.dns 10.77.0.55",
    );
    nmcli("connection up lan");
    after(
        "all anew",
        &["10.77.0.55"],
        &["10.77.0.53", "opportunistic"],
    );
    assert!(mdns().contains(": no"), "{}", mdns());
    nmcli("networking off");
    after("no network", &[], &["10.77.0.55"]);
    manager.end();
    resolved.end();
    s.run("rm -rf /run/systemd/resolve/netif/* /run/NetworkManager /var/lib/NetworkManager/*")
        .ok();
    all
}

#[test]
fn network_manager_tells_its_servers() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        for link in ["lan", "vpn"] {
            s.run(&format!(
                "ip link add {link}0 type veth peer name {link}1 && ip link set {link}1 up"
            ))
            .ok();
        }
        s.run("mount -o remount,bind,ro /sys && mkdir -p /var/lib/NetworkManager")
            .ok();
        // What the distribution adds there would say otherwise.
        s.run("rm -rf /etc/NetworkManager/conf.d /usr/lib/NetworkManager/conf.d && mkdir -p /etc/NetworkManager")
            .ok();
        fs::write("/etc/NetworkManager/NetworkManager.conf", SETTINGS).unwrap();
        let run = |which| {
            connection("lan", LAN);
            connection("vpn", VPN);
            steps(s, which)
        };
        let (theirs, ours) = (run(Which::Peer), run(Which::Ours));
        for (theirs, ours) in theirs.iter().zip(&ours) {
            assert_eq!(ours, theirs);
        }
    });
}
