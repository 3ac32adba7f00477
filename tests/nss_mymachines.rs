//! nss-mymachines beside systemd's, each with either machined: the same questions, the answers compared.

mod nss_probe;

use nss_probe::{MODULE, Probe};
use support::{Container, Options, Sandbox, Via, Which, sandbox, skip};

/// One of the four pairs.
fn pair(modules: Which, machined: Which) -> Options {
    Options::new().modules(modules).machined(machined)
}

/// Registers a container, and waits until its link-local address is there, too.
fn register(s: &Sandbox, probe: &Probe<'_>, container: &Container) {
    s.register(container, Via::BusRegister);
    s.wait_for(
        || probe.ask("4", container.name()).contains(" fe80:"),
        "a link-local address",
    );
}

/// What both modules answer alike, whoever's machined they ask.
fn agreed(probe: &Probe<'_>, web: &Container) {
    let (v4, v6) = (web.ipv4(), web.ipv6());
    let success = "SUCCESS errno=0 h_errno=0";
    let all = probe.ask("4", "web");
    assert!(
        all.starts_with(&format!("{success} ttl=0 name=web {v4}")),
        "{all}"
    );
    assert!(all.contains(&v6), "{all}");
    let host = format!("{success} ttl=0 name=web family=2 length=4 canonical=web {v4}");
    assert_eq!(probe.ask("3", "web"), host);
    let six = probe.ask("3-6", "web");
    assert!(
        six.starts_with(&format!(
            "{success} ttl=0 name=web family=10 length=16 canonical=web {v6}"
        )),
        "{six}"
    );
    let host = format!("{success} ttl=-1 name=web family=2 length=4 {v4}");
    assert_eq!(probe.ask("2", "web"), host);
    assert_eq!(probe.ask("1", "web"), host);
    assert!(
        probe
            .ask_with("-g", "4", "web")
            .starts_with(&format!("{success} ttl=0 name=web {v4}"))
    );
    // A buffer is too small, or it is not.
    let mut before = "TRYAGAIN errno=34 h_errno=-1".to_owned();
    for size in (0..400).step_by(8) {
        let now = probe.ask_with(&format!("-b {size}"), "4", "web");
        assert!(now == before || now == all, "{size}: {now}");
        before = now;
    }
    assert_eq!(before, all);
    assert!(!probe.ask("3", "nope").starts_with("SUCCESS"));
}

/// What is ours alone, where systemd's is wrong for its user.
fn ours(probe: &Probe<'_>) {
    for name in [
        "nope",
        "Web",
        "web.example.org",
        "a..b",
        ".host",
        "",
        "web..",
        "w b",
        &"x".repeat(300),
    ] {
        for function in ["1", "2", "3", "3-6", "4"] {
            assert_eq!(
                probe.ask(function, name),
                "NOTFOUND errno=0 h_errno=1",
                "{function} {name}"
            );
        }
    }
    assert_eq!(probe.ask("4", "web."), probe.ask("4", "web"));
    let link_local: Vec<_> = probe
        .ask("4", "web")
        .split(' ')
        .filter(|a| a.contains('%'))
        .map(str::to_owned)
        .collect();
    assert!(
        link_local
            .iter()
            .all(|address| address.starts_with("fe80:")),
        "{link_local:?}"
    );
}

#[test]
fn systemds_module_and_systemds_machined() {
    sandbox!(pair(Which::Peer, Which::Peer), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let web = s.container("web").start();
        let probe = Probe::new(s);
        register(s, &probe, &web);
        agreed(&probe, &web);
        assert_eq!(probe.ask("4", "nope"), "UNAVAIL errno=6 h_errno=3");
    });
}

#[test]
fn our_module_and_systemds_machined() {
    sandbox!(pair(Which::Ours, Which::Peer), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let web = s.container("web").start();
        let probe = Probe::new(s);
        register(s, &probe, &web);
        agreed(&probe, &web);
        ours(&probe);
        // By its own D-Bus, bit by bit: whatever a bus may do meanwhile.
        assert_eq!(probe.ask("addr2", &web.ipv4()), "UNAVAIL errno=2 h_errno=3");

        // The bus, or machined, that does not answer costs one deadline, and unknown names none.
        let begun = std::time::Instant::now();
        s.machined().stop();
        assert_eq!(probe.ask("4", "web"), "UNAVAIL errno=110 h_errno=3");
        assert!(
            (4.9..6.0).contains(&begun.elapsed().as_secs_f64()),
            "{:?}",
            begun.elapsed()
        );
        assert_eq!(probe.ask("4", "nope"), "NOTFOUND errno=0 h_errno=1");
        s.machined().cont();
        agreed(&probe, &web);
        let begun = std::time::Instant::now();
        s.bus().stop();
        assert_eq!(probe.ask("4", "web"), "UNAVAIL errno=110 h_errno=3");
        assert!(
            (4.9..6.0).contains(&begun.elapsed().as_secs_f64()),
            "{:?}",
            begun.elapsed()
        );
        s.bus().cont();
        agreed(&probe, &web);

        // State files that tell nothing.
        for (state, expected) in [
            ("", "UNAVAIL errno=74 h_errno=3"),
            ("garbage", "UNAVAIL errno=74 h_errno=3"),
            ("CLASS=vm\n", "NOTFOUND errno=0 h_errno=1"),
            ("CLASS=container\n", "NOTFOUND errno=0 h_errno=1"),
        ] {
            std::fs::write("/run/systemd/machines/ghost", state).unwrap();
            assert_eq!(probe.ask("4", "ghost"), expected, "{state}");
        }
        s.run("rm /run/systemd/machines/ghost && mkfifo /run/systemd/machines/ghost")
            .ok();
        assert_eq!(probe.ask("4", "ghost"), "UNAVAIL errno=74 h_errno=3");
        s.run("rm /run/systemd/machines/ghost && ln -s web /run/systemd/machines/ghost")
            .ok();
        assert_eq!(probe.ask("4", "ghost"), "UNAVAIL errno=40 h_errno=3");
    });
}

#[test]
fn our_module_leaves_nothing_with_systemds_machined() {
    sandbox!(pair(Which::Ours, Which::Peer), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let web = s.container("web").start();
        let probe = Probe::new(s);
        register(s, &probe, &web);
        let said = probe.ask_with("-n 1000", "4", "web");
        assert!(
            said.starts_with("SUCCESS") && said.contains("fds=+0 "),
            "{said}"
        );
        assert!(
            s.run(&format!(
                "ldd $(ldconfig -p | sed -n 's/.*{MODULE}.*=> //p') | wc -l"
            ))
            .ok()
            .trim()
                == "3"
        );
    });
}

#[test]
fn the_object_is_what_it_should_be() {
    sandbox!(
        pair(Which::Ours, Which::Ours).machined(None).bus(false),
        |s| {
            std::fs::write("/tmp/check.sh", include_str!("../dist/check-object.sh")).unwrap();
            let map = include_str!("../nss-mymachines/libnss_mymachines.map");
            std::fs::write("/tmp/map", map).unwrap();
            let library = s.run("cc -print-multiarch").ok();
            let path = format!("usr/lib/{}/{MODULE}", library.trim());
            s.run(&format!("sh /tmp/check.sh /{path} /tmp/map")).ok();
            // The check finds something: systemd's is no such object.
            let peers = std::env::var("SWITCHYARD_PEERS").unwrap();
            let found = s
                .run(&format!("sh /tmp/check.sh {peers}/{path} /tmp/map"))
                .fails(1);
            assert!(found.stderr.contains("it needs libcap.so.2"), "{found}");
        }
    );
}
