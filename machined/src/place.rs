//! Where a machine's processes are: its unit, and the cgroup of that.

use crate::{
    caller::Caller,
    class::Class,
    error::Error,
    leader::Leader,
    machine::Machine,
    manager::Manager,
    name::MachineName,
    service_manager::{self, Properties, ServiceManager},
    unit_name,
};

/// What the machine is in.
#[derive(Default)]
pub(crate) struct Place {
    pub unit: String,
    pub subgroup: String,
    /// The cgroup of a scope that we made.
    pub scope_cgroup: Option<String>,
}

impl Manager {
    /// CreateMachine: a scope, made by the service manager, or by us where there is none.
    pub(crate) async fn allocate(
        &self,
        caller: &Caller,
        name: &MachineName,
        class: Class,
        leader: &Leader,
        properties: &Properties,
    ) -> Result<Place, Error> {
        let unit = unit_name::scope_of(name.as_str(), caller.uid);
        if let Some(service_manager) = ServiceManager::find(self.bus()).await? {
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
        // Moved by its number, which may be another's once it has ended: the kernel has no way by pidfd.
        if !leader.is_alive() {
            let what = format!("Process {} has ended", leader.pid);
            return Err(Error::Io(what, rustix::io::Errno::SRCH.into()));
        }
        let scopes = &self.scopes;
        match scopes.make(&self.cgroups, slice, &unit, leader, tasks_max) {
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
    pub(crate) async fn place_of(&self, leader: &Leader) -> Result<Place, Error> {
        let found = self.cgroups.unit_of(leader.pid);
        if let Some((unit, subgroup)) = found.filter(|_| leader.is_alive()) {
            return Ok(Place {
                unit,
                subgroup,
                scope_cgroup: None,
            });
        }
        if ServiceManager::find(self.bus()).await?.is_some() {
            let what = format!("Failed to determine unit of process {}", leader.pid);
            return Err(Error::Io(what, rustix::io::Errno::NXIO.into()));
        }
        Ok(Place::default())
    }

    /// Gives back the scope, ours or the service manager's, which goes with its last process.
    pub(crate) fn release_scope(&self, machine: &Machine) {
        if let Some(scope) = machine.scope_cgroup.borrow().as_deref() {
            return self.remove_scope(scope);
        }
        let unit = machine.unit.borrow().to_string();
        if unit == unit_name::scope_of(machine.name.as_str(), machine.uid) {
            let bus = self.bus();
            tokio::task::spawn_local(async move {
                if let Ok(Some(service_manager)) = ServiceManager::find(bus).await {
                    service_manager.unref(&unit).await;
                }
            });
        }
    }

    /// After a registration that failed at the last: the leader is where it was.
    pub(crate) fn take_back(&self, machine: &Machine, former: Option<&str>) {
        machine.network.replace(None);
        if let (Some(_), Some(former)) = (&*machine.scope_cgroup.borrow(), former) {
            self.cgroups.enter(former, machine.leader.pid);
        }
        self.release_scope(machine);
    }
}
