//! Whether capabilities let a caller on the bus do what polkit would else be asked: systemd's machined and resolved, and ours.
//!
//! They do not. A bus tells the user and the process of a caller, and no capabilities; those of /proc/PID may be another
//! process's by the time they are read, so systemd does not take them for an answer, for all that it names a capability
//! with each action. Root may, with or without any.

mod bus_client;
mod resolved_bus_world;

use resolved_bus_world::{LOOPBACK, World};
use support::{Container, Daemon, Ready, Sandbox, Which, sandbox, skip};

/// The capabilities that systemd's code names: those of machined's actions, and that of resolved's.
const POWERS: &str = "+kill,+sys_admin,+net_admin";
/// CAP_KILL, CAP_NET_ADMIN, CAP_SYS_ADMIN, linux/capability.h.
const BITS: u64 = 1 << 5 | 1 << 12 | 1 << 21;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Nobody,
    PowerfulNobody,
    PowerlessRoot,
}

impl Caller {
    /// The beginning of a command that becomes them.
    fn prefix(self) -> String {
        let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
        match self {
            Self::Nobody => nobody.to_owned(),
            Self::PowerfulNobody => format!("{nobody} --inh-caps {POWERS} --ambient-caps {POWERS}"),
            Self::PowerlessRoot => "setpriv --inh-caps -all --bounding-set -all".to_owned(),
        }
    }

    /// Is who they are meant to be.
    fn check(self, s: &Sandbox) {
        let status = s
            .run(&format!("{} cat /proc/self/status", self.prefix()))
            .ok();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().split_whitespace().next().unwrap().to_owned()
        };
        let effective = u64::from_str_radix(&field("CapEff:"), 16).unwrap();
        let (uid, powers) = match self {
            Self::Nobody => ("65534", 0),
            Self::PowerfulNobody => ("65534", BITS),
            Self::PowerlessRoot => ("0", 0),
        };
        assert_eq!((&*field("Uid:"), effective), (uid, powers), "{self:?}");
    }
}

/// What the calls give for one caller, in one word each: done, or refused, or the text of what else was wrong.
fn ask(s: &Sandbox, caller: Caller, service: &str, calls: &[String]) -> Vec<String> {
    let path = service.replace('.', "/");
    let ask = |call: &String| {
        let line = format!(
            "{} busctl call {service} /{path} {service}.Manager {call}",
            caller.prefix()
        );
        let answer = s.run(&line);
        let is_refusal = |text: &&str| answer.stderr.contains(text);
        let refusals = ["Access denied", "nteractive authentication required"];
        match answer.status {
            Some(0) => "done".to_owned(),
            _ if refusals.iter().any(is_refusal) => "refused".to_owned(),
            _ => answer.stderr,
        }
    };
    calls.iter().map(ask).collect()
}

/// Asks both daemons, each as all callers, and compares.
fn compare(s: &Sandbox, service: &str, calls: &[String], with: impl Fn(Which) -> Daemon) {
    for caller in [
        Caller::Nobody,
        Caller::PowerfulNobody,
        Caller::PowerlessRoot,
    ] {
        caller.check(s);
        let [peers, ours] = [Which::Peer, Which::Ours].map(|which| {
            let daemon = with(which);
            let answers = ask(s, caller, service, calls);
            daemon.end();
            answers
        });
        assert_eq!(peers, ours, "{caller:?}: {calls:#?}");
        let expected = match caller {
            Caller::PowerlessRoot => "done",
            _ => "refused",
        };
        assert_eq!(ours, vec![expected; calls.len()], "{caller:?}: {calls:#?}");
    }
}

fn without_polkit(s: &Sandbox) {
    s.run("mount -t tmpfs tmpfs /usr/share/dbus-1/system-services && busctl call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig")
        .ok();
}

/// Either machined, with a machine.
fn machined(s: &Sandbox, which: Which, web: &Container) -> Daemon {
    let program = match which {
        Which::Ours => "/usr/libexec/switchyard/machined",
        Which::Peer => "/usr/lib/systemd/systemd-machined",
    };
    let name = format!("machined-{which:?}");
    let ready = Ready::BusName("org.freedesktop.machine1".into());
    let daemon = Daemon::start(&name, &[program], &[], ready);
    if s.run("machinectl show web").status != Some(0) {
        s.register(web, support::Via::BusRegister);
    }
    daemon
}

#[test]
fn machined_goes_by_the_user_not_by_capabilities() {
    sandbox!(resolved_bus_world::options(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        without_polkit(s);
        let web = s.container("web").start();
        std::fs::write("/tmp/file", "").unwrap();
        let calls = [
            "KillMachine ssi web leader 18",
            "OpenMachineRootDirectory s web",
            "OpenMachinePTY s web",
            "CopyToMachineWithFlags ssst web /tmp/file /root/file 1",
            "CopyFromMachineWithFlags ssst web /etc/hostname /tmp/hostname 1",
            "UnregisterMachine s web",
        ];
        let calls = calls.map(str::to_owned);
        compare(s, "org.freedesktop.machine1", &calls, |which| {
            machined(s, which, &web)
        });
    });
}

#[test]
fn resolved_goes_by_the_user_not_by_capabilities() {
    sandbox!(resolved_bus_world::options(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        without_polkit(s);
        let world = World::new(s);
        let up0 = world.ifindex;
        assert_ne!(up0, LOOPBACK);
        let calls = [
            format!("SetLinkDNS 'ia(iay)' {up0} 0"),
            format!("SetLinkDomains 'ia(sb)' {up0} 1 x.test false"),
            format!("SetLinkDefaultRoute ib {up0} true"),
            format!("SetLinkLLMNR is {up0} no"),
            format!("SetLinkMulticastDNS is {up0} no"),
            format!("SetLinkDNSOverTLS is {up0} no"),
            format!("SetLinkDNSSEC is {up0} no"),
            format!("RevertLink i {up0}"),
        ];
        compare(s, resolved_bus_world::NAME, &calls, |which| {
            resolved_bus_world::start(which, "")
        });
    });
}
