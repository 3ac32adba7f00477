//! Addresses of machines that change without anyone asking: the map of known answers is to say so, at once.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use crate::{class::Class, machine::Machine, manager::Manager};

/// How many changes of a machine are taken in unasked within a [`PERIOD`]. One whose addresses change more often is asked
/// about for a while: root in a container shall not keep the host busy.
const MOST: u32 = 32;

/// See [`MOST`].
const PERIOD: Duration = Duration::from_secs(1);

/// How often a machine's addresses have changed lately.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    since: Option<Instant>,
    count: u32,
    is_restless: bool,
}

impl Pace {
    /// Whether the machine is left alone, so that what is known of it may be old.
    pub fn is_restless(&self) -> bool {
        self.is_restless
    }

    /// Counts a change. Whether it is to be left alone from now on.
    fn count(&mut self, now: Instant) -> bool {
        if self
            .since
            .is_none_or(|since| now.duration_since(since) >= PERIOD)
        {
            self.since = Some(now);
            self.count = 0;
        }
        self.count += 1;
        self.is_restless = self.count > MOST;
        self.is_restless
    }
}

impl Manager {
    /// Takes in what has changed in the network of the machine with this leader.
    pub(crate) fn stir(&self, leader: u32) {
        let Some(machine) = self.machine_led_by(leader) else {
            return;
        };
        self.networks.refresh(&machine);
        let mut is_restless = false;
        if let Some(network) = machine.network.borrow_mut().as_mut()
            && network.pace.count(Instant::now())
        {
            self.networks.leave(network);
            is_restless = true;
        }
        self.published.put(&machine);
        if is_restless {
            let this = self.this.clone();
            tokio::task::spawn_local(async move {
                tokio::time::sleep(PERIOD).await;
                if let Some(this) = this.upgrade() {
                    this.settle(&machine);
                }
            });
        }
    }

    /// Looks at a machine again that was left alone.
    fn settle(&self, machine: &Rc<Machine>) {
        if !self.has(machine) {
            return;
        }
        if let Some(network) = machine.network.borrow_mut().as_mut()
            && network.pace.is_restless()
        {
            network.pace = Pace::default();
            self.networks.watch(machine, network);
        }
        self.networks.refresh(machine);
        self.published.put(machine);
    }

    /// Takes in what has changed in a machine's network.
    pub(crate) fn refresh(&self, machine: &Machine) {
        if self.networks.refresh(machine) {
            self.tell(machine);
        }
    }

    /// Puts what is known of a machine that is in the registry into the map.
    fn tell(&self, machine: &Machine) {
        if let Ok(known) = self.machine(machine.name.as_str())
            && std::ptr::eq(&raw const *known, machine)
        {
            self.published.put(&known);
        }
    }

    /// To be called when a request is served: vouches for what the map says, for as long as its lease is. Leaders that have
    /// gone into another network are looked for then, as the kernel tells nobody of that: once a second at most.
    pub(crate) fn vouch(&self) {
        if self.published.is_due() {
            let guests = self.guests();
            let containers = guests.iter().filter(|m| m.class == Class::Container);
            for machine in containers.filter(|machine| self.networks.has_moved(machine)) {
                self.networks.open(machine);
                self.tell(machine);
            }
        }
        self.published.renew();
    }

    /// Whether it is in the registry yet; another may have its name.
    pub(crate) fn has(&self, machine: &Rc<Machine>) -> bool {
        self.machine(machine.name.as_str())
            .is_ok_and(|known| Rc::ptr_eq(&known, machine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changes_all_the_time_is_left_alone() {
        let mut pace = Pace::default();
        let begun = Instant::now();
        for _ in 0..MOST {
            assert!(!pace.count(begun));
        }
        assert!(pace.count(begun) && pace.is_restless());
        let mut pace = Pace::default();
        for number in 0..10 * MOST {
            let now = begun + number * PERIOD / MOST;
            assert!(!pace.count(now), "{number}");
        }
    }
}
