//! The Machine interface. Its methods are also the manager's, which has each with the machine's name before the arguments:
//! so what a method does stands in [`OneMachine`], and the tables only read arguments.

use dbus_serve::{Call, Change, Dict, Handler, Interface, Later, Method, Property, Reply};
use zbus::{Fd, Variant};

use super::{
    call::{WireAddress, absolute_path, caller, optional_path, signal, whom},
    service::OneMachine,
};
use crate::{
    enter::{Copy, Direction, Terminal},
    error::Error,
};

/// What the bus shows for a VM without AF_VSOCK: VMADDR_CID_ANY of vsock(7).
const NO_CID: u32 = u32::MAX;

/// The one flag of Copy…WithFlags: write over what is there.
const COPY_REPLACE: u64 = 1;

type Property1 = Property<OneMachine>;

/// org.freedesktop.machine1.Machine.
pub(super) static MACHINE: Interface<OneMachine> = Interface {
    name: "org.freedesktop.machine1.Machine",
    properties: &[
        constant("Name", "s", |one| text(one.machine.name.as_str())),
        constant("Id", "ay", |one| {
            one.machine.id.unwrap_or_default().to_vec().into()
        }),
        constant("Timestamp", "t", |one| one.machine.realtime.into()),
        constant("TimestampMonotonic", "t", |one| {
            one.machine.monotonic.into()
        }),
        constant("Service", "s", |one| text(&one.machine.service)),
        constant("Unit", "s", |one| text(&one.machine.unit.borrow())),
        constant("Scope", "s", |one| text(&one.machine.unit.borrow())).hidden(),
        constant("Subgroup", "s", |one| text(&one.machine.subgroup)),
        constant("Leader", "u", |one| one.machine.leader.pid.into()),
        constant("LeaderPIDFDId", "t", |one| {
            one.machine.leader.pidfd_id.unwrap_or(0).into()
        }),
        constant("Supervisor", "u", |one| {
            let supervisor = one.machine.supervisor.as_ref();
            supervisor.map_or(0, |process| process.pid).into()
        }),
        constant("SupervisorPIDFDId", "t", |one| {
            let supervisor = one.machine.supervisor.as_ref();
            supervisor
                .and_then(|process| process.pidfd_id)
                .unwrap_or(0)
                .into()
        }),
        constant("Class", "s", |one| text(one.machine.class.as_str())),
        constant("RootDirectory", "s", |one| {
            text(&one.machine.root_directory)
        }),
        constant("NetworkInterfaces", "ai", |one| {
            one.machine.network_interfaces.to_vec().into()
        }),
        constant("VSockCID", "u", |one| {
            one.machine.vsock_cid.unwrap_or(NO_CID).into()
        }),
        constant("SSHAddress", "s", |one| {
            text(one.machine.ssh_address.as_deref().unwrap_or_default())
        }),
        constant("SSHPrivateKeyPath", "s", |one| {
            text(
                one.machine
                    .ssh_private_key_path
                    .as_deref()
                    .unwrap_or_default(),
            )
        }),
        Property::new("State", "s", Change::Silent, |one: &OneMachine| {
            text(one.machine.state.get().as_str())
        }),
        constant("UID", "u", |one| one.machine.uid.into()),
    ],
    methods: &[
        Method::new("Terminate", &[], &[], Handler::Later(terminate)),
        Method::new(
            "Kill",
            &[("s", "whom"), ("i", "signal")],
            &[],
            Handler::Later(kill),
        ),
        Method::new(
            "GetAddresses",
            &[],
            &[("a(iay)", "addresses")],
            Handler::Now(|one, call| one.addresses(call)),
        ),
        Method::new(
            "GetSSHInfo",
            &[],
            &[("s", "ssh_address"), ("s", "ssh_private_key_path")],
            Handler::Now(|one, call| one.ssh_info(call)),
        ),
        Method::new(
            "GetOSRelease",
            &[],
            &[("a{ss}", "fields")],
            Handler::Later(os_release),
        )
        .operation(),
        Method::new(
            "GetUIDShift",
            &[],
            &[("u", "shift")],
            Handler::Now(|one, call| one.uid_shift(call)),
        ),
        Method::new("OpenPTY", &[], TERMINAL, Handler::Later(open_pty)).operation(),
        Method::new("OpenLogin", &[], TERMINAL, Handler::Later(open_login)).operation(),
        Method::new(
            "OpenShell",
            &[
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
            "BindMount",
            &[
                ("s", "source"),
                ("s", "destination"),
                ("b", "read_only"),
                ("b", "mkdir"),
            ],
            &[],
            Handler::Later(bind_mount),
        )
        .operation(),
        Method::new("CopyFrom", COPY, &[], Handler::Later(copy_from)).operation(),
        Method::new("CopyTo", COPY, &[], Handler::Later(copy_to)).operation(),
        Method::new(
            "CopyFromWithFlags",
            COPY_FLAGS,
            &[],
            Handler::Later(copy_from_flags),
        )
        .operation(),
        Method::new(
            "CopyToWithFlags",
            COPY_FLAGS,
            &[],
            Handler::Later(copy_to_flags),
        )
        .operation(),
        Method::new(
            "OpenRootDirectory",
            &[],
            &[("h", "fd")],
            Handler::Later(open_root),
        )
        .operation(),
    ],
    signals: &[],
};

/// What every method that opens a terminal gives.
pub(super) const TERMINAL: &[dbus_serve::Arg] = &[("h", "pty"), ("s", "pty_path")];
const COPY: &[dbus_serve::Arg] = &[("s", "source"), ("s", "destination")];
const COPY_FLAGS: &[dbus_serve::Arg] = &[("s", "source"), ("s", "destination"), ("t", "flags")];

const fn constant(
    name: &'static str,
    signature: &'static str,
    get: fn(&OneMachine) -> Variant<'static>,
) -> Property1 {
    Property::new(name, signature, Change::Never, get)
}

fn text(text: &str) -> Variant<'static> {
    Variant::from(text.to_owned())
}

fn terminate(one: OneMachine, call: Call) -> Later {
    Box::pin(async move { one.terminate(&call).await })
}

fn kill(one: OneMachine, call: Call) -> Later {
    Box::pin(async move {
        let (who, number) = call.args::<(&str, i32)>()?;
        one.kill(&call, who, number).await
    })
}

fn os_release(one: OneMachine, call: Call) -> Later {
    Box::pin(async move { one.os_release(&call).await })
}

fn open_pty(one: OneMachine, call: Call) -> Later {
    Box::pin(async move { one.open_terminal(&call, Terminal::Pty).await })
}

fn open_login(one: OneMachine, call: Call) -> Later {
    Box::pin(async move { one.open_terminal(&call, Terminal::Login).await })
}

fn open_shell(one: OneMachine, call: Call) -> Later {
    Box::pin(async move {
        let (user, path, args, environment) = call.args()?;
        let shell = shell(user, path, args, environment)?;
        one.open_terminal(&call, shell).await
    })
}

fn bind_mount(one: OneMachine, call: Call) -> Later {
    Box::pin(async move {
        let (source, destination, read_only, mkdir) = call.args::<(&str, &str, bool, bool)>()?;
        one.bind_mount(&call, source, destination, read_only, mkdir)
            .await
    })
}

fn copy_from(one: OneMachine, call: Call) -> Later {
    Box::pin(async move {
        let (source, destination) = call.args::<(&str, &str)>()?;
        one.copy(&call, Direction::FromMachine, source, destination, 0)
            .await
    })
}

fn copy_to(one: OneMachine, call: Call) -> Later {
    Box::pin(async move {
        let (source, destination) = call.args::<(&str, &str)>()?;
        one.copy(&call, Direction::ToMachine, source, destination, 0)
            .await
    })
}

fn copy_from_flags(one: OneMachine, call: Call) -> Later {
    Box::pin(async move {
        let (source, destination, flags) = call.args::<(&str, &str, u64)>()?;
        one.copy(&call, Direction::FromMachine, source, destination, flags)
            .await
    })
}

fn copy_to_flags(one: OneMachine, call: Call) -> Later {
    Box::pin(async move {
        let (source, destination, flags) = call.args::<(&str, &str, u64)>()?;
        one.copy(&call, Direction::ToMachine, source, destination, flags)
            .await
    })
}

fn open_root(one: OneMachine, call: Call) -> Later {
    Box::pin(async move { one.open_root(&call).await })
}

/// A shell as asked for.
pub(super) fn shell(
    user: String,
    path: String,
    args: Vec<String>,
    environment: Vec<String>,
) -> Result<Terminal, Error> {
    // A user name, or a number; what it may be in full the container knows.
    if user
        .bytes()
        .any(|byte| byte.is_ascii_control() || byte == b':' || byte == b'/')
    {
        return Err(Error::InvalidArgs(format!(
            "Invalid user name '{}'",
            user.escape_debug()
        )));
    }
    optional_path("Program", &path)?;
    let assignment = |text: &String| {
        let name = text.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| !name.is_empty() && !name.bytes().any(|b| b.is_ascii_control()))
    };
    if let Some(wrong) = environment.iter().find(|text| !assignment(text)) {
        return Err(Error::InvalidArgs(format!(
            "Invalid environment assignment '{}': NAME=VALUE is expected.",
            wrong.escape_debug()
        )));
    }
    Ok(Terminal::Shell {
        user,
        path,
        args,
        environment,
    })
}

/// What the methods do, for both interfaces.
impl OneMachine {
    pub(super) async fn terminate(&self, call: &Call) -> Reply {
        let caller = caller(call).await?;
        self.service
            .manager
            .terminate(&caller, &self.machine)
            .await?;
        self.service.signals.flush().await;
        call.reply(&())
    }

    pub(super) async fn unregister(&self, call: &Call) -> Reply {
        let caller = caller(call).await?;
        self.service
            .manager
            .unregister(&caller, &self.machine)
            .await?;
        self.service.signals.flush().await;
        call.reply(&())
    }

    pub(super) async fn kill(&self, call: &Call, who: &str, number: i32) -> Reply {
        let (who, number) = (whom(who)?, signal(number)?);
        let caller = caller(call).await?;
        self.service
            .manager
            .kill(&caller, &self.machine, who, number)
            .await?;
        call.reply(&())
    }

    pub(super) fn addresses(&self, call: &Call) -> Reply {
        let addresses = self.service.manager.addresses(&self.machine)?;
        let addresses: Vec<_> = addresses.into_iter().map(WireAddress::from).collect();
        call.reply(&addresses)
    }

    pub(super) fn ssh_info(&self, call: &Call) -> Reply {
        let machine = &self.machine;
        match (&machine.ssh_address, &machine.ssh_private_key_path) {
            (Some(address), Some(key)) => call.reply(&(&**address, &**key)),
            _ => Err(
                Error::NotAvailable(format!("No SSH access to {} is known", machine.name)).into(),
            ),
        }
    }

    pub(super) fn uid_shift(&self, call: &Call) -> Reply {
        call.reply(&self.service.manager.uid_shift(&self.machine)?)
    }

    pub(super) async fn os_release(&self, call: &Call) -> Reply {
        call.reply(&Dict(self.service.manager.os_release(&self.machine).await?))
    }

    pub(super) async fn open_terminal(&self, call: &Call, terminal: Terminal) -> Reply {
        let caller = caller(call).await?;
        let opening = self
            .service
            .manager
            .open_terminal(&caller, &self.machine, terminal);
        let (pty, path) = opening.await?;
        call.reply(&(Fd::from(pty), path))
    }

    pub(super) async fn bind_mount(
        &self,
        call: &Call,
        source: &str,
        destination: &str,
        read_only: bool,
        mkdir: bool,
    ) -> Reply {
        absolute_path("Source", source)?;
        optional_path("Destination", destination)?;
        let caller = caller(call).await?;
        let manager = &self.service.manager;
        manager
            .bind_mount(
                &caller,
                &self.machine,
                source,
                destination,
                read_only,
                mkdir,
            )
            .await?;
        call.reply(&())
    }

    pub(super) async fn copy(
        &self,
        call: &Call,
        direction: Direction,
        source: &str,
        destination: &str,
        flags: u64,
    ) -> Reply {
        if flags & !COPY_REPLACE != 0 {
            return Err(
                Error::InvalidArgs(format!("Invalid flags {flags:#x}: only 1 is known.")).into(),
            );
        }
        absolute_path("Source", source)?;
        optional_path("Destination", destination)?;
        let caller = caller(call).await?;
        let copy = Copy {
            direction,
            source,
            destination,
            replace: flags & COPY_REPLACE != 0,
        };
        let manager = &self.service.manager;
        manager
            .copy(&caller, &self.machine, copy, call.abandoned())
            .await?;
        call.reply(&())
    }

    pub(super) async fn open_root(&self, call: &Call) -> Reply {
        let caller = caller(call).await?;
        let opening = self
            .service
            .manager
            .open_root_directory(&caller, &self.machine);
        call.reply(&Fd::from(opening.await?))
    }
}
