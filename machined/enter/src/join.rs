//! Becoming a process of the container.

use std::os::fd::{AsFd, OwnedFd};

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

const NAMESPACES: &[(&str, ThreadNameSpaceType)] = &[
    ("user", ThreadNameSpaceType::USER),
    ("mnt", ThreadNameSpaceType::MOUNT),
    ("uts", ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME),
    ("ipc", ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION),
    ("net", ThreadNameSpaceType::NETWORK),
    ("cgroup", ThreadNameSpaceType::CONTROL_GROUP),
];

/// Those that only the children of a process that joins are in.
const CHILDREN: &[(&str, ThreadNameSpaceType)] = &[
    ("pid", ThreadNameSpaceType::PROCESS_ID),
    ("time", ThreadNameSpaceType::TIME),
];

/// What is needed to enter, found while still outside.
#[derive(Debug)]
pub struct Door<'a> {
    leader: &'a Leader,
    namespaces: ThreadNameSpaceType,
    root: OwnedFd,
    /// Whether the machine has a user namespace of its own.
    pub own_users: bool,
}

impl<'a> Door<'a> {
    /// Looks at the leader's namespaces and root directory.
    ///
    /// A machine in the host's mount namespace is refused, whatever its root directory: what is done "in the machine" would be
    /// done to the host, by a leader that whoever registered it chose.
    pub fn find(leader: &'a Leader, depth: Depth) -> Result<Self, Fault> {
        if leader.shares("mnt")? {
            return Err(Fault::refused(
                "The machine shares the host's file system: it has no mount namespace of its own",
            ));
        }
        let mut namespaces = ThreadNameSpaceType::empty();
        let below = if depth == Depth::Programs {
            CHILDREN
        } else {
            &[]
        };
        for &(file, kind) in NAMESPACES.iter().chain(below) {
            // setns(2) refuses the user namespace that one is in, and joining any other again would only ask for rights.
            if !leader.shares(file)? {
                namespaces |= kind;
            }
        }
        Ok(Self {
            leader,
            namespaces,
            // The leader may be chrooted below the root of its mount namespace, which is where setns would put us.
            root: leader.open("root", OFlags::PATH | OFlags::DIRECTORY)?,
            own_users: namespaces.contains(ThreadNameSpaceType::USER),
        })
    }

    /// Joins the user namespace ahead of the mount namespace, and of all others none: they may belong to the host, which no
    /// longer lets us in then.
    pub fn join_users(&mut self) -> Result<(), Fault> {
        drop_groups()?;
        self.set(ThreadNameSpaceType::USER)?;
        self.namespaces = ThreadNameSpaceType::MOUNT;
        Ok(())
    }

    /// Joins the namespaces and the root directory of the leader, as root of the machine, with `wanted` of the capabilities
    /// there and none outside.
    pub fn enter(self, wanted: CapabilitySet) -> Result<Inside, Fault> {
        drop_groups()?;
        self.set(self.namespaces)?;
        rustix::process::fchdir(&self.root)
            .map_err(Fault::to("enter the machine's root directory"))?;
        rustix::process::chroot(".")
            .map_err(Fault::to("change to the machine's root directory"))?;
        if self.own_users {
            // The host's root has no number in there, and what it made would belong to the host.
            rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)
                .and_then(|()| rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT))
                .map_err(Fault::to("become root of the machine's user namespace"))?;
        }
        privilege::keep(wanted)?;
        Ok(Inside {
            root: Root::new(self.root),
            own_users: self.own_users,
        })
    }

    fn set(&self, namespaces: ThreadNameSpaceType) -> Result<(), Fault> {
        rustix::thread::move_into_thread_name_spaces(self.leader.as_fd(), namespaces)
            .map_err(Fault::to("join the machine's namespaces"))
    }
}

/// Before joining, since the machine's user namespace may deny it. Where ours does, as in a sandbox that an ordinary user made,
/// the groups are that user's and stay.
fn drop_groups() -> Result<(), Fault> {
    match rustix::thread::set_thread_groups(&[]) {
        Err(_) if std::fs::read("/proc/self/setgroups").is_ok_and(|text| text == b"deny\n") => {
            Ok(())
        }
        other => other.map_err(Fault::to("drop groups")),
    }
}
