//! The machines that pairs of a module and a machined are asked about, and how each pair must answer: alike, but on purpose
//! where [`DIFFERENCES`] says why.

use std::process::Command;

use support::{Container, Daemon, Ready, Sandbox};

use crate::nss_probe::{MODULE, Probe};

/// Names that all answer alike, but for scope ids: see [`without_scopes`].
const ALIKE: [&str; 2] = ["web", "Mixed"];

/// Names that systemd's module answers in another way than ours. What it says does not depend on whose machined it asks.
struct Difference {
    names: &'static [&'static str],
    /// What systemd's module says, or how that begins.
    theirs: &'static str,
    /// What ours says, with systemd's machined and with ours; `=NAME` is what it says about that name.
    ours: [&'static str; 2],
    #[allow(dead_code, reason = "for the reader")]
    reason: &'static str,
}

const NOT_FOUND: &str = "NOTFOUND errno=0 h_errno=1";
const NO_DATA: &str = "NOTFOUND errno=0 h_errno=4";

const DIFFERENCES: [Difference; 10] = [
    Difference {
        names: &["nope", "web.example.org"],
        theirs: "UNAVAIL errno=6 h_errno=3",
        ours: [NOT_FOUND; 2],
        reason: "machined was asked and has no such machine: `[UNAVAIL=return]` and its like are for a service that fails",
    },
    Difference {
        names: &["a..b", "", "w b", "-web", "web..", "web/../web", ".", "ä"],
        theirs: "UNAVAIL errno=22 h_errno=3",
        ours: [NOT_FOUND; 2],
        reason: "a name that no machine can have is nobody's name",
    },
    Difference {
        names: &[".host"],
        theirs: "UNAVAIL errno=25 h_errno=3",
        ours: [NOT_FOUND; 2],
        reason: "the host itself is not a host of that name",
    },
    Difference {
        names: &["web."],
        theirs: "UNAVAIL errno=22 h_errno=3",
        ours: ["=web"; 2],
        reason: "a dot at the end says that a name is absolute (RFC 1034, 3.1), which names of machines are",
    },
    Difference {
        names: &["WEB"],
        theirs: "UNAVAIL errno=6 h_errno=3",
        ours: [NOT_FOUND, "=web"],
        reason: "names of hosts are equal without regard to case (RFC 4343); systemd's machined has no question for that",
    },
    Difference {
        names: &["mixed"],
        theirs: "UNAVAIL errno=6 h_errno=3",
        ours: [NOT_FOUND, "=Mixed"],
        reason: "as above",
    },
    Difference {
        names: &["lonely"],
        theirs: NOT_FOUND,
        ours: [NO_DATA; 2],
        reason: "the name is there, an address is not: NO_DATA (netdb.h)",
    },
    Difference {
        names: &["shared"],
        theirs: "UNAVAIL errno=38 h_errno=3",
        ours: [NO_DATA; 2],
        reason: "as above: it shares the host's network, and has no address of its own",
    },
    Difference {
        names: &["vm"],
        theirs: "UNAVAIL errno=25 h_errno=3",
        ours: [NOT_FOUND, NO_DATA],
        reason: "systemd's machined refuses addresses of VMs; ours knows those that the host has learnt, here none",
    },
    Difference {
        names: &["localhost"],
        theirs: "SUCCESS",
        ours: [NOT_FOUND; 2],
        reason: "localhost is this host, whatever a machine is called (RFC 6761, 6.3)",
    },
];

const FUNCTIONS: [&str; 6] = ["1", "2", "2-6", "3", "3-6", "4"];

/// What is registered.
struct Machine {
    name: &'static str,
    class: &'static str,
    leader: u32,
    interface: Option<u32>,
}

impl Machine {
    fn of(container: &Container, name: &'static str) -> Self {
        Self {
            name,
            class: "container",
            leader: container.leader(),
            interface: container.interface(),
        }
    }

    /// A process in the sandbox's own network.
    fn without_network(name: &'static str, class: &'static str) -> Self {
        let leader = Command::new("sleep").arg("60").spawn().unwrap().id();
        Self {
            name,
            class,
            leader,
            interface: None,
        }
    }

    fn register(&self, s: &Sandbox) {
        let Self {
            name,
            class,
            leader,
            interface,
        } = self;
        // systemd's machined takes only what stands in a unit already.
        for top in ["systemd", "unified", "."] {
            let scope = format!("/sys/fs/cgroup/{top}/machine.slice/machine-{name}.scope");
            let line = format!("mkdir -p {scope} && echo {leader} >{scope}/cgroup.procs");
            if std::path::Path::new(&format!("/sys/fs/cgroup/{top}/cgroup.procs")).exists() {
                s.run(&line).ok();
            }
        }
        let interfaces = interface.map_or("0".into(), |index| format!("1 {index}"));
        let arguments = format!("{name} 0 test {class} {leader} '' {interfaces}");
        manager(
            s,
            &format!("RegisterMachineWithNetwork sayssusai {arguments}"),
        );
    }
}

fn manager(s: &Sandbox, call: &str) {
    let object =
        "org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager";
    s.run(&format!("busctl call {object} {call}")).ok();
}

/// What one module says about a name, by each of the functions.
fn answers(probe: &Probe<'_>, name: &str) -> Vec<String> {
    FUNCTIONS
        .iter()
        .map(|function| probe.ask(function, name))
        .collect()
}

/// With a buffer of each size, the whole answer or the request for a larger one.
fn sizes(probe: &Probe<'_>) {
    for function in ["2", "3-6", "4"] {
        let whole = probe.ask(function, "web");
        let mut before = "TRYAGAIN errno=34 h_errno=-1".to_owned();
        for size in (0..400).step_by(24) {
            let now = probe.ask_with(&format!("-b {size}"), function, "web");
            assert!(now == before || now == whole, "{function}, {size}: {now}");
            before = now;
        }
        assert_eq!(before, whole);
    }
}

/// systemd's module gives the scope id of the host's interface to each address; ours to link-local ones, the only that
/// have a scope (RFC 4007, 6): `connect` to the others is refused or goes astray.
fn without_scopes(answer: &str, module_is_ours: bool, interface: u32) -> String {
    let mark = format!("%{interface}");
    let word = |word: &str| {
        let marked = word.ends_with(&mark);
        let address = word.contains(':') || word.split('.').count() == 4;
        if address {
            let expected = !module_is_ours || word.starts_with("fe80:");
            assert_eq!(marked, expected, "{word} in {answer}");
        }
        word.strip_suffix(&mark).unwrap_or(word).to_owned()
    };
    answer.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// What is registered, and what it stands on.
pub struct World<'s> {
    sandbox: &'s Sandbox,
    containers: [(&'static str, Container); 3],
    _lonely: Container,
    machines: Vec<Machine>,
    ours: Probe<'s>,
}

impl<'s> World<'s> {
    /// Starts the containers, and registers nothing yet.
    pub fn new(s: &'s Sandbox) -> Self {
        let containers =
            ["web", "Mixed", "localhost"].map(|name| (name, s.container(name).start()));
        let lonely = s.container("lonely").no_network().start();
        let mut machines = vec![
            Machine::of(&lonely, "lonely"),
            Machine::without_network("shared", "container"),
            Machine::without_network("vm", "vm"),
        ];
        machines.extend(
            containers
                .iter()
                .map(|(name, container)| Machine::of(container, name)),
        );
        Self {
            sandbox: s,
            containers,
            _lonely: lonely,
            machines,
            ours: Probe::of(s, &format!("/{}", module(s))),
        }
    }

    /// Starts a machined, registers everything, and has systemd's module and ours answer as they must with it.
    pub fn with(&self, machined: Machined, command: &[&str], theirs: &Probe<'_>) {
        let Self {
            sandbox: s,
            containers,
            machines,
            ours,
            ..
        } = self;
        let ready = Ready::BusName("org.freedesktop.machine1".into());
        let daemon = Daemon::start("either-machined", command, &[], ready);
        for machine in machines {
            machine.register(s);
        }
        for (name, _) in &containers[..2] {
            let found = || ours.ask("4", name).contains(" fe80:");
            s.wait_for(found, "a link-local address");
        }
        for (name, container) in &containers[..ALIKE.len()] {
            assert!(ALIKE.contains(name));
            let interface = container.interface().unwrap();
            for function in FUNCTIONS {
                let (a, b) = (theirs.ask(function, name), ours.ask(function, name));
                assert!(a.starts_with("SUCCESS") && a.contains(name), "{a}");
                if function != "4" {
                    assert_eq!(a, b, "{command:?}: {function} {name}");
                    continue;
                }
                assert!(b.contains(&format!(" {} {}", container.ipv4(), container.ipv6())));
                let plain = without_scopes(&b, true, interface);
                assert_eq!(without_scopes(&a, false, interface), plain, "{command:?}");
            }
        }
        for difference in &DIFFERENCES {
            for name in difference.names {
                let said = answers(ours, name);
                let expected = difference.ours[machined as usize];
                let expected = match expected.strip_prefix('=') {
                    Some(other) => answers(ours, other),
                    None => vec![expected.to_owned(); FUNCTIONS.len()],
                };
                assert_eq!(said, expected, "{command:?}: {name:?}");
                let said = answers(theirs, name);
                assert!(
                    said.iter().all(|said| said.starts_with(difference.theirs)),
                    "{command:?}: {name:?}: {said:?}"
                );
            }
        }
        sizes(theirs);
        sizes(ours);
        for machine in machines {
            manager(s, &format!("UnregisterMachine s {}", machine.name));
        }
        daemon.end();
    }
}

/// Where a module is below the root of either systemd, and of the sandbox.
pub fn module(s: &Sandbox) -> String {
    let library = s.run("cc -print-multiarch").ok();
    format!("usr/lib/{}/{MODULE}", library.trim())
}

/// Whose machined it is: the answers of our module differ.
#[derive(Clone, Copy)]
pub enum Machined {
    Theirs,
    Ours,
}
