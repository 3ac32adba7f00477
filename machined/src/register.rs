//! How machines come and go.

use std::rc::Rc;

use rustix::time::{ClockId, clock_gettime};

use crate::{
    access::Action,
    caller::Caller,
    class::Class,
    error::Error,
    leader::Leader,
    machine::Machine,
    manager::{Event, Manager},
    name::MachineName,
    ownership,
    registration::{ProcessRef, Registration, Unit},
    scope,
    service_manager::{self, Properties, ServiceManager},
    unit_name,
};

/// The longest text that a caller may leave with us, in bytes: PATH_MAX.
const LONGEST_TEXT: usize = 4096;

/// What the machine is in.
#[derive(Default)]
struct Place {
    unit: String,
    subgroup: String,
    /// The cgroup of a scope that we made.
    scope_cgroup: Option<String>,
}

impl Manager {
    /// Registers a machine; returns once its scope stands, its addresses are known and its files are written.
    ///
    /// # Errors
    /// [`Error::MachineExists`]; [`Error::InvalidArgs`] for what breaks a rule; [`Error::AccessDenied`] for a process
    /// that is not the caller's; [`Error::JobFailed`]; [`Error::Io`] if the files can't be written. Nothing is left
    /// behind then.
    pub async fn register(
        self: &Rc<Self>,
        caller: &Caller,
        request: Registration,
    ) -> Result<Rc<Machine>, Error> {
        let action = match request.unit {
            Unit::Allocate(_) => Action::CreateMachine,
            Unit::OfLeader => Action::RegisterMachine,
        };
        self.authorize(caller, action, &[("machine", request.name.as_str())])
            .await?;
        check(&request)?;
        let leader = leader_of(caller, &request.leader)?;
        let supervisor = supervisor_of(caller, request.supervisor.as_ref(), &leader)?;
        let _reservation = self.reserve(&request.name, &leader)?;
        let class = request.class;
        let former = self.cgroups.path_of(leader.pid);
        let place = match &request.unit {
            Unit::Allocate(properties) => {
                self.allocate(caller, &request.name, class, &leader, properties)
                    .await?
            }
            Unit::OfLeader => self.place_of(&leader).await?,
        };
        let text = |text: Option<String>| text.map(String::into_boxed_str);
        let machine = Rc::new(Machine {
            id: request.id.filter(|id| *id != [0; 16]),
            service: request.service.into(),
            supervisor,
            root_directory: request.root_directory.into(),
            network_interfaces: request.network_interfaces.into(),
            vsock_cid: request.vsock_cid,
            ssh_address: text(request.ssh_address),
            ssh_private_key_path: text(request.ssh_private_key_path),
            uid: caller.uid,
            realtime: now(ClockId::Realtime),
            monotonic: now(ClockId::Monotonic),
            unit: place.unit.into_boxed_str().into(),
            subgroup: place.subgroup.into(),
            given_addresses: request.addresses.into(),
            scope_cgroup: text(place.scope_cgroup).into(),
            ..Machine::bare(request.name, class, leader)
        });
        self.networks.open(&machine);
        self.enlist(&machine)
            .inspect_err(|_| self.take_back(&machine, former.as_deref()))?;
        tracing::info!(NAME = %machine.name, LEADER = machine.leader.pid, "New machine {}.", machine.name);
        Ok(machine)
    }

    /// Forgets a machine without ending it. Whoever registered it may do so without being asked for more.
    ///
    /// # Errors
    /// [`Error::AccessDenied`]; [`Error::NotSupported`] for the host.
    pub async fn unregister(
        self: &Rc<Self>,
        caller: &Caller,
        machine: &Rc<Machine>,
    ) -> Result<(), Error> {
        if machine.class == Class::Host {
            return Err(Error::NotSupported(
                "The host can't be unregistered".to_owned(),
            ));
        }
        if caller.uid != machine.uid {
            let details = [("machine", machine.name.as_str()), ("verb", "unregister")];
            self.authorize(caller, Action::ManageMachines, &details)
                .await?;
        }
        tracing::info!(NAME = %machine.name, "Machine {} unregistered.", machine.name);
        self.forget(machine);
        Ok(())
    }

    /// Writes the machine's files, watches its leader and tells of it.
    pub(crate) fn enlist(self: &Rc<Self>, machine: &Rc<Machine>) -> Result<(), Error> {
        let what = format!("Failed to write the state of machine {}", machine.name);
        let unit = machine.linked_unit();
        self.states
            .save(&machine.record(), unit.as_deref())
            .map_err(Error::io(what))?;
        if let Err(error) = self.watch.add(&machine.leader) {
            self.states.remove(machine.name.as_str(), unit.as_deref());
            return Err(Error::Io("Failed to watch the leader".to_owned(), error));
        }
        self.machines
            .borrow_mut()
            .insert(machine.name.clone(), machine.clone());
        self.announce(&Event::New(machine.clone()));
        Ok(())
    }

    /// Takes a machine off the registry and its files away, then tells of it. Its processes are left as they are.
    pub(crate) fn forget(self: &Rc<Self>, machine: &Rc<Machine>) {
        let mut machines = self.machines.borrow_mut();
        // It may have gone already, and another have its name.
        if !machines
            .get(&machine.name)
            .is_some_and(|known| Rc::ptr_eq(known, machine))
        {
            return;
        }
        machines.remove(&machine.name);
        drop(machines);
        machine.state.set(crate::machine::State::Closing);
        self.watch.remove(&machine.leader);
        self.states
            .remove(machine.name.as_str(), machine.linked_unit().as_deref());
        // The socket keeps the namespace alive, and with it the other ends of its links.
        machine.network.replace(None);
        self.release_scope(machine);
        self.announce(&Event::Removed(machine.clone()));
    }

    /// Gives back the scope, ours or the service manager's, which goes with its last process.
    fn release_scope(self: &Rc<Self>, machine: &Machine) {
        if let Some(scope) = machine.scope_cgroup.borrow().as_deref() {
            return self.remove_scope(scope);
        }
        let unit = machine.unit.borrow().to_string();
        if unit == unit_name::scope_of(machine.name.as_str()) {
            let manager = self.clone();
            tokio::task::spawn_local(async move {
                if let Some(service_manager) = ServiceManager::find(manager.bus()).await {
                    service_manager.unref(&unit).await;
                }
            });
        }
    }

    /// After a registration that failed at the last: the leader is where it was.
    fn take_back(self: &Rc<Self>, machine: &Machine, former: Option<&str>) {
        machine.network.replace(None);
        match (machine.scope_cgroup.take(), former) {
            (Some(scope), Some(former)) => {
                scope::undo(&self.cgroups, &scope, machine.leader.pid, former);
            }
            (scope, _) => {
                machine.scope_cgroup.replace(scope);
                self.release_scope(machine);
            }
        }
    }

    /// Keeps the name and the leader from being registered by anyone else meanwhile.
    fn reserve<'a>(
        self: &'a Rc<Self>,
        name: &MachineName,
        leader: &Leader,
    ) -> Result<Reservation<'a>, Error> {
        if let Ok(machine) = self.machine(name.as_str()) {
            if machine.leader.is_alive() {
                return Err(Error::MachineExists(name.to_string()));
            }
            // Its end has not been taken in yet.
            self.forget(&machine);
        }
        let guests = self.guests();
        if let Some(other) = guests
            .iter()
            .find(|machine| machine.leader.pid == leader.pid)
        {
            if other.leader.is_alive() {
                let (pid, name) = (leader.pid, &other.name);
                return Err(Error::InvalidArgs(format!(
                    "Process {pid} is the leader of machine {name} already"
                )));
            }
            self.forget(other);
        }
        let mut pending = self.pending.borrow_mut();
        if pending
            .iter()
            .any(|(other, pid)| other == name || *pid == leader.pid)
        {
            return Err(Error::MachineExists(name.to_string()));
        }
        pending.push((name.clone(), leader.pid));
        Ok(Reservation {
            manager: self,
            name: name.clone(),
        })
    }

    /// CreateMachine: a scope, made by the service manager, or by us where there is none.
    async fn allocate(
        &self,
        caller: &Caller,
        name: &MachineName,
        class: Class,
        leader: &Leader,
        properties: &Properties,
    ) -> Result<Place, Error> {
        let unit = unit_name::scope_of(name.as_str());
        if let Some(service_manager) = ServiceManager::find(self.bus()).await {
            let description = match class {
                Class::Vm => format!("Virtual Machine {name}"),
                _ => format!("Container {name}"),
            };
            service_manager
                .start_scope(&unit, &description, leader, caller.uid, properties)
                .await?;
            return Ok(Place {
                unit,
                ..Place::default()
            });
        }
        let last = |key| {
            properties
                .iter()
                .rev()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value)
        };
        let slice = last("Slice").and_then(|value| value.downcast_ref::<&str>().ok());
        let tasks_max = last("TasksMax").and_then(|value| value.downcast_ref::<u64>().ok());
        let slice = slice.unwrap_or(service_manager::SLICE);
        let tasks_max = tasks_max.unwrap_or(service_manager::TASKS_MAX);
        if unit_name::path_of_slice(slice).is_none() {
            return Err(Error::InvalidArgs(format!(
                "Invalid slice '{}'",
                slice.escape_debug()
            )));
        }
        match scope::make(&self.cgroups, slice, &unit, leader.pid, tasks_max) {
            Ok(path) => Ok(Place {
                unit,
                scope_cgroup: Some(path),
                ..Place::default()
            }),
            // Its names and addresses are worth having all the same.
            Err(error) => {
                tracing::warn!("Machine {name} has no cgroup of its own: {error}");
                Ok(Place::default())
            }
        }
    }

    /// RegisterMachine: the unit that the leader is in. Where no service manager says what a unit is, a machine may have
    /// none.
    async fn place_of(&self, leader: &Leader) -> Result<Place, Error> {
        if let Some((unit, subgroup)) = self.cgroups.unit_of(leader.pid) {
            return Ok(Place {
                unit,
                subgroup,
                scope_cgroup: None,
            });
        }
        if ServiceManager::find(self.bus()).await.is_some() {
            let what = format!("Failed to determine unit of process {}", leader.pid);
            return Err(Error::Io(what, rustix::io::Errno::NXIO.into()));
        }
        Ok(Place::default())
    }
}

/// A name and a leader that are taken while this lives.
struct Reservation<'a> {
    manager: &'a Manager,
    name: MachineName,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.manager
            .pending
            .borrow_mut()
            .retain(|(name, _)| *name != self.name);
    }
}

/// What can be told without looking at anything.
fn check(request: &Registration) -> Result<(), Error> {
    let invalid = |text: String| Err(Error::InvalidArgs(text));
    if request.class == Class::Host {
        return invalid("There is one host, and it is registered".to_owned());
    }
    let root = request.root_directory.as_str();
    if !root.is_empty() && !is_normal_path(root) {
        let root = root.escape_debug();
        return invalid(format!(
            "The root directory must be empty or an absolute path without '..': '{root}'"
        ));
    }
    if let Some(index) = request.network_interfaces.iter().find(|&&index| index <= 0) {
        return invalid(format!("Invalid network interface index {index}"));
    }
    let texts = [
        Some(root),
        Some(&request.service),
        request.ssh_address.as_deref(),
        request.ssh_private_key_path.as_deref(),
    ];
    for text in texts.into_iter().flatten() {
        // They go into files of lines, and into the log.
        if text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
            return invalid("A text is too long or has control characters in it".to_owned());
        }
    }
    Ok(())
}

/// Absolute, and no component of it leads up.
fn is_normal_path(path: &str) -> bool {
    path.starts_with('/') && !path.split('/').any(|part| part == "..") && path.len() < LONGEST_TEXT
}

fn leader_of(caller: &Caller, process: &ProcessRef) -> Result<Leader, Error> {
    let leader = open(caller, process)?;
    if leader.pid == 1 {
        return Err(Error::InvalidArgs(
            "The leader of a machine can't be PID 1".to_owned(),
        ));
    }
    ownership::check(&leader, caller.uid)?;
    Ok(leader)
}

/// Who watches over the leader: the caller unless they say otherwise, or are it themselves.
fn supervisor_of(
    caller: &Caller,
    process: Option<&ProcessRef>,
    leader: &Leader,
) -> Result<Option<Leader>, Error> {
    let Some(process) = process else {
        // A caller that has gone since watches over nothing.
        let supervisor = open(caller, &ProcessRef::Caller).ok();
        return Ok(supervisor.filter(|supervisor| supervisor.pid != leader.pid));
    };
    let supervisor = open(caller, process)?;
    if supervisor.pid == 1 {
        return Err(Error::InvalidArgs(
            "The supervisor of a machine can't be PID 1".to_owned(),
        ));
    }
    ownership::check(&supervisor, caller.uid)?;
    Ok((supervisor.pid != leader.pid).then_some(supervisor))
}

fn open(caller: &Caller, process: &ProcessRef) -> Result<Leader, Error> {
    let cloned = |fd: &std::os::fd::OwnedFd| {
        fd.try_clone()
            .map_err(Error::io("Failed to hold the process"))
    };
    match process {
        ProcessRef::Caller => match &caller.pidfd {
            Some(pidfd) => Leader::from_pidfd(cloned(pidfd)?),
            None => Leader::open(caller.pid),
        },
        ProcessRef::Pid(pid) => Leader::open(*pid),
        ProcessRef::PidFd(pidfd) => Leader::from_pidfd(cloned(pidfd)?),
        ProcessRef::PidAndId(pid, id) => {
            let leader = Leader::open(*pid)?;
            if leader.pidfd_id != Some(*id) {
                let what = format!("Process {pid} is not the one with the id {id}");
                return Err(Error::Io(what, rustix::io::Errno::SRCH.into()));
            }
            Ok(leader)
        }
    }
}

/// µs of a clock.
fn now(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1000
}
