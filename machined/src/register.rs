//! How machines come and go.

use std::rc::Rc;

use rustix::time::{ClockId, clock_gettime};

use crate::{
    access::Action,
    admission,
    argument::Argument,
    caller::Caller,
    class::Class,
    error::Error,
    leader::Leader,
    machine::Machine,
    manager::{Event, Manager},
    name::MachineName,
    registration::{Registration, Unit},
    uid_map,
};

/// SD_MESSAGE_MACHINE_START of sd-messages.h, by which `journalctl MESSAGE_ID=` finds machines come.
const STARTED: &str = "24d8d4452573402496068381a6312df2";

impl Manager {
    /// Registers a machine; returns once its scope stands, its addresses are known and its files are written.
    ///
    /// # Errors
    /// [`Error::MachineExists`]; [`Error::InvalidArgument`] for what breaks a rule; [`Error::AccessDenied`] for a process
    /// that is not the caller's; [`Error::JobFailed`]; [`Error::Io`] if the files can't be written. Nothing is left
    /// behind then.
    pub async fn register(
        &self,
        caller: &Caller,
        request: Registration,
    ) -> Result<Rc<Machine>, Error> {
        let action = match request.unit {
            Unit::Allocate(_) => Action::CreateMachine,
            Unit::OfLeader => Action::RegisterMachine,
        };
        // Held before a person is asked, which takes its time: the number may be another process's afterwards.
        let leader = admission::leader_of(caller, &request.leader);
        self.authorize(caller, action, &[("machine", request.name.as_str())])
            .await?;
        admission::check(&request)?;
        let leader = leader?;
        let supervisor = admission::supervisor_of(caller, request.supervisor.as_ref(), &leader)?;
        let _reservation = self.reserve(caller, &request.name, &leader)?;
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
        self.displace(&machine);
        self.enlist(&machine)
            .inspect_err(|_| self.take_back(&machine, former.as_deref()))?;
        if let Some(scope) = machine.scope_cgroup.borrow().as_deref() {
            self.settle_scope(scope);
        }
        let (name, leader) = (&machine.name, machine.leader.pid);
        tracing::info!(MESSAGE_ID = STARTED, NAME = %name, LEADER = leader, "New machine {name}.");
        Ok(machine)
    }

    /// Forgets a machine without ending it. Whoever registered it may do so without being asked for more.
    ///
    /// # Errors
    /// [`Error::AccessDenied`]; [`Error::NotSupported`] for the host.
    pub async fn unregister(&self, caller: &Caller, machine: &Rc<Machine>) -> Result<(), Error> {
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
    pub(crate) fn enlist(&self, machine: &Rc<Machine>) -> Result<(), Error> {
        let what = format!("Failed to write the state of machine {}", machine.name);
        let unit = machine.linked_unit();
        self.states
            .save(&machine.record(), unit.as_deref())
            .map_err(Error::io(what))?;
        if let Err(error) = self.watch.add(&machine.leader) {
            self.states.remove(machine.name.as_str(), unit.as_deref());
            return Err(Error::Io("Failed to watch the leader".to_owned(), error));
        }
        uid_map::remember(machine);
        self.machines
            .borrow_mut()
            .insert(machine.name.clone(), machine.clone());
        self.announce(&Event::New(machine.clone()));
        Ok(())
    }

    /// Takes a machine off the registry and its files away, then tells of it. Its processes are left as they are.
    pub(crate) fn forget(&self, machine: &Rc<Machine>) {
        if !self.has(machine) {
            return;
        }
        self.machines.borrow_mut().remove(&machine.name);
        machine.state.set(crate::machine::State::Closing);
        self.watch.remove(&machine.leader);
        self.states
            .remove(machine.name.as_str(), machine.linked_unit().as_deref());
        // The socket keeps the namespace alive, and with it the other ends of its links.
        machine.network.replace(None);
        self.release_scope(machine);
        self.announce(&Event::Removed(machine.clone()));
    }

    /// Takes the name from the ordinary user who has it, for root. Their machine is not ended.
    fn displace(&self, machine: &Machine) {
        if let Ok(former) = self.machine(machine.name.as_str()) {
            let (name, uid) = (&former.name, former.uid);
            tracing::warn!(NAME = %name, "Machine {name} of user {uid} gives its name to root's.");
            self.forget(&former);
        }
    }

    /// Keeps the name and the leader from being registered by anyone else meanwhile.
    fn reserve<'a>(
        &'a self,
        caller: &Caller,
        name: &MachineName,
        leader: &Leader,
    ) -> Result<Reservation<'a>, Error> {
        if let Ok(machine) = self.machine(name.as_str()) {
            if !machine.leader.is_alive() {
                // Its end has not been taken in yet.
                self.forget(&machine);
            } else if !yields(&machine, caller) {
                return Err(Error::MachineExists(name.to_string()));
            }
        }
        let guests = self.guests();
        if let Some(other) = guests
            .iter()
            .find(|machine| machine.leader.pid == leader.pid)
        {
            if other.leader.is_alive() {
                let (pid, name) = (leader.pid, &other.name);
                return Err(Error::InvalidArgument(
                    Argument::Leader,
                    format!("Process {pid} is the leader of machine {name} already"),
                ));
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
}

/// Whether the machine's name is free for this caller all the same: what an ordinary user calls their machine must not keep
/// root from a name.
fn yields(machine: &Machine, caller: &Caller) -> bool {
    caller.uid == 0 && machine.uid != 0
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

/// µs of a clock.
pub(crate) fn now(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1000
}
