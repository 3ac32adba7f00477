//! nss-mymachines at our machined, as far as systemd's has no like of it: reverse lookups, scopes, users of containers, and
//! whose word on a name is taken.

mod machined_bus_client;
mod nss_probe;

use std::fs;
use std::process::{Child, Command};

use machined_bus_client::{Client, as_user};
use nss_probe::{MODULE, Probe};
use support::{Options, Sandbox, Via, sandbox, skip};

const NOT_FOUND: &str = "NOTFOUND errno=0 h_errno=1";
const NOBODY: u32 = 65534;

/// The link-local address of a container, once it is there.
fn link_local(s: &Sandbox, probe: &Probe<'_>, name: &str) -> String {
    let find = || {
        let said = probe.ask("4", name);
        said.split(' ')
            .find(|word| word.starts_with("fe80:"))
            .map(str::to_owned)
    };
    s.wait_for(|| find().is_some(), "a link-local address");
    find().unwrap()
}

#[test]
fn an_address_has_the_name_of_its_machine() {
    sandbox!(Options::new().hosts("mymachines files"), |s| {
        let (web, db) = (s.container("web").start(), s.container("db").start());
        s.register(&web, Via::Varlink);
        s.register(&db, Via::BusCreate);
        let probe = Probe::new(s);
        let scoped = link_local(s, &probe, "web");
        let (link_local, _) = scoped.split_once('%').unwrap();
        for (container, name) in [(&web, "web"), (&db, "db")] {
            let (v4, v6) = (container.ipv4(), container.ipv6());
            let found = "SUCCESS errno=0 h_errno=0";
            let host = format!("name={name} family=2 length=4 {v4}");
            assert_eq!(probe.ask("addr", &v4), format!("{found} ttl=-1 {host}"));
            assert_eq!(probe.ask("addr2", &v4), format!("{found} ttl=0 {host}"));
            let host = format!("name={name} family=10 length=16 {v6}");
            assert_eq!(probe.ask("addr2", &v6), format!("{found} ttl=0 {host}"));
            // By the programs that ask.
            for address in [&v4, &v6] {
                let said = s.run(&format!("getent hosts {address}")).ok();
                assert_eq!(said.split_whitespace().nth(1), Some(name), "{said}");
            }
            let line = format!(
                "python3 -c 'import socket; print(socket.gethostbyaddr(\"{v4}\")[0], socket.getnameinfo((\"{v6}\", 80), 0)[0])'"
            );
            assert_eq!(s.run(&line).ok().trim(), format!("{name} {name}"));
        }
        assert!(probe.ask("addr2", link_local).contains(" name=web "));
        // The host's own, and nobody's.
        for address in [
            "10.88.0.1",
            "10.88.0.77",
            "192.0.2.1",
            "127.0.0.1",
            "::1",
            "fe80::1",
        ] {
            assert_eq!(probe.ask("addr2", address), NOT_FOUND, "{address}");
        }
        // A machine's end takes its addresses along.
        web.kill();
        s.wait_for(
            || probe.ask("addr2", &web.ipv4()) == NOT_FOUND,
            "the address to be nobody's",
        );
        assert_eq!(probe.ask("4", "web"), NOT_FOUND);
    });
}

#[test]
fn a_link_local_address_can_be_connected_to() {
    sandbox!(Options::new().hosts("mymachines"), |s| {
        let web = s.container("web").start();
        s.register(&web, Via::Varlink);
        let probe = Probe::new(s);
        let address = link_local(s, &probe, "web");
        let scope = format!("%{}", web.interface().unwrap());
        assert!(address.ends_with(&scope), "{address}");
        // Of both families: for one, getaddrinfo takes a hostent, which has no place for scopes.
        let line = "import socket; print(max(a[4][3] for a in socket.getaddrinfo('web', 80) if len(a[4]) == 4))";
        let said = s.cmd("python3").args(["-c", line]).run().ok();
        assert_eq!(said.trim(), &scope[1..]);
        // The scope is that of the host's end: the address answers there.
        let address = address.replace(&scope, "%ve-web");
        s.run(&format!("busybox ping -6 -c 1 -W 5 {address}")).ok();
    });
}

#[test]
fn users_of_containers_have_names() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there are no users to give to a container");
        }
        let web = s.container("web").user_namespace(200_000).start();
        s.register(&web, Via::Varlink);
        s.register(&s.container("db").start(), Via::Varlink); // with the host's users
        let probe = Probe::new(s);
        let found = "SUCCESS errno=0 h_errno=0";
        for (inside, outside) in [(0, 200_000), (33, 200_033), (65_535, 265_535)] {
            let user = format!(
                "{found} vu-web-{inside}:!*:{outside}:65534:UID {inside} of Container web:/:/usr/sbin/nologin"
            );
            assert_eq!(probe.ask("pwnam", &format!("vu-web-{inside}")), user);
            assert_eq!(probe.ask("pwuid", &outside.to_string()), user);
            let group = format!("{found} vg-web-{inside}:!*:{outside}:");
            assert_eq!(probe.ask("grnam", &format!("vg-web-{inside}")), group);
            assert_eq!(probe.ask("grgid", &outside.to_string()), group);
        }
        for (function, question) in [
            ("pwnam", "vu-web-65536"),
            ("pwnam", "vu-web-00"),
            ("pwnam", "vu-nope-0"),
            ("pwnam", "vu-db-0"),
            ("pwnam", "root"),
            ("pwuid", "199999"),
            ("pwuid", "265536"),
            ("pwuid", "0"),
            ("grnam", "vg-web-65536"),
            ("grnam", "vg-db-0"),
            ("grgid", "199999"),
            ("grgid", "265536"),
        ] {
            let said = probe.ask(function, question);
            assert_eq!(said, "NOTFOUND errno=0 h_errno=0", "{function} {question}");
        }
        // By the programs of every day.
        assert!(
            s.run("getent passwd vu-web-0")
                .ok()
                .starts_with("vu-web-0:!*:200000:")
        );
        assert!(
            s.run("getent group 200005")
                .ok()
                .starts_with("vg-web-5:!*:200005:")
        );
        s.run("touch /tmp/file && chown vu-web-5:vg-web-6 /tmp/file")
            .ok();
        assert_eq!(
            s.run("stat -c '%u %g %U %G' /tmp/file").ok().trim(),
            "200005 200006 vu-web-5 vg-web-6"
        );
        // A process of the container, as ps shows it.
        let said = s.run(&format!("ps -o user:20= -p {}", web.leader())).ok();
        assert_eq!(said.trim(), "vu-web-0");
        web.kill();
        s.wait_for(
            || probe.ask("pwuid", "200000") == "NOTFOUND errno=0 h_errno=0",
            "the user to be gone",
        );
    });
}

/// A process of an ordinary user's inside a container's network.
fn of_user(leader: u32, user: u32) -> Child {
    let line = format!(
        "exec nsenter -t {leader} --net setpriv --reuid={user} --regid={user} --clear-groups sleep 60"
    );
    Command::new("sh").args(["-c", &line]).spawn().unwrap()
}

/// polkit lets any user of the console register a process of theirs, under any name: that must not make it root's or
/// another user's idea of where `bank.example` is.
#[test]
fn what_a_user_registers_is_for_that_user_alone() {
    sandbox!(Options::new().hosts("mymachines files"), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        fs::create_dir_all("/etc/polkit-1/rules.d").unwrap();
        let rule = "polkit.addRule(function(action, subject) { return polkit.Result.YES; });";
        fs::write("/etc/polkit-1/rules.d/10-test.rules", rule).unwrap();
        s.run("chmod -R a+rX /etc/polkit-1").ok();
        s.start_polkit();
        let web = s.container("web").start();
        let probe = Probe::new(s);
        s.run("chmod 755 /tmp /tmp/nss_probe").ok();
        let ask = |user: u32, function: &str, argument: &str| {
            let line = format!("/tmp/nss_probe {MODULE} mymachines {function} {argument}");
            let said = s.cmd("sh").args(["-c", &line]).user(user).run().ok();
            said.trim_end().to_owned()
        };
        let mut leaders = Vec::new();
        for name in ["mine", "sandbox", "bank.example"] {
            let leader = of_user(web.leader(), NOBODY);
            let comm = format!("/proc/{}/comm", leader.id());
            s.wait_for(
                || fs::read_to_string(&comm).unwrap().trim() == "sleep",
                "the leader",
            );
            let pid = leader.id();
            as_user(NOBODY, move || {
                let arguments = args![name, Vec::<u8>::new(), "test", "container", pid, ""];
                Client::new().manager("RegisterMachine", arguments).ok();
            });
            leaders.push(leader);
            let own = ask(NOBODY, "3", name);
            assert!(
                own.starts_with("SUCCESS") && own.ends_with(&web.ipv4()),
                "{own}"
            );
            for user in [0, 1000] {
                assert_eq!(ask(user, "3", name), NOT_FOUND, "{user}");
                assert_eq!(ask(user, "4", &name.to_uppercase()), NOT_FOUND, "{user}");
                assert_eq!(ask(user, "addr2", &web.ipv4()), NOT_FOUND, "{user}");
            }
        }
        let own = ask(NOBODY, "addr2", &web.ipv4());
        for name in ["=mine ", "=sandbox ", "=bank.example "] {
            assert!(own.contains(name), "{own}");
        }
        // /etc/hosts has its say.
        assert!(
            s.run("getent ahostsv4 sandbox")
                .ok()
                .starts_with("127.0.1.1")
        );
        // root's own word stands beside it, for everybody.
        s.register(&web, Via::Varlink);
        for user in [0, 1000, NOBODY] {
            assert!(ask(user, "3", "web").ends_with(&web.ipv4()), "{user}");
        }
        let by_root = probe.ask("addr2", &web.ipv4());
        assert!(
            by_root.contains(" name=web ") && !by_root.contains("alias"),
            "{by_root}"
        );
        for mut leader in leaders {
            leader.kill().unwrap();
            leader.wait().unwrap();
        }
    });
}

#[test]
fn localhost_is_no_machine() {
    sandbox!(Options::new().hosts("mymachines files"), |s| {
        let web = s.container("localhost").start();
        s.register(&web, Via::Varlink);
        let db = s.container("db.localhost").start();
        s.register(&db, Via::Varlink);
        let probe = Probe::new(s);
        for name in ["localhost", "LOCALHOST", "localhost.", "db.localhost"] {
            for function in ["1", "2", "2-6", "3", "3-6", "4"] {
                assert_eq!(probe.ask(function, name), NOT_FOUND, "{function} {name}");
            }
        }
        assert!(
            s.run("getent ahostsv4 localhost")
                .ok()
                .starts_with("127.0.0.1")
        );
    });
}

/// Root in a container may call itself anything: what leads back to the host is not told.
#[test]
fn addresses_that_lead_back_to_the_host_are_not_told() {
    sandbox!(Options::new().hosts("mymachines files"), |s| {
        let web = s.container("web").start();
        s.register(&web, Via::Varlink);
        for address in ["127.0.0.53/32", "224.0.0.5/32", "10.88.0.77/32"] {
            let add = format!("ip address add {address} scope global dev host0");
            s.cmd("nsenter")
                .args(["-n", "-t", &web.leader().to_string(), "sh", "-c", &add])
                .run()
                .ok();
        }
        let found = s.run("getent ahostsv4 web").ok();
        assert!(found.contains("10.88.0.77"), "{found}");
        assert!(
            !found.contains("127.0.0.53") && !found.contains("224.0.0.5"),
            "{found}"
        );
    });
}
