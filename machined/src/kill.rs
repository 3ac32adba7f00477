//! How machines are ended.

use std::rc::Rc;

use rustix::process::Signal;

use crate::{
    access::Action,
    argument::Argument,
    caller::Caller,
    class::Class,
    error::Error,
    leader::Leader,
    machine::{Machine, State},
    manager::Manager,
    namespace,
    service_manager::ServiceManager,
};

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

/// How often a cgroup is gone through for processes that were forked meanwhile.
const ROUNDS: usize = 16;

impl Manager {
    /// Ends a machine: stops its unit, or kills its cgroup, or where it shares its unit signals its supervisor. Returns
    /// once that is under way; [`crate::manager::Event::Removed`] tells of the end.
    ///
    /// # Errors
    /// [`Error::AccessDenied`]; [`Error::NotSupported`] for the host; those of the service manager or the system.
    pub async fn terminate(&self, caller: &Caller, machine: &Rc<Machine>) -> Result<(), Error> {
        refuse_host(machine)?;
        let details = [("machine", machine.name.as_str()), ("verb", "terminate")];
        self.authorize(caller, Action::ManageMachines, &details)
            .await?;
        self.still_there(machine)?;
        self.end(machine)
            .await
            .inspect(|()| machine.state.set(State::Closing))
    }

    async fn end(&self, machine: &Machine) -> Result<(), Error> {
        let (kill, term) = (Signal::KILL.as_raw(), Signal::TERM.as_raw());
        if machine.unit.borrow().is_empty() {
            return self.signal_all(machine, kill);
        }
        if !machine.owns_unit() {
            // Whoever watches over it knows how to end it; without them it is ended like this.
            return match self.supervisor_of_none_else(machine) {
                Some(supervisor) => supervisor.signal(term),
                None => self.signal_all(machine, kill),
            };
        }
        let unit = machine.unit.borrow().to_string();
        match self.service_manager_of(machine).await? {
            Some(service_manager) => service_manager.stop(&unit).await,
            None => self.signal_all(machine, kill),
        }
    }

    /// Sends a signal, by number (realtime ones too).
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for what is no signal; as [`Self::terminate`].
    pub async fn kill(
        &self,
        caller: &Caller,
        machine: &Rc<Machine>,
        whom: Whom,
        signal: i32,
    ) -> Result<(), Error> {
        refuse_host(machine)?;
        if crate::sys::signal(signal).is_none() {
            return Err(Error::InvalidArgument(
                Argument::Signal,
                format!("Invalid signal {signal}"),
            ));
        }
        let details = [("machine", machine.name.as_str()), ("verb", "kill")];
        self.authorize(caller, Action::ManageMachines, &details)
            .await?;
        self.still_there(machine)?;
        match whom {
            Whom::Leader => machine.leader.signal(signal),
            Whom::Supervisor => match &machine.supervisor {
                Some(supervisor) => supervisor.signal(signal),
                None => Err(Error::NotSupported(format!(
                    "Machine {} has no supervisor",
                    machine.name
                ))),
            },
            Whom::All => match self.service_manager_of(machine).await? {
                Some(service_manager) if machine.owns_unit() => {
                    let unit = machine.unit.borrow().to_string();
                    service_manager.kill(&unit, signal).await
                }
                _ => self.signal_all(machine, signal),
            },
        }
    }

    /// Refuses if the machine has ended meanwhile: a person who is asked takes their time, and another machine may have its
    /// name, its unit and its cgroup by then.
    fn still_there(&self, machine: &Rc<Machine>) -> Result<(), Error> {
        match self.machine(machine.name.as_str()) {
            Ok(known) if Rc::ptr_eq(&known, machine) && machine.leader.is_alive() => Ok(()),
            _ => Err(Error::NoSuchMachine(machine.name.to_string())),
        }
    }

    /// The supervisor, unless it has others to watch over: a daemon that runs many machines does not end with one.
    fn supervisor_of_none_else<'a>(&self, machine: &'a Machine) -> Option<&'a Leader> {
        let supervisor = machine
            .supervisor
            .as_ref()
            .filter(|process| process.is_alive())?;
        let pid_of = |machine: &Rc<Machine>| machine.supervisor.as_ref().map(|process| process.pid);
        let guests = self.guests();
        let watched = guests
            .iter()
            .filter(|other| pid_of(other) == Some(supervisor.pid));
        (watched.count() == 1).then_some(supervisor)
    }

    /// The service manager, if it is what made the machine's unit.
    async fn service_manager_of(&self, machine: &Machine) -> Result<Option<ServiceManager>, Error> {
        if machine.scope_cgroup.borrow().is_some() {
            return Ok(None);
        }
        match ServiceManager::find(self.bus()).await {
            // Signals need no leave of systemd's.
            Err(Error::NotAvailable(_)) => Ok(None),
            found => found,
        }
    }

    /// Signals every process of a machine, by its cgroup, else by its pid namespace. The leader comes first: that it is
    /// its, at least, is known.
    fn signal_all(&self, machine: &Machine, signal: i32) -> Result<(), Error> {
        let is_kill = signal == Signal::KILL.as_raw();
        if let Some(cgroup) = self.cgroup_of(machine) {
            if is_kill && self.kill_cgroup(&cgroup).is_ok() {
                return Ok(());
            }
            let in_cgroup = |pid| {
                let path = self.cgroups.path_of(pid);
                path.is_some_and(|path| {
                    path.strip_prefix(&cgroup)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                })
            };
            let list = || self.cgroups.processes(&cgroup).unwrap_or_default();
            return signal_each(&machine.leader, signal, list, in_cgroup);
        }
        let own = namespace::id_of_own("pid");
        let theirs = namespace::id_of(machine.leader.pid, "pid").filter(|_| own.is_some());
        let Some(theirs) = theirs.filter(|&theirs| Some(theirs) != own) else {
            return machine.leader.signal(signal);
        };
        let is_inside = |pid| namespace::id_of(pid, "pid") == Some(theirs);
        signal_each(
            &machine.leader,
            signal,
            || all_processes().unwrap_or_default(),
            is_inside,
        )
    }

    /// The cgroup that holds the machine's processes and no others.
    fn cgroup_of(&self, machine: &Machine) -> Option<String> {
        if let Some(scope) = machine.scope_cgroup.borrow().as_deref() {
            return Some(scope.to_owned());
        }
        let path = self.cgroups.path_of(machine.leader.pid)?;
        // Else the number may be another process's, and the cgroup that of another service.
        if !machine.leader.is_alive() {
            return None;
        }
        let cgroup = match machine.unit.borrow().is_empty() {
            true => return None,
            false if machine.owns_unit() => self.cgroups.path_of_unit(&path)?.to_owned(),
            false => path,
        };
        // One that we or PID 1 are in as well can't be the machine's, whatever its name.
        let holds = |pid| {
            self.cgroups
                .path_of(pid)
                .is_some_and(|own| own == cgroup || own.starts_with(&format!("{cgroup}/")))
        };
        let is_own = !cgroup.is_empty() && cgroup != "/" && !holds(1) && !holds(std::process::id());
        is_own.then_some(cgroup)
    }

    /// All at once, those that are being forked too: cgroup.kill of Linux 5.14, version 2.
    fn kill_cgroup(&self, cgroup: &str) -> std::io::Result<()> {
        let dir = self
            .cgroups
            .dir(cgroup)
            .ok_or(std::io::ErrorKind::NotFound)?;
        std::fs::OpenOptions::new()
            .write(true)
            .open(dir.join("cgroup.kill"))
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"1"))
    }
}

/// Signals the leader, and then each process of the list that `belongs` still holds for once its number can't change
/// hands any more; again and again until there is no new one, for they may fork.
fn signal_each(
    leader: &Leader,
    signal: i32,
    list: impl Fn() -> Vec<u32>,
    belongs: impl Fn(u32) -> bool,
) -> Result<(), Error> {
    leader.signal(signal)?;
    let mut done = std::collections::BTreeSet::from([leader.pid]);
    for _ in 0..ROUNDS {
        let new: Vec<_> = list().into_iter().filter(|pid| done.insert(*pid)).collect();
        if new.is_empty() {
            break;
        }
        for pid in new {
            // One that ends meanwhile needs no signal.
            if let Ok(process) = Leader::open(pid)
                && belongs(pid)
            {
                let _ = process.signal(signal);
            }
        }
    }
    Ok(())
}

fn all_processes() -> std::io::Result<Vec<u32>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        all.extend(
            entry?
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u32>().ok()),
        );
    }
    Ok(all)
}

fn refuse_host(machine: &Machine) -> Result<(), Error> {
    if machine.class == Class::Host {
        return Err(Error::NotSupported(
            "The host can't be ended like a machine".to_owned(),
        ));
    }
    Ok(())
}
