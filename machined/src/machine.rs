//! A machine in the registry.

use std::cell::{Cell, RefCell};

use crate::{address::Address, class::Class, leader::Leader, name::MachineName};

/// Where a machine is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its scope is being made.
    Opening,
    /// It runs.
    Running,
    /// It has been told to end, or has.
    Closing,
}

impl State {
    /// The word for it on every interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Running => "running",
            Self::Closing => "closing",
        }
    }
}

/// A registered machine. What can't change is a plain field.
#[derive(Debug)]
pub struct Machine {
    /// Its name.
    pub name: MachineName,
    /// Its id, if it has one.
    pub id: Option<[u8; 16]>,
    /// The program that runs it; may be empty.
    pub service: Box<str>,
    /// Container, VM or host.
    pub class: Class,
    /// The process that stands for it. The host's is PID 1.
    pub leader: Leader,
    /// The process that watches over it.
    pub supervisor: Option<Leader>,
    /// Its root directory on the host; may be empty.
    pub root_directory: Box<str>,
    /// The host's interfaces that belong to it.
    pub network_interfaces: Box<[i32]>,
    /// AF_VSOCK context id.
    pub vsock_cid: Option<u32>,
    /// Where its SSH answers.
    pub ssh_address: Option<Box<str>>,
    /// The key for it.
    pub ssh_private_key_path: Option<Box<str>>,
    /// The user who registered it.
    pub uid: u32,
    /// When it was registered: µs of CLOCK_REALTIME.
    pub realtime: u64,
    /// When it was registered: µs of CLOCK_MONOTONIC.
    pub monotonic: u64,
    /// Its unit (scope or service); empty where there is none, e.g. a container of a runtime that uses plain cgroups.
    pub unit: RefCell<Box<str>>,
    /// The cgroup below the unit that is the machine's own; empty where the whole unit is.
    pub subgroup: Box<str>,
    /// Where it is in its life.
    pub state: Cell<State>,
    /// Its addresses, sorted and filtered as GetMachineAddresses gives them; `None` where it has no network of its own.
    pub addresses: RefCell<Option<Box<[Address]>>>,
}
