//! What a caller says of a machine when registering it.

use std::{net::IpAddr, os::fd::OwnedFd};

use zbus::wire::OwnedVariant;

use crate::{class::Class, name::MachineName};

/// A request to register a machine, its text already checked for form by the types.
#[derive(Debug)]
pub struct Registration {
    /// The name, not yet known to be free.
    pub name: MachineName,
    /// The machine id, if given (empty on the wire means none).
    pub id: Option<[u8; 16]>,
    /// The name of the program that runs the machine, e.g. `systemd-nspawn`; may be empty.
    pub service: String,
    /// Container or VM.
    pub class: Class,
    /// The first process of the machine.
    pub leader: ProcessRef,
    /// The process that watches over the leader; `None`: the caller where the caller is not the leader.
    pub supervisor: Option<ProcessRef>,
    /// The root directory on the host; empty or absolute.
    pub root_directory: String,
    /// Interfaces of the host that belong to the machine, each > 0.
    pub network_interfaces: Vec<i32>,
    /// The AF_VSOCK context id of a VM.
    pub vsock_cid: Option<u32>,
    /// Where its SSH answers.
    pub ssh_address: Option<String>,
    /// The key for it.
    pub ssh_private_key_path: Option<String>,
    /// Addresses that the caller vouches for: of use for a VM, whose network namespace nobody can look into.
    pub addresses: Vec<IpAddr>,
    /// Whether to make a scope for it, or to take the unit that its leader is in.
    pub unit: Unit,
}

/// How a caller points at a process.
#[derive(Debug)]
pub enum ProcessRef {
    /// The caller's own process (PID 0 on the wire).
    Caller,
    /// By number alone.
    Pid(u32),
    /// By number, proven by its pidfd id.
    PidAndId(u32, u64),
    /// By a pidfd.
    PidFd(OwnedFd),
}

/// The unit of a new machine.
#[derive(Debug)]
pub enum Unit {
    /// CreateMachine: make `machine-NAME.scope` with these properties appended to ours (they win), e.g. `Slice`.
    Allocate(Vec<(String, OwnedVariant)>),
    /// RegisterMachine: the unit that the leader is in already.
    OfLeader,
}
