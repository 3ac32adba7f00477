//! io.switchyard.Machines: names and addresses for nss-mymachines, in the shapes of io.systemd.Resolve.

use std::{net::IpAddr, rc::Rc};

use serde::{Deserialize, Serialize};
use varlink_serve::{Answer, Call, Failure, Interface, Method};

use super::{
    lookup::{self, Asker},
    wire::{Families, WireAddress},
};
use crate::{
    address::Address,
    inet::{self, AF_INET, AF_INET6},
    machine::Machine,
    manager::Manager,
};

pub(super) const INTERFACE: Interface<Rc<Manager>> = Interface {
    name: "io.switchyard.Machines",
    description: include_str!("io.switchyard.Machines.varlink"),
    methods: &[
        Method("ResolveHostname", |manager, call| {
            Box::pin(resolve_hostname(manager, call))
        }),
        Method("ResolveAddress", |manager, call| {
            Box::pin(resolve_address(manager, call))
        }),
    ],
};

fn no_such_machine() -> Failure {
    Failure::named("io.switchyard.Machines.NoSuchMachine")
}

async fn resolve_hostname(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Question {
        name: String,
        family: Option<i32>,
    }
    #[derive(Serialize)]
    struct Host<'a> {
        addresses: Vec<WireAddress>,
        name: &'a str,
    }
    let question: Question = call.parameters()?;
    let families =
        Families::new(question.family).ok_or_else(|| Failure::invalid_parameter("family"))?;
    let asker = Asker::User(call.peer().uid());
    let machine = lookup::machine(manager, &question.name, asker).ok_or_else(no_such_machine)?;
    // One that shares the host's network, or a VM nobody knows an address of.
    let all = lookup::addresses(manager, &machine).unwrap_or_default();
    let addresses = wire_addresses(&machine, &all, families);
    if addresses.is_empty() {
        return Err(Failure::named("io.switchyard.Machines.NoAddresses"));
    }
    let name = machine.name.as_str();
    call.reply(&Host { addresses, name }).await
}

/// The addresses of these families, each once, link-local ones with the interface of the host that leads there.
fn wire_addresses(machine: &Machine, all: &[Address], families: Families) -> Vec<WireAddress> {
    let interface = lookup::interface(machine);
    let mut addresses: Vec<WireAddress> = Vec::with_capacity(all.len());
    for address in all.iter().filter(|address| families.hold(address.ip)) {
        let ifindex = interface.filter(|_| is_link_local(address.ip));
        let address = WireAddress::new(address.ip, ifindex);
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

async fn resolve_address(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Question {
        family: i32,
        address: Vec<u8>,
    }
    #[derive(Serialize)]
    struct Name<'a> {
        name: &'a str,
    }
    #[derive(Serialize)]
    struct Names<'a> {
        names: Vec<Name<'a>>,
    }
    let question: Question = call.parameters()?;
    let ip = inet::address(question.family, &question.address).ok_or_else(|| {
        Failure::invalid_parameter(match question.family {
            AF_INET | AF_INET6 => "address",
            _ => "family",
        })
    })?;
    let asker = Asker::User(call.peer().uid());
    let machines = manager.machines_with_address(ip);
    let names: Vec<_> = machines
        .iter()
        .filter(|machine| asker.trusts(machine))
        .map(|machine| Name {
            name: machine.name.as_str(),
        })
        .collect();
    if names.is_empty() {
        return Err(no_such_machine());
    }
    call.reply(&Names { names }).await
}
