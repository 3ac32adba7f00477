//! The programs of examples/: found, built and run as a user of the library would.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use support::{Daemon, Options, Ready, Sandbox, Via, sandbox, skip_for_machine};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

/// What the library is taken from, and how.
struct Build {
    name: &'static str,
    make: &'static str,
    /// Whether pkg-config finds the staged install, as an install below DESTDIR, or systemd's library.
    is_staged: bool,
    needed: &'static [&'static str],
}

const BUILDS: [Build; 3] = [
    Build {
        name: "shared",
        make: "",
        is_staged: true,
        needed: &["libsd-bus-compat.so.0"],
    },
    Build {
        name: "static",
        make: "STATIC=1",
        is_staged: true,
        needed: &[],
    },
    // The same sources with the original's headers and library: they are sd-bus, and nothing of ours.
    Build {
        name: "theirs",
        make: "PACKAGE=libsystemd",
        is_staged: false,
        needed: &["libsystemd.so.0"],
    },
];

/// The staged install, as the path below which `make install DESTDIR=` has put it.
fn stage() -> PathBuf {
    env::var_os("SWITCHYARD_STAGE")
        .map_or_else(|| Path::new(SOURCES).join("../target/stage"), PathBuf::from)
}

/// Builds some of the examples; the folder that they are in.
fn build(s: &Sandbox, build: &Build, programs: &[&str]) -> String {
    let out = format!("/tmp/{}", build.name);
    fs::create_dir(&out).unwrap();
    let stage = stage();
    let stage = stage.to_str().unwrap();
    let libraries = s.run("cc -print-multiarch").ok();
    let libraries = format!("usr/lib/{}/pkgconfig", libraries.trim());
    let found = match build.is_staged {
        true => format!("PKG_CONFIG_SYSROOT_DIR={stage} PKG_CONFIG_PATH={stage}/{libraries}"),
        false => format!("PKG_CONFIG_PATH=/{libraries}"),
    };
    let strict =
        "CFLAGS='-O2 -Wall -Wextra -Werror' CXXFLAGS='-O2 -Wall -Wextra -Wpedantic -Werror'";
    let make = build.make;
    let targets = programs.iter().map(|program| format!("{out}/{program} "));
    let targets: String = targets.collect();
    let line = format!("{found} make -C {SOURCES} OUT={out} {strict} {make} {targets} 2>&1");
    let built = s.cmd("sh").args(["-c", &line]);
    built.timeout(Duration::from_secs(120)).run().ok();
    for program in programs {
        let needed = s.run(&format!("readelf -d {out}/{program}")).ok();
        let others = ["libc.so", "libm.so", "libstdc++", "libgcc_s", "ld-linux"];
        let needed: Vec<&str> = needed
            .lines()
            .filter(|line| line.contains("(NEEDED)"))
            .filter_map(|line| line.split_once('[')?.1.strip_suffix(']'))
            .filter(|name| !others.iter().any(|other| name.starts_with(other)))
            .collect();
        assert_eq!(needed, build.needed, "{program} of {}", build.name);
    }
    out
}

/// What tells which library a program of a build has found when it runs: the staged one is not where the linker looks.
fn environment(build: &Build) -> String {
    let staged = format!(
        "LD_LIBRARY_PATH=$(echo {}/usr/lib/*-linux-gnu)",
        stage().display()
    );
    let bus = "DBUS_SESSION_BUS_ADDRESS=unix:path=/tmp/bus";
    match build.name {
        "shared" => format!("{staged} {bus}"),
        _ => bus.to_owned(),
    }
}

fn session_bus() -> Daemon {
    let config = "<busconfig><type>session</type><listen>unix:path=/tmp/bus</listen><auth>EXTERNAL</auth>\
        <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>";
    fs::write("/tmp/bus.conf", config).unwrap();
    let bus = ["dbus-daemon", "--config-file=/tmp/bus.conf", "--nofork"];
    Daemon::start("session", &bus, &[], Ready::Socket("/tmp/bus".into()))
}

/// A client, a server, and the properties of that in C++.
#[test]
fn a_service_and_its_clients() {
    sandbox!(
        Options::new()
            .machined(None)
            .bus(false)
            .timeout(Duration::from_secs(240)),
        |s| {
            if s.run("pkg-config --version").status != Some(0) {
                skip_for_machine!("there is no pkg-config");
            }
            let _bus = session_bus();
            for how in &BUILDS {
                let out = build(s, how, &["client", "server", "properties"]);
                let environment = environment(how);
                let server = format!("exec env {environment} {out}/server");
                let server = s.spawn(how.name, &["sh", "-c", &server]);
                let busctl = "busctl --address=unix:path=/tmp/bus call";
                let has_owner = || {
                    let bus = "org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus";
                    let ask = format!("{busctl} {bus} NameHasOwner s org.example.Greeter");
                    s.run(&ask).stdout.contains("true")
                };
                s.wait_for(has_owner, "the server");
                let client = s.run(&format!("{environment} {out}/client you")).ok();
                assert_eq!(client, CLIENT, "{}", how.name);
                let properties = s.run(&format!("{environment} {out}/properties")).ok();
                assert_eq!(properties, PROPERTIES, "{}", how.name);
                // Another implementation sees the names of the arguments.
                let object = "org.example.Greeter /org/example/Greeter";
                let ask =
                    format!("{busctl} {object} org.freedesktop.DBus.Introspectable Introspect");
                let seen = s.run(&ask).ok();
                for name in ["whom", "greeting", "greeted", "count"] {
                    assert!(seen.contains(&format!(r#"name=\"{name}\""#)), "{seen}");
                }
                server.end();
                s.wait_for(|| !has_owner(), "the server's end");
            }
        }
    );
}

const CLIENT: &str = "\
Hello, you!
Good morning, you!
property: 2 greetings
signal: you was greeted, which makes 1
signal: you was greeted, which makes 2
error: org.freedesktop.DBus.Error.InvalidArgs: Nobody is no one to greet
";
const PROPERTIES: &str = "Count = 2\nGreeting = Good morning\n";

/// machined is asked for a container, and then the container's own bus.
#[test]
fn a_container() {
    sandbox!(Options::new().timeout(Duration::from_secs(240)), |s| {
        if s.run("pkg-config --version").status != Some(0) {
            skip_for_machine!("there is no pkg-config");
        }
        let web = s.container("web").usr().start();
        s.register(&web, Via::BusCreate);
        let _bus = web.start_bus();
        for how in &BUILDS {
            let out = build(s, how, &["container"]);
            let line = format!("{} {out}/container", environment(how));
            let said = s.run(&line).ok();
            for told in [web.ipv4(), web.ipv6(), "org.freedesktop.DBus".into()] {
                assert!(
                    said.contains(&format!("web {told}\n")),
                    "{}: {said}",
                    how.name
                );
            }
        }
    });
}

/// The program in the manual page.
#[test]
fn the_manuals_example() {
    sandbox!(Options::new().machined(None), |s| {
        let page = Path::new(SOURCES).join("../docs/man/libsd-bus-compat.7");
        let page = fs::read_to_string(page).unwrap();
        let program = page
            .split(".EX\n")
            .filter_map(|after| after.split_once(".EE"))
            .map(|(program, _)| program)
            .find(|program| program.starts_with("#include"));
        let program = program.unwrap();
        assert!(!program.contains('\\'), "roff reads it otherwise");
        fs::write("/tmp/id.c", program).unwrap();
        let flags = "-Wall -Wextra -Werror -I/usr/include/switchyard";
        let line = format!("cc {flags} -o /tmp/id /tmp/id.c -lsd-bus-compat 2>&1 && /tmp/id");
        let built = s.cmd("sh").args(["-c", &line]);
        let said = built.timeout(Duration::from_secs(60)).run().ok();
        let id = said.trim();
        assert!(
            id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit()),
            "{said}"
        );
    });
}
