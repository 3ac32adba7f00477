//! The sandbox itself, with systemd's own parts in it: so that what the other tests show is not the sandbox's doing.

use support::{Options, Via, sandbox};

#[test]
fn systemds_modules_find_a_container_in_systemds_machined() {
    sandbox!(Options::peer(), |s| {
        let web = s.container("web").start();
        if !s.has_cgroups() {
            return; // systemd's machined registers nothing without
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
