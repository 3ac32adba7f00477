//! Who asks machined for names over Varlink: nss-systemd for users, resolvers for hosts, nss-mymachines for both ways.

mod machined_varlink_client;

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use machined_varlink_client::{
    Client, Reply, Value, as_user, ask, end, idle, json, machine, registered,
};
use support::{Container, Sandbox, Via, sandbox, skip, skipped};

const SERVICE: &str = "io.systemd.Machine";

fn user(mut parameters: Value) -> Reply {
    parameters["service"] = SERVICE.into();
    ask("io.systemd.UserDatabase", "GetUserRecord", parameters)
}

fn group(mut parameters: Value) -> Reply {
    parameters["service"] = SERVICE.into();
    ask("io.systemd.UserDatabase", "GetGroupRecord", parameters)
}

/// A container whose root is user 200000 outside.
fn mapped(s: &Sandbox) -> Container {
    let web = s
        .container("web")
        .user_namespace(200_000)
        .no_network()
        .start();
    s.register(&web, Via::Varlink);
    web
}

#[test]
fn users_of_containers_have_records() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there are no users to give to a container");
        }
        mapped(s);
        let record = json!({ "record": {
            "userName": "vu-web-7", "uid": 200_007, "gid": 65534, "realName": "UID 7 of Container web",
            "homeDirectory": "/", "shell": "/usr/sbin/nologin", "locked": true, "service": SERVICE,
            "disposition": "container",
        }});
        for question in [
            json!({ "userName": "vu-web-7" }),
            json!({ "uid": 200_007 }),
            json!({ "userName": "vu-web-7", "uid": 200_007 }),
            // systemd 258 and later may ask so.
            json!({ "uid": 200_007, "fuzzyNames": null, "uidMin": 0, "dispositionMask": ["container"] }),
        ] {
            assert_eq!(user(question.clone()).ok(), record, "{question}");
        }
        for other in [
            json!({ "uidMin": 200_008 }),
            json!({ "uidMin": 1, "uidMax": 200_006 }),
            json!({ "fuzzyNames": ["db"] }),
            json!({ "fuzzyNames": [] }),
            json!({ "dispositionMask": ["regular", "system"] }),
        ] {
            let mut question = other;
            question["uid"] = 200_007.into();
            assert!(
                user(question.clone()).is("NonMatchingRecordFound"),
                "{question}"
            );
        }
        let like = json!({ "uid": 200_007, "uidMax": 200_007, "fuzzyNames": ["of container WEB"] });
        assert_eq!(user(like).ok(), record);
        assert!(group(json!({ "gid": 200_000, "gidMax": 5 })).is("NonMatchingRecordFound"));
        assert_eq!(
            user(json!({ "uid": 200_007, "uidMin": -1 })).blames(),
            "uidMin"
        );
        assert_eq!(
            user(json!({ "uid": 200_007, "fuzzyNames": "web" })).blames(),
            "fuzzyNames"
        );
        let record = json!({ "record": {
            "groupName": "vg-web-0", "gid": 200_000, "description": "GID 0 of Container web",
            "service": SERVICE, "disposition": "container",
        }});
        for question in [
            json!({ "groupName": "vg-web-0" }),
            json!({ "gid": 200_000 }),
        ] {
            assert_eq!(group(question.clone()).ok(), record, "{question}");
        }
    });
}

#[test]
fn the_user_database_says_what_is_wrong() {
    sandbox!(|s| {
        let plain = registered(s, "plain");
        for question in [
            json!({ "userName": "vu-plain-0" }), // root inside is root outside
            json!({ "userName": "vu-nope-0" }),
            json!({ "userName": "vu-web-07" }),
            json!({ "userName": "vu-web-65536" }),
            json!({ "userName": "vg-web-0" }),
            json!({ "userName": "vu-.host-0" }),
            json!({ "userName": "root" }),
            json!({ "userName": "" }),
            json!({ "uid": 0 }),
            json!({ "uid": 65_535 }),
            json!({ "uid": 300_000 }),
            json!({ "uid": u32::MAX }),
        ] {
            assert!(user(question.clone()).is("NoRecordFound"), "{question}");
        }
        for question in [json!({ "groupName": "vu-web-0" }), json!({ "gid": 5 })] {
            assert!(group(question.clone()).is("NoRecordFound"), "{question}");
        }
        if !s.is_rootless() {
            mapped(s);
            let two = json!({ "userName": "vu-web-7", "uid": 200_008 });
            assert!(user(two).is("ConflictingRecordFound"));
            let two = json!({ "groupName": "vg-web-7", "gid": 200_008 });
            assert!(group(two).is("ConflictingRecordFound"));
        } else {
            skipped("users of a container: there are none to give");
        }
        assert!(user(json!({})).is("EnumerationNotSupported"));
        assert!(group(json!({})).is("EnumerationNotSupported"));
        for method in ["GetUserRecord", "GetGroupRecord", "GetMemberships"] {
            let ask = |parameters| ask("io.systemd.UserDatabase", method, parameters);
            assert!(
                ask(json!({ "service": "io.systemd.Other" })).is("BadService"),
                "{method}"
            );
            assert_eq!(ask(json!({})).blames(), "service", "{method}");
            assert_eq!(ask(json!({ "service": 1 })).blames(), "service", "{method}");
        }
        let memberships = |more: Value| {
            let mut question = more;
            question["service"] = SERVICE.into();
            ask("io.systemd.UserDatabase", "GetMemberships", question)
        };
        assert!(memberships(json!({})).is("NoRecordFound"));
        assert!(memberships(json!({ "userName": "vu-web-0" })).is("NoRecordFound"));
        assert_eq!(user(json!({ "uid": -1 })).blames(), "uid");
        assert_eq!(user(json!({ "userName": 5 })).blames(), "userName");
        assert_eq!(group(json!({ "gid": "0" })).blames(), "gid");
        drop(plain);
    });
}

#[test]
fn nss_systemd_and_ls_show_the_users_of_containers() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let web = mapped(s);
        for service in ["systemd", "mymachines"] {
            let get = |what: &str| s.run(&format!("getent -s {service} {what}"));
            let line = "vu-web-0:!*:200000:65534:UID 0 of Container web:/:/usr/sbin/nologin";
            let fields = |line: &str| {
                line.trim()
                    .split(':')
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            for question in ["passwd vu-web-0", "passwd 200000"] {
                let (own, expected) = (fields(&get(question).ok()), fields(line));
                // What stands for a locked password is the module's own choice.
                assert_eq!(
                    (&own[0], &own[2..]),
                    (&expected[0], &expected[2..]),
                    "{service}: {question}"
                );
            }
            for question in ["group vg-web-5", "group 200005"] {
                let own = fields(&get(question).ok());
                assert_eq!(
                    (&*own[0], &*own[2]),
                    ("vg-web-5", "200005"),
                    "{service}: {question}"
                );
            }
            get("passwd vu-web-70000").fails(2);
            get("passwd vu-nope-0").fails(2);
            get("passwd 300000").fails(2);
        }
        let owner = s
            .run(&format!("stat -c '%U %G' {}", web.root().display()))
            .ok();
        assert_eq!(owner.trim(), "vu-web-0 vg-web-0");
    });
}

#[test]
fn userdbctl_shows_the_users_of_containers() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        if s.run("command -v userdbctl").status != Some(0) {
            skip!("this release of Debian has no userdbctl");
        }
        mapped(s);
        let shown = s.run("userdbctl user vu-web-7").ok();
        for line in [
            "User name: vu-web-7",
            "Disposition: container",
            "UID: 200007",
            "GID: 65534 (nogroup)",
            "Real Name: UID 7 of Container web",
            "Locked: yes",
            "Service: io.systemd.Machine",
        ] {
            assert!(
                shown.lines().any(|own| own.trim() == line),
                "{line}: {shown}"
            );
        }
        assert!(s.run("userdbctl user 200007").ok().contains("vu-web-7"));
        assert!(
            s.run("userdbctl group vg-web-7")
                .ok()
                .contains("GID: 200007")
        );
        assert!(
            s.run("userdbctl services --no-legend")
                .ok()
                .contains("io.systemd.Machine")
        );
        assert!(
            !s.run("userdbctl groups-of-user vu-web-7")
                .ok()
                .contains("vg-")
        );
        s.run("userdbctl user vu-nope-1").fails(1);
        // Records of containers are not enumerated, and do not break an enumeration of the others.
        assert!(s.run("userdbctl user --no-legend").ok().contains("alice"));
    });
}

const HOOK: &str = "io.systemd.Resolve.Hook";

fn resolve(questions: &[(&str, u16, u16)]) -> Reply {
    let key = |(name, r#type, class): &(&str, u16, u16)| json!({ "key": { "class": class, "type": r#type, "name": name } });
    let question: Vec<_> = questions.iter().map(key).collect();
    ask(HOOK, "ResolveRecord", json!({ "question": question }))
}

#[test]
fn a_resolver_gets_records_of_machines() {
    sandbox!(|s| {
        let web = registered(s, "web");
        let v4: Ipv4Addr = web.ipv4().parse().unwrap();
        let v6: Ipv6Addr = web.ipv6().parse().unwrap();
        let (a, aaaa, mx, any) = (1, 28, 15, 255);
        let address = |reply: &Value, n: usize| reply["answer"][n]["rr"]["address"].clone();

        let reply = resolve(&[("web", a, 1)]).ok();
        assert_eq!(
            (&reply["rcode"], address(&reply, 0)),
            (&json!(0), json!(v4.octets()))
        );
        assert_eq!(
            reply["answer"][0]["rr"]["key"],
            json!({ "class": 1, "type": 1, "name": "web" })
        );
        assert_eq!(reply["answer"].as_array().unwrap().len(), 1);
        let wire = format!("A3dlYgAAAQABAAAAAAAE{}", base64(v4.octets()));
        assert_eq!(reply["answer"][0]["raw"], wire);
        assert_eq!(
            address(&resolve(&[("web", aaaa, 1)]).ok(), 0),
            json!(v6.octets())
        );

        let both = resolve(&[("web", a, 1), ("WEB.", aaaa, 1)]).ok();
        assert_eq!(
            (address(&both, 0), address(&both, 1)),
            (json!(v4.octets()), json!(v6.octets()))
        );
        assert_eq!(both["answer"][1]["rr"]["key"]["name"], "WEB.");

        // The name is there, and this type is not; so it is with another class.
        for other in [("web", mx, 1), ("web", any, 1), ("web", a, 3)] {
            assert_eq!(
                resolve(&[other]).ok(),
                json!({ "rcode": 0, "answer": [] }),
                "{other:?}"
            );
        }
        // Nothing is below a machine's name.
        for below in ["a.web", "a.b.web.", "A.Web"] {
            assert_eq!(
                resolve(&[(below, a, 1)]).ok(),
                json!({ "rcode": 3 }),
                "{below}"
            );
        }
        // The rest is for others to answer.
        for unknown in [
            "nope",
            "web.example",
            "localhost",
            "",
            ".",
            "webb",
            ".host",
            "we",
        ] {
            assert_eq!(resolve(&[(unknown, a, 1)]).ok(), json!({}), "{unknown}");
        }
        let mixed = resolve(&[("nope", a, 1), ("web", a, 1)]).ok();
        assert_eq!(
            (&mixed["rcode"], address(&mixed, 0)),
            (&json!(0), json!(v4.octets()))
        );

        assert_eq!(resolve(&[]).blames(), "question");
        assert_eq!(resolve(&[("web", a, 1); 1000]).blames(), "question");
        for wrong in [
            json!(5),
            json!([{}]),
            json!([{ "key": { "class": 1, "type": 1 } }]),
            json!([{ "key": { "class": 1, "type": 65_536, "name": "web" } }]),
            json!([{ "key": { "class": -1, "type": 1, "name": "web" } }]),
        ] {
            let reply = ask(HOOK, "ResolveRecord", json!({ "question": wrong }));
            assert_eq!(reply.blames(), "question", "{wrong}: {reply:?}");
        }
        // One that shares the host's network has no addresses of its own to give.
        let sharing = idle();
        let request = json!({ "name": "plain", "class": "container", "leader": sharing.id() });
        machine("Register", request).ok();
        assert_eq!(resolve(&[("plain", a, 1)]).ok(), json!({}));
        end(sharing);
    });
}

/// Four bytes.
fn base64(bytes: [u8; 4]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u64::from(u32::from_be_bytes(bytes)) << 4;
    let digit = |n: u64| char::from(DIGITS[usize::try_from(bits >> (6 * n) & 63).unwrap()]);
    (0..6).rev().map(digit).chain("==".chars()).collect()
}

#[test]
fn a_resolver_is_told_when_machines_come_and_go() {
    sandbox!(|s| {
        let web = registered(s, "web");
        assert_eq!(
            ask(HOOK, "QueryFilter", json!({})).ok(),
            json!({ "filterDomains": ["web"] })
        );
        let mut watching = Client::new(HOOK);
        watching.send(&json!({ "method": "io.systemd.Resolve.Hook.QueryFilter", "more": true }));
        let mut expect = |names: Value| {
            let update = watching.receive();
            assert_eq!(
                update,
                json!({ "parameters": { "filterDomains": names }, "continues": true })
            );
        };
        expect(json!(["web"]));
        let db = registered(s, "db");
        expect(json!(["db", "web"]));
        web.kill();
        expect(json!(["db"]));
        machine("Unregister", json!({ "name": "db" })).ok();
        expect(json!([]));
        registered(s, "new");
        expect(json!(["new"]));
        drop(db);
        // A hundred who hang up are let go.
        let descriptors = || {
            let dir = format!("/proc/{}/fd", s.machined().pid());
            std::fs::read_dir(dir).unwrap().count()
        };
        let before = descriptors();
        for _ in 0..100 {
            let mut other = Client::new(HOOK);
            other.send(&json!({ "method": "io.systemd.Resolve.Hook.QueryFilter", "more": true }));
            other.receive();
        }
        let all_gone = || descriptors() <= before;
        s.wait_within(
            Duration::from_secs(2),
            all_gone,
            "those who hung up to be let go",
        );
    });
}

#[test]
fn names_and_addresses_for_the_nss_module() {
    sandbox!(|s| {
        let web = registered(s, "web");
        let host = |parameters: Value| ask("io.switchyard.Machines", "ResolveHostname", parameters);
        let address =
            |parameters: Value| ask("io.switchyard.Machines", "ResolveAddress", parameters);
        let v4: Ipv4Addr = web.ipv4().parse().unwrap();
        let v6: Ipv6Addr = web.ipv6().parse().unwrap();
        for name in ["web", "web.", "WEB"] {
            let reply = host(json!({ "name": name })).ok();
            assert_eq!(reply["name"], "web");
            assert_eq!(
                reply["addresses"][0],
                json!({ "family": 2, "address": v4.octets() })
            );
            assert_eq!(
                reply["addresses"][1],
                json!({ "family": 10, "address": v6.octets() })
            );
        }
        for (family, count) in [(0, 3), (2, 1), (10, 2)] {
            let reply = host(json!({ "name": "web", "family": family })).ok();
            let found = reply["addresses"].as_array().unwrap();
            // The link-local one may not stand yet.
            assert!(
                found.len() == count || found.len() + 1 == count,
                "{family}: {reply}"
            );
            for address in found {
                assert!(family == 0 || address["family"] == family, "{reply}");
                let link_local = address["address"][0] == 0xfe;
                let interface = web.interface().filter(|_| link_local);
                assert_eq!(
                    address.get("ifindex").and_then(Value::as_u64),
                    interface.map(u64::from)
                );
            }
        }
        let names = json!({ "names": [{ "name": "web" }] });
        assert_eq!(
            address(json!({ "family": 2, "address": v4.octets() })).ok(),
            names
        );
        assert_eq!(
            address(json!({ "family": 10, "address": v6.octets() })).ok(),
            names
        );
        assert!(address(json!({ "family": 2, "address": [192, 0, 2, 1] })).is("NoSuchMachine"));
        for name in ["nope", ".host", "localhost", "", "a.web"] {
            assert!(host(json!({ "name": name })).is("NoSuchMachine"), "{name}");
        }
        let sharing = idle();
        let request = json!({ "name": "plain", "class": "container", "leader": sharing.id() });
        machine("Register", request).ok();
        assert!(host(json!({ "name": "plain" })).is("NoAddresses"));
        end(sharing);

        assert_eq!(host(json!({ "name": 1 })).blames(), "name");
        assert_eq!(host(json!({})).blames(), "name");
        assert_eq!(
            host(json!({ "name": "web", "family": 1 })).blames(),
            "family"
        );
        assert_eq!(
            address(json!({ "family": 1, "address": [1, 2, 3, 4] })).blames(),
            "family"
        );
        assert_eq!(
            address(json!({ "family": 2, "address": [1, 2, 3] })).blames(),
            "address"
        );
        assert_eq!(
            address(json!({ "family": 2, "address": [1, 2, 3, 256] })).blames(),
            "address"
        );
        if !s.is_rootless() {
            as_user(65534, || host(json!({ "name": "web" })).ok());
        } else {
            skipped("another user who asks: there is none");
        }
    });
}

#[test]
fn each_socket_describes_itself() {
    sandbox!(|_s| {
        for (interface, beside) in [
            (
                "io.systemd.Machine",
                vec!["io.systemd.MachineImage", "io.systemd.service"],
            ),
            (
                "io.systemd.MachineImage",
                vec!["io.systemd.Machine", "io.systemd.service"],
            ),
            ("io.systemd.UserDatabase", vec![]),
            (HOOK, vec![]),
            ("io.switchyard.Machines", vec![]),
        ] {
            let mut client = Client::new(interface);
            let info = client.call("org.varlink.service.GetInfo", &json!({})).ok();
            let mut expected = [
                &[interface, "io.systemd", "org.varlink.service"],
                &beside[..],
            ]
            .concat();
            expected.sort_unstable();
            assert_eq!(info["interfaces"], json!(expected));
            assert!(
                info["product"] == "machined" && info["vendor"] == "Switchyard",
                "{info}"
            );
            for name in expected {
                let which = json!({ "interface": name });
                let method = "org.varlink.service.GetInterfaceDescription";
                let reply = client.call(method, &which).ok();
                let text = reply["description"].as_str().unwrap();
                assert!(text.contains(&format!("interface {name}\n")), "{text}");
            }
            let method = "org.varlink.service.GetInterfaceDescription";
            assert!(
                client
                    .call(method, &json!({ "interface": "a.b" }))
                    .is("InterfaceNotFound")
            );
            assert_eq!(client.call(method, &json!({})).blames(), "interface");
            assert!(client.call("a.b.C", &json!({})).is("InterfaceNotFound"));
            let nonesuch = client.call(&format!("{interface}.Nonesuch"), &json!({}));
            assert!(nonesuch.is("MethodNotFound"), "{nonesuch:?}");
        }
        let service =
            |method: &str, parameters: Value| ask("io.systemd.service", method, parameters);
        assert_eq!(service("Ping", json!({})).ok(), json!({}));
        assert_eq!(service("Ping", json!({ "x": 1 })).blames(), "x");
        assert_eq!(service("GetLogLevel", json!({})).ok()["level"], 6);
        service("SetLogLevel", json!({ "level": 7 })).ok();
        assert_eq!(service("GetLogLevel", json!({})).ok()["level"], 7);
        for wrong in [json!(8), json!(-1), json!("debug"), json!(null)] {
            assert_eq!(
                service("SetLogLevel", json!({ "level": wrong })).blames(),
                "level"
            );
        }
        let environment = service("GetEnvironment", json!({})).ok();
        let environment = environment["environment"].as_array().unwrap();
        assert!(
            environment.contains(&json!("RUST_BACKTRACE=1")),
            "{environment:?}"
        );
        let images = |method: &str| ask("io.systemd.MachineImage", method, json!({ "name": "x" }));
        assert!(images("List").is("NoSuchImage"));
        assert!(images("Remove").is("NotSupported"));
    });
}
