//! The registry and what can be done with its machines. Both interfaces call this, and nothing else.

use std::{cell::RefCell, net::IpAddr, rc::Rc};

use crate::{
    access::Action, address::Address, caller::Caller, error::Error, machine::Machine,
    registration::Registration,
};

/// Something that happened to a machine; see [`Manager::observe`].
#[derive(Debug, Clone)]
pub enum Event {
    /// It is registered, its files are written.
    New(Rc<Machine>),
    /// It is gone, and so are its files.
    Removed(Rc<Machine>),
}

/// Whom a signal is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// The first process alone.
    Leader,
    /// The process that watches over it alone.
    Supervisor,
    /// Every process of the unit.
    All,
}

/// The registry.
#[derive(Debug, Default)]
pub struct Manager {
    bus: RefCell<Option<zbus::Connection>>,
}

/// Calls that look.
impl Manager {
    /// The machine of this name; `.host` is one.
    ///
    /// # Errors
    /// [`Error::NoSuchMachine`].
    pub fn machine(&self, name: &str) -> Result<Rc<Machine>, Error> {
        Err(Error::NoSuchMachine(name.to_owned()))
    }

    /// All machines, `.host` among them, sorted by name.
    pub fn machines(&self) -> Vec<Rc<Machine>> {
        Vec::new()
    }

    /// The machine that the process belongs to: by leader, else by the unit its cgroup is in.
    ///
    /// # Errors
    /// [`Error::NoMachineForPid`].
    pub fn machine_of_pid(&self, pid: u32) -> Result<Rc<Machine>, Error> {
        Err(Error::NoMachineForPid(pid))
    }

    /// The addresses of a machine, current as of this call, filtered and sorted as in systemd.
    ///
    /// # Errors
    /// [`Error::NoPrivateNetworking`]; [`Error::NotSupported`] for a VM of which no address is known.
    pub fn addresses(&self, machine: &Machine) -> Result<Vec<Address>, Error> {
        Err(Error::NoPrivateNetworking(machine.name.to_string()))
    }

    /// The names of the machines that have this address.
    pub fn machines_with_address(&self, address: IpAddr) -> Vec<Rc<Machine>> {
        let _ = address;
        Vec::new()
    }

    /// How far the machine's user ids are shifted against the host's.
    ///
    /// # Errors
    /// [`Error::NoUidShift`] where it is not one number for users and groups alike; [`Error::NotSupported`] for a VM.
    pub fn uid_shift(&self, machine: &Machine) -> Result<u32, Error> {
        Err(Error::NoUidShift(machine.name.to_string()))
    }

    /// The host's user id for `uid` inside the machine. ([`Error::NoSuchUserMapping`])
    pub fn user_from_machine(&self, machine: &Machine, uid: u32) -> Result<u32, Error> {
        Err(Error::NoSuchUserMapping(format!("{} {uid}", machine.name)))
    }

    /// The host's group id for `gid` inside the machine. ([`Error::NoSuchGroupMapping`])
    pub fn group_from_machine(&self, machine: &Machine, gid: u32) -> Result<u32, Error> {
        Err(Error::NoSuchGroupMapping(format!("{} {gid}", machine.name)))
    }

    /// The machine that owns the host's user id, and the id inside it. ([`Error::UserInHostRange`],
    /// [`Error::NoSuchUserMapping`])
    pub fn user_to_machine(&self, uid: u32) -> Result<(Rc<Machine>, u32), Error> {
        Err(Error::UserInHostRange(uid))
    }

    /// The machine that owns the host's group id, and the id inside it.
    pub fn group_to_machine(&self, gid: u32) -> Result<(Rc<Machine>, u32), Error> {
        Err(Error::GroupInHostRange(gid))
    }

    /// Everything that happens to machines from now on, in order. Dropping the receiver ends it.
    pub fn observe(&self) -> tokio::sync::mpsc::UnboundedReceiver<Event> {
        tokio::sync::mpsc::unbounded_channel().1
    }
}

/// Calls that change something. Each checks by itself that the caller may.
impl Manager {
    /// Registers a machine; returns once its scope stands and its files are written.
    pub async fn register(
        &self,
        caller: &Caller,
        request: Registration,
    ) -> Result<Rc<Machine>, Error> {
        self.authorize(
            caller,
            Action::RegisterMachine,
            &[("machine", request.name.as_str())],
        )
        .await?;
        Err(Error::NotSupported(String::new()))
    }

    /// Forgets a machine without ending it.
    pub async fn unregister(&self, caller: &Caller, machine: &Rc<Machine>) -> Result<(), Error> {
        let details = [("machine", machine.name.as_str()), ("verb", "unregister")];
        self.authorize(caller, Action::ManageMachines, &details)
            .await
    }

    /// Ends a machine: stops its unit, or kills its cgroup, or where it shares its unit signals its supervisor.
    pub async fn terminate(&self, caller: &Caller, machine: &Rc<Machine>) -> Result<(), Error> {
        let details = [("machine", machine.name.as_str()), ("verb", "terminate")];
        self.authorize(caller, Action::ManageMachines, &details)
            .await
    }

    /// Sends a signal.
    pub async fn kill(
        &self,
        caller: &Caller,
        machine: &Rc<Machine>,
        whom: Whom,
        signal: i32,
    ) -> Result<(), Error> {
        let _ = (whom, signal);
        let details = [("machine", machine.name.as_str()), ("verb", "kill")];
        self.authorize(caller, Action::ManageMachines, &details)
            .await
    }
}

/// The bus, which comes and goes.
impl Manager {
    /// The connection to the system bus, while there is one.
    pub fn bus(&self) -> Option<zbus::Connection> {
        self.bus.borrow().clone()
    }

    /// Tells of a new connection to the system bus, or of its loss.
    pub fn set_bus(&self, bus: Option<zbus::Connection>) {
        self.bus.replace(bus);
    }
}
