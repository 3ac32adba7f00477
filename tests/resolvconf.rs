//! resolvconf beside systemd's, and the programs that call it, at either resolved.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use support::{Daemon, Options, Output, Ready, Sandbox, Which, sandbox, skip, skip_for_machine};

const OURS: &str = "/usr/libexec/switchyard/resolvconf";
/// Where our resolved takes settings, bus or none.
const VARLINK: &str = "/run/systemd/resolve/io.switchyard.Resolve";
/// The original goes by its name.
const THEIRS: &str = "/tmp/theirs/resolvconf";

const FILE: &str = "# made by a test\n;\n  nameserver\t192.0.2.1 192.0.2.2\nnameserver 2001:db8::1  \noptions edns0\n\
    domain one.example\nsearch two.example ~three.example\nnonsense\nnameserver\n";

/// What is asked of both, by arguments and standard input.
const ALIKE: &[(&str, &str)] = &[
    ("-a up0", FILE),
    ("-x -a up0 -m 0", FILE),
    ("-xam0 up0", FILE),
    ("-a up0.dhcp", "nameserver 192.0.2.1\n"),
    (
        "-a up0.a.b",
        "nameserver 192.0.2.1:5353#dns.example\nnameserver [2001:db8::1]:99\n",
    ),
    ("-a vlan.7", "nameserver 192.0.2.1"),
    ("-a vlan.7.inet", "nameserver 192.0.2.1\n"),
    ("-a up0", "search a.example\n"),
    ("-a up0", ""),
    ("-f -a nosuch", FILE),
    ("-a nosuch", FILE),
    ("-a ../x", FILE),
    ("-a 99", FILE),
    ("-f -a 99", FILE),
    ("-d up0", ""),
    ("-d up0 -f", ""),
    ("-d nosuch -f", ""),
    ("-d nosuch", ""),
    ("-d 99", ""),
    ("-u", ""),
    ("-a up0 -u", FILE),
    ("", ""),
    ("-p", ""),
    ("-a", FILE),
    ("-a up0 up1", FILE),
    ("-l", ""),
    ("-l up0", ""),
    ("-i up0", ""),
    ("-I", ""),
    ("-R", ""),
    ("-r resolv", ""),
    ("-v", ""),
    ("-V", ""),
    ("-z", ""),
    ("--enable-updates", ""),
    ("--disable-updates", ""),
    ("--updates-are-enabled", ""),
    ("--nonsense", ""),
];

/// One of the two, and what it makes of the links.
fn tried(s: &Sandbox, program: &str, arguments: &str, input: &str) -> (Output, String) {
    s.run("resolvectl revert up0 && resolvectl revert vlan.7")
        .ok();
    let words = arguments.split_whitespace();
    let output = s.cmd(program).args(words).input(input).run();
    (output, state(s, "up0") + &state(s, "vlan.7"))
}

fn state(s: &Sandbox, link: &str) -> String {
    let all = ["dns", "domain", "default-route"].map(|verb| format!("resolvectl {verb} {link}"));
    s.run(&all.join(" && ")).ok()
}

/// Without where the program is.
fn said(output: &Output) -> String {
    output.stderr.replace("/tmp/theirs/", "")
}

/// Needs no module.
fn options() -> Options {
    Options::new().machined(None)
}

/// Starts either resolved, with links to tell something.
fn start(s: &Sandbox, which: Which) -> Daemon {
    fs::create_dir_all("/tmp/theirs").unwrap();
    symlink("/usr/bin/resolvectl", THEIRS).unwrap();
    // As the manual says to do; systemd's package has its own there.
    fs::remove_file("/usr/sbin/resolvconf").unwrap();
    symlink(OURS, "/usr/sbin/resolvconf").unwrap();
    for (link, peer) in [("up0", "up1"), ("vlan.7", "other")] {
        let up = format!("ip link set {link} up && ip link set {peer} up");
        s.run(&format!(
            "ip link add {link} type veth peer name {peer} && {up}"
        ))
        .ok();
    }
    run_resolved(which)
}

fn run_resolved(which: Which) -> Daemon {
    let program = match which {
        Which::Ours => "/usr/libexec/switchyard/resolved",
        Which::Peer => "/usr/lib/systemd/systemd-resolved",
    };
    let ready = Ready::BusName("org.freedesktop.resolve1".into());
    Daemon::start("resolved", &[program], &[], ready)
}

#[test]
fn it_does_and_says_what_systemds_does() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        start(s, Which::Peer);
        let mut did_something = 0;
        for (arguments, input) in ALIKE {
            let (theirs, their_state) = tried(s, THEIRS, arguments, input);
            let (ours, our_state) = tried(s, OURS, arguments, input);
            assert_eq!(ours.status, theirs.status, "{arguments}: {ours:?}");
            assert_eq!(said(&ours), said(&theirs), "{arguments}");
            assert_eq!(our_state, their_state, "{arguments}");
            did_something += usize::from(our_state.contains("192.0.2.1"));
        }
        assert_eq!(did_something, 7);
        // What is wrong is said once, and before anything is done.
        for wrong in [
            "nameserver garbage\n",
            "nameserver 192.0.2.1\nsearch a..b\n",
        ] {
            let (theirs, _) = tried(s, THEIRS, "-a up0", wrong);
            let (ours, state) = tried(s, OURS, "-a up0", wrong);
            assert_eq!(ours.status, theirs.status);
            assert_eq!(said(&ours).lines().next(), said(&theirs).lines().next());
            assert!(!state.contains("192.0.2.1"), "{state}");
        }
        s.cmd(OURS).args(["-d", "lo"]).run().fails(1);
    });
}

/// What holds beyond systemd 252's, at either resolved.
fn registrations(s: &Sandbox) {
    let add = |arguments: &str, input: &str| {
        let words = arguments.split_whitespace();
        s.cmd(OURS).args(words).input(input).run().ok();
        state(s, "up0")
    };
    let exclusive = add("-x -a up0", "nameserver 192.0.2.1\n");
    assert!(
        exclusive.contains("192.0.2.1") && exclusive.contains("~."),
        "{exclusive}"
    );
    // All of it is replaced, also by nothing.
    let plain = add("-a up0", "nameserver 192.0.2.2\n");
    assert!(
        !plain.contains("~.") && !plain.contains("192.0.2.1\n"),
        "{plain}"
    );
    let private = add("-p -a up0", "nameserver 192.0.2.2\nsearch a.example\n");
    assert!(private.contains("(up0): no"), "{private}");
    // Where Debian's resolvconf was, wg-quick and others put the order in front.
    let removed = s.cmd(OURS).args(["-d", "tun.up0"]).run();
    assert_eq!(removed.status, Some(0), "{removed:?}");
    assert!(!state(s, "up0").contains("192.0.2"));
}

/// wg-quick as it is, with a stand-in for the kernel's WireGuard: an interface, and a `wg` that says there is one.
fn wg_quick(s: &Sandbox) {
    fs::create_dir_all("/tmp/wg/bin").unwrap();
    fs::create_dir_all("/etc/wireguard").unwrap();
    fs::copy("/usr/bin/wg-quick", "/tmp/wg/bin/wg-quick").unwrap();
    s.run("chmod +x /tmp/wg/bin/wg-quick").ok();
    script(
        "/tmp/wg/bin/wg",
        "[ \"$*\" != 'show interfaces' ] || echo wg0",
    );
    script(
        "/tmp/wg/bin/device",
        "ip link add $1 type veth peer name wg-peer && ip link set wg-peer up",
    );
    fs::write("/etc/wireguard/wg0.conf", WIREGUARD).unwrap();
    s.run("chmod 600 /etc/wireguard/wg0.conf").ok();
    let quick = |verb: &str| {
        let command = s.cmd("/tmp/wg/bin/wg-quick").args([verb, "wg0"]);
        command
            .env("WG_QUICK_USERSPACE_IMPLEMENTATION", "/tmp/wg/bin/device")
            .run()
    };
    let up = quick("up");
    assert_eq!(up.status, Some(0), "{up:?}");
    assert!(up.stderr.contains("resolvconf -a wg0 -m 0 -x"), "{up:?}");
    let told = state(s, "wg0");
    for part in ["10.88.0.53", "2001:db8:88::53", "vpn.example", "~."] {
        assert!(told.contains(part), "{told}");
    }
    // The interface is gone before resolvconf is called.
    let down = quick("down");
    assert_eq!(down.status, Some(0), "{down:?}");
    assert!(down.stderr.contains("resolvconf -d wg0 -f"), "{down:?}");
}

fn script(path: &str, line: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, format!("#!/bin/sh\n{line}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

const WIREGUARD: &str = "\
[Interface]
Address = 10.88.0.2/24
DNS = 10.88.0.53, 2001:db8:88::53, vpn.example
";

/// The scripts of Debian's openvpn: by resolvconf, and by busctl.
fn openvpn(s: &Sandbox, script: &str) {
    let options = [
        ("dev", "vpn0"),
        ("foreign_option_1", "dhcp-option DNS 10.89.0.53"),
        ("foreign_option_2", "dhcp-option DNS 10.89.0.54"),
        ("foreign_option_3", "dhcp-option DOMAIN corp.example"),
    ];
    let run = |kind: &str| {
        let command = s.cmd(script).arg("vpn0").env("script_type", kind);
        options
            .iter()
            .fold(command, |command, (name, value)| command.env(name, value))
            .run()
    };
    s.run(
        "ip link add vpn0 type veth peer name vpn1 && ip link set vpn0 up && ip link set vpn1 up",
    )
    .ok();
    let up = run("up");
    assert_eq!(up.status, Some(0), "{up:?}");
    let told = state(s, "vpn0");
    for part in ["10.89.0.53", "10.89.0.54", "corp.example"] {
        assert!(told.contains(part), "{script}: {told} {up:?}");
    }
    let down = run("down");
    assert_eq!(down.status, Some(0), "{down:?}");
    assert!(!state(s, "vpn0").contains("10.89.0"), "{down:?}");
    s.run("ip link del vpn0").ok();
}

/// openvpn as it is, with a tunnel to nowhere, which is up at once.
fn openvpn_itself(s: &Sandbox) {
    if !Path::new("/dev/net/tun").exists() {
        skip_for_machine!("this kernel has no tunnels");
    }
    let script = "/etc/openvpn/update-resolv-conf";
    let line = format!(
        "openvpn --dev tun9 --remote 127.0.0.1 --port 11940 --ifconfig 10.90.0.2 10.90.0.1 --verb 1 \
         --dhcp-option DNS 10.90.0.53 --dhcp-option DOMAIN corp.example \
         --script-security 2 --up {script} --down {script} --down-pre"
    );
    let command: Vec<_> = line.split_whitespace().collect();
    let openvpn = s.spawn("openvpn", &command);
    let told = || s.run("resolvectl dns tun9; resolvectl domain tun9").stdout;
    s.wait_for(
        || told().contains("10.90.0.53") && told().contains("corp.example"),
        "openvpn's server",
    );
    openvpn.end();
    assert!(
        !openvpn.log().contains("WARNING: Failed running command"),
        "{}",
        openvpn.log()
    );
}

fn callers(s: &Sandbox, which: Which) {
    if s.is_rootless() {
        skip!("resolved becomes another user, and there is none");
    }
    start(s, which);
    registrations(s);
    wg_quick(s);
    openvpn(s, "/etc/openvpn/update-resolv-conf");
    openvpn(s, "/etc/openvpn/update-systemd-resolved");
    openvpn_itself(s);
}

#[test]
fn callers_at_systemds_resolved() {
    sandbox!(options(), |s| callers(s, Which::Peer));
}

#[test]
fn callers_at_ours() {
    sandbox!(options(), |s| callers(s, Which::Ours));
}

#[test]
fn one_resolved_takes_over_from_another() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let mut resolved = start(s, Which::Peer);
        s.cmd(OURS)
            .args(["-a", "-x", "up0"])
            .input(
                "nameserver 192.0.2.1\nnameserver [2001:db8::1]:99#dns.example\nsearch a.example\n",
            )
            .run()
            .ok();
        s.run("resolvectl llmnr up0 resolve && resolvectl dnsovertls up0 opportunistic && resolvectl nta up0 n.example")
            .ok();
        let all = || {
            let verbs = ["dns", "domain", "llmnr", "dnsovertls", "nta"];
            let lines = verbs.map(|verb| format!("resolvectl {verb} up0"));
            s.run(&lines.join(" && ")).ok()
        };
        let told = all();
        assert!(told.contains("[2001:db8::1]:99#dns.example") && told.contains("opportunistic"));
        for which in [Which::Ours, Which::Ours, Which::Peer] {
            resolved.end();
            resolved = run_resolved(which);
            assert_eq!(all(), told, "{which:?}");
        }
        resolved.end();
        // What can't be read is set aside, and hinders nothing.
        let broken =
            "for file in /run/systemd/resolve/netif/*; do echo LLMNR=perhaps >>$file; done";
        s.run(broken).ok();
        let resolved = run_resolved(Which::Ours);
        assert!(!all().contains("192.0.2.1"));
        assert!(resolved.log().contains(".broken"), "{}", resolved.log());
    });
}

#[test]
fn a_link_is_known_as_soon_as_it_is_there() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        start(s, Which::Ours);
        for number in 0..40 {
            let link = format!("new{number}");
            let line = format!(
                "ip link add {link} type veth peer name peer && echo nameserver 192.0.2.1 | {OURS} -a {link}"
            );
            let output = s.run(&line);
            assert_eq!(output.status, Some(0), "{output:?}");
            s.run(&format!("ip link del {link}")).ok();
        }
    });
}

#[test]
fn without_a_bus_it_speaks_varlink() {
    sandbox!(options().bus(false), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        s.run("ip link add up0 type veth peer name up1").ok();
        let add = || {
            let input = "nameserver [2001:db8::1]:99#dns.example\nsearch a.example\n";
            s.cmd(OURS).args(["-xa", "up0"]).input(input).run()
        };
        // Nobody is there: both ways are named.
        let nobody = add().fails(1).stderr;
        assert!(
            nobody.contains("system bus") && nobody.contains(VARLINK),
            "{nobody}"
        );

        let ready = Ready::Socket(VARLINK.into());
        Daemon::start(
            "resolved",
            &["/usr/libexec/switchyard/resolved"],
            &[],
            ready,
        );
        add().ok();
        let saved = s.run("cat /run/systemd/resolve/netif/*").ok();
        for part in ["[2001:db8::1]:99#dns.example", "a.example ~."] {
            assert!(saved.contains(part), "{saved}");
        }
        s.cmd(OURS).args(["-d", "up0"]).run().ok();
        s.run("cat /run/systemd/resolve/netif/*").fails(1);
        // It knows no such link, and need not.
        let unknown = s.cmd(OURS).args(["-d", "99"]).run().fails(1).stderr;
        assert!(unknown.contains("NoSuchLink"), "{unknown}");
        s.cmd(OURS).args(["-fd", "99"]).run().ok();
    });
}
