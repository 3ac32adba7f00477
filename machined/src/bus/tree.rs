//! What stands at which path.

use std::rc::Rc;

use dbus_serve::{
    Bound, Call, Interface, LOG_CONTROL, LOG_CONTROL_PATH, LogControl, Lookup, Object, Tree,
    decode_label, encode_label,
};
use zbus::wire::OwnedObjectPath;

use super::{
    log::Log,
    machine, manager,
    service::{OneMachine, Service},
};

/// The manager.
pub(super) const MANAGER: &str = "/org/freedesktop/machine1";
/// Above all machines.
const MACHINES: &str = "/org/freedesktop/machine1/machine";
/// Above all images.
const IMAGES: &str = "/org/freedesktop/machine1/image";
/// Below [`MACHINES`]: the machine that the caller is in.
const SELF: &str = "self";

static ON_MANAGER: &[&Interface<Rc<Service>>] = &[&manager::MANAGER];
static ON_MACHINE: &[&Interface<OneMachine>] = &[&machine::MACHINE];
static ON_LOG: &[&Interface<Rc<dyn LogControl>>] = &[&LOG_CONTROL];

/// The path of a machine's object.
pub(super) fn machine_path(name: &str) -> OwnedObjectPath {
    let path = format!("{MACHINES}/{}", encode_label(name));
    // An encoded label holds nothing but letters, digits and '_', and is never empty.
    zbus::ObjectPath::from_string_unchecked(path).into()
}

/// The objects.
pub(super) struct Paths {
    service: Rc<Service>,
    log: Rc<dyn LogControl>,
}

impl Paths {
    pub(super) fn new(service: &Rc<Service>) -> Self {
        Self {
            service: service.clone(),
            log: Rc::new(Log),
        }
    }
}

impl Tree for Paths {
    fn find(&self, path: &str, call: &Call) -> Lookup {
        match path {
            MANAGER => Lookup::Object(Box::new(Bound {
                object: self.service.clone(),
                interfaces: ON_MANAGER,
            })),
            MACHINES | IMAGES => Lookup::Empty,
            LOG_CONTROL_PATH => Lookup::Object(Box::new(Bound {
                object: self.log.clone(),
                interfaces: ON_LOG,
            })),
            _ => match path
                .strip_prefix(MACHINES)
                .and_then(|rest| rest.strip_prefix('/'))
            {
                Some(SELF) => {
                    let (service, call) = (self.service.clone(), call.clone());
                    Lookup::Later(Box::pin(async move { of_caller(service, &call).await }))
                }
                Some(label) => {
                    let name = decode_label(label);
                    let found = name.and_then(|name| self.service.machine(&name).ok());
                    found.map_or(Lookup::None, |one| Lookup::Object(object(one)))
                }
                None => Lookup::None,
            },
        }
    }

    fn paths(&self) -> Vec<String> {
        let machines = self.service.manager.machines();
        let machines = machines
            .iter()
            .map(|machine| machine_path(machine.name.as_str()).to_string());
        [MANAGER, MACHINES, IMAGES, LOG_CONTROL_PATH]
            .map(str::to_owned)
            .into_iter()
            .chain(machines)
            .collect()
    }
}

fn object(one: OneMachine) -> Box<dyn Object> {
    Box::new(Bound {
        object: one,
        interfaces: ON_MACHINE,
    })
}

/// The machine that the caller's process is in.
async fn of_caller(service: Rc<Service>, call: &Call) -> Option<Box<dyn Object>> {
    let pid = call.credentials().await.ok()?.pid?;
    let machine = service.manager.machine_of_pid(pid).ok()?;
    Some(object(OneMachine { service, machine }))
}

#[cfg(test)]
mod tests {
    use super::machine_path;

    #[test]
    fn paths_of_machines() {
        assert_eq!(
            machine_path(".host").as_str(),
            "/org/freedesktop/machine1/machine/_2ehost"
        );
        assert_eq!(
            machine_path("0-a").as_str(),
            "/org/freedesktop/machine1/machine/_30_2da"
        );
    }
}
