//! From a name that a program resolves to a machine.

use std::{net::IpAddr, rc::Rc};

use crate::{address::Address, class::Class, error::Error, machine::Machine, manager::Manager};

/// Who asks. What a name means must not be for an ordinary user to say: polkit lets any active user register a process of
/// theirs, under any name. So what they register is for them alone; root and the machine's resolver do not see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A user.
    User(u32),
    /// The machine's resolver, on behalf of all users.
    Everybody,
}

impl Asker {
    /// Whether the machine's name and addresses may be told to them as those of a host.
    pub fn trusts(self, machine: &Machine) -> bool {
        machine.class != Class::Host && (machine.uid == 0 || self == Self::User(machine.uid))
    }
}

/// The machine of this name, in whatever case if there is but one (DNS names are equal without regard to case, RFC 4343;
/// names of machines are not).
pub(crate) fn machine(manager: &Manager, name: &str, asker: Asker) -> Option<Rc<Machine>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if is_localhost(name) {
        return None;
    }
    let machines = manager.machines.borrow();
    if let Some(exact) = machines.get(name).filter(|machine| asker.trusts(machine)) {
        return Some(Rc::clone(exact));
    }
    let mut alike = machines
        .values()
        .filter(|m| m.name.as_str().eq_ignore_ascii_case(name) && asker.trusts(m));
    let found = alike.next()?;
    alike.next().is_none().then(|| Rc::clone(found))
}

/// The addresses that its name stands for. Root in a container gives it whatever address it likes; one that leads back to
/// the host, or to many, would turn whoever trusts the name against the host's own services.
pub(crate) fn addresses(manager: &Manager, machine: &Machine) -> Result<Vec<Address>, Error> {
    let mut addresses = manager.addresses(machine)?;
    addresses.retain(|address| can_be_remote(address.ip));
    Ok(addresses)
}

/// Whether it can be another machine's than that of whoever uses it.
pub(crate) fn can_be_remote(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast()
}

/// The addresses as programs get them: each once, link-local ones with the interface of the host that leads there.
pub(crate) fn as_remote(machine: &Machine, all: &[Address]) -> Vec<(IpAddr, Option<i64>)> {
    let interface = interface(machine);
    let mut told = Vec::with_capacity(all.len());
    for Address { ip, .. } in all {
        let one = (*ip, interface.filter(|_| is_link_local(*ip)));
        if !told.contains(&one) {
            told.push(one);
        }
    }
    told
}

fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// Names that never leave the host: RFC 6761, 6.3.
fn is_localhost(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.eq_ignore_ascii_case("localhost")
}

/// The interface of the host by which a link-local address of the machine is reached: the one that is registered for it,
/// if there is but one. The number that the interface has inside means nothing here.
fn interface(machine: &Machine) -> Option<i64> {
    match *machine.network_interfaces {
        [only] => Some(only.into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_localhost;

    #[test]
    fn localhost() {
        assert!(
            is_localhost("localhost") && is_localhost("LocalHost") && is_localhost("a.localhost")
        );
        assert!(!is_localhost("localhost.example") && !is_localhost("web") && !is_localhost(""));
    }
}
