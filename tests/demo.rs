//! `make demo`, as a test: what it prints is what it promises.

use support::{Options, Via, sandbox, skipped};

#[test]
fn the_demo_shows_what_it_promises() {
    sandbox!(Options::new(), |s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusCreate);
        let db = s.container("db").start();
        s.register(&db, Via::Varlink);
        let output = s
            .cmd("sh")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/demo.sh"))
            .run();
        assert!(output.took.as_secs() < 5, "{output}");
        let said = output.ok();
        for line in [
            "# machinectl list".to_string(),
            "2 machines listed.".into(),
            format!("# getent hosts web\n{}", web.ipv6()),
            format!("{}    STREAM db", db.ipv6()),
            format!("# getent hosts {}\n{}", web.ipv4(), web.ipv4()),
        ] {
            assert!(said.contains(&line), "{line:?} is not in\n{said}");
        }
        match s.has_cgroups() {
            true => assert!(said.contains(" web "), "{said}"),
            false => skipped("ps -o machine: there are no cgroups to write to"),
        }
    });
}
