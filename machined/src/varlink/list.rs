//! io.systemd.Machine.List.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use varlink_serve::{Answer, Call, Failure};

use super::{
    call::find,
    error::failure,
    process::{ProcessId, Proven},
    wire::WireAddress,
};
use crate::{class::Class, error::Error, machine::Machine, manager::Manager};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parameters {
    name: Option<String>,
    pid: Option<ProcessId>,
    #[allow(dead_code, reason = "taken and not needed: anyone may ask")]
    allow_interactive_authentication: Option<bool>,
    acquire_metadata: Option<Metadata>,
}

/// Whether to ask the machine itself, which takes time and may fail.
#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Metadata {
    #[default]
    No,
    Yes,
    /// What can't be had is left out.
    Graceful,
}

#[derive(Serialize)]
struct Timestamp {
    realtime: u64,
    monotonic: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    service: &'a str,
    class: &'static str,
    leader: Proven,
    #[serde(skip_serializing_if = "Option::is_none")]
    supervisor: Option<Proven>,
    #[serde(skip_serializing_if = "str::is_empty")]
    root_directory: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    unit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    v_sock_cid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ssh_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ssh_private_key_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<Vec<WireAddress>>,
    #[serde(rename = "OSRelease", skip_serializing_if = "Option::is_none")]
    os_release: Option<Vec<String>>,
    #[serde(rename = "UIDShift", skip_serializing_if = "Option::is_none")]
    uid_shift: Option<u32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    subgroup: &'a str,
    #[serde(rename = "UID")]
    uid: u32,
}

/// One machine, or all of them in a reply each.
pub(super) async fn list(manager: &Rc<Manager>, mut call: Call<'_>) -> Result<Answer, Failure> {
    let p: Parameters = call.parameters()?;
    let metadata = p.acquire_metadata.unwrap_or_default();
    if p.name.is_some() || p.pid.is_some() {
        let machine = find(manager, &call, p.name.as_deref(), p.pid).await?;
        let listed = listed(manager, &machine, metadata).await?;
        return call.reply(&listed).await;
    }
    if !call.more() {
        return Err(Failure::expected_more());
    }
    let machines = manager.machines();
    // `.host` is always there.
    let Some((last, others)) = machines.split_last() else {
        return Err(failure(Error::NoSuchMachine(String::new())));
    };
    for machine in others {
        call.update(&listed(manager, machine, metadata).await?)
            .await?;
    }
    call.reply(&listed(manager, last, metadata).await?).await
}

async fn listed<'m>(
    manager: &Manager,
    machine: &'m Rc<Machine>,
    metadata: Metadata,
) -> Result<Listed<'m>, Failure> {
    let (mut addresses, mut os_release, mut uid_shift) = (None, None, None);
    if metadata != Metadata::No {
        addresses = optional(manager.addresses(machine), metadata)?.map(|all| {
            all.iter()
                .map(|address| {
                    // Numbers of interfaces inside a machine mean nothing outside.
                    let own = machine.class == Class::Host;
                    WireAddress::new(address.ip, own.then_some(address.ifindex.into()))
                })
                .collect()
        });
        os_release = optional(manager.os_release(machine).await, metadata)?.map(|all| {
            all.iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect()
        });
        uid_shift = optional(manager.uid_shift(machine), metadata)?;
    }
    Ok(Listed {
        name: machine.name.as_str(),
        id: machine
            .id
            .map(|id| format!("{:032x}", u128::from_be_bytes(id))),
        service: &machine.service,
        class: machine.class.as_str(),
        leader: Proven::of(&machine.leader),
        supervisor: machine.supervisor.as_ref().map(Proven::of),
        root_directory: &machine.root_directory,
        unit: machine.unit.borrow().to_string(),
        timestamp: (machine.realtime != 0).then_some(Timestamp {
            realtime: machine.realtime,
            monotonic: machine.monotonic,
        }),
        v_sock_cid: machine.vsock_cid,
        ssh_address: machine.ssh_address.as_deref(),
        ssh_private_key_path: machine.ssh_private_key_path.as_deref(),
        addresses,
        os_release,
        uid_shift,
        subgroup: &machine.subgroup,
        uid: machine.uid,
    })
}

/// What the machine has, or why it has not if that is wanted.
fn optional<T>(result: Result<T, Error>, metadata: Metadata) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(_) if metadata == Metadata::Graceful => Ok(None),
        // Of a VM: a call that asks only what is known does nothing that could be supported or not.
        Err(Error::NotSupported(text)) => Err(failure(Error::NotAvailable(text))),
        Err(error) => Err(failure(error)),
    }
}
