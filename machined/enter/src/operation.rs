//! One request, from the socket to the reply.

use std::{
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::{Child, ExitCode},
};

use rustix::{net::RecvFlags, thread::CapabilitySet};

use crate::{
    bind::Mount,
    bus, cgroup,
    copy::{self, Rules},
    fault::Fault,
    join::{Depth, Door, Inside},
    leader::Leader,
    os_release,
    packet::malformed,
    privilege, pty, reopen,
    request::{Program, Reply, Request, Side},
    root::Root,
    seal, session, socket,
};

/// Looks at what it may not read: a root directory need not let the machine's root in.
const LOOK: CapabilitySet = CapabilitySet::DAC_READ_SEARCH;

/// Reads and writes files as root does.
const FILES: CapabilitySet = CapabilitySet::DAC_READ_SEARCH
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::CHOWN)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::SETFCAP);

/// Reads the request from standard input, does it, and replies.
pub fn serve() -> ExitCode {
    let stdin = rustix::stdio::stdin();
    let mut session = None;
    let result = seal_sessions()
        .and_then(|()| privilege::isolate())
        .and_then(|()| reopen::prepare())
        .and_then(|()| socket::receive(stdin).map_err(Fault::to("receive the request")))
        .and_then(|(message, fds)| {
            let request = Request::decode(&message)?;
            if !matches!(request, Request::Session { .. }) {
                privilege::end_with_parent()?;
            }
            perform(&request, fds, &mut session)
        });
    let told = Reply::send(&result, stdin);
    if let Some(mut child) = session {
        // Its parent is outside the machine's pid namespace, so nobody else can collect it.
        let _ = child.wait();
    }
    match (result, told) {
        (Ok(_), Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// What is going to run a program of the machine runs from sealed memory.
fn seal_sessions() -> Result<(), Fault> {
    let mut code = [0; 4];
    rustix::net::recv(rustix::stdio::stdin(), &mut code, RecvFlags::PEEK)
        .map_err(Fault::to("receive the request"))?;
    if Request::runs_programs(code) {
        seal::ensure()?;
    }
    Ok(())
}

fn perform(
    request: &Request,
    fds: Vec<OwnedFd>,
    session: &mut Option<Child>,
) -> Result<Reply, Fault> {
    let mut fds = fds.into_iter();
    let mut fd = || fds.next().ok_or_else(malformed);
    let leader = Leader::new(fd()?)?;
    match request {
        Request::OsRelease => {
            let inside = enter(&leader, CapabilitySet::empty())?;
            let text = os_release::read(&inside.root)?;
            Ok(Reply {
                text,
                ..Reply::default()
            })
        }
        Request::RootDirectory => {
            let inside = enter(&leader, LOOK)?;
            let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
            let directory = inside
                .root
                .open(Path::new("/"), flags)
                .map_err(Fault::to("open the machine's root directory"))?;
            Ok(Reply {
                fds: vec![directory],
                ..Reply::default()
            })
        }
        Request::Send { side, path } => {
            let (root, _) = side_root(&leader, *side)?;
            copy::send(&root, Path::new(path), fd()?.as_fd())?;
            Ok(Reply::default())
        }
        Request::Receive {
            side,
            path,
            replace,
        } => {
            let (root, rules) = side_root(&leader, *side)?;
            copy::receive(&root, Path::new(path), *replace, rules, fd()?.as_fd())?;
            Ok(Reply::default())
        }
        Request::Bind {
            source,
            destination,
            read_only,
            mkdir,
        } => {
            let mut door = Door::find(&leader, Depth::Files)?;
            let mut mount = Mount::of_host(&leader, Path::new(source), *read_only)?;
            if door.own_users {
                mount = mount.lock(&mut door)?;
            }
            // Attaching a mount takes CAP_SYS_ADMIN over the machine's mount namespace (move_mount(2)).
            let inside = walk_in(door, FILES | CapabilitySet::SYS_ADMIN)?;
            mount.attach(&inside.root, Path::new(destination), *mkdir)?;
            Ok(Reply::default())
        }
        Request::Terminal { host, bus } => {
            let root = if *host {
                Root::own()?
            } else {
                enter(&leader, CapabilitySet::DAC_OVERRIDE)?.root
            };
            let terminal = pty::open(&root)?;
            privilege::keep(CapabilitySet::empty())?;
            let bus = bus.then(|| bus::connect(&root)).flatten();
            let mut fds = vec![terminal.ours, terminal.theirs];
            fds.extend(bus);
            Ok(Reply {
                text: terminal.path.into_bytes(),
                fds,
            })
        }
        Request::Session { host, program } => {
            let child = run(&leader, *host, program, fd()?)?;
            *session = Some(child);
            Ok(Reply::default())
        }
    }
}

/// Joins the machine for work on its files.
fn enter(leader: &Leader, wanted: CapabilitySet) -> Result<Inside, Fault> {
    walk_in(Door::find(leader, Depth::Files)?, wanted)
}

fn walk_in(door: Door<'_>, wanted: CapabilitySet) -> Result<Inside, Fault> {
    let inside = door.enter(wanted)?;
    privilege::end_with_parent()?;
    Ok(inside)
}

/// The root directory for half of a copy, and by which rules it is written to, if it is.
fn side_root(leader: &Leader, side: Side) -> Result<(Root, Rules), Fault> {
    match side {
        Side::Machine => {
            let inside = enter(leader, FILES)?;
            let rules = Rules {
                same_users: !inside.own_users,
                from_machine: false,
            };
            Ok((inside.root, rules))
        }
        Side::Host => {
            let rules = Rules {
                same_users: leader.shares("user")?,
                from_machine: true,
            };
            privilege::keep(FILES)?;
            Ok((Root::own()?, rules))
        }
    }
}

fn run(leader: &Leader, host: bool, program: &Program, terminal: OwnedFd) -> Result<Child, Fault> {
    let bounding = leader.bounding_set()?;
    cgroup::join(leader)?;
    let root = if host {
        Root::own()?
    } else {
        Door::find(leader, Depth::Programs)?
            .enter(CapabilitySet::all())?
            .root
    };
    session::start(&root, program, terminal, bounding)
}
