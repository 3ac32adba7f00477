//! What can be said of a machine to everybody.

use std::{collections::BTreeSet, net::IpAddr};

use crate::{
    address::Address,
    class::Class,
    lookup::{self, Asker},
    machine::Machine,
    network,
};

/// More addresses of one machine are not published: root in a container must not be able to fill the map.
const MOST: usize = 256;

/// What is known of a machine.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What its name stands for, with the interface of the host that leads there; `None` if that has to be asked, as it may be
    /// another thing in a moment, or for another user.
    pub hosts: Option<Vec<(IpAddr, Option<i64>)>>,
    /// The addresses that it is known to have.
    pub addresses: BTreeSet<IpAddr>,
    /// Whether it has no others.
    pub is_all: bool,
}

impl Known {
    /// As of now.
    pub fn of(machine: &Machine) -> Self {
        let mut known = match machine.class {
            Class::Host => Self::default(),
            Class::Vm => of_vm(machine),
            Class::Container => of_container(machine),
        };
        if !Asker::Everybody.trusts(machine) {
            known.hosts = None;
        }
        known
    }

    fn new(machine: &Machine, addresses: &[Address]) -> Self {
        let mut addresses = addresses.to_vec();
        addresses.retain(|address| lookup::can_be_remote(address.ip));
        let is_all = addresses.len() <= MOST;
        addresses.truncate(MOST);
        Self {
            hosts: is_all.then(|| lookup::as_remote(machine, &addresses)),
            addresses: addresses.iter().map(|address| address.ip).collect(),
            is_all,
        }
    }
}

/// What the host has for neighbours comes and goes unseen.
fn of_vm(machine: &Machine) -> Known {
    let address = |ip| Address {
        ip,
        scope: 0,
        ifindex: 0,
    };
    match network::given_to_vm(machine) {
        Some(given) => {
            let given: Vec<_> = given.into_iter().map(address).collect();
            Known::new(machine, &given)
        }
        None if machine.network_interfaces.is_empty() => Known::new(machine, &[]),
        None => Known::default(),
    }
}

/// One that shares the host's network may have its own in a moment: runtimes make it when they have registered the machine.
fn of_container(machine: &Machine) -> Known {
    let (addresses, network) = (machine.addresses.borrow(), machine.network.borrow());
    let (Some(addresses), Some(network)) = (addresses.as_deref(), network.as_ref()) else {
        return Known {
            is_all: true,
            ..Known::default()
        };
    };
    let mut known = Known::new(machine, addresses);
    if !network.is_whole() || network.pace.is_restless() {
        known.hosts = None;
        known.is_all = false;
    }
    known
}
