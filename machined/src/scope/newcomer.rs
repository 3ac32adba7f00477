//! A process on the way into a scope, written down before it is moved: if we end before its machine is registered, our
//! successor moves it back.

use std::{fs, path::Path};

use crate::{cgroup::Hierarchy, leader::Leader, record::ProcessRecord};

/// A leader that is to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Newcomer {
    pub leader: ProcessRecord,
    /// The cgroup that it comes from.
    pub former: String,
    /// Whether the scope was made for it, so that whoever is there came with it.
    pub is_alone: bool,
}

impl Newcomer {
    /// A process that is not in the scope yet; `None` if it is, or where it is can't be told.
    pub fn new(cgroups: &Hierarchy, scope: &str, leader: &Leader, is_alone: bool) -> Option<Self> {
        let former = cgroups.path_of(leader.pid)?;
        let is_there = Path::new(&former).starts_with(scope);
        (!is_there).then(|| Self {
            leader: leader.record(),
            former,
            is_alone,
        })
    }

    /// Reads it out of the values of a file.
    pub fn parse<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let number = |key| value(key).and_then(|text| text.parse().ok());
        Some(Self {
            leader: ProcessRecord {
                pid: value("LEADER")?.parse().ok()?,
                pidfd_id: number("LEADER_PIDFDID"),
                start_time: number("LEADER_START_TIME"),
            },
            former: value("FORMER_CGROUP")?.to_owned(),
            is_alone: value("ALONE") == Some("1"),
        })
    }

    /// Adds it to the text of a file.
    pub fn push(&self, text: &mut String) {
        let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        let alone = if self.is_alone { "1" } else { "0" };
        for (key, value) in [
            ("LEADER", &*self.leader.pid.to_string()),
            ("LEADER_PIDFDID", &number(self.leader.pidfd_id)),
            ("LEADER_START_TIME", &number(self.leader.start_time)),
            ("FORMER_CGROUP", &self.former),
            ("ALONE", alone),
        ] {
            env_file::push(text, key, value);
        }
    }

    /// Moves it back, and what it has started since. Whoever has gone on into a cgroup below has made the scope their own.
    pub fn send_back(&self, cgroups: &Hierarchy, scope: &str) {
        /// For processes that are started meanwhile.
        const ROUNDS: u32 = 16;
        for _ in 0..ROUNDS {
            let mut is_moved = false;
            for process in members(cgroups, scope) {
                if self.brought(&process) && is_in(cgroups, scope, &process) {
                    is_moved |= self.move_back(cgroups, process.pid);
                }
            }
            if !is_moved {
                break;
            }
        }
    }

    /// To where it was, or next to that if it has gone meanwhile.
    fn move_back(&self, cgroups: &Hierarchy, process: u32) -> bool {
        let mut upwards = Path::new(&self.former).ancestors();
        upwards.any(|path| {
            path.to_str()
                .is_some_and(|path| cgroups.enter(path, process))
        })
    }

    fn brought(&self, process: &Leader) -> bool {
        let leader = &self.leader;
        self.is_alone
            || process.pid == leader.pid
                && process.is_same_process(leader.pidfd_id, leader.start_time) == Some(true)
    }
}

/// The processes of the cgroup itself.
fn members(cgroups: &Hierarchy, scope: &str) -> Vec<Leader> {
    let procs = cgroups.dir(scope).map(|dir| dir.join("cgroup.procs"));
    let procs = procs.and_then(|procs| fs::read_to_string(procs).ok());
    let pids = procs.as_deref().unwrap_or_default().lines();
    pids.filter_map(|pid| Leader::open(pid.parse().ok()?).ok())
        .collect()
}

/// Whether a process is in the cgroup now that it is held: its number may have been another's, who was.
fn is_in(cgroups: &Hierarchy, scope: &str, process: &Leader) -> bool {
    cgroups.path_of(process.pid).as_deref() == Some(scope) && process.is_alive()
}
