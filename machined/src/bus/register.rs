//! CreateMachine and RegisterMachine, in their three forms: plain, …WithNetwork, and …Ex (systemd 259), whose arguments are
//! keys and values.

use std::os::fd::OwnedFd;

use dbus_serve::{Arg, Call, Handler, Later, Method, Reply};
use zbus::{Variant, wire::OwnedVariant};

use super::{
    call::{absolute_path, caller, optional_path, parsed_address},
    manager::This,
    tree::machine_path,
};
use crate::{
    class::Class,
    error::Error,
    leader::Leader,
    name::MachineName,
    registration::{ProcessRef, Registration, Unit},
};

const PATH: &[Arg] = &[("o", "path")];

/// Properties of a scope, as StartTransientUnit takes them.
type ScopeProperties = Vec<(String, OwnedVariant)>;

pub(super) const CREATE: Method<This> = Method::new(
    "CreateMachine",
    &[
        ("s", "name"),
        ("ay", "id"),
        ("s", "service"),
        ("s", "class"),
        ("u", "leader"),
        ("s", "root_directory"),
        ("a(sv)", "scope_properties"),
    ],
    PATH,
    Handler::Later(create),
);

pub(super) const CREATE_WITH_NETWORK: Method<This> = Method::new(
    "CreateMachineWithNetwork",
    &[
        ("s", "name"),
        ("ay", "id"),
        ("s", "service"),
        ("s", "class"),
        ("u", "leader"),
        ("s", "root_directory"),
        ("ai", "ifindices"),
        ("a(sv)", "scope_properties"),
    ],
    PATH,
    Handler::Later(create_with_network),
);

pub(super) const CREATE_EX: Method<This> = Method::new(
    "CreateMachineEx",
    &[
        ("s", "name"),
        ("a(sv)", "properties"),
        ("a(sv)", "scope_properties"),
    ],
    PATH,
    Handler::Later(create_ex),
);

pub(super) const REGISTER: Method<This> = Method::new(
    "RegisterMachine",
    &[
        ("s", "name"),
        ("ay", "id"),
        ("s", "service"),
        ("s", "class"),
        ("u", "leader"),
        ("s", "root_directory"),
    ],
    PATH,
    Handler::Later(register),
);

pub(super) const REGISTER_WITH_NETWORK: Method<This> = Method::new(
    "RegisterMachineWithNetwork",
    &[
        ("s", "name"),
        ("ay", "id"),
        ("s", "service"),
        ("s", "class"),
        ("u", "leader"),
        ("s", "root_directory"),
        ("ai", "ifindices"),
    ],
    PATH,
    Handler::Later(register_with_network),
);

pub(super) const REGISTER_EX: Method<This> = Method::new(
    "RegisterMachineEx",
    &[("s", "name"), ("a(sv)", "properties")],
    PATH,
    Handler::Later(register_ex),
);

fn create(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, id, service, class, leader, root, scope) =
            call.args::<(_, _, _, _, _, _, ScopeProperties)>()?;
        let request = plain(name, id, service, class, leader, root)?;
        finish(&this, &call, with_scope(request, scope)).await
    })
}

fn create_with_network(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, id, service, class, leader, root, interfaces, scope) =
            call.args::<(_, _, _, _, _, _, _, ScopeProperties)>()?;
        let mut request = plain(name, id, service, class, leader, root)?;
        request.network_interfaces = checked_interfaces(interfaces)?;
        finish(&this, &call, with_scope(request, scope)).await
    })
}

fn create_ex(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, keys, scope) = call.args::<(&str, Keys, ScopeProperties)>()?;
        let request = from_keys(name, keys)?;
        finish(&this, &call, with_scope(request, scope)).await
    })
}

fn register(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, id, service, class, leader, root) = call.args()?;
        let request = plain(name, id, service, class, leader, root)?;
        finish(&this, &call, request).await
    })
}

fn register_with_network(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, id, service, class, leader, root, interfaces) = call.args()?;
        let mut request = plain(name, id, service, class, leader, root)?;
        request.network_interfaces = checked_interfaces(interfaces)?;
        finish(&this, &call, request).await
    })
}

fn register_ex(this: This, call: Call) -> Later {
    Box::pin(async move {
        let (name, keys) = call.args::<(&str, Keys)>()?;
        finish(&this, &call, from_keys(name, keys)?).await
    })
}

async fn finish(this: &This, call: &Call, request: Registration) -> Reply {
    let caller = caller(call).await?;
    let machine = this.manager.register(&caller, request).await?;
    this.signals.flush().await;
    call.reply(&machine_path(machine.name.as_str()))
}

fn with_scope(mut request: Registration, scope: ScopeProperties) -> Registration {
    request.unit = Unit::Allocate(scope);
    request
}

/// A request with nothing but a name.
fn empty(name: &str) -> Result<Registration, Error> {
    Ok(Registration {
        name: MachineName::new(name)?,
        id: None,
        service: String::new(),
        class: Class::Container,
        leader: ProcessRef::Caller,
        supervisor: None,
        root_directory: String::new(),
        network_interfaces: Vec::new(),
        vsock_cid: None,
        ssh_address: None,
        ssh_private_key_path: None,
        addresses: Vec::new(),
        unit: Unit::OfLeader,
    })
}

/// The arguments that all plain forms share.
fn plain(
    name: &str,
    id: Vec<u8>,
    service: &str,
    class: &str,
    leader: u32,
    root_directory: &str,
) -> Result<Registration, Error> {
    optional_path("Root directory", root_directory)?;
    Ok(Registration {
        id: checked_id(&id)?,
        service: checked_service(service)?,
        class: Class::from_caller(class)?,
        leader: checked_leader(leader)?,
        root_directory: root_directory.to_owned(),
        ..empty(name)?
    })
}

/// A machine id is 16 bytes; none at all, or 16 zeros, stand for no id. (The manual speaks of 32: of its digits.)
fn checked_id(id: &[u8]) -> Result<Option<[u8; 16]>, Error> {
    match <[u8; 16]>::try_from(id) {
        Ok(id) => Ok(Some(id).filter(|id| *id != [0; 16])),
        Err(_) if id.is_empty() => Ok(None),
        Err(_) => Err(Error::InvalidArgs(format!(
            "Invalid machine ID parameter: {} bytes instead of 16 or none.",
            id.len()
        ))),
    }
}

/// Free text, but for control characters: it goes into lists that people read.
fn checked_service(service: &str) -> Result<String, Error> {
    match service.chars().any(char::is_control) {
        false => Ok(service.to_owned()),
        true => Err(Error::InvalidArgs(
            "Invalid service name: it holds control characters.".to_owned(),
        )),
    }
}

/// A leader by number: 0 is the caller, and 1 is the init of the host, which is no machine's.
fn checked_leader(pid: u32) -> Result<ProcessRef, Error> {
    match pid {
        0 => Ok(ProcessRef::Caller),
        pid if pid > 1 && i32::try_from(pid).is_ok() => Ok(ProcessRef::Pid(pid)),
        pid => Err(Error::InvalidArgs(format!("Invalid leader PID {pid}"))),
    }
}

fn checked_interfaces(interfaces: Vec<i32>) -> Result<Vec<i32>, Error> {
    match interfaces.iter().find(|index| **index <= 0) {
        None => Ok(interfaces),
        Some(index) => Err(Error::InvalidArgs(format!(
            "Invalid network interface index {index}"
        ))),
    }
}

/// Keys and values of the …Ex methods.
type Keys = Vec<(String, OwnedVariant)>;

/// Context ids of AF_VSOCK below this are taken: hypervisor, local, host (vsock(7)).
const FIRST_CID: u32 = 3;

/// VMADDR_CID_ANY: no context id.
const NO_CID: u32 = u32::MAX;

/// The request that the keys say. `Addresses` (`a(iay)`, as GetMachineAddresses gives them) is an addition of ours: a VM's
/// addresses, which nobody can look up from the host.
fn from_keys(name: &str, keys: Keys) -> Result<Registration, Error> {
    let mut request = empty(name)?;
    let (mut pid, mut pidfd, mut pidfd_id) = (None, None, None);
    for (key, value) in keys {
        let value = Value { key: &key, value };
        match key.as_str() {
            "Id" => request.id = checked_id(&value.read::<Vec<u8>>()?)?,
            "Service" => request.service = checked_service(&value.read::<String>()?)?,
            "Class" => request.class = Class::from_caller(&value.read::<String>()?)?,
            "LeaderPID" => pid = Some(value.read::<u32>()?),
            "LeaderPIDFD" => pidfd = Some(value.fd()?),
            "LeaderPIDFDID" => pidfd_id = Some(value.read::<u64>()?),
            "RootDirectory" => {
                request.root_directory = value.read()?;
                optional_path("Root directory", &request.root_directory)?;
            }
            "NetworkInterfaces" => {
                request.network_interfaces = checked_interfaces(value.read()?)?;
            }
            "VSockCID" => {
                request.vsock_cid = match value.read::<u32>()? {
                    NO_CID => None,
                    cid if cid >= FIRST_CID => Some(cid),
                    cid => return Err(Error::InvalidArgs(format!("Invalid VSockCID {cid}"))),
                };
            }
            "SSHAddress" => request.ssh_address = Some(value.read()?),
            "SSHPrivateKeyPath" => {
                let path: String = value.read()?;
                absolute_path("SSH private key", &path)?;
                request.ssh_private_key_path = Some(path);
            }
            "Addresses" => {
                let addresses = value.read::<Vec<(i32, Vec<u8>)>>()?;
                request.addresses = addresses
                    .iter()
                    .map(|(family, bytes)| parsed_address(*family, bytes))
                    .collect::<Result<_, _>>()?;
            }
            _ => {
                return Err(Error::InvalidArgs(format!(
                    "Unknown property '{}'",
                    key.escape_debug()
                )));
            }
        }
    }
    request.leader = leader_of_keys(pid, pidfd, pidfd_id)?;
    Ok(request)
}

/// The leader: by descriptor, or by number with its pidfd id, or the caller. What is said twice must agree.
fn leader_of_keys(
    pid: Option<u32>,
    pidfd: Option<OwnedFd>,
    pidfd_id: Option<u64>,
) -> Result<ProcessRef, Error> {
    let wrong = |text: &str| Err(Error::InvalidArgs(text.to_owned()));
    match (pid, pidfd, pidfd_id) {
        (None, None, None) => Ok(ProcessRef::Caller),
        (None, None, Some(_)) => wrong("LeaderPIDFDID needs LeaderPID or LeaderPIDFD."),
        (Some(_), None, None) => wrong("LeaderPID needs LeaderPIDFDID, or use LeaderPIDFD."),
        (Some(pid), None, Some(id)) => match checked_leader(pid)? {
            ProcessRef::Pid(pid) => Ok(ProcessRef::PidAndId(pid, id)),
            _ => wrong("LeaderPID can't be 0 together with LeaderPIDFDID."),
        },
        (pid, Some(pidfd), id) => {
            let leader = Leader::from_pidfd(pidfd)?;
            checked_leader(leader.pid)?;
            if pid.is_some_and(|pid| pid != leader.pid) {
                return wrong("LeaderPID and LeaderPIDFD are different processes.");
            }
            // An older kernel has no ids to compare.
            if id.is_some_and(|id| leader.pidfd_id.is_some_and(|real| real != id)) {
                return wrong("LeaderPIDFDID and LeaderPIDFD are different processes.");
            }
            Ok(ProcessRef::PidFd(leader.pidfd))
        }
    }
}

/// The value of a key, which may be of any type still.
struct Value<'k> {
    key: &'k str,
    value: OwnedVariant,
}

impl Value<'_> {
    fn read<T: TryFrom<Variant<'static>>>(self) -> Result<T, Error> {
        let wrong = self.wrong();
        T::try_from(self.value.into()).map_err(|_| wrong)
    }

    fn fd(self) -> Result<OwnedFd, Error> {
        let wrong = self.wrong();
        match Variant::from(self.value) {
            Variant::Fd(fd) => OwnedFd::try_from(fd).map_err(|_| wrong),
            _ => Err(wrong),
        }
    }

    fn wrong(&self) -> Error {
        Error::InvalidArgs(format!(
            "Property '{}' can't be of type '{}'",
            self.key,
            self.value.value_signature()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, from_keys, plain};
    use crate::registration::ProcessRef;
    use zbus::{Fd, Variant, wire::OwnedVariant};

    fn keys(pairs: Vec<(&str, Variant<'static>)>) -> Keys {
        let owned = |value: Variant<'static>| OwnedVariant::try_from(value).unwrap();
        pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), owned(value)))
            .collect()
    }

    #[test]
    fn plain_arguments() {
        let id = |id: &[u8]| plain("x", id.to_vec(), "", "", 0, "").map(|request| request.id);
        assert_eq!(id(&[]).unwrap(), None);
        assert_eq!(id(&[0; 16]).unwrap(), None);
        assert_eq!(id(&[1; 16]).unwrap(), Some([1; 16]));
        assert!(id(&[1; 32]).is_err() && id(&[1; 15]).is_err());
        for class in ["host", "Container", "x"] {
            assert!(plain("x", vec![], "", class, 0, "").is_err(), "{class}");
        }
        for leader in [1, 1 << 31, u32::MAX] {
            assert!(plain("x", vec![], "", "", leader, "").is_err(), "{leader}");
        }
        for root in ["x", "/../x"] {
            assert!(plain("x", vec![], "", "", 2, root).is_err(), "{root}");
        }
        assert!(plain("x", vec![], "a\nb", "", 2, "").is_err());
    }

    #[test]
    fn keys_of_each_type() {
        let request = from_keys(
            "x",
            keys(vec![
                ("Id", vec![7u8; 16].into()),
                ("Service", "s".into()),
                ("Class", "vm".into()),
                ("LeaderPID", 5u32.into()),
                ("LeaderPIDFDID", 6u64.into()),
                ("RootDirectory", "/r".into()),
                ("NetworkInterfaces", vec![3i32].into()),
                ("VSockCID", 9u32.into()),
                ("SSHAddress", "a".into()),
                ("SSHPrivateKeyPath", "/k".into()),
                ("Addresses", vec![(2i32, vec![192u8, 0, 2, 1])].into()),
            ]),
        )
        .unwrap();
        assert_eq!(request.id, Some([7; 16]));
        assert!(matches!(request.leader, ProcessRef::PidAndId(5, 6)));
        assert_eq!(request.network_interfaces, [3]);
        assert_eq!(request.vsock_cid, Some(9));
        assert_eq!(
            request.addresses,
            ["192.0.2.1".parse::<std::net::IpAddr>().unwrap()]
        );
    }

    #[test]
    fn keys_that_are_refused() {
        for pairs in [
            vec![("Nope", Variant::from(1u32))],
            vec![("Id", "text".into())],
            vec![("Class", "host".into())],
            vec![("LeaderPID", 5u32.into())],
            vec![("LeaderPIDFDID", 5u64.into())],
            vec![("LeaderPID", 0u32.into()), ("LeaderPIDFDID", 5u64.into())],
            vec![("LeaderPIDFD", 0u32.into())],
            vec![("NetworkInterfaces", vec![0i32].into())],
            vec![("VSockCID", 2u32.into())],
            vec![("SSHPrivateKeyPath", "k".into())],
            vec![("Addresses", vec![(2i32, vec![1u8])].into())],
        ] {
            let what = format!("{pairs:?}");
            assert!(from_keys("x", keys(pairs)).is_err(), "{what}");
        }
    }

    #[test]
    fn a_leader_said_twice() {
        use rustix::process::{PidfdFlags, getpid, pidfd_open};
        let own = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
        let pid = std::process::id();
        let said = |pid: u32| {
            let fd = Variant::Fd(Fd::from(own.try_clone().unwrap()));
            from_keys(
                "x",
                keys(vec![("LeaderPIDFD", fd), ("LeaderPID", pid.into())]),
            )
        };
        assert!(matches!(said(pid).unwrap().leader, ProcessRef::PidFd(_)));
        assert!(said(pid + 1).is_err());
        let no_pidfd = Variant::Fd(Fd::from(std::os::fd::OwnedFd::from(
            std::fs::File::open("/dev/null").unwrap(),
        )));
        assert!(from_keys("x", keys(vec![("LeaderPIDFD", no_pidfd)])).is_err());
    }
}
