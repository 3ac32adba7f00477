//! The registry and what can be done with its machines. Both interfaces call this, and nothing else.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    net::IpAddr,
    path::PathBuf,
    rc::{Rc, Weak},
};

use tokio::sync::{
    Notify,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use crate::{
    address::Address,
    cgroup::Hierarchy,
    class::Class,
    error::Error,
    host::host,
    machine::Machine,
    name::MachineName,
    namespace,
    network::{self, Networks},
    published::Published,
    scope::Scopes,
    state_dir::StateDir,
    uid_map,
    watch::Watch,
};

/// Something that happened to a machine; see [`Manager::observe`].
#[derive(Debug, Clone)]
pub enum Event {
    /// It is registered, its files are written.
    New(Rc<Machine>),
    /// It is gone, and so are its files.
    Removed(Rc<Machine>),
}

/// Where the registry keeps what must outlive it.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The state files, `/run/systemd/machines`: other programs look there.
    pub machines: PathBuf,
    /// State files that could not be read.
    pub broken: PathBuf,
    /// The list of scopes that are ours.
    pub scopes: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            machines: "/run/systemd/machines".into(),
            broken: "/run/switchyard/machined/broken".into(),
            scopes: "/run/switchyard/machined/scopes".into(),
        }
    }
}

/// The registry.
#[derive(Debug)]
pub struct Manager {
    /// Itself, for what goes on after a call has returned.
    pub(crate) this: Weak<Self>,
    pub(crate) bus: RefCell<Option<zbus::Connection>>,
    pub(crate) machines: RefCell<BTreeMap<MachineName, Rc<Machine>>>,
    /// Machines whose registration is under way, each by its name and its leader: neither can be had twice.
    pub(crate) pending: RefCell<Vec<(MachineName, u32)>>,
    pub(crate) states: StateDir,
    pub(crate) cgroups: Hierarchy,
    pub(crate) watch: Watch,
    pub(crate) networks: Networks,
    pub(crate) published: Published,
    pub(crate) scopes: Scopes,
    pub(crate) authority: polkit::Authority,
    bus_settled: Notify,
    observers: RefCell<Vec<UnboundedSender<Event>>>,
}

impl Manager {
    /// A registry with nothing in it but `.host`. What a predecessor left is read back by [`Manager::restore`].
    ///
    /// # Errors
    /// If the folder for the state files can't be made, or the kernel lacks what it takes (pidfd, epoll, inotify).
    pub fn new(paths: Paths) -> Result<Rc<Self>, Error> {
        let states = StateDir::new(paths.machines.clone(), paths.broken);
        let what = format!("Failed to make {}", paths.machines.display());
        states.create().map_err(Error::io(what))?;
        let watch = Watch::new().map_err(Error::io("Failed to watch processes"))?;
        let networks = Networks::new().map_err(Error::io("Failed to watch networks"))?;
        let scopes = Scopes::new(paths.scopes).map_err(Error::io("Failed to watch cgroups"))?;
        let manager = Rc::new_cyclic(|this| Self {
            this: this.clone(),
            bus: RefCell::default(),
            machines: RefCell::default(),
            pending: RefCell::default(),
            states,
            cgroups: Hierarchy::find(),
            watch,
            networks,
            published: Published::default(),
            scopes,
            authority: polkit::Authority::default(),
            bus_settled: Notify::new(),
            observers: RefCell::default(),
        });
        let host = Rc::new(host()?);
        manager.networks.open(&host);
        manager
            .machines
            .borrow_mut()
            .insert(MachineName::host(), host);
        Ok(manager)
    }
}

/// Calls that look.
impl Manager {
    /// The machine of this name; `.host` is one.
    ///
    /// # Errors
    /// [`Error::NoSuchMachine`].
    pub fn machine(&self, name: &str) -> Result<Rc<Machine>, Error> {
        let machines = self.machines.borrow();
        let machine = machines.get(name).cloned();
        machine.ok_or_else(|| Error::NoSuchMachine(name.to_owned()))
    }

    /// All machines, `.host` among them, sorted by name.
    pub fn machines(&self) -> Vec<Rc<Machine>> {
        self.machines.borrow().values().cloned().collect()
    }

    /// All machines but `.host`.
    pub(crate) fn guests(&self) -> Vec<Rc<Machine>> {
        let machines = self.machines.borrow();
        let guests = machines
            .values()
            .filter(|machine| machine.class != Class::Host);
        guests.cloned().collect()
    }

    /// The machine that the process belongs to: by leader, else by the unit its cgroup is in, else, for a machine that
    /// has no unit, by its pid namespace.
    ///
    /// # Errors
    /// [`Error::NoMachineForPid`].
    pub fn machine_of_pid(&self, pid: u32) -> Result<Rc<Machine>, Error> {
        let guests = self.guests();
        let find = |belongs: &dyn Fn(&Machine) -> bool| {
            guests.iter().find(|machine| belongs(machine)).cloned()
        };
        let by_unit = || {
            let (unit, below) = self.cgroups.unit_of(pid)?;
            find(&|machine| machine.holds_cgroup(&unit, &below))
        };
        let by_namespace = || {
            let own = namespace::id_of_own("pid")?;
            let id = namespace::id_of(pid, "pid").filter(|&id| id != own)?;
            find(&|m| {
                m.unit.borrow().is_empty() && namespace::id_of(m.leader.pid, "pid") == Some(id)
            })
        };
        find(&|machine| machine.leader.pid == pid && machine.leader.is_alive())
            .or_else(by_unit)
            .or_else(by_namespace)
            .ok_or(Error::NoMachineForPid(pid))
    }

    /// The addresses of a machine, filtered and sorted as in systemd. They are current as of this call, but for a leader that
    /// has gone into another network within the last 10 ms.
    ///
    /// # Errors
    /// [`Error::NoPrivateNetworking`]; [`Error::NotSupported`] for a VM of which no address is known.
    pub fn addresses(&self, machine: &Machine) -> Result<Vec<Address>, Error> {
        if machine.class == Class::Vm {
            return self.networks.addresses_of_vm(machine);
        }
        self.refresh(machine);
        let addresses = machine.addresses.borrow();
        let addresses = addresses.as_deref().map(<[Address]>::to_vec);
        addresses.ok_or_else(|| Error::NoPrivateNetworking(machine.name.to_string()))
    }

    /// The names of the machines that have this address.
    pub fn machines_with_address(&self, address: IpAddr) -> Vec<Rc<Machine>> {
        let is_among = |known: &[Address]| known.iter().any(|known| known.ip == address);
        let guests = self.guests();
        for machine in network::with_news(&guests) {
            self.refresh(machine);
        }
        let has = |machine: &Rc<Machine>| {
            // Nothing is kept of a VM. Of others only those that seem to have it are asked one by one: programs look up
            // the addresses of the whole internet.
            let known = machine.addresses.borrow().as_deref().is_some_and(is_among);
            (known || machine.class == Class::Vm)
                && self.addresses(machine).is_ok_and(|known| is_among(&known))
        };
        guests.into_iter().filter(has).collect()
    }

    /// How far the machine's user ids are shifted against the host's.
    ///
    /// # Errors
    /// [`Error::NoUidShift`] where it is not one number for users and groups alike; [`Error::NotSupported`] for a VM.
    pub fn uid_shift(&self, machine: &Machine) -> Result<u32, Error> {
        uid_map::shift(machine)
    }

    /// The host's user id for `uid` inside the machine. ([`Error::NoSuchUserMapping`])
    pub fn user_from_machine(&self, machine: &Machine, uid: u32) -> Result<u32, Error> {
        uid_map::from_machine(machine, uid_map::Kind::User, uid)
    }

    /// The host's group id for `gid` inside the machine. ([`Error::NoSuchGroupMapping`])
    pub fn group_from_machine(&self, machine: &Machine, gid: u32) -> Result<u32, Error> {
        uid_map::from_machine(machine, uid_map::Kind::Group, gid)
    }

    /// The machine that owns the host's user id, and the id inside it. ([`Error::UserInHostRange`],
    /// [`Error::NoSuchUserMapping`])
    pub fn user_to_machine(&self, uid: u32) -> Result<(Rc<Machine>, u32), Error> {
        uid_map::to_machine(self.machines.borrow().values(), uid_map::Kind::User, uid)
    }

    /// The machine that owns the host's group id, and the id inside it.
    pub fn group_to_machine(&self, gid: u32) -> Result<(Rc<Machine>, u32), Error> {
        uid_map::to_machine(self.machines.borrow().values(), uid_map::Kind::Group, gid)
    }

    /// Everything that happens to machines from now on, in order. Dropping the receiver ends it.
    pub fn observe(&self) -> UnboundedReceiver<Event> {
        let (sender, receiver) = unbounded_channel();
        self.observers.borrow_mut().push(sender);
        receiver
    }

    /// Has every process read names and addresses of machines from the map at this path; to be called before any is registered or
    /// read back.
    pub fn publish(&self, map: lookaside::Writer, path: PathBuf) {
        self.networks.follow();
        self.published.begin(map, path);
    }

    /// Retires the map.
    pub fn end_publishing(&self) {
        self.published.end();
    }

    pub(crate) fn announce(&self, event: &Event) {
        match event {
            Event::New(machine) => self.published.put(machine),
            Event::Removed(machine) => self.published.take(machine),
        }
        let mut observers = self.observers.borrow_mut();
        observers.retain(|observer| observer.send(event.clone()).is_ok());
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

    /// Tells that we have the name on the bus, or shall not have it soon: there is no bus, or another has the name.
    pub fn settle_bus(&self) {
        self.bus_settled.notify_one();
    }

    /// Waits for that.
    pub async fn bus_settled(&self) {
        self.bus_settled.notified().await;
    }
}

pub use crate::kill::Whom;
