//! Objects beside the original's: one C program serves and calls them with both libraries, and hears the same.

mod sd_probe;

use std::fs;
use std::time::Duration;

use sd_probe::{OURS, Probe, by, open_bus, quiet, theirs};
use support::{Sandbox, sandbox, skip};

const PROBE: &str = include_str!("c/object_probe.c");
const BUS: &str = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus";

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "object_probe", PROBE)
}

/// Object managers, enumerators of nodes, signals of what has come and gone.
#[test]
fn managers() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let said = probe(s).compare(&format!("{BUS} $probe managed"), &[]);
        assert!(said.contains("InterfacesAdded: o:/o/f/x2"), "{said}");
    });
}

/// What a table says of types and flags, and what functions do.
#[test]
fn tables() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let known = [
            // A call without an interface is for any that has the member, as the D-Bus specification allows.
            "/r null.",
            // A getter that appends nothing: theirs gives no answer at all, and an error to who calls sd_bus_process.
            "/r org.freedesktop.DBus.Properties.Get: process -22 0",
            "/r org.freedesktop.DBus.Properties.Get: error org.freedesktop.DBus.Error.InvalidArgs",
        ];
        let probe = probe(s);
        probe.compare(&format!("{BUS} $probe tables"), &[]);
        let said = probe.compare(&format!("{BUS} $probe results"), &known);
        assert!(said.contains("/r null.Right: <1> [1 ] i i:7"), "{said}");
        assert!(
            said.contains("[-42 ENOMSG] error System.Error.ENOMSG"),
            "{said}"
        );
    });
}

/// Several objects for one call: those at the path, those of the paths above.
#[test]
fn precedence() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        // Theirs lists an object once for each path that has something for it.
        let known = ["  e[o:/f/g"];
        let said = probe(s).compare(&format!("{BUS} $probe order"), &known);
        let object = said
            .lines()
            .filter(|line| line.starts_with("  e[o:/f/g/h "));
        let objects: Vec<&str> = object.collect();
        assert_eq!(objects.len(), 2, "{said}");
        for one in [
            "First a[e[s:Number v[i:1 ]]",
            "Second a[e[s:Second v[i:2 ]]",
            "More a[e[s:More v[i:3 ]]",
        ] {
            assert!(objects.iter().all(|object| object.contains(one)), "{said}");
        }
    });
}

/// Objects that are added and dropped by the functions that are called for them.
#[test]
fn changes_meanwhile() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        // Theirs begins anew, and asks again, also where something else has come.
        let known = [
            "/getters org.freedesktop.DBus.Properties.Get: (get Adds)",
            "/getters org.freedesktop.DBus.Properties.GetAll: (get Before)",
            "(get Adds)",
            // What has gone is no error there when all has begun anew, and what was set is one.
            "(get DropOwn) sd_bus_emit_properties_changed",
            "/setters org.freedesktop.DBus.Properties.Set: (set Set)",
        ];
        let said = probe(s).compare(&format!("{BUS} $probe changing"), &known);
        assert!(
            said.contains("(get DropOwn) (destroyed getters) error"),
            "{said}"
        );
    });
}

/// Ten times as many objects are not a hundred times the work.
#[test]
fn thousands() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let probe = probe(s);
        let work = |count: u32| {
            let line = format!("{BUS} $probe many {count} /tmp/work");
            let said = probe.with(OURS, &line);
            assert_eq!(said, format!("added 0 objects {count}\n"));
            let work = fs::read_to_string("/tmp/work").unwrap();
            work.trim().parse::<u64>().unwrap()
        };
        let (few, many) = (work(2000), work(20_000));
        eprintln!("2,000 objects: {few} \u{b5}s; 20,000 objects: {many} \u{b5}s");
        assert!(many < 40 * few, "{few} {many}");
    });
}

/// The same tables with systemd's header: the same bytes.
#[test]
fn headers() {
    sandbox!(quiet(), |s| {
        if s.run("test -e /usr/include/systemd/sd-bus-vtable.h").status != Some(0) {
            skip!("libsystemd-dev is not among the packages");
        }
        fs::write("/tmp/vtable_probe.c", include_str!("c/vtable_probe.c")).unwrap();
        let said = |headers: &str| {
            let line = format!(
                "cc -O1 -Wall -Wextra -Werror -I{headers} -o /tmp/vtable_probe /tmp/vtable_probe.c \
                 {OURS}/libsystemd.so.0 && {} /tmp/vtable_probe 2>&1",
                by(s, &theirs(s))
            );
            let run = s.cmd("sh").args(["-c", &line]);
            run.timeout(Duration::from_secs(60)).run().ok()
        };
        let (theirs, ours) = (said("/usr/include"), said("/usr/include/switchyard"));
        assert!(ours.contains("M Pairs"), "{ours}");
        assert_eq!(ours, theirs);
    });
}
