//! io.systemd.Machine: managing machines.

use std::{os::fd::AsFd, rc::Rc};

use serde::{Deserialize, Serialize};
use varlink_serve::{Answer, Call, Failure, Interface, Method};

use super::{
    call::{Which, caller, find},
    error::failure,
    list,
    process::ProcessId,
    register,
};
use crate::{
    class::Class,
    enter::{Copy, Direction, Terminal},
    error::Error,
    manager::{Manager, Whom},
};

pub(super) const INTERFACE: Interface<Rc<Manager>> = Interface {
    name: "io.systemd.Machine",
    description: include_str!("io.systemd.Machine.varlink"),
    methods: &[
        Method("Register", |m, call| Box::pin(register::register(m, call))),
        Method("Unregister", |m, call| Box::pin(unregister(m, call))),
        Method("Terminate", |m, call| Box::pin(terminate(m, call))),
        Method("Kill", |m, call| Box::pin(kill(m, call))),
        Method("List", |m, call| Box::pin(list::list(m, call))),
        Method("Open", |m, call| Box::pin(open(m, call))),
        Method("MapFrom", |m, call| Box::pin(map_from(m, call))),
        Method("MapTo", |m, call| Box::pin(map_to(m, call))),
        Method("BindMount", |m, call| Box::pin(bind_mount(m, call))),
        Method("CopyFrom", |m, call| {
            Box::pin(copy(m, call, Direction::FromMachine))
        }),
        Method("CopyTo", |m, call| {
            Box::pin(copy(m, call, Direction::ToMachine))
        }),
        Method("OpenRootDirectory", |m, call| {
            Box::pin(open_root_directory(m, call))
        }),
    ],
};

async fn unregister(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    let which: Which = call.parameters()?;
    let machine = find(manager, &call, which.name.as_deref(), which.pid).await?;
    let caller = caller(call.peer(), which.allow_interactive_authentication)?;
    manager
        .unregister(&caller, &machine)
        .await
        .map_err(failure)?;
    call.done().await
}

async fn terminate(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    let which: Which = call.parameters()?;
    let machine = find(manager, &call, which.name.as_deref(), which.pid).await?;
    let caller = caller(call.peer(), which.allow_interactive_authentication)?;
    manager
        .terminate(&caller, &machine)
        .await
        .map_err(failure)?;
    call.done().await
}

async fn kill(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Parameters {
        name: Option<String>,
        pid: Option<ProcessId>,
        allow_interactive_authentication: Option<bool>,
        whom: Option<String>,
        signal: i32,
    }
    let p: Parameters = call.parameters()?;
    let whom = match p.whom.as_deref() {
        None | Some("all") => Whom::All,
        Some("leader") => Whom::Leader,
        Some("supervisor") => Whom::Supervisor,
        Some(_) => return Err(Failure::invalid_parameter("whom")),
    };
    let machine = find(manager, &call, p.name.as_deref(), p.pid).await?;
    let caller = caller(call.peer(), p.allow_interactive_authentication)?;
    manager
        .kill(&caller, &machine, whom, p.signal)
        .await
        .map_err(failure)?;
    call.done().await
}

async fn open(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Parameters {
        name: Option<String>,
        pid: Option<ProcessId>,
        allow_interactive_authentication: Option<bool>,
        mode: String,
        user: Option<String>,
        path: Option<String>,
        args: Option<Vec<String>>,
        environment: Option<Vec<String>>,
    }
    impl Parameters {
        /// A parameter that says what to run, which only a shell does.
        fn of_a_shell(&self) -> Option<&'static str> {
            let given = [
                ("user", self.user.is_some()),
                ("path", self.path.is_some()),
                (
                    "args",
                    self.args.as_ref().is_some_and(|args| !args.is_empty()),
                ),
                (
                    "environment",
                    self.environment
                        .as_ref()
                        .is_some_and(|pairs| !pairs.is_empty()),
                ),
            ];
            given
                .iter()
                .find_map(|&(name, is_given)| is_given.then_some(name))
        }
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Opened {
        pty_file_descriptor: u32,
        pty_path: String,
    }
    let p: Parameters = call.parameters()?;
    let terminal = match p.mode.as_str() {
        "tty" | "login" if let Some(parameter) = p.of_a_shell() => {
            return Err(Failure::invalid_parameter(parameter));
        }
        "tty" => Terminal::Pty,
        "login" => Terminal::Login,
        "shell" => Terminal::Shell {
            user: p.user.unwrap_or_default(),
            path: p.path.unwrap_or_default(),
            args: p.args.unwrap_or_default(),
            environment: p.environment.unwrap_or_default(),
        },
        _ => return Err(Failure::invalid_parameter("mode")),
    };
    let machine = find(manager, &call, p.name.as_deref(), p.pid).await?;
    let caller = caller(call.peer(), p.allow_interactive_authentication)?;
    let (pty, pty_path) = manager
        .open_terminal(&caller, &machine, terminal)
        .await
        .map_err(failure)?;
    let opened = Opened {
        pty_file_descriptor: 0,
        pty_path,
    };
    call.reply_with_fds(&opened, &[pty.as_fd()]).await
}

/// Ids of a user, a group, or both.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Mapped {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    machine_name: Option<String>,
}

async fn map_from(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Parameters {
        name: Option<String>,
        pid: Option<ProcessId>,
        #[allow(dead_code, reason = "taken and not needed: anyone may ask")]
        allow_interactive_authentication: Option<bool>,
        uid: Option<u32>,
        gid: Option<u32>,
    }
    let p: Parameters = call.parameters()?;
    if p.uid.is_none() && p.gid.is_none() {
        return Err(Failure::invalid_parameter("uid"));
    }
    let machine = find(manager, &call, p.name.as_deref(), p.pid).await?;
    if machine.class != Class::Container {
        let text = format!("Machine {} is not a container", machine.name);
        return Err(failure(Error::NotSupported(text)));
    }
    let uid = p.uid.map(|uid| manager.user_from_machine(&machine, uid));
    let gid = p.gid.map(|gid| manager.group_from_machine(&machine, gid));
    let mapped = Mapped {
        uid: uid.transpose().map_err(failure)?,
        gid: gid.transpose().map_err(failure)?,
        machine_name: None,
    };
    call.reply(&mapped).await
}

async fn map_to(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters {
        uid: Option<u32>,
        gid: Option<u32>,
    }
    let p: Parameters = call.parameters()?;
    let user = p.uid.map(|uid| manager.user_to_machine(uid));
    let group = p.gid.map(|gid| manager.group_to_machine(gid));
    let (user, group) = (
        user.transpose().map_err(failure)?,
        group.transpose().map_err(failure)?,
    );
    let machine = match (&user, &group) {
        (None, None) => return Err(Failure::invalid_parameter("uid")),
        (Some((one, _)), Some((other, _))) if !Rc::ptr_eq(one, other) => {
            return Err(failure(Error::NoSuchGroupMapping(String::new())));
        }
        (Some((machine, _)), _) | (None, Some((machine, _))) => machine.name.to_string(),
    };
    let mapped = Mapped {
        uid: user.map(|(_, uid)| uid),
        gid: group.map(|(_, gid)| gid),
        machine_name: Some(machine),
    };
    call.reply(&mapped).await
}

async fn bind_mount(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Parameters {
        name: Option<String>,
        pid: Option<ProcessId>,
        allow_interactive_authentication: Option<bool>,
        source: String,
        destination: Option<String>,
        read_only: Option<bool>,
        mkdir: Option<bool>,
    }
    let p: Parameters = call.parameters()?;
    let machine = find(manager, &call, p.name.as_deref(), p.pid).await?;
    let caller = caller(call.peer(), p.allow_interactive_authentication)?;
    manager
        .bind_mount(
            &caller,
            &machine,
            &p.source,
            &p.destination.unwrap_or_default(),
            p.read_only.unwrap_or(false),
            p.mkdir.unwrap_or(false),
        )
        .await
        .map_err(failure)?;
    call.done().await
}

async fn copy(
    manager: &Rc<Manager>,
    call: Call<'_>,
    direction: Direction,
) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Parameters {
        name: Option<String>,
        pid: Option<ProcessId>,
        allow_interactive_authentication: Option<bool>,
        source: String,
        destination: Option<String>,
        replace: Option<bool>,
    }
    let p: Parameters = call.parameters()?;
    let machine = find(manager, &call, p.name.as_deref(), p.pid).await?;
    let caller = caller(call.peer(), p.allow_interactive_authentication)?;
    let copy = Copy {
        direction,
        source: &p.source,
        destination: p.destination.as_deref().unwrap_or_default(),
        replace: p.replace.unwrap_or(false),
    };
    manager
        .copy(&caller, &machine, copy, call.abandoned())
        .await
        .map_err(failure)?;
    call.done().await
}

async fn open_root_directory(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Opened {
        file_descriptor: u32,
    }
    let which: Which = call.parameters()?;
    let machine = find(manager, &call, which.name.as_deref(), which.pid).await?;
    let caller = caller(call.peer(), which.allow_interactive_authentication)?;
    let directory = manager
        .open_root_directory(&caller, &machine)
        .await
        .map_err(failure)?;
    let opened = Opened { file_descriptor: 0 };
    call.reply_with_fds(&opened, &[directory.as_fd()]).await
}
