//! io.systemd.Machine's methods that enter a container: terminals, files, users.

mod machined_varlink_client;
mod terminal;

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::fd::OwnedFd,
};

use machined_varlink_client::{Client, MACHINE, Value, gone, json, machine, registered};
use support::{Options, Via, sandbox, skip};
use terminal::{read_until, terminal};

/// Opens a terminal; it does not block.
fn open(name: &str, more: Value) -> (File, String) {
    let mut parameters = more;
    parameters["name"] = name.into();
    let mut client = Client::new(MACHINE);
    let reply = client.call("io.systemd.Machine.Open", &parameters).ok();
    assert_eq!(reply["ptyFileDescriptor"], 0);
    let [fd]: [OwnedFd; 1] = std::mem::take(&mut client.fds).try_into().unwrap();
    (terminal(fd), reply["ptyPath"].as_str().unwrap().to_owned())
}

#[test]
fn terminals_can_be_written_to_and_read_from() {
    sandbox!(|s| {
        let web = registered(s, "web");
        let (mut tty, path) = open("web", json!({ "mode": "tty" }));
        assert!(path.starts_with("/dev/pts/"), "{path}");
        web.run(&format!("echo from inside >{path}")).ok();
        read_until(&mut tty, "from inside");

        let (mut shell, _) = open("web", json!({ "mode": "shell" }));
        shell
            .write_all(b"echo sum-$((40+2)) $USER $(hostname)\n")
            .unwrap();
        read_until(&mut shell, "sum-42 root web");
        let program = json!({
            "mode": "shell", "user": "root", "path": "/bin/sh", "args": ["sh", "-c", "echo $GIVEN"],
            "environment": ["GIVEN=this-one"],
        });
        read_until(&mut open("web", program).0, "this-one");
        read_until(&mut open("web", json!({ "mode": "login" })).0, "login:");
        let here = json!({ "mode": "shell", "path": "/bin/echo", "args": ["echo", "on the host"] });
        read_until(&mut open(".host", here).0, "on the host");
    });
}

#[test]
fn users_are_mapped_both_ways() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let _web = {
            let web = s
                .container("web")
                .user_namespace(200_000)
                .no_network()
                .start();
            s.register(&web, Via::Varlink);
            web
        };
        let from = |ids: Value| {
            let mut ids = ids;
            ids["name"] = "web".into();
            machine("MapFrom", ids)
        };
        assert_eq!(from(json!({ "uid": 7 })).ok(), json!({ "uid": 200_007 }));
        assert_eq!(
            from(json!({ "uid": 0, "gid": 9 })).ok(),
            json!({ "uid": 200_000, "gid": 200_009 })
        );
        assert!(from(json!({ "uid": 65_536 })).is("NoSuchUser"));
        assert!(from(json!({ "gid": 65_536 })).is("NoSuchGroup"));
        assert_eq!(from(json!({})).blames(), "uid");
        let to = |ids: Value| machine("MapTo", ids);
        assert_eq!(
            to(json!({ "uid": 200_007 })).ok(),
            json!({ "uid": 7, "machineName": "web" })
        );
        assert_eq!(
            to(json!({ "uid": 200_000, "gid": 200_001 })).ok(),
            json!({ "uid": 0, "gid": 1, "machineName": "web" })
        );
        assert!(to(json!({ "uid": 7 })).is("UserInHostRange"));
        assert!(to(json!({ "gid": 7 })).is("GroupInHostRange"));
        assert!(to(json!({ "uid": 300_000 })).is("NoSuchUser"));
        assert!(to(json!({ "gid": 300_000 })).is("NoSuchGroup"));
        assert_eq!(to(json!({})).blames(), "uid");
    });
}

#[test]
fn files_go_in_and_out() {
    sandbox!(|s| {
        let web = registered(s, "web");
        fs::create_dir("/tmp/data").unwrap();
        fs::write("/tmp/data/file", "shared").unwrap();
        let bind = |more: Value| {
            let mut parameters = json!({ "name": "web", "source": "/tmp/data" });
            parameters
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            machine("BindMount", parameters)
        };
        assert_ne!(bind(json!({ "destination": "/srv/none" })).error(), "");
        bind(json!({ "destination": "/srv/a", "mkdir": true })).ok();
        assert_eq!(
            web.run("echo x >/srv/a/new; cat /srv/a/file").ok(),
            "shared"
        );
        bind(json!({ "destination": "/srv/b", "mkdir": true, "readOnly": true })).ok();
        web.run("echo x >/srv/b/other").fails(1);
        bind(json!({ "mkdir": true })).ok();
        assert_eq!(web.run("cat /tmp/data/file").ok(), "shared");

        let copy = |method: &str, source: &str, destination: &str, replace: Value| {
            machine(
                method,
                json!({ "name": "web", "source": source, "destination": destination, "replace": replace }),
            )
        };
        copy("CopyTo", "/tmp/data", "/root/copied", json!(null)).ok();
        assert_eq!(web.run("cat /root/copied/file").ok(), "shared");
        web.run("echo changed >/root/copied/file").ok();
        let again = copy(
            "CopyTo",
            "/tmp/data/file",
            "/root/copied/file",
            json!(false),
        );
        assert_eq!(
            (again.error(), &again.0["parameters"]["errno"]),
            ("io.systemd.System", &json!(17))
        );
        copy("CopyFrom", "/root/copied/file", "/tmp/back", json!(null)).ok();
        assert_eq!(fs::read_to_string("/tmp/back").unwrap(), "changed\n");
        copy("CopyTo", "/tmp/data/file", "/root/copied/file", json!(true)).ok();
        assert_eq!(web.run("cat /root/copied/file").ok(), "shared");
        let missing = copy("CopyFrom", "/nope", "/tmp/x", json!(null));
        assert_eq!(missing.0["parameters"]["errno"], 2, "{missing:?}");

        let mut client = Client::new(MACHINE);
        let reply = client.call(
            "io.systemd.Machine.OpenRootDirectory",
            &json!({ "name": "web" }),
        );
        assert_eq!(reply.ok(), json!({ "fileDescriptor": 0 }));
        let [root] = &client.fds[..] else {
            panic!("one descriptor, not {:?}", client.fds)
        };
        let flags = rustix::fs::OFlags::RDONLY;
        let file =
            rustix::fs::openat(root, "etc/hostname", flags, rustix::fs::Mode::empty()).unwrap();
        let mut name = String::new();
        File::from(file).read_to_string(&mut name).unwrap();
        assert_eq!(name, "web\n");
    });
}

#[test]
fn no_bus_is_needed_for_any_of_it() {
    sandbox!(Options::new().bus(false), |s| {
        let web = registered(s, "web");
        read_until(
            &mut open(
                "web",
                json!({ "mode": "shell", "path": "/bin/echo", "args": ["echo", "here"] }),
            )
            .0,
            "here",
        );
        assert!(s.run("getent hosts web").ok().contains(&web.ipv6()));
        machine("Terminate", json!({ "name": "web" })).ok();
        gone(s, "web");
    });
}
