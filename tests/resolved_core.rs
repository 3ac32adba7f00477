//! Our resolved from end to end: real name servers behind it, unmodified programs in front.

mod nss_resolve_world;

use std::fs;

use nss_resolve_world::{World, options};
use support::{Sandbox, Via, Which, sandbox};

/// What dig says of the answer: the status, the flags, the answer's records.
struct Dig {
    status: String,
    flags: Vec<String>,
    answers: Vec<String>,
    whole: String,
}

impl Dig {
    fn ask(s: &Sandbox, arguments: &str) -> Self {
        let whole = s
            .run(&format!(
                "timeout 15 dig +tries=1 +time=10 @127.0.0.53 {arguments} || true"
            ))
            .ok();
        let field = |start: &str| {
            let rest = whole.split(start).nth(1).unwrap_or_default();
            rest.split([',', ';', '\n'])
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let section = whole
            .split(";; ANSWER SECTION:\n")
            .nth(1)
            .unwrap_or_default();
        let answers = section.lines().take_while(|line| !line.is_empty());
        let words = |line: &str| {
            line.split_whitespace()
                .skip(3)
                .collect::<Vec<_>>()
                .join(" ")
        };
        Self {
            status: field("status: "),
            flags: field(";; flags: ").split(' ').map(String::from).collect(),
            answers: answers.map(words).collect(),
            whole: whole.clone(),
        }
    }

    #[track_caller]
    fn is(&self, status: &str, answers: &[&str]) {
        assert_eq!(self.status, status, "{}", self.whole);
        let mut said = self.answers.clone();
        said.sort();
        assert_eq!(said, answers, "{}", self.whole);
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| known == flag)
    }
}

#[test]
fn dig_finds_what_there_is() {
    sandbox!(options(), |s| {
        let _world = World::start_of(s, Which::Ours);
        for transport in [
            "",
            "+tcp",
            "+noedns",
            "+bufsize=512",
            "+dnssec",
            "+cookie",
            "+qid=7",
        ] {
            let dig = |what: &str| Dig::ask(s, &format!("{transport} {what}"));
            dig("name.test A").is("NOERROR", &["A 192.0.2.10"]);
            dig("NAME.Test AAAA").is("NOERROR", &["AAAA 2001:db8::10"]);
            dig("alias.test A").is("NOERROR", &["A 192.0.2.10", "CNAME name.test."]);
            dig("nope.test A").is("NXDOMAIN", &[]);
            dig("v4only.test AAAA").is("NOERROR", &[]);
            dig("-x 192.0.2.10").is("NOERROR", &["PTR name.test."]);
            dig("localhost A").is("NOERROR", &["A 127.0.0.1"]);
            dig("text.test TXT").is("NOERROR", &["TXT \"nothing\""]);
            let found = dig("name.test A");
            assert!(
                found.has("ra") && found.has("rd") && !found.has("aa"),
                "{}",
                found.whole
            );
        }
        let negative = Dig::ask(s, "nope.test A").whole;
        assert!(
            negative.contains("AUTHORITY: 1") && negative.contains("SOA"),
            "{negative}"
        );
    });
}

#[test]
fn large_answers_go_by_tcp() {
    sandbox!(options(), |s| {
        let _world = World::start_of(s, Which::Ours);
        let cut = Dig::ask(s, "+ignore +bufsize=1232 many.test A");
        assert!(
            cut.has("tc")
                && cut
                    .whole
                    .contains("SERVER: 127.0.0.53#53(127.0.0.53) (UDP)"),
            "{}",
            cut.whole
        );
        let whole = Dig::ask(s, "+bufsize=1232 many.test A");
        assert_eq!(whole.answers.len(), 200, "{}", whole.whole);
        assert!(whole.whole.contains("(TCP)"), "{}", whole.whole);
        let plain = Dig::ask(s, "+noedns +ignore many.test A");
        assert!(plain.has("tc"), "{}", plain.whole);
        // The loopback carries more than the Internet does. (dig takes 32768 and more for negative, and asks for 1232.)
        let udp = Dig::ask(s, "+bufsize=32767 many.test A");
        assert_eq!(udp.answers.len(), 200, "{}", udp.whole);
        assert!(udp.whole.contains("(UDP)"), "{}", udp.whole);
    });
}

#[test]
fn what_the_stub_refuses() {
    sandbox!(options(), |s| {
        let _world = World::start_of(s, Which::Ours);
        let status = |what: &str| Dig::ask(s, what).status;
        assert_eq!(status("+norecurse name.test A"), "REFUSED");
        assert_eq!(status("+edns=1 +noednsneg name.test A"), "BADVERS");
        assert_eq!(status("+edns=1 +noednsneg +tcp name.test A"), "BADVERS");
        let transfer = s
            .run("timeout 15 dig +tries=1 +time=5 @127.0.0.53 test AXFR || true")
            .ok();
        assert!(transfer.contains("Transfer failed"), "{transfer}");
        assert_eq!(status("+opcode=notify name.test SOA"), "NOTIMP");
        assert_eq!(status("name.test TYPE3"), "REFUSED");
        assert_eq!(status("name.test A"), "NOERROR");
    });
}

#[test]
fn resolv_conf_is_written() {
    sandbox!(options(), |s| {
        let _world = World::start_of(s, Which::Ours);
        let stub = fs::read_to_string("/run/systemd/resolve/stub-resolv.conf").unwrap();
        let said: Vec<_> = stub
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .collect();
        assert_eq!(
            said,
            [
                "nameserver 127.0.0.53",
                "options edns0 trust-ad",
                "search ."
            ]
        );
        let uplink = fs::read_to_string("/run/systemd/resolve/resolv.conf").unwrap();
        assert!(uplink.contains("\nnameserver 127.0.0.10\n"), "{uplink}");
    });
}

/// Programs that know nothing of NSS modules of ours.
#[test]
fn programs_that_read_resolv_conf_alone() {
    sandbox!(options().hosts("dns"), |s| {
        let _world = World::start_of(s, Which::Ours);
        fs::remove_file("/etc/resolv.conf").ok();
        std::os::unix::fs::symlink("/run/systemd/resolve/stub-resolv.conf", "/etc/resolv.conf")
            .unwrap();
        let found = s.run("timeout 10 getent ahosts name.test").ok();
        assert!(
            found.contains("192.0.2.10") && found.contains("2001:db8::10"),
            "{found}"
        );
        let musl = s
            .run("musl-gcc --version >/dev/null 2>&1 && echo yes || true")
            .ok();
        if musl.contains("yes") {
            fs::write("/tmp/musl.c", MUSL).unwrap();
            s.run("musl-gcc -static -o /tmp/musl /tmp/musl.c").ok();
            assert_eq!(
                s.run("timeout 10 /tmp/musl name.test").ok().trim(),
                "192.0.2.10"
            );
        }
        let busybox = s.run("timeout 10 busybox nslookup name.test || true").ok();
        assert!(busybox.contains("192.0.2.10"), "{busybox}");
    });
}

const MUSL: &str = r#"
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
int main(int argc, char **argv) {
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
    char text[INET_ADDRSTRLEN];
    if (argc < 2 || getaddrinfo(argv[1], 0, &hints, &found))
        return 1;
    puts(inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, text, sizeof text));
}
"#;

/// The daemons do not know each other: resolved asks whoever has a socket among the hooks.
#[test]
fn containers_are_found_by_programs_without_nss() {
    sandbox!(options().machined(Which::Ours), |s| {
        let _world = World::start_of(s, Which::Ours);
        let web = s.container("web").start();
        s.register(&web, Via::Varlink);
        let (v4, v6) = (web.ipv4(), web.ipv6());
        Dig::ask(s, "web A").is("NOERROR", &[&format!("A {v4}")]);
        Dig::ask(s, "web AAAA").is("NOERROR", &[&format!("AAAA {v6}")]);
        Dig::ask(s, "web.name.test A").is("NXDOMAIN", &[]);
        s.machined().end();
        // No server is for single labels. systemd's stub says so, too.
        Dig::ask(s, "web A").is("REFUSED", &[]);
        Dig::ask(s, "name.test A").is("NOERROR", &["A 192.0.2.10"]);
    });
}
