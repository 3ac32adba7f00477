//! io.switchyard.Machines: names and addresses for nss-mymachines, in the shapes of io.systemd.Resolve.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use varlink_serve::{Answer, Call, Failure, Interface, Method};

use super::wire::{Families, WireAddress};
use crate::{
    inet::{self, AF_INET, AF_INET6},
    lookup::{self, Asker},
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
    manager.vouch();
    let asker = Asker::User(call.peer().uid());
    let machine = lookup::machine(manager, &question.name, asker).ok_or_else(no_such_machine)?;
    // One that shares the host's network, or a VM nobody knows an address of.
    let all = lookup::addresses(manager, &machine).unwrap_or_default();
    let addresses: Vec<_> = lookup::as_remote(&machine, &all)
        .into_iter()
        .filter(|(ip, _)| families.hold(*ip))
        .map(|(ip, interface)| WireAddress::new(ip, interface))
        .collect();
    if addresses.is_empty() {
        return Err(Failure::named("io.switchyard.Machines.NoAddresses"));
    }
    let name = machine.name.as_str();
    call.reply(&Host { addresses, name }).await
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
    manager.vouch();
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
