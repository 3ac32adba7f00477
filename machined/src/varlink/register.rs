//! io.systemd.Machine.Register.

use std::rc::Rc;

use serde::Deserialize;
use varlink_serve::{Answer, Call, Failure};

use super::{call::caller, error::failure, process::ProcessId, wire::WireAddress};
use crate::{
    class::Class,
    manager::Manager,
    name::MachineName,
    registration::{ProcessRef, Registration, Unit},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parameters {
    name: String,
    id: Option<String>,
    service: Option<String>,
    class: String,
    leader: Option<u32>,
    leader_process_id: Option<ProcessId>,
    supervisor: Option<u32>,
    supervisor_process_id: Option<ProcessId>,
    root_directory: Option<String>,
    if_indices: Option<Vec<i32>>,
    v_sock_cid: Option<u32>,
    ssh_address: Option<String>,
    ssh_private_key_path: Option<String>,
    allocate_unit: Option<bool>,
    allow_interactive_authentication: Option<bool>,
    addresses: Option<Vec<WireAddress>>,
}

pub(super) async fn register(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    let p: Parameters = call.parameters()?;
    let caller = caller(call.peer(), p.allow_interactive_authentication)?;
    let request = request(p)?;
    manager.register(&caller, request).await.map_err(failure)?;
    call.done().await
}

fn request(p: Parameters) -> Result<Registration, Failure> {
    let wrong = Failure::invalid_parameter;
    let interfaces = p.if_indices.unwrap_or_default();
    if interfaces.iter().any(|&index| index <= 0) {
        return Err(wrong("ifIndices"));
    }
    let given = p.addresses.unwrap_or_default();
    let addresses: Option<Vec<_>> = given.iter().map(WireAddress::ip).collect();
    // VMADDR_CID_ANY and the ids below 3 are no guest's: vsock(7).
    if p.v_sock_cid
        .is_some_and(|cid| !(3..u32::MAX).contains(&cid))
    {
        return Err(wrong("vSockCid"));
    }
    let leader = process(p.leader, p.leader_process_id, "leader")?;
    Ok(Registration {
        name: MachineName::new(&p.name).map_err(failure)?,
        id: p.id.as_deref().map(id).transpose()?.flatten(),
        service: p.service.unwrap_or_default(),
        class: Class::from_caller(&p.class).map_err(failure)?,
        leader: leader.unwrap_or(ProcessRef::Caller),
        supervisor: process(p.supervisor, p.supervisor_process_id, "supervisor")?,
        root_directory: p.root_directory.unwrap_or_default(),
        network_interfaces: interfaces,
        vsock_cid: p.v_sock_cid,
        ssh_address: p.ssh_address,
        ssh_private_key_path: p.ssh_private_key_path,
        addresses: addresses.ok_or_else(|| wrong("addresses"))?,
        unit: match p.allocate_unit {
            Some(true) => Unit::Allocate(Vec::new()),
            _ => Unit::OfLeader,
        },
    })
}

/// A process that may be given as a number, as an object, or as both if they agree.
fn process(
    number: Option<u32>,
    object: Option<ProcessId>,
    parameter: &str,
) -> Result<Option<ProcessRef>, Failure> {
    let Some(object) = object.or_else(|| number.map(ProcessId::Number)) else {
        return Ok(None);
    };
    let agree = number.is_none_or(|number| number == object.pid());
    match object.into_ref().filter(|_| agree) {
        None => Err(Failure::invalid_parameter(parameter)),
        process => Ok(process),
    }
}

/// A machine id: 32 hexadecimal digits, or in the form of a UUID; empty or all zeros is none.
fn id(text: &str) -> Result<Option<[u8; 16]>, Failure> {
    let wrong = || Failure::invalid_parameter("id");
    let digits = match text.len() {
        36 => text.replace('-', ""),
        _ => text.to_owned(),
    };
    if digits.is_empty() {
        return Ok(None);
    }
    if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let number = u128::from_str_radix(&digits, 16).map_err(|_| wrong())?;
    Ok((number != 0).then(|| number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Registration, Failure> {
        request(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn ids() {
        assert_eq!(id("").unwrap(), None);
        assert_eq!(id(&"0".repeat(32)).unwrap(), None);
        let digits = "000102030405060708090a0b0c0d0e0f";
        let expected: [u8; 16] = std::array::from_fn(|n| u8::try_from(n).unwrap());
        assert_eq!(id(digits).unwrap(), Some(expected));
        assert_eq!(
            id("00010203-0405-0607-0809-0a0b0c0d0e0f").unwrap(),
            Some(expected)
        );
        for wrong in [
            "0",
            "+00102030405060708090a0b0c0d0e0f",
            &"g".repeat(32),
            &"ä".repeat(16),
        ] {
            assert!(id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_checked() {
        assert!(parsed(r#"{"name":"a","class":"container"}"#).is_ok());
        for wrong in [
            r#"{"name":".host","class":"container"}"#,
            r#"{"name":"a","class":"host"}"#,
            r#"{"name":"a","class":"vm","vSockCid":2}"#,
            r#"{"name":"a","class":"vm","ifIndices":[0]}"#,
            r#"{"name":"a","class":"vm","leader":3,"leaderProcessId":{"pid":4}}"#,
            r#"{"name":"a","class":"vm","addresses":[{"family":2,"address":[1]}]}"#,
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
