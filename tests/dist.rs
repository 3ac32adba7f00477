//! What `make install` lays out besides the programs: read by the programs it is for.

use std::{fs, path::Path};

use support::{Daemon, Options, Ready, sandbox, skip};

const POLICY: &str = "/usr/share/dbus-1/system.d/org.freedesktop.machine1.conf";

/// The sandbox without a daemon.
fn quiet() -> Options {
    Options::new().machined(None).bus(false)
}

#[test]
fn no_placeholder_is_left() {
    sandbox!(quiet(), |s| {
        let left = s.run(
            "grep -rlE '@[a-z]+@' /usr/share/dbus-1 /usr/share/polkit-1 /usr/share/containers /usr/share/lxc \
             /usr/share/switchyard /usr/lib/systemd/system/switchyard-* /usr/lib/sysusers.d/switchyard* \
             /usr/lib/tmpfiles.d/switchyard* /etc/init.d/switchyard-* /etc/sv /etc/cdi",
        );
        assert_eq!(left.fails(1).stdout, "");
    });
}

#[test]
fn systemd_understands_the_units() {
    sandbox!(quiet(), |s| {
        for unit in ["machined.service", "machined.socket", "resolved.service"] {
            let unit = format!("/usr/lib/systemd/system/switchyard-{unit}");
            let verified = s.run(&format!("systemd-analyze verify --man=no {unit}"));
            let complaints: Vec<&str> = verified
                .stderr
                .lines()
                .filter(|line| line.contains("switchyard"))
                .collect();
            assert!(complaints.is_empty(), "{verified}");
        }
    });
}

#[test]
fn systemd_makes_the_user_and_the_folders() {
    sandbox!(quiet(), |s| {
        if s.is_rootless() {
            skip!("there is no other user to give a folder to");
        }
        s.run("mkdir -p /tmp/root/etc").ok();
        s.run("systemd-sysusers --root=/tmp/root /usr/lib/sysusers.d/switchyard.conf")
            .ok();
        let user = s.run("grep ^systemd-resolve: /tmp/root/etc/passwd").ok();
        let fields: Vec<&str> = user.trim().split(':').collect();
        assert!(fields[2].parse::<u32>().is_ok_and(|uid| uid > 0), "{user}");
        s.run("systemd-tmpfiles --root=/tmp/root --create /usr/lib/tmpfiles.d/switchyard.conf")
            .ok();
        let made = s.run("stat -c '%a %u' /tmp/root/run/systemd/resolve").ok();
        assert_eq!(made.trim(), format!("755 {}", fields[2]));
        let link = s.run("readlink /tmp/root/etc/resolv.conf").ok();
        assert_eq!(link.trim(), "../run/systemd/resolve/stub-resolv.conf");
    });
}

#[test]
fn shells_understand_the_scripts() {
    sandbox!(quiet(), |s| {
        for script in [
            "/etc/init.d/switchyard-machined",
            "/etc/sv/switchyard-machined/run",
            "/etc/sv/switchyard-machined/log/run",
            "/etc/init.d/switchyard-resolved",
            "/etc/sv/switchyard-resolved/run",
            "/etc/sv/switchyard-resolved/log/run",
            "/usr/share/lxc/hooks/switchyard-lxc-hook",
        ] {
            for shell in ["sh", "bash --posix", "busybox sh"] {
                s.run(&format!("{shell} -n {script}")).ok();
            }
        }
        for program in ["switchyard-lookaside", "switchyard-oci-hook"] {
            s.run(&format!(
                "bash -n /usr/share/bash-completion/completions/{program}"
            ))
            .ok();
        }
    });
}

#[test]
fn the_bus_policy_names_every_method() {
    sandbox!(|s| {
        let policy = fs::read_to_string(POLICY).unwrap();
        let root = "/org/freedesktop/machine1";
        for (path, interface) in [
            (root.to_owned(), "org.freedesktop.machine1.Manager"),
            (
                format!("{root}/machine/_2ehost"),
                "org.freedesktop.machine1.Machine",
            ),
        ] {
            let listed = s
                .run(&format!(
                    "busctl introspect org.freedesktop.machine1 {path} {interface}"
                ))
                .ok();
            let methods: Vec<&str> = listed
                .lines()
                .filter(|line| line.contains(" method "))
                .filter_map(|line| line.split_whitespace().next()?.strip_prefix('.'))
                .collect();
            assert!(methods.len() > 10, "{listed}");
            for method in methods {
                let rule = format!("send_interface=\"{interface}\" send_member=\"{method}\"");
                assert!(
                    policy.contains(&rule),
                    "{interface}.{method} is not in the bus's policy"
                );
            }
        }
    });
}

#[test]
fn the_bus_lets_anyone_ask_and_root_alone_set() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let busctl = |arguments: &str| {
            let arguments = arguments.split(' ');
            s.cmd("busctl").args(arguments).user(1000).run()
        };
        let name = "org.freedesktop.machine1 /org/freedesktop/machine1";
        busctl(&format!(
            "call {name} org.freedesktop.machine1.Manager ListMachines"
        ))
        .ok();
        let log =
            "org.freedesktop.machine1 /org/freedesktop/LogControl1 org.freedesktop.LogControl1";
        busctl(&format!("get-property {log} LogLevel")).ok();
        let set = busctl(&format!("set-property {log} LogLevel s debug"));
        assert!(set.stderr.contains("denied"), "{set}");
        s.run(&format!("busctl set-property {log} LogLevel s debug"))
            .ok();
    });
}

#[test]
fn the_bus_lets_anyone_look_up_and_root_alone_set() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let name = "org.freedesktop.resolve1";
        let program = "/usr/libexec/switchyard/resolved";
        let _resolved = Daemon::start("resolved", &[program], &[], Ready::BusName(name.into()));
        let busctl = |arguments: &str| {
            let arguments = arguments.split(' ');
            s.cmd("busctl").args(arguments).user(1000).run()
        };
        let manager = format!("{name} /org/freedesktop/resolve1 {name}.Manager");
        busctl(&format!(
            "call {manager} ResolveHostname isit 0 localhost 2 0"
        ))
        .ok();
        busctl(&format!("get-property {manager} DNS")).ok();
        let set = busctl(&format!("call {manager} SetLinkLLMNR is 1 no"));
        assert_ne!(set.status, Some(0), "{set}");
        let log = format!("{name} /org/freedesktop/LogControl1 org.freedesktop.LogControl1");
        busctl(&format!("get-property {log} LogLevel")).ok();
        let set = busctl(&format!("set-property {log} LogLevel s debug"));
        assert!(set.stderr.contains("denied"), "{set}");
        s.run(&format!("busctl set-property {log} LogLevel s debug"))
            .ok();
        // Whoever is not the daemon's user can't take its name.
        let taken = busctl(
            "call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su org.freedesktop.resolve1 0",
        );
        assert!(taken.stderr.contains("denied"), "{taken}");
    });
}

#[test]
fn polkit_knows_the_actions() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("polkitd needs a second user");
        }
        let _polkit = s.start_polkit();
        let shown = |action: &str| {
            let asked = s.run(&format!("pkaction --verbose --action-id {action}"));
            let shown = asked.ok();
            move |who: &str| {
                let line = shown.lines().find_map(|line| line.trim().strip_prefix(who));
                line.map(str::trim).unwrap_or_default().to_owned()
            }
        };
        for (action, active) in [
            ("login", "auth_admin_keep"),
            ("host-login", "yes"),
            ("shell", "auth_admin_keep"),
            ("host-shell", "auth_admin_keep"),
            ("open-pty", "auth_admin_keep"),
            ("host-open-pty", "auth_admin_keep"),
            ("manage-machines", "auth_admin_keep"),
            ("manage-images", "auth_admin_keep"),
            ("create-machine", "auth_admin_keep"),
            ("register-machine", "yes"),
        ] {
            let implicit = shown(&format!("org.freedesktop.machine1.{action}"));
            assert_eq!(implicit("implicit any:"), "auth_admin", "{action}");
            assert_eq!(implicit("implicit inactive:"), "auth_admin", "{action}");
            assert_eq!(implicit("implicit active:"), active, "{action}");
        }
        for action in RESOLVE_ACTIONS {
            let implicit = shown(&format!("org.freedesktop.resolve1.{action}"));
            assert_eq!(implicit("implicit any:"), "auth_admin", "{action}");
            assert_eq!(implicit("implicit inactive:"), "auth_admin", "{action}");
            assert_eq!(implicit("implicit active:"), "auth_admin_keep", "{action}");
            // Otherwise polkit tells no one but root about others' rights, and the daemon is systemd-resolve.
            let owner = implicit("annotation:");
            assert!(owner.ends_with("unix-user:systemd-resolve"), "{owner}");
        }
    });
}

/// What systemd's own policy has, up to version 258.
const RESOLVE_ACTIONS: [&str; 19] = [
    "register-service",
    "unregister-service",
    "set-dns-servers",
    "set-domains",
    "set-default-route",
    "set-llmnr",
    "set-mdns",
    "set-dns-over-tls",
    "set-dnssec",
    "set-dnssec-negative-trust-anchors",
    "revert",
    "subscribe-query-results",
    "subscribe-dns-configuration",
    "dump-cache",
    "dump-server-state",
    "dump-statistics",
    "reset-statistics",
    "flush-caches",
    "reset-server-features",
];

/// resolved asks for nothing that the policy has not, and the policy has nothing that it does not ask for.
#[test]
fn the_policy_of_resolved_has_what_it_asks_for() {
    let policy = "dist/polkit-1/actions/org.freedesktop.resolve1.policy";
    let policy = fs::read_to_string(source(policy)).unwrap();
    let access = fs::read_to_string(source("resolved/src/access.rs")).unwrap();
    for action in RESOLVE_ACTIONS {
        let id = format!("<action id=\"org.freedesktop.resolve1.{action}\">");
        assert!(policy.contains(&id), "{action}");
        assert!(access.contains(&format!("\"{action}\"")), "{action}");
    }
    assert_eq!(policy.matches("<action id=").count(), RESOLVE_ACTIONS.len());
}

/// The top of the source tree.
fn source(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

#[test]
fn the_matrix_is_up_to_date() {
    let check = std::process::Command::new("sh")
        .arg(source("docs/matrix.sh"))
        .arg("--check")
        .output()
        .unwrap();
    assert!(
        check.status.success(),
        "{}",
        String::from_utf8_lossy(&check.stderr)
    );
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = fs::read_to_string(source("Cargo.toml")).unwrap();
    let table = fs::read_to_string(source("docs/dependencies.md")).unwrap();
    let outside = manifest
        .split_once("# from outside\n")
        .unwrap()
        .1
        .split("\n\n")
        .next()
        .unwrap();
    for line in outside.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split([' ', '=']).next().unwrap();
        let told = table
            .lines()
            .filter_map(|row| row.strip_prefix("| ")?.split(" |").next());
        assert!(
            told.into_iter()
                .any(|names| names.split(", ").any(|n| n == name)),
            "{name} is not in docs/dependencies.md"
        );
    }
}

/// The pages of docs/man.
fn manual_pages() -> Vec<(String, String)> {
    let pages = fs::read_dir(source("docs/man")).unwrap().map(|page| {
        let path = page.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    pages.collect()
}

#[test]
fn manual_pages_are_well_formed() {
    sandbox!(quiet(), |s| {
        for (name, page) in manual_pages() {
            let path = format!("/tmp/{name}");
            fs::write(&path, page).unwrap();
            let checked = s.run(&format!("groff -man -Tutf8 -t -ww -z {path}"));
            // The sandbox has no /etc/groff, which is warned of, too.
            let about_it = |line: &&str| line.contains(&path);
            let complaints: Vec<_> = checked.stderr.lines().filter(about_it).collect();
            assert!(complaints.is_empty(), "{checked}");
            checked.ok();
        }
    });
}

/// A name in bold with a section behind it is a page of ours that is there, or another project's.
#[test]
fn manual_pages_lead_to_manual_pages() {
    let pages = manual_pages();
    let mut followed = 0;
    for (name, page) in &pages {
        for line in page.lines() {
            let mut words = line.split_whitespace().skip_while(|word| *word != ".BR");
            let (Some(to), Some(section)) = (words.nth(1), words.next()) else {
                continue;
            };
            let to = to.replace("\\-", "-");
            let section: String = section.chars().filter(char::is_ascii_digit).collect();
            if section.is_empty() || !(to.contains("switchyard") || to.starts_with("nss-")) {
                continue;
            }
            let file = format!("{to}.{section}");
            assert!(
                pages.iter().any(|(other, _)| *other == file),
                "{name} leads to {file}"
            );
            followed += 1;
        }
    }
    assert!(followed > 10, "they are no longer found");
}

#[test]
fn the_manual_has_all_of_the_interface() {
    let interface = "machined/src/varlink/io.switchyard.Machines.varlink";
    let interface = fs::read_to_string(source(interface)).unwrap();
    let page = fs::read_to_string(source("docs/man/io.switchyard.Machines.7")).unwrap();
    let told: Vec<_> = page.lines().collect();
    for line in interface.lines() {
        let said = ["type ", "method ", "error "];
        if said.iter().any(|word| line.starts_with(word)) {
            assert!(told.contains(&line), "{line}");
        }
    }
}

#[test]
fn help_leads_to_a_manual_page_that_is_there() {
    sandbox!(quiet(), |s| {
        for (program, page) in [
            ("/usr/libexec/switchyard/machined", "switchyard-machined.8"),
            ("/usr/libexec/switchyard/resolved", "switchyard-resolved.8"),
            ("/usr/bin/switchyard-lookaside", "switchyard-lookaside.8"),
            ("/usr/bin/switchyard-oci-hook", "switchyard-oci-hook.1"),
        ] {
            let help = s.run(&format!("{program} --help")).ok();
            let (name, section) = page.rsplit_once('.').unwrap();
            let page = fs::read_to_string(source(&format!("docs/man/{page}"))).unwrap();
            let page = page.replace("\\-", "-");
            let is_option = |word: &&str| word.starts_with("--");
            let words = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            for option in words.filter(is_option) {
                assert!(page.contains(option), "{name} does not explain {option}");
            }
            if help.contains("See ") {
                let reference = format!("{name}({section})");
                assert!(help.contains(&reference), "{reference} is not in: {help}");
            }
        }
    });
}

/// What goes into nsswitch.conf is said in three places.
#[test]
fn one_hosts_line_is_recommended() {
    let line = |file: &str| {
        let text = fs::read_to_string(source(file)).unwrap();
        let line = text.lines().find(|line| line.trim().starts_with("hosts: "));
        let words = line.unwrap().split_whitespace().skip(1);
        words.collect::<Vec<_>>().join(" ")
    };
    let told = line("README.md");
    assert_eq!(told, line("docs/man/nss-mymachines.8"));
    let map = fs::read_to_string(source("docs/architecture.md")).unwrap();
    assert!(map.contains(&format!("hosts: {told}")), "{told}");
}

#[test]
fn the_tests_that_the_docs_name_exist() {
    let text = fs::read_to_string(source("docs/security.md")).unwrap();
    let mut named = 0;
    for (file, test) in text.split('`').filter_map(|word| word.split_once(".rs::")) {
        let code = fs::read_to_string(source(&format!("{file}.rs")))
            .unwrap_or_else(|error| panic!("{file}.rs: {error}"));
        assert!(
            code.contains(&format!("fn {test}(")),
            "docs/security.md names {test}, which is not in {file}.rs"
        );
        named += 1;
    }
    assert!(named > 10, "the names are no longer found");
}

/// A test that returns without a word where something is missing passes without having shown anything: see `support::skip!`.
#[test]
fn tests_say_what_they_pass_over() {
    let asks = [
        "is_rootless()",
        "has_cgroups()",
        "has_manager()",
        "command -v",
    ];
    for file in fs::read_dir(source("tests")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        for (number, pair) in lines.windows(2).enumerate() {
            let missing = asks.iter().any(|ask| pair[0].contains(ask));
            let silent = pair[1].trim_start().starts_with("return");
            assert!(!(missing && silent), "{}:{}", path.display(), number + 2);
        }
    }
}
