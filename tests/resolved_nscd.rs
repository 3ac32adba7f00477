//! nscd between programs and our module, with our resolved behind.

mod nss_resolve_world;

use std::fs;
use std::time::Duration;

use nss_resolve_world::{World, options};
use support::{Daemon, Ready, Sandbox, Which, sandbox, skip};

/// Nothing but hosts; asked by its socket, where it counts.
const SETTINGS: &str = "\
enable-cache hosts yes
positive-time-to-live hosts 600
negative-time-to-live hosts 20
check-files hosts yes
persistent hosts no
shared hosts no
enable-cache passwd no
enable-cache group no
enable-cache services no
enable-cache netgroup no
";

fn start(s: &Sandbox) -> Daemon {
    fs::write("/etc/nscd.conf", SETTINGS).unwrap();
    // What a program sees that can't ask resolved itself.
    fs::write("/run/nsswitch.alone", "hosts: files\n").unwrap();
    assert_eq!(by_nscd(s, "hosts name.test"), "");
    let ready = Ready::Socket("/run/nscd/socket".into());
    Daemon::start("nscd", &["nscd", "--foreground"], &[], ready)
}

/// getent, with a nsswitch.conf of its own that does not lead to our module: what it finds it has from nscd.
fn by_nscd(s: &Sandbox, what: &str) -> String {
    let line = format!(
        "mount --bind /run/nsswitch.alone /etc/nsswitch.conf && timeout 9 getent {what} || true"
    );
    s.cmd("unshare")
        .args(["--mount", "sh", "-c", &line])
        .run()
        .ok()
}

/// A number of nscd's own statistics of hosts.
fn statistic(s: &Sandbox, what: &str) -> u64 {
    let said = s.run("nscd -g").ok();
    let hosts = said.split("hosts cache:").nth(1).unwrap();
    let line = hosts.lines().find(|line| line.trim_end().ends_with(what));
    line.unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

const HITS: &str = "cache hits on positive entries";

#[test]
fn nscd_asks_our_module_and_keeps_what_it_says() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let _world = World::start_of(s, Which::Ours);
        let _nscd = start(s);
        // Twice: what is kept is no other than what was asked for.
        for _ in 0..2 {
            for (what, expected) in [
                ("hosts v4only.test", "192.0.2.11 v4only.test"),
                ("hosts v6only.test", "2001:db8::12 v6only.test"),
                ("hosts chain.test", "192.0.2.11 v4only.test"),
                ("hosts 192.0.2.10", "192.0.2.10 name.test"),
                ("hosts 2001:db8::10", "2001:db8::10 name.test"),
                ("hosts nope.test", ""),
                ("hosts 192.0.2.99", ""),
                ("ahosts nope.test", ""),
                ("ahosts text.test", ""),
            ] {
                let said = by_nscd(s, what);
                let words: Vec<_> = said.split_whitespace().collect();
                assert_eq!(words.join(" "), expected, "{what}");
            }
            let both = by_nscd(s, "ahosts alias.test");
            for part in ["192.0.2.10 ", "2001:db8::10 ", "name.test"] {
                assert!(both.contains(part), "{both}");
            }
            let many = by_nscd(s, "ahostsv4 many.test");
            assert_eq!(many.matches("STREAM").count(), 200, "{many}");
        }
        assert!(statistic(s, HITS) > 0);
        assert!(statistic(s, "cache hits on negative entries") > 0);
    });
}

#[test]
fn nscd_while_resolved_is_stopped_and_gone() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let world = World::start_of(s, Which::Ours);
        fs::write("/etc/hosts", "127.0.0.1 localhost\n192.0.2.77 fallback\n").unwrap();
        let nscd = start(s);
        assert!(by_nscd(s, "hosts v4only.test").contains("192.0.2.11"));
        let all_at_once = || {
            let lines = (0..32).map(|n| format!("getent ahosts n{n}.name.test & "));
            let line = format!("{} wait", lines.collect::<String>());
            let begun = std::time::Instant::now();
            s.cmd("sh")
                .args(["-c", &line])
                .timeout(Duration::from_secs(20))
                .run()
                .ok();
            begun.elapsed()
        };
        world.resolved.stop();
        // Each of its threads waits for a second at most, and then for a while none does.
        let took = all_at_once();
        assert!(took < Duration::from_secs(6), "{took:?}");
        assert!(by_nscd(s, "hosts fallback").contains("192.0.2.77"));
        assert!(
            by_nscd(s, "hosts v4only.test").contains("192.0.2.11"),
            "it was kept"
        );
        s.run("timeout 5 nscd -g && timeout 5 nscd -i hosts").ok();
        world.resolved.cont();
        // What files did not know, nscd takes for unknown, and keeps that, too.
        let found = || {
            s.run("nscd -i hosts").ok();
            by_nscd(s, "hosts v6only.test").contains("2001:db8::12")
        };
        s.wait_for(found, "nscd to ask resolved again");
        world.resolved.kill(rustix::process::Signal::KILL);
        world.resolved.wait();
        s.run("nscd -i hosts").ok();
        let took = all_at_once();
        assert!(took < Duration::from_secs(6), "{took:?}");
        assert!(by_nscd(s, "hosts fallback").contains("192.0.2.77"));
        world.resolved.start_again();
        s.wait_for(found, "nscd to ask resolved again");
        assert!(nscd.is_running());
        nscd.end();
    });
}

/// Changes the address of a name that lives for two seconds.
fn set_short(s: &Sandbox, world: &World, address: &str) {
    let zone = fs::read_to_string("/run/nsd/forward").unwrap();
    let others = zone.lines().filter(|line| !line.starts_with("short "));
    let zone: String = others.map(|line| format!("{line}\n")).collect();
    fs::write(
        "/run/nsd/forward",
        format!("{zone}short 2 IN A {address}\n"),
    )
    .unwrap();
    world.nsd.kill(rustix::process::Signal::HUP);
    let dig = "dig +short +tries=1 +time=1 @127.0.0.10 short.test A || true";
    s.wait_for(|| s.run(dig).ok().trim() == address, "the changed zone");
}

/// With systemd's module, which tells no time to live, nscd keeps nothing of what getaddrinfo is answered.
#[test]
fn nscd_keeps_answers_as_long_as_they_live() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let world = World::start_of(s, Which::Ours);
        set_short(s, &world, "192.0.2.81");
        let _nscd = start(s);
        let hits = |name: &str| {
            by_nscd(s, &format!("ahosts {name}"));
            let before = statistic(s, HITS);
            for _ in 0..3 {
                by_nscd(s, &format!("ahosts {name}"));
            }
            statistic(s, HITS) - before
        };
        assert_eq!(hits("name.test"), 3);
        let short = || by_nscd(s, "ahosts short.test");
        assert!(short().contains("192.0.2.81"), "{}", short());
        set_short(s, &world, "192.0.2.82");
        // nscd looks for what has expired every 15 s or later (CACHE_PRUNE_INTERVAL), and not between.
        let followed = || short().contains("192.0.2.82");
        s.wait_within(Duration::from_secs(70), followed, "nscd to ask again");
        // What lives for an hour was kept meanwhile.
        assert_eq!(hits("name.test"), 3);
    });
}
