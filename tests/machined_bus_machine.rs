//! A machine on the bus: what was registered of it is what is read, and each of its methods does its work.

mod machined_bus_client;
mod machined_registry;
mod terminal;

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, File},
    io::Write,
    os::{
        fd::OwnedFd,
        unix::{fs::MetadataExt, process::ExitStatusExt},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use machined_bus_client::{
    Answer, Args, Client, MACHINE, MACHINE_IFACE, MANAGER, MANAGER_IFACE, PROPERTIES, members,
};
use machined_registry::{addresses, cgroup, create, names, program};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use support::{Container, sandbox, skip};
use terminal::{read_until, terminal};
use zbus::{DynamicType, Message, Variant, export::serde::Serialize, wire::OwnedVariant};

const WEB: &str = "/org/freedesktop/machine1/machine/web";

fn pidfd(pid: u32) -> OwnedFd {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    pidfd_open(pid, PidfdFlags::empty()).unwrap()
}

/// PID_FS_MAGIC of linux/magic.h: before Linux 6.9 processes had no ids, and machined has 0 for them.
fn pidfd_id(pid: u32) -> u64 {
    let pidfd = pidfd(pid);
    match rustix::fs::fstatfs(&pidfd).unwrap().f_type {
        0x5049_4446 => rustix::fs::fstat(&pidfd).unwrap().st_ino,
        _ => 0,
    }
}

/// A call whose reply is looked into.
#[track_caller]
fn reply<B: Serialize + DynamicType>(
    client: &Client,
    (path, interface): (&str, &str),
    member: &str,
    body: &B,
) -> Message {
    let name = Some("org.freedesktop.machine1");
    let call = client
        .connection
        .call_method(name, path, Some(interface), member, body);
    client.block_on(call).unwrap()
}

/// Keys of the …Ex methods for this leader: all there are.
fn keys(leader: u32, class: &'static str) -> Vec<(&'static str, Variant<'static>)> {
    let mut keys = vec![
        ("Id", Variant::from(vec![7u8; 16])),
        ("Service", "some-manager".into()),
        ("Class", class.into()),
        ("LeaderPID", leader.into()),
        ("LeaderPIDFD", Variant::Fd(pidfd(leader).into())),
        ("RootDirectory", "/var/lib/machines/web".into()),
        ("NetworkInterfaces", vec![1i32, 7].into()),
        ("VSockCID", 77u32.into()),
        ("SSHAddress", "vsock/77".into()),
        ("SSHPrivateKeyPath", "/run/key".into()),
        ("Addresses", vec![(2i32, vec![192u8, 0, 2, 9])].into()),
    ];
    match pidfd_id(leader) {
        0 => {}
        id => keys.push(("LeaderPIDFDID", id.into())),
    }
    keys
}

/// What is read of a machine with those keys.
fn expected(
    leader: u32,
    class: &'static str,
    unit: &'static str,
    subgroup: &'static str,
) -> Vec<(&'static str, Variant<'static>)> {
    let own = std::process::id();
    vec![
        ("Name", "web".into()),
        ("Id", vec![7u8; 16].into()),
        ("Service", "some-manager".into()),
        ("Unit", unit.into()),
        ("Subgroup", subgroup.into()),
        ("Leader", leader.into()),
        ("LeaderPIDFDId", pidfd_id(leader).into()),
        ("Supervisor", own.into()),
        ("SupervisorPIDFDId", pidfd_id(own).into()),
        ("Class", class.into()),
        ("RootDirectory", "/var/lib/machines/web".into()),
        ("NetworkInterfaces", vec![1i32, 7].into()),
        ("VSockCID", 77u32.into()),
        ("SSHAddress", "vsock/77".into()),
        ("SSHPrivateKeyPath", "/run/key".into()),
        ("State", "running".into()),
        ("UID", 0u32.into()),
    ]
}

/// Reads all properties, one by one and all together; `since` is when the machine was registered at the earliest.
fn reads(client: &Client, since: u64, expected: Vec<(&'static str, Variant<'static>)>) {
    let all = reply(client, (WEB, PROPERTIES), "GetAll", &MACHINE_IFACE);
    let mut all: HashMap<String, OwnedVariant> = all.body().deserialize().unwrap();
    let get = |name: &str| {
        let one = reply(client, (WEB, PROPERTIES), "Get", &(MACHINE_IFACE, name));
        one.body().deserialize::<OwnedVariant>().unwrap()
    };
    for name in ["Timestamp", "TimestampMonotonic"] {
        let time = u64::try_from(all.remove(name).unwrap()).unwrap();
        let since = if name == "Timestamp" { since } else { 1 };
        let until = since.saturating_add(60_000_000);
        assert!(time >= since, "{name}: {time}");
        assert!(name != "Timestamp" || time < until, "{name}: {time}");
        assert_eq!(u64::try_from(get(name)).unwrap(), time);
    }
    for (name, value) in expected {
        let told = all.remove(name);
        assert_eq!(told.as_deref(), Some(&value), "{name}");
        assert_eq!(*get(name), value, "{name}");
        if name == "Unit" {
            assert_eq!(*get("Scope"), value); // its former name
        }
    }
    assert!(all.is_empty(), "{all:?}");
}

/// µs of the real-time clock.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_micros().try_into().unwrap()
}

#[test]
fn what_was_registered_is_what_is_read() {
    sandbox!(|s| {
        let client = Client::new();
        let manager = (MANAGER, MANAGER_IFACE);
        for class in ["container", "vm"] {
            // CreateMachineEx, with a scope that is made.
            let (mut leader, since) = (program("sleep 60"), now());
            let tasks = vec![("TasksMax", Variant::from(50u64))];
            let body = ("web", keys(leader.id(), class), tasks);
            reply(&client, manager, "CreateMachineEx", &body);
            let unit = if s.has_cgroups() {
                "machine-web.scope"
            } else {
                ""
            };
            reads(&client, since, expected(leader.id(), class, unit, ""));
            let ssh = reply(&client, manager, "GetMachineSSHInfo", &"web");
            let told: (String, String) = ssh.body().deserialize().unwrap();
            assert_eq!(told, ("vsock/77".to_owned(), "/run/key".to_owned()));
            let ssh = reply(&client, (WEB, MACHINE_IFACE), "GetSSHInfo", &());
            assert_eq!(ssh.body().deserialize::<(String, String)>().unwrap(), told);
            let given = match class {
                "vm" => "192.0.2.9",
                // Those of a container are its own to have.
                _ => "org.freedesktop.machine1.NoPrivateNetworking",
            };
            assert_eq!(addresses(&client, "web"), [given]);
            client.manager("UnregisterMachine", args!["web"]).ok();
            leader.kill().unwrap();
            leader.wait().unwrap();

            // RegisterMachineEx, where the leader is: below the scope that its manager made.
            let (mut leader, since) = (program("sleep 60"), now());
            let (mut unit, mut below) = ("", "");
            if s.has_cgroups() {
                (unit, below) = ("machine-own.scope", "inner/most");
                let place = cgroup("machine.slice").join(unit).join(below);
                fs::create_dir_all(&place).unwrap();
                fs::write(place.join("cgroup.procs"), leader.id().to_string()).unwrap();
            }
            let body = ("web", keys(leader.id(), class));
            reply(&client, manager, "RegisterMachineEx", &body);
            reads(&client, since, expected(leader.id(), class, unit, below));
            leader.kill().unwrap();
            leader.wait().unwrap();
            s.wait_for(|| names().is_empty(), "the machine's end");
        }
    });
}

#[test]
fn without_ssh_it_is_said_that_there_is_none() {
    sandbox!(|s| {
        let client = Client::new();
        let mut leader = program("sleep 60");
        create(&client, "web", leader.id(), vec![]).ok();
        for answer in [
            client.manager("GetMachineSSHInfo", args!["web"]),
            client.call(WEB, MACHINE_IFACE, "GetSSHInfo", args![]),
        ] {
            assert!(matches!(answer, Answer::Error(..)), "{answer:?}");
        }
        leader.kill().unwrap();
        leader.wait().unwrap();
        s.wait_for(|| names().is_empty(), "the machine's end");
    });
}

#[test]
fn a_signal_for_the_supervisor_goes_to_it_alone() {
    sandbox!(|s| {
        let client = Client::new();
        let mut leader = program("sleep 60");
        for of_manager in [true, false] {
            let mut supervisor = program("sleep 60");
            let request = serde_json::json!({
                "name": "web", "class": "container", "leader": leader.id(), "supervisor": supervisor.id(),
            });
            let socket = "/run/systemd/machine/io.systemd.Machine";
            let done = s.varlink(socket, "io.systemd.Machine.Register", &request);
            assert!(done.get("error").is_none(), "{done}");
            let answer = if of_manager {
                client.manager("KillMachine", args!["web", "supervisor", 10i32])
            } else {
                client.call(WEB, MACHINE_IFACE, "Kill", args!["supervisor", 10i32])
            };
            answer.ok();
            assert_eq!(supervisor.wait().unwrap().signal(), Some(10));
            assert!(matches!(leader.try_wait(), Ok(None)));
            // There is none any more.
            let gone = client.manager("KillMachine", args!["web", "supervisor", 10i32]);
            assert!(matches!(gone, Answer::Error(..)), "{gone:?}");
            client.manager("UnregisterMachine", args!["web"]).ok();
        }
        leader.kill().unwrap();
        leader.wait().unwrap();
    });
}

/// The machine's object, and which of its methods were called.
struct Object<'a> {
    client: &'a Client,
    called: BTreeSet<String>,
}

impl Object<'_> {
    #[track_caller]
    fn reply<B: Serialize + DynamicType>(&mut self, member: &str, body: &B) -> Message {
        self.called.insert(member.to_owned());
        reply(self.client, (WEB, MACHINE_IFACE), member, body)
    }

    #[track_caller]
    fn call(&mut self, member: &str, args: Args) -> Answer {
        self.called.insert(member.to_owned());
        self.client.call(WEB, MACHINE_IFACE, member, args)
    }

    #[track_caller]
    fn open<B: Serialize + DynamicType>(&mut self, member: &str, body: &B) -> (File, String) {
        let message = self.reply(member, body);
        let (pty, path): (zbus::OwnedFd, String) = message.body().deserialize().unwrap();
        assert!(path.starts_with("/dev/pts/"), "{path}");
        (terminal(pty.into()), path)
    }
}

fn files_go_in_and_out(object: &mut Object<'_>, web: &Container) {
    let read = |path: &str| fs::read_to_string(path).unwrap();
    fs::write("/tmp/in", "one").unwrap();
    object.call("CopyTo", args!["/tmp/in", "/root/in"]).ok();
    assert_eq!(web.run("cat /root/in").ok(), "one");
    fs::write("/tmp/in", "two").unwrap();
    let again = object.call("CopyTo", args!["/tmp/in", "/root/in"]);
    assert!(again.is_error(".FileExists"), "{again:?}");
    let replace = |flags: u64| args!["/tmp/in", "/root/in", flags];
    assert!(
        object
            .call("CopyToWithFlags", replace(0))
            .is_error(".FileExists")
    );
    object.call("CopyToWithFlags", replace(1)).ok();
    assert_eq!(web.run("cat /root/in").ok(), "two");

    object.call("CopyFrom", args!["/root/in", "/tmp/out"]).ok();
    assert_eq!(read("/tmp/out"), "two");
    web.run("echo three >/root/in").ok();
    let again = object.call("CopyFrom", args!["/root/in", "/tmp/out"]);
    assert!(again.is_error(".FileExists"), "{again:?}");
    let replace = args!["/root/in", "/tmp/out", 1u64];
    object.call("CopyFromWithFlags", replace).ok();
    assert_eq!(read("/tmp/out"), "three\n");

    fs::create_dir("/tmp/data").unwrap();
    fs::write("/tmp/data/file", "shared").unwrap();
    let bind =
        |to: &'static str, read_only: bool, mkdir: bool| args!["/tmp/data", to, read_only, mkdir];
    let nowhere = object.call("BindMount", bind("/srv/data", true, false));
    assert!(matches!(nowhere, Answer::Error(..)), "{nowhere:?}");
    object.call("BindMount", bind("/srv/data", true, true)).ok();
    assert_eq!(web.run("cat /srv/data/file").ok(), "shared");
    assert_ne!(web.run("echo x >/srv/data/file").status, Some(0));
}

fn terminals_are_inside(object: &mut Object<'_>, web: &Container) {
    let (mut pty, path) = object.open("OpenPTY", &());
    web.run(&format!("echo from inside >{path}")).ok();
    read_until(&mut pty, "from inside");
    read_until(&mut object.open("OpenLogin", &()).0, "login:");
    let none = Vec::<&str>::new();
    let (mut shell, _) = object.open("OpenShell", &("", "", &none, &none));
    shell
        .write_all(b"echo sum-$((40+2)) $USER $(hostname)\n")
        .unwrap();
    read_until(&mut shell, "sum-42 root web");
    let args = ["sh", "-c", "echo $GIVEN-$0"];
    let given = ("root", "/bin/sh", &args[..], &["GIVEN=this-one"][..]);
    read_until(&mut object.open("OpenShell", &given).0, "this-one-sh");
}

#[test]
fn each_method_of_a_machine_does_its_work() {
    sandbox!(|s| {
        let client = Client::new();
        let web = s.container("web").start();
        create(&client, "web", web.leader(), vec![]).ok();
        let mut object = Object {
            client: &client,
            called: BTreeSet::new(),
        };
        let told = object.call("GetAddresses", args![]).ok();
        let by_manager = client.manager("GetMachineAddresses", args!["web"]).ok();
        assert_eq!(told, by_manager);
        assert!(addresses(&client, "web").contains(&web.ipv4()));
        let fields = object.reply("GetOSRelease", &());
        let fields: HashMap<String, String> = fields.body().deserialize().unwrap();
        assert_eq!(fields["ID"], "switchyard-test");
        let none = object.call("GetSSHInfo", args![]);
        assert!(matches!(none, Answer::Error(..)), "{none:?}");
        match object.call("GetUIDShift", args![]) {
            // There is one user, and so nothing that could be told by one number.
            answer if s.is_rootless() => assert!(matches!(answer, Answer::Error(..)), "{answer:?}"),
            answer => assert_eq!(answer.ok(), "Ok([U32(0)])"),
        }
        let root = object.reply("OpenRootDirectory", &());
        let root: zbus::OwnedFd = root.body().deserialize().unwrap();
        let opened = File::from(OwnedFd::from(root)).metadata().unwrap();
        let root = fs::metadata(web.inside("/")).unwrap();
        assert_eq!((opened.dev(), opened.ino()), (root.dev(), root.ino()));
        terminals_are_inside(&mut object, &web);
        files_go_in_and_out(&mut object, &web);

        // The init of a container hears nothing that it has no handler for, so what a signal does is seen in another process.
        if s.has_cgroups() {
            let mut other = program("sleep 60");
            let procs = cgroup("machine.slice/machine-web.scope/cgroup.procs");
            fs::write(procs, other.id().to_string()).unwrap();
            object.call("Kill", args!["all", 10i32]).ok();
            assert_eq!(other.wait().unwrap().signal(), Some(10));
        }
        object.call("Kill", args!["leader", 18i32]).ok();
        assert!(web.is_running());
        object.call("Terminate", args![]).ok();
        s.wait_for(|| !web.is_running() && names().is_empty(), "the end");
        let gone = client.call(WEB, MACHINE_IFACE, "Terminate", args![]);
        assert!(gone.is_error(".UnknownObject"), "{gone:?}");

        // None was forgotten.
        let described = members(
            &client.introspect(&format!("{MACHINE}/_2ehost")),
            MACHINE_IFACE,
        );
        let methods = described.keys().filter_map(|member| {
            let name = member.strip_prefix("<method name=\"")?;
            Some(name.trim_end_matches('"').to_owned())
        });
        assert_eq!(methods.collect::<BTreeSet<_>>(), object.called);
    });
}

#[test]
fn a_leader_dies_of_the_signal_that_is_for_it_and_a_shift_is_told() {
    sandbox!(|s| {
        let client = Client::new();
        let mut leader = program("sleep 60");
        create(&client, "web", leader.id(), vec![]).ok();
        client
            .call(WEB, MACHINE_IFACE, "Kill", args!["leader", 10i32])
            .ok();
        assert_eq!(leader.wait().unwrap().signal(), Some(10));
        s.wait_within(Duration::from_secs(1), || names().is_empty(), "the end");
        if s.is_rootless() {
            skip!("there are no users to shift by");
        }
        let web = s
            .container("web")
            .user_namespace(1 << 20)
            .no_network()
            .start();
        create(&client, "web", web.leader(), vec![]).ok();
        let shift = client.call(WEB, MACHINE_IFACE, "GetUIDShift", args![]).ok();
        assert_eq!(shift, "Ok([U32(1048576)])");
    });
}
