//! systemd's own parts in the sandbox: so that what the other tests show is not the sandbox's doing.

use std::path::Path;

use support::{Manager, Options, Via, sandbox, skip};

#[test]
fn systemds_module_finds_a_container_in_systemds_machined() {
    sandbox!(Options::peer(), |s| {
        let web = s.container("web").start();
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        s.register(&web, Via::BusRegister);
        assert!(
            s.run("machinectl list --no-legend")
                .ok()
                .contains("web container")
        );
        assert!(s.run("getent ahosts web").ok().contains(&web.ipv4()));
        assert_eq!(
            s.run(&format!("ps -o machine= -p {}", web.leader()))
                .ok()
                .trim(),
            "web"
        );
    });
}

#[test]
fn systemd_is_the_service_manager() {
    sandbox!(Options::peer().manager(Manager::Systemd), |s| {
        if !s.has_manager() {
            skip!("systemd wants root, and cgroups to write to");
        }
        assert_eq!(s.run("ps -o comm= -p 1").ok().trim(), "systemd");
        let web = s.container("web").start();
        s.register(&web, Via::BusCreate);
        assert!(
            s.run("systemctl show -P ActiveState machine-web.scope")
                .ok()
                .contains("active")
        );
        assert_eq!(
            s.run("systemd-run --quiet --wait --pipe echo ran")
                .ok()
                .trim(),
            "ran"
        );
        s.run("machinectl terminate web").ok();
        s.wait_for(|| !web.is_running(), "the container's end");
        s.wait_for(
            || s.run("machinectl --no-legend").ok().is_empty(),
            "the machine to be forgotten",
        );
    });
}

#[test]
fn a_bus_in_a_container_is_reached_by_its_name() {
    sandbox!(Options::peer(), |s| {
        let web = s.container("web").usr().start();
        if !s.has_cgroups() {
            skip!("there are no cgroups to write to");
        }
        s.register(&web, Via::BusRegister);
        web.start_bus();
        assert!(
            s.run("busctl -M web --no-legend list")
                .ok()
                .contains("org.freedesktop.DBus")
        );
    });
}

#[test]
fn systemd_runs_in_a_container() {
    sandbox!(Options::peer().manager(Manager::Systemd), |s| {
        if !s.has_cgroups() {
            skip!("there are no cgroups to write to");
        }
        let web = s.container("web").systemd().start();
        s.register(&web, Via::BusRegister);
        assert!(
            s.run("systemctl -M web is-system-running --wait")
                .stdout
                .contains("running")
        );
        assert!(
            s.run("machinectl shell web /bin/echo from inside")
                .ok()
                .contains("from inside")
        );
        assert_eq!(
            s.run("systemctl list-machines --no-legend | wc -l")
                .ok()
                .trim(),
            "2"
        );
    });
}

#[test]
fn nspawn_boots_a_root_and_registers_it() {
    sandbox!(Options::peer().manager(Manager::Systemd), |s| {
        if !s.has_manager() {
            skip!("systemd wants root, and cgroups to write to");
        }
        let root = s.root_tree("box");
        let root = root.to_str().unwrap();
        s.spawn(
            "nspawn",
            &[
                "systemd-nspawn",
                "--boot",
                "--network-veth",
                "-D",
                root,
                "-M",
                "box",
            ],
        );
        s.wait_for(
            || s.run("machinectl --no-legend").ok().starts_with("box"),
            "the machine",
        );
        assert!(
            s.run("machinectl status box")
                .ok()
                .contains("Service: systemd-nspawn")
        );
        let leader = s.run("machinectl show --property=Leader --value box").ok();
        let ready = format!("/proc/{}/root/run/ready", leader.trim());
        s.wait_for(|| Path::new(&ready).exists(), "the init of the root");
        s.run("machinectl poweroff box").ok();
        s.wait_for(
            || s.run("machinectl --no-legend").ok().is_empty(),
            "the machine's end",
        );
    });
}
