//! Registering a container with machined, by each of its doors.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::container::hex;
use crate::must::Must;
use crate::wait::PATIENCE;
use crate::{Command, Container, Output, Sandbox, machined};

/// The door to register by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// D-Bus CreateMachineWithNetwork: machined has a scope made. systemd's needs a service manager for it.
    BusCreate,
    /// D-Bus RegisterMachineWithNetwork: the container stands in a scope already, and is put there where there are cgroups.
    BusRegister,
    /// Varlink io.systemd.Machine.Register with `allocateUnit`: machined makes the scope. Ours only.
    Varlink,
}

impl Sandbox {
    /// Registers a container; it must succeed.
    #[track_caller]
    pub fn register(&self, container: &Container, via: Via) {
        match via {
            Via::BusCreate => drop(
                self.bus_register("CreateMachineWithNetwork", container)
                    .ok(),
            ),
            Via::BusRegister => {
                self.place_in_scope(container);
                drop(
                    self.bus_register("RegisterMachineWithNetwork", container)
                        .ok(),
                );
            }
            Via::Varlink => {
                let reply = self.varlink(
                    machined::VARLINK,
                    "io.systemd.Machine.Register",
                    &parameters(container),
                );
                assert!(
                    reply.get("error").is_none(),
                    "Register of {}: {reply}",
                    container.name()
                );
            }
        }
    }

    /// Moves a container's init into `machine.slice/machine-NAME.scope`, as its manager would have done before it calls
    /// RegisterMachine. Nothing happens where there are no cgroups.
    #[track_caller]
    pub fn place_in_scope(&self, container: &Container) {
        if !self.has_cgroups() {
            return;
        }
        enter_scope(container.name(), container.leader());
    }

    /// One raw Varlink call: the reply as it came, with `parameters` or `error`.
    #[track_caller]
    pub fn varlink(&self, socket: impl AsRef<Path>, method: &str, parameters: &Value) -> Value {
        let socket = socket.as_ref();
        let mut stream =
            UnixStream::connect(socket).must(format_args!("connect to {}", socket.display()));
        stream
            .set_read_timeout(Some(PATIENCE))
            .must("set a timeout");
        let mut call = json!({ "method": method, "parameters": parameters })
            .to_string()
            .into_bytes();
        call.push(0);
        stream.write_all(&call).must(format_args!("call {method}"));
        let mut reply = Vec::new();
        let mut byte = [0];
        while stream
            .read(&mut byte)
            .must(format_args!("the reply to {method}"))
            == 1
            && byte != [0]
        {
            reply.extend(byte);
        }
        serde_json::from_slice(&reply).must(format_args!(
            "a reply to {method}, not {:?}",
            String::from_utf8_lossy(&reply)
        ))
    }

    #[track_caller]
    fn bus_register(&self, method: &str, container: &Container) -> Output {
        let create = method.starts_with("Create");
        let mut call = Command::new("busctl").args([
            "call",
            "org.freedesktop.machine1",
            "/org/freedesktop/machine1",
        ]);
        call = call.args([
            "org.freedesktop.machine1.Manager",
            method,
            if create {
                "sayssusaia(sv)"
            } else {
                "sayssusai"
            },
        ]);
        call = call
            .args([container.name(), "16"])
            .args(container.id().map(|byte| byte.to_string()));
        call = call
            .args([
                "switchyard-test",
                "container",
                &container.leader().to_string(),
            ])
            .arg(container.root());
        let interfaces: Vec<String> = container
            .interface()
            .iter()
            .map(ToString::to_string)
            .collect();
        call = call.arg(interfaces.len().to_string()).args(interfaces);
        if create { call.arg("0") } else { call }.run()
    }
}

/// The arguments of io.systemd.Machine.Register for a container.
fn parameters(container: &Container) -> Value {
    json!({
        "name": container.name(),
        "id": hex(container.id()),
        "service": "switchyard-test",
        "class": "container",
        "leader": container.leader(),
        "rootDirectory": container.root(),
        "ifIndices": container.interface().iter().collect::<Vec<_>>(),
        "allocateUnit": true,
    })
}

/// Moves a process into the scope of a machine of this name, made for it.
#[track_caller]
pub(crate) fn enter_scope(machine: &str, process: u32) {
    let scope = format!(
        "machine.slice/machine-{}.scope",
        machine.replace('-', r"\x2d")
    );
    for top in cgroup_tops() {
        let dir = top.join(&scope);
        fs::create_dir_all(&dir).must("make a scope");
        fs::write(dir.join("cgroup.procs"), process.to_string()).must("enter a scope");
    }
}

/// The tops of the hierarchies that hold units.
fn cgroup_tops() -> Vec<PathBuf> {
    let hybrid = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"].map(PathBuf::from);
    if hybrid[0].is_dir() {
        hybrid.into()
    } else {
        vec!["/sys/fs/cgroup".into()]
    }
}
