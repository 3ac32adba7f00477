//! The Manager interface.

use std::rc::Rc;

use dbus_serve::{Arg, Call, Change, Handler, Interface, Later, Method, Property, Reply, Signal};
use zbus::wire::OwnedObjectPath;

use super::{
    image,
    machine::{TERMINAL, shell},
    register,
    service::{OneMachine, Service},
    tree::machine_path,
};
use crate::{
    enter::{Direction, Terminal},
    error::Error,
};

/// The object of the handlers.
pub(super) type This = Rc<Service>;

const NAME: &[Arg] = &[("s", "name")];
const COPY: &[Arg] = &[("s", "name"), ("s", "source"), ("s", "destination")];
const COPY_FLAGS: &[Arg] = &[
    ("s", "name"),
    ("s", "source"),
    ("s", "destination"),
    ("t", "flags"),
];
const MACHINE: &[Arg] = &[("o", "machine")];

/// org.freedesktop.machine1.Manager.
pub(super) static MANAGER: Interface<This> = Interface {
    name: "org.freedesktop.machine1.Manager",
    properties: &[
        Property::new("PoolPath", "s", Change::Silent, |_| {
            "/var/lib/machines".into()
        }),
        // No quota is kept: systemd says so with the largest number.
        Property::new("PoolUsage", "t", Change::Silent, |_| u64::MAX.into()),
        Property::new("PoolLimit", "t", Change::Silent, |_| u64::MAX.into()),
    ],
    methods: &[
        Method::new("GetMachine", NAME, MACHINE, Handler::Now(get_machine)),
        Method::new(
            "GetImage",
            NAME,
            &[("o", "image")],
            Handler::Now(image::get),
        ),
        Method::new(
            "GetMachineByPID",
            &[("u", "pid")],
            MACHINE,
            Handler::Later(get_machine_by_pid),
        ),
        Method::new(
            "ListMachines",
            &[],
            &[("a(ssso)", "machines")],
            Handler::Now(list_machines),
        ),
        Method::new(
            "ListImages",
            &[],
            &[("a(ssbttto)", "images")],
            Handler::Now(image::list),
        ),
        register::CREATE,
        register::CREATE_WITH_NETWORK,
        register::CREATE_EX,
        register::REGISTER,
        register::REGISTER_WITH_NETWORK,
        register::REGISTER_EX,
        Method::new("UnregisterMachine", NAME, &[], Handler::Later(unregister)),
        Method::new(
            "TerminateMachine",
            &[("s", "id")],
            &[],
            Handler::Later(terminate),
        ),
        Method::new(
            "KillMachine",
            &[("s", "name"), ("s", "whom"), ("i", "signal")],
            &[],
            Handler::Later(kill),
        ),
        Method::new(
            "GetMachineAddresses",
            NAME,
            &[("a(iay)", "addresses")],
            Handler::Now(|this, call| named(this, call)?.addresses(call)),
        ),
        Method::new(
            "GetMachineSSHInfo",
            NAME,
            &[("s", "ssh_address"), ("s", "ssh_private_key_path")],
            Handler::Now(|this, call| named(this, call)?.ssh_info(call)),
        ),
        Method::new(
            "GetMachineOSRelease",
            NAME,
            &[("a{ss}", "fields")],
            Handler::Later(os_release),
        )
        .operation(),
        Method::new("OpenMachinePTY", NAME, TERMINAL, Handler::Later(open_pty)).operation(),
        Method::new(
            "OpenMachineLogin",
            NAME,
            TERMINAL,
            Handler::Later(open_login),
        )
        .operation(),
        Method::new(
            "OpenMachineShell",
            &[
                ("s", "name"),
                ("s", "user"),
                ("s", "path"),
                ("as", "args"),
                ("as", "environment"),
            ],
            TERMINAL,
            Handler::Later(open_shell),
        )
        .operation(),
        Method::new(
            "BindMountMachine",
            &[
                ("s", "name"),
                ("s", "source"),
                ("s", "destination"),
                ("b", "read_only"),
                ("b", "mkdir"),
            ],
            &[],
            Handler::Later(bind_mount),
        )
        .operation(),
        Method::new("CopyFromMachine", COPY, &[], Handler::Later(copy_from)).operation(),
        Method::new("CopyToMachine", COPY, &[], Handler::Later(copy_to)).operation(),
        Method::new(
            "CopyFromMachineWithFlags",
            COPY_FLAGS,
            &[],
            Handler::Later(copy_from_flags),
        )
        .operation(),
        Method::new(
            "CopyToMachineWithFlags",
            COPY_FLAGS,
            &[],
            Handler::Later(copy_to_flags),
        )
        .operation(),
        Method::new(
            "OpenMachineRootDirectory",
            NAME,
            &[("h", "fd")],
            Handler::Later(open_root),
        )
        .operation(),
        Method::new(
            "GetMachineUIDShift",
            NAME,
            &[("u", "shift")],
            Handler::Now(|this, call| named(this, call)?.uid_shift(call)),
        ),
        image::REMOVE,
        image::RENAME,
        image::CLONE,
        image::MARK_READ_ONLY,
        image::GET_HOSTNAME,
        image::GET_MACHINE_ID,
        image::GET_MACHINE_INFO,
        image::GET_OS_RELEASE,
        image::SET_POOL_LIMIT,
        image::SET_LIMIT,
        image::CLEAN_POOL,
        Method::new(
            "MapFromMachineUser",
            &[("s", "name"), ("u", "uid_inner")],
            &[("u", "uid_outer")],
            Handler::Now(map_from_user),
        ),
        Method::new(
            "MapToMachineUser",
            &[("u", "uid_outer")],
            &[
                ("s", "machine_name"),
                ("o", "machine_path"),
                ("u", "uid_inner"),
            ],
            Handler::Now(map_to_user),
        ),
        Method::new(
            "MapFromMachineGroup",
            &[("s", "name"), ("u", "gid_inner")],
            &[("u", "gid_outer")],
            Handler::Now(map_from_group),
        ),
        Method::new(
            "MapToMachineGroup",
            &[("u", "gid_outer")],
            &[
                ("s", "machine_name"),
                ("o", "machine_path"),
                ("u", "gid_inner"),
            ],
            Handler::Now(map_to_group),
        ),
    ],
    signals: &[
        Signal {
            name: "MachineNew",
            args: &[("s", "machine"), ("o", "path")],
        },
        Signal {
            name: "MachineRemoved",
            args: &[("s", "machine"), ("o", "path")],
        },
    ],
};

/// The machine named by the only argument.
fn named(this: &This, call: &Call) -> Result<OneMachine, dbus_serve::Error> {
    Ok(this.machine(call.args::<&str>()?)?)
}

fn get_machine(this: &This, call: &Call) -> Reply {
    let one = named(this, call)?;
    call.reply(&machine_path(one.machine.name.as_str()))
}

fn get_machine_by_pid(this: This, call: Call) -> Later {
    Box::pin(async move {
        let pid = match call.args::<u32>()? {
            0 => call.credentials().await?.pid.unwrap_or(0),
            pid => pid,
        };
        if i32::try_from(pid).is_err() {
            return Err(Error::InvalidArgs(format!("Invalid PID {pid}")).into());
        }
        let machine = this.manager.machine_of_pid(pid)?;
        call.reply(&machine_path(machine.name.as_str()))
    })
}

fn list_machines(this: &This, call: &Call) -> Reply {
    let machines = this.manager.machines();
    let rows: Vec<(&str, &str, &str, OwnedObjectPath)> = machines
        .iter()
        .map(|machine| {
            let name = machine.name.as_str();
            (
                name,
                machine.class.as_str(),
                &*machine.service,
                machine_path(name),
            )
        })
        .collect();
    call.reply(&rows)
}

fn unregister(this: This, call: Call) -> Later {
    Box::pin(async move { named(&this, &call)?.unregister(&call).await })
}

fn terminate(this: This, call: Call) -> Later {
    Box::pin(async move { named(&this, &call)?.terminate(&call).await })
}

fn kill(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, who, number) = call.args::<(&str, &str, i32)>()?;
        this.machine(name)?.kill(&call, who, number).await
    })
}

fn os_release(this: This, call: Call) -> Later {
    Box::pin(async move { named(&this, &call)?.os_release(&call).await })
}

fn open_pty(this: This, call: Call) -> Later {
    Box::pin(async move {
        named(&this, &call)?
            .open_terminal(&call, Terminal::Pty)
            .await
    })
}

fn open_login(this: This, call: Call) -> Later {
    Box::pin(async move {
        named(&this, &call)?
            .open_terminal(&call, Terminal::Login)
            .await
    })
}

fn open_shell(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, user, path, args, environment) =
            call.args::<(&str, String, String, Vec<String>, Vec<String>)>()?;
        let one = this.machine(name)?;
        one.open_terminal(&call, shell(user, path, args, environment)?)
            .await
    })
}

fn bind_mount(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, source, destination, read_only, mkdir) =
            call.args::<(&str, &str, &str, bool, bool)>()?;
        let one = this.machine(name)?;
        one.bind_mount(&call, source, destination, read_only, mkdir)
            .await
    })
}

fn copy_from(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, source, destination) = call.args::<(&str, &str, &str)>()?;
        let one = this.machine(name)?;
        one.copy(&call, Direction::FromMachine, source, destination, 0)
            .await
    })
}

fn copy_to(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, source, destination) = call.args::<(&str, &str, &str)>()?;
        let one = this.machine(name)?;
        one.copy(&call, Direction::ToMachine, source, destination, 0)
            .await
    })
}

fn copy_from_flags(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, source, destination, flags) = call.args::<(&str, &str, &str, u64)>()?;
        let one = this.machine(name)?;
        one.copy(&call, Direction::FromMachine, source, destination, flags)
            .await
    })
}

fn copy_to_flags(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, source, destination, flags) = call.args::<(&str, &str, &str, u64)>()?;
        let one = this.machine(name)?;
        one.copy(&call, Direction::ToMachine, source, destination, flags)
            .await
    })
}

fn open_root(this: This, call: Call) -> Later {
    Box::pin(async move { named(&this, &call)?.open_root(&call).await })
}

fn map_from_user(this: &This, call: &Call) -> Reply {
    let (name, uid) = call.args::<(&str, u32)>()?;
    let one = this.machine(name)?;
    call.reply(&this.manager.user_from_machine(&one.machine, uid)?)
}

fn map_from_group(this: &This, call: &Call) -> Reply {
    let (name, gid) = call.args::<(&str, u32)>()?;
    let one = this.machine(name)?;
    call.reply(&this.manager.group_from_machine(&one.machine, gid)?)
}

/// An id that can be a user's or group's: not -1, in 32 bits or in the 16 of old, which chown(2) takes for "leave it".
fn checked_id(what: &str, id: u32) -> Result<u32, Error> {
    match id {
        0xffff | u32::MAX => Err(Error::InvalidArgs(format!("Invalid {what} ID {id}"))),
        id => Ok(id),
    }
}

fn map_to_user(this: &This, call: &Call) -> Reply {
    let uid = checked_id("user", call.args()?)?;
    let (machine, uid) = this.manager.user_to_machine(uid)?;
    let name = machine.name.as_str();
    call.reply(&(name, machine_path(name), uid))
}

fn map_to_group(this: &This, call: &Call) -> Reply {
    let gid = checked_id("group", call.args()?)?;
    let (machine, gid) = this.manager.group_to_machine(gid)?;
    let name = machine.name.as_str();
    call.reply(&(name, machine_path(name), gid))
}
