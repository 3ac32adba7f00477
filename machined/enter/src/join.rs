//! Becoming a process of the container.

use rustix::{
    fs::OFlags,
    thread::{CapabilitySet, Gid, ThreadNameSpaceType, Uid},
};

use crate::{fault::Fault, leader::Leader, privilege, root::Root};

/// How far in to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All namespaces but the pid namespace: for everything that runs nothing. A process that the container has no number
    /// for is invisible in its /proc and can't be signalled, traced or robbed of descriptors from inside.
    Files,
    /// The pid and time namespaces too, for the children of this process.
    Programs,
}

/// The container, from inside.
#[derive(Debug)]
pub struct Inside {
    /// The leader's root directory.
    pub root: Root,
    /// Whether it has a user namespace of its own, whose root we are now.
    pub own_users: bool,
}

const NAMESPACES: [(&str, ThreadNameSpaceType); 6] = [
    ("user", ThreadNameSpaceType::USER),
    ("mnt", ThreadNameSpaceType::MOUNT),
    ("uts", ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME),
    ("ipc", ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION),
    ("net", ThreadNameSpaceType::NETWORK),
    ("cgroup", ThreadNameSpaceType::CONTROL_GROUP),
];

/// Joins the namespaces and the root directory of the leader as root of the container, with `wanted` of the capabilities
/// there and none outside.
///
/// A machine in the host's mount namespace is refused, whatever its root directory: what is done "in the machine" would be
/// done to the host, by a leader that whoever registered it chose.
pub fn join(leader: &Leader, depth: Depth, wanted: CapabilitySet) -> Result<Inside, Fault> {
    if leader.shares("mnt")? {
        return Err(Fault::refused(
            "The machine shares the host's file system: it has no mount namespace of its own",
        ));
    }
    let own_users = !leader.shares("user")?;
    let mut namespaces = ThreadNameSpaceType::empty();
    for (file, kind) in NAMESPACES {
        // setns(2) refuses the user namespace that one is in, and joining any other again would only ask for rights.
        if !leader.shares(file)? {
            namespaces |= kind;
        }
    }
    if depth == Depth::Programs {
        for (file, kind) in [
            ("pid", ThreadNameSpaceType::PROCESS_ID),
            ("time", ThreadNameSpaceType::TIME),
        ] {
            if !leader.shares(file)? {
                namespaces |= kind;
            }
        }
    }
    // The leader may be chrooted below the root of its mount namespace, which is where setns would put us.
    let root = leader.open("root", OFlags::PATH | OFlags::DIRECTORY)?;

    // Before joining: a user namespace may deny setgroups.
    rustix::thread::set_thread_groups(&[]).map_err(Fault::to("drop groups"))?;
    rustix::thread::move_into_thread_name_spaces(rustix::fd::AsFd::as_fd(leader), namespaces)
        .map_err(Fault::to("join the machine's namespaces"))?;
    rustix::process::fchdir(&root).map_err(Fault::to("enter the machine's root directory"))?;
    rustix::process::chroot(".").map_err(Fault::to("change to the machine's root directory"))?;
    if own_users {
        // The host's root has no number in there, and what it made would belong to the host.
        rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)
            .and_then(|()| rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT))
            .map_err(Fault::to("become root of the machine's user namespace"))?;
    }
    privilege::keep(wanted)?;
    Ok(Inside {
        root: Root::new(root),
        own_users,
    })
}
