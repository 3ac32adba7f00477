//! Programs of Debian's, unmodified, on systemd's library and on ours: their clients see the same.

mod sd_probe;
mod sd_program;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use sd_program::{
    BUS, Monitor, ask, assert_loaded, closed, compare, open_bus, owner, start, start_logind,
    start_service,
};
use support::{Ready, Sandbox, Via, sandbox};

/// A player of music, which wants a terminal: a bus in a loop around select(2), properties that are written and told of.
#[test]
fn cmus() {
    sandbox!(closed(), |s| {
        open_bus(s);
        fs::write("/root/.libao", "default_driver=null\n").unwrap();
        s.run(SONG).ok();
        let said = compare(s, |library| story_of_cmus(s, library));
        assert!(
            said.contains("{'mpris:trackid': <objectpath '/1'>, 'mpris:length': <int64 60000000>}"),
            "{said}"
        );
        assert!(said.contains("b true\ns \"Playlist\"\n"), "{said}");
    });
}

const SONG: &str = "python3 -c 'import wave; w = wave.open(\"/tmp/song.wav\", \"wb\"); \
    w.setparams((1, 2, 8000, 0, \"NONE\", None)); w.writeframes(bytes(16000 * 60))'";

fn story_of_cmus(s: &Sandbox, library: &str) -> String {
    const NAME: &str = "org.mpris.MediaPlayer2.cmus";
    const PLAYER: &str = "org.mpris.MediaPlayer2.Player";
    let _ = fs::remove_dir_all("/root/.config/cmus");
    let monitor = Monitor::start(s, NAME);
    let command = [
        "script",
        "-qfec",
        "cmus --listen /tmp/cmus",
        "/tmp/typescript",
    ];
    let terminal = start("cmus", library, &command, Ready::BusName(NAME.into()));
    assert_loaded(owner(s, NAME), library);
    let object = format!("{NAME} /org/mpris/MediaPlayer2");
    let remote = "cmus-remote --server /tmp/cmus";
    let get = |what: &str| {
        ask(
            s,
            &format!("busctl --user get-property {object} {PLAYER} {what}"),
        )
    };
    // Where nothing plays, cmus tells as the volume what it finds in its memory.
    let mut said = ask(
        s,
        &format!("busctl --user introspect {object} | grep -v Volume"),
    );
    ask(
        s,
        &format!("{remote} -C 'set repeat=true' 'set continue=false' 'set output_plugin=ao'"),
    );
    monitor.wait_for("LoopStatus");
    ask(
        s,
        &format!("busctl --user set-property {object} {PLAYER} Shuffle b true"),
    );
    ask(s, &format!("{remote} -f /tmp/song.wav"));
    monitor.wait_for("mpris:length");
    said += &get("Shuffle");
    said += &get("LoopStatus");
    let wrong = format!("busctl --user set-property {object} {PLAYER} Shuffle s yes");
    said += &s
        .run(&format!("export DBUS_SESSION_BUS_ADDRESS={BUS}; {wrong}"))
        .fails(1)
        .stderr;
    let unknown = format!("busctl --user call {object} {PLAYER} Dance");
    said += &s
        .run(&format!("export DBUS_SESSION_BUS_ADDRESS={BUS}; {unknown}"))
        .fails(1)
        .stderr;
    ask(s, &format!("{remote} -C quit"));
    assert!(terminal.wait().success());
    let heard = monitor.heard();
    // How often it tells what it does depends on the sound.
    let first = |text| {
        heard
            .lines()
            .find(|line| line.contains(text))
            .unwrap()
            .to_owned()
    };
    [said, first("LoopStatus"), first("mpris:length")].join("\n")
}

/// A server of names that tells what it does by signals.
#[test]
fn knot() {
    sandbox!(closed(), |s| {
        open_bus(s);
        fs::write("/tmp/knot.conf", KNOT).unwrap();
        fs::write("/tmp/example.zone", ZONE).unwrap();
        let said = compare(s, |library| {
            let monitor = Monitor::start(s, "cz.nic.knotd");
            let _ = fs::remove_dir_all("/tmp/knot");
            fs::create_dir("/tmp/knot").unwrap();
            let knot = start(
                "knotd",
                library,
                &["knotd", "-c", "/tmp/knot.conf"],
                Ready::Notify,
            );
            assert_loaded(knot.pid(), library);
            monitor.wait_for("started");
            monitor.wait_for("zone_updated");
            knot.end();
            monitor.wait_for("stopped");
            // A zone is loaded in a thread of its own.
            let heard = monitor.heard();
            let mut heard: Vec<_> = heard.lines().collect();
            heard.sort_unstable();
            heard.join("\n")
        });
        assert!(
            said.contains("zone_updated ('example.', uint32 1)"),
            "{said}"
        );
    });
}

const KNOT: &str = "\
server:
  listen: 127.0.0.1@5353
  rundir: /tmp/knot
  dbus-event: [running, zone-updated]
database:
  storage: /tmp/knot
zone:
  - domain: example.
    file: /tmp/example.zone
";
const ZONE: &str = "\
example. 60 SOA ns.example. x.example. 1 60 60 60 60
example. 60 NS ns.example.
ns.example. 60 A 127.0.0.1
";

/// Python's binding, asking machined: methods and properties are found by introspection.
#[test]
fn pystemd() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusCreate);
        // Addresses that are still looked for elsewhere (RFC 4862, 5.4) are left out, and would be there for the second library.
        let settled = format!(
            "nsenter -t {} --net ip -6 address show dev host0 scope link -tentative",
            web.leader()
        );
        let is_settled = || s.run(&settled).ok().contains("fe80");
        s.wait_for(is_settled, "the link-local address");
        fs::write("/tmp/ask.py", PYSTEMD).unwrap();
        let said = compare(s, |library| {
            let program = s.cmd("/usr/bin/python3").args(["/tmp/ask.py", library]);
            program.env("LD_LIBRARY_PATH", library).run().ok()
        });
        assert!(said.contains("(b'web', b'container', "), "{said}");
        assert!(
            said.contains("org.freedesktop.machine1.NoSuchMachine"),
            "{said}"
        );
    });
}

const PYSTEMD: &str = r#"
import sys
from pystemd import dbusexc, machine1

assert sys.argv[1] + "/libsystemd.so.0" in open("/proc/self/maps").read()
with machine1.Manager() as manager:
    print(sorted(manager.Manager.methods), sorted(manager.Manager.properties))
    machines = manager.Manager.ListMachines()
    print(machines, manager.Manager.PoolPath, manager.Manager.PoolUsage)
    try:
        manager.Manager.GetMachine(b"none")
    except dbusexc.DBusBaseError as error:
        print(error)
    try:
        manager.Manager.KillMachine(b"web", b"nobody", -1)
    except dbusexc.DBusBaseError as error:
        print(error)
with machine1.Machine(b"web") as machine:
    print({name: getattr(machine.Machine, name) for name in sorted(machine.Machine.properties)})
    print(machine.Machine.GetAddresses())
"#;

/// apt asks logind to hold a shutdown off, by a descriptor that it keeps while dpkg works.
#[test]
fn apt() {
    sandbox!(closed(), |s| {
        open_bus(s);
        s.run(PACKAGE).ok();
        let logind = start_logind();
        let said = compare(s, |library| {
            let before = logind.log().len();
            s.run(DPKG).ok();
            let install = "apt-get -qq -o APT::Sandbox::User=root install /tmp/package.deb";
            let install = s.cmd("sh").args(["-c", install]);
            let install = install.env("LD_LIBRARY_PATH", library);
            install.timeout(Duration::from_secs(30)).run().ok();
            let loaded = fs::read_to_string("/tmp/loaded").unwrap();
            assert_eq!(loaded, format!("{library}/libsystemd.so.0\n"));
            let heard = || logind.log()[before..].to_owned();
            s.wait_for(|| heard().contains("released: "), "the end of apt");
            heard()
        });
        assert!(said.contains("inhibited: shutdown APT "), "{said}");
    });
}

/// An empty system.
const DPKG: &str = "rm -rf /var/lib/dpkg /var/lib/apt; \
    mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/apt/lists/partial /var/cache/apt/archives/partial /var/log/apt; \
    touch /var/lib/dpkg/status /var/lib/dpkg/available";

/// A package that tells, when it is installed, which library apt has loaded.
const PACKAGE: &str = r#"mkdir -p /tmp/package/DEBIAN && cd /tmp/package/DEBIAN
printf 'Package: example\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: none\n' >control
printf '#!/bin/sh\nldd=/proc/$(pgrep -o -x apt-get)/map_files; readlink $ldd/* | grep libsystemd | sort -u | head -n1 \
    | sed "s/so.0.*/so.0/" >/tmp/loaded\n' >postinst
chmod 755 postinst; dpkg-deb --build /tmp/package /tmp/package.deb"#;

/// Configuration of networks: structures with variants, objects that are made by a call, a loop of sd-event.
#[test]
fn netplan() {
    sandbox!(closed(), |s| {
        // What the bus starts by itself has systemd's library.
        fs::remove_file("/usr/share/dbus-1/system-services/io.netplan.Netplan.service").unwrap();
        open_bus(s);
        let said = compare(s, |library| story_of_netplan(s, library));
        assert!(said.contains("a(sv) 1 \"Features\" as "), "{said}");
        assert!(said.contains("dhcp4: true"), "{said}");
    });
}

fn story_of_netplan(s: &Sandbox, library: &str) -> String {
    const NAME: &str = "io.netplan.Netplan";
    s.run("rm -rf /etc/netplan /run/netplan; mkdir /etc/netplan")
        .ok();
    let daemon = start_service(s, library, &["/usr/libexec/netplan/netplan-dbus"], NAME);
    let object = format!("{NAME} /io/netplan/Netplan");
    let call = |what: &str| {
        let call = s.cmd("sh").args(["-c", &format!("busctl call {what}")]);
        call.timeout(Duration::from_secs(30)).run()
    };
    let made = call(&format!("{object} {NAME} Config")).ok();
    let path = made
        .trim()
        .trim_start_matches("o ")
        .trim_matches('"')
        .to_owned();
    let configuration = format!("{NAME} {path} {NAME}.Config");
    let setting = "'network.ethernets.eth0={dhcp4: true}'";
    let said = [
        ask(s, &format!("busctl introspect {object}")),
        call(&format!("{object} {NAME} Info")).ok(),
        ask(s, &format!("busctl introspect {NAME} {path}")),
        call(&format!("{configuration} Set ss {setting} 90-test")).ok(),
        call(&format!("{configuration} Get")).ok(),
        call(&format!("{configuration} Set ss nonsense 90-test"))
            .fails(1)
            .stderr,
        call(&format!("{configuration} Cancel")).ok(),
        call(&format!("{configuration} Cancel")).fails(1).stderr,
    ]
    .concat();
    daemon.end();
    said.replace(path.rsplit('/').next().unwrap(), "ID")
}

/// sdbus-c++, which is linked against the library: a service and a client of it in one program, each with a thread for its bus.
#[test]
fn sdbus_cpp() {
    sandbox!(closed().timeout(Duration::from_secs(120)), |s| {
        open_bus(s);
        fs::write("/tmp/concat.cpp", include_str!("c/sdbus_cpp.cpp")).unwrap();
        let compile =
            "g++ -std=c++17 -Wall -o /tmp/concat /tmp/concat.cpp -lsdbus-c++ -lpthread 2>&1";
        let compiled = s.cmd("sh").args(["-c", compile]);
        compiled.timeout(Duration::from_secs(90)).run().ok();
        let said = compare(s, |library| {
            let program = s.cmd("/tmp/concat").env("LD_LIBRARY_PATH", library);
            let program = program.env("DBUS_SESSION_BUS_ADDRESS", BUS);
            let output = program.timeout(Duration::from_secs(30)).run();
            assert!(
                output
                    .stderr
                    .starts_with(&format!("{library}/libsystemd.so.0")),
                "{output}"
            );
            output.ok()
        });
        assert!(said.contains("sooner or later\n"), "{said}");
    });
}

/// The launcher of another bus: it tells its broker what to do by sd-bus between the two, in a loop of sd-event.
#[test]
fn dbus_broker() {
    sandbox!(closed(), |s| {
        open_bus(s);
        fs::create_dir_all("/run/systemd/journal").unwrap();
        let _journal = UnixDatagram::bind("/run/systemd/journal/socket").unwrap();
        fs::write("/tmp/listen.py", include_str!("programs/listen.py")).unwrap();
        fs::write("/tmp/broker.conf", BROKER).unwrap();
        let service = "[D-BUS Service]\nName=org.example.Activated\nExec=/bin/false\n";
        fs::create_dir("/tmp/services").unwrap();
        fs::write("/tmp/services/org.example.Activated.service", service).unwrap();
        let said = compare(s, |library| {
            let command = [
                "python3",
                "/tmp/listen.py",
                "/tmp/broker",
                "dbus-broker-launch",
            ];
            let options = ["--scope", "user", "--config-file", "/tmp/broker.conf"];
            let command = [&command[..], &options].concat();
            let launcher = start(
                "launcher",
                library,
                &command,
                Ready::Socket("/tmp/broker".into()),
            );
            let bus = "busctl --address=unix:path=/tmp/broker";
            let broker = format!(
                "{bus} call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus"
            );
            let said = [
                s.run(&format!(
                    "{bus} introspect org.freedesktop.DBus /org/freedesktop/DBus"
                ))
                .ok(),
                s.run(&format!("{broker} ListActivatableNames")).ok(),
                s.run(&format!("{broker} ReloadConfig")).ok(),
                s.run(&format!(
                    "{broker} UpdateActivationEnvironment a{{ss}} 1 A b"
                ))
                .ok(),
                s.run(&format!("{broker} NameHasOwner s org.example.None"))
                    .ok(),
                s.run(&format!(
                    "{broker} StartServiceByName su org.example.Activated 0"
                ))
                .fails(1)
                .stderr,
            ];
            assert_loaded(launcher.pid(), library);
            launcher.end();
            said.concat() + &launcher.log()
        });
        assert!(said.contains("org.example.Activated"), "{said}");
    });
}

const BROKER: &str = r#"<busconfig>
  <type>session</type>
  <servicedir>/tmp/services</servicedir>
  <policy context="default"><allow send_destination="*"/><allow own="*"/></policy>
</busconfig>"#;
