//! A machine in the registry.

use std::cell::{Cell, RefCell};

use std::net::IpAddr;

use crate::{
    address::Address, class::Class, leader::Leader, name::MachineName, network::Network,
    record::Record, uid_map::Maps,
};

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
    /// The addresses that whoever registered it gave.
    pub(crate) given_addresses: Box<[IpAddr]>,
    /// The cgroup of the scope that we made for it; `None` where it is somebody else's.
    pub(crate) scope_cgroup: RefCell<Option<Box<str>>>,
    /// The listening post in its network namespace.
    pub(crate) network: RefCell<Option<Network>>,
    /// What is remembered of its users and groups.
    pub(crate) maps: Maps,
}

impl Machine {
    /// A machine of which no more is known than this; the rest is filled in by `Machine { …, ..Machine::bare(…) }`.
    pub(crate) fn bare(name: MachineName, class: Class, leader: Leader) -> Self {
        Self {
            name,
            id: None,
            service: Box::default(),
            class,
            leader,
            supervisor: None,
            root_directory: Box::default(),
            network_interfaces: Box::default(),
            vsock_cid: None,
            ssh_address: None,
            ssh_private_key_path: None,
            uid: 0,
            realtime: 0,
            monotonic: 0,
            unit: RefCell::default(),
            subgroup: Box::default(),
            state: Cell::new(State::Running),
            addresses: RefCell::default(),
            given_addresses: Box::default(),
            scope_cgroup: RefCell::default(),
            network: RefCell::default(),
            maps: Maps::default(),
        }
    }

    /// Whether all processes of the unit are the machine's. If not, the unit can't be stopped for the machine's sake,
    /// nor does being in it make a process one of the machine's.
    ///
    /// A leader that stands in a cgroup below its unit shares it, say with other containers of a user's session. But
    /// `payload` is where systemd-nspawn keeps the container of its own unit, `container` where crun does; and
    /// `init.scope` is where a systemd in the container moves itself.
    pub(crate) fn owns_unit(&self) -> bool {
        let below: Vec<_> = self
            .subgroup
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        let below = below.strip_suffix(&["init.scope"]).unwrap_or(&below);
        let is_own = matches!(below, [] | ["payload" | "container"]);
        is_own && !self.unit.borrow().is_empty()
    }

    /// Whether the cgroup `below` this unit is the machine's.
    pub(crate) fn holds_cgroup(&self, unit: &str, below: &str) -> bool {
        let is_below = || {
            let rest = below.strip_prefix(&*self.subgroup);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        **self.unit.borrow() == *unit && !unit.is_empty() && (self.owns_unit() || is_below())
    }

    /// The unit by which `unit:UNIT` links lead to the machine.
    pub(crate) fn linked_unit(&self) -> Option<String> {
        self.owns_unit().then(|| self.unit.borrow().to_string())
    }

    /// What its state file says.
    pub(crate) fn record(&self) -> Record {
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        Record {
            name: self.name.clone(),
            uid: self.uid,
            unit: self.unit.borrow().to_string(),
            subgroup: self.subgroup.to_string(),
            service: self.service.to_string(),
            root_directory: self.root_directory.to_string(),
            id: self.id,
            leader: self.leader.record(),
            supervisor: self.supervisor.as_ref().map(Leader::record),
            class: self.class,
            realtime: self.realtime,
            monotonic: self.monotonic,
            network_interfaces: self.network_interfaces.to_vec(),
            vsock_cid: self.vsock_cid,
            ssh_address: text(&self.ssh_address),
            ssh_private_key_path: text(&self.ssh_private_key_path),
            scope_cgroup: text(&self.scope_cgroup.borrow()),
            addresses: self.given_addresses.to_vec(),
        }
    }
}
