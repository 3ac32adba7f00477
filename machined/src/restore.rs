//! Machines that outlived the daemon, read back from their files.

use std::rc::Rc;

use rustix::time::{ClockId, clock_gettime};

use crate::{
    error::Error,
    leader::Leader,
    machine::Machine,
    manager::Manager,
    record::{ProcessRecord, Record},
    state_dir::Found,
};

impl Manager {
    /// Reads back what a predecessor left. A file that is broken, or whose leader can't be proven the same process, is
    /// told to the log and set aside; nothing of it is fatal.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder itself can't be read.
    pub fn restore(&self) -> Result<(), Error> {
        let failed = || Error::io("Failed to read the state files");
        for found in self.states.load().map_err(failed())? {
            match found {
                Found::Record(record) => self.restore_one(*record),
                Found::Broken(name, why) => self.set_aside(&name, &why),
            }
        }
        self.states.remove_stale_links().map_err(failed())?;
        if let Err(error) = self.sweep_scopes() {
            tracing::error!("Failed to read which scopes are ours: {error}");
        }
        self.published.complete();
        Ok(())
    }

    fn restore_one(&self, record: Record) {
        let name = record.name.clone();
        let leader = match self.prove(&record) {
            Proof::Same(leader) => leader,
            Proof::Ended => {
                tracing::info!(NAME = %name, "Machine {name} ended while machined was not running.");
                // Its scope is on the list of those that are ours.
                self.states.remove(name.as_str(), Some(&record.unit));
                return;
            }
            Proof::None(why) => return self.set_aside(name.as_str(), why),
        };
        let text = |text: Option<String>| text.map(String::into_boxed_str);
        let machine = Rc::new(Machine {
            id: record.id,
            service: record.service.into(),
            supervisor: record.supervisor.and_then(supervisor),
            root_directory: record.root_directory.into(),
            network_interfaces: record.network_interfaces.into(),
            vsock_cid: record.vsock_cid,
            ssh_address: text(record.ssh_address),
            ssh_private_key_path: text(record.ssh_private_key_path),
            uid: record.uid,
            realtime: record.realtime,
            monotonic: record.monotonic,
            unit: record.unit.into_boxed_str().into(),
            subgroup: record.subgroup.into(),
            given_addresses: record.addresses.into(),
            scope_cgroup: text(record.scope_cgroup).into(),
            ..Machine::bare(record.name, record.class, leader)
        });
        self.networks.open(&machine);
        match self.enlist(&machine) {
            Ok(()) => tracing::debug!("Read back machine {name}"),
            Err(error) => tracing::error!("Failed to read back machine {name}: {error}"),
        }
    }

    fn prove(&self, record: &Record) -> Proof {
        let ProcessRecord {
            pid,
            pidfd_id,
            start_time,
        } = record.leader;
        let Ok(leader) = Leader::open(pid) else {
            return Proof::Ended;
        };
        if self
            .guests()
            .iter()
            .any(|machine| machine.leader.pid == pid)
        {
            return Proof::None("its leader is another machine's");
        }
        match leader.is_same_process(pidfd_id, start_time) {
            Some(true) => Proof::Same(leader),
            Some(false) => Proof::Ended,
            // A file of systemd's from before 258, or on a kernel without pidfd ids.
            None if started_before(&leader, record.realtime)
                && self.is_in_unit(&leader, record) =>
            {
                Proof::Same(leader)
            }
            None => Proof::None("nothing shows that its leader is still the same process"),
        }
    }

    fn is_in_unit(&self, leader: &Leader, record: &Record) -> bool {
        let unit = self.cgroups.unit_of(leader.pid);
        unit.map_or(String::new(), |(unit, _)| unit) == record.unit
    }

    fn set_aside(&self, name: &str, why: &str) {
        let shown = name.escape_debug();
        match self.states.set_aside(name) {
            Ok(path) => tracing::error!(
                "Ignoring the state file {shown}: {why}. It is kept as {}",
                path.display()
            ),
            Err(error) => tracing::error!(
                "Ignoring the state file {shown}: {why}; failed to set it aside: {error}"
            ),
        }
    }
}

enum Proof {
    Same(Leader),
    Ended,
    None(&'static str),
}

fn supervisor(record: ProcessRecord) -> Option<Leader> {
    let process = Leader::open(record.pid).ok()?;
    let is_same = process.is_same_process(record.pidfd_id, record.start_time);
    (is_same == Some(true)).then_some(process)
}

/// Whether the process had begun when the record was written, µs of CLOCK_REALTIME. With a second to spare for a clock
/// that is being slewed.
fn started_before(leader: &Leader, realtime: u64) -> bool {
    const SECOND: u64 = 1_000_000;
    let micros = |clock| {
        let time = clock_gettime(clock);
        u64::try_from(time.tv_sec).unwrap_or(0) * SECOND
            + u64::try_from(time.tv_nsec).unwrap_or(0) / 1000
    };
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let start = leader.start_time.saturating_mul(SECOND) / ticks;
    let booted = micros(ClockId::Realtime).saturating_sub(micros(ClockId::Boottime));
    realtime != 0 && booted.saturating_add(start) <= realtime.saturating_add(SECOND)
}
