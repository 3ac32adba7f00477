//! Go's own resolver, which reads resolv.conf and loads no NSS module, in an unmodified program of Debian's: gron fetches a
//! page and prints it.

mod nss_resolve_world;

use std::fs;

use nss_resolve_world::{World, options};
use support::{Daemon, Sandbox, Via, Which, sandbox, skip};

/// A page on the loopback, which the zone calls loopback.test.
fn serve_page(s: &Sandbox) -> Daemon {
    fs::create_dir_all("/tmp/page").unwrap();
    fs::write("/tmp/page/it.json", "{\"it\": \"works\"}").unwrap();
    let line = "exec python3 -m http.server --bind 127.0.0.1 --directory /tmp/page 8080";
    let server = s.spawn("page", &["sh", "-c", line]);
    let listens = || s.run("ss -ltn").ok().contains("127.0.0.1:8080");
    s.wait_for(listens, "a page");
    server
}

/// What gron prints of a page of this host.
fn gron(s: &Sandbox, environment: &str, host: &str) -> String {
    let line = format!("{environment} timeout 9 gron -m http://{host}:8080/it.json 2>&1 || true");
    s.run(&line).ok()
}

fn stub_resolv_conf() {
    fs::remove_file("/etc/resolv.conf").ok();
    std::os::unix::fs::symlink("/run/systemd/resolve/stub-resolv.conf", "/etc/resolv.conf")
        .unwrap();
}

/// How the program tells, before all else, who looks names up.
const GO: &str = "GODEBUG=netdns=go+2";

#[test]
fn gos_resolver_at_the_stub() {
    sandbox!(options().machined(Which::Ours).hosts("files dns"), |s| {
        if s.run("command -v gron || true").ok().is_empty() {
            skip!("this release of Debian has no gron");
        }
        let _world = World::start_of(s, Which::Ours);
        let _page = serve_page(s);
        stub_resolv_conf();
        // Nobody is there, and that is to be said at once.
        s.run("ip route add prohibit 192.0.2.0/24 && ip route add prohibit 10.201.0.0/16")
            .ok();
        let web = s.container("web").start();
        s.register(&web, Via::Varlink);
        // As it is without our module, and as it is with it: Go reads the line, too.
        for hosts in ["files dns", "files resolve [!UNAVAIL=return] dns"] {
            fs::write("/etc/nsswitch.conf", format!("hosts: {hosts}\n")).unwrap();
            let ask = |host: &str| gron(s, GO, host);
            let page = ask("loopback.test");
            assert!(page.contains("json.it = \"works\";"), "{page}");
            for line in [
                "forcing use of Go's resolver",
                "hostLookupOrder(loopback.test) = files,dns",
            ] {
                assert!(page.contains(line), "{page}");
            }
            for (host, expected) in [
                ("LoopBack.test.", "json.it = \"works\";"),
                ("localhost", "json.it = \"works\";"),
                ("chain.test", "dial tcp 192.0.2.11:8080: "),
                // By TCP, as the answer is too long.
                ("many.test", "dial tcp 10.201.0."),
                (
                    "nope.test",
                    "lookup nope.test on 127.0.0.53:53: no such host",
                ),
                (
                    "text.test",
                    "lookup text.test on 127.0.0.53:53: no such host",
                ),
                // A container, by the hook: there is no module in between.
                (
                    "web",
                    &format!("dial tcp {}:8080: connect: connection refused", web.ipv4()),
                ),
            ] {
                let said = ask(host);
                assert!(said.contains(expected), "{hosts}, {host}: {said}");
            }
        }
    });
}

/// Left alone, Go sees a line that it does not know, and calls the C library: there it finds our module.
#[test]
fn go_by_the_c_library() {
    sandbox!(options(), |s| {
        if s.run("command -v gron || true").ok().is_empty() {
            skip!("this release of Debian has no gron");
        }
        let _world = World::start_of(s, Which::Ours);
        let _page = serve_page(s);
        // Only the module can know.
        fs::write("/etc/resolv.conf", "nameserver 127.0.0.99\n").unwrap();
        for (choice, order) in [("cgo+2", "using cgo DNS resolver"), ("2", "= cgo")] {
            let said = gron(s, &format!("GODEBUG=netdns={choice}"), "loopback.test");
            assert!(said.contains(order), "{said}");
            assert!(said.contains("json.it = \"works\";"), "{said}");
        }
    });
}
