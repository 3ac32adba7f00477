//! What stands at which path.

use std::rc::Rc;

use dbus_serve::{
    Bound, Call, Interface, LOG_CONTROL, LOG_CONTROL_PATH, LogControl, Lookup, Object, Tree,
    decode_label, encode_label,
};
use zbus::wire::OwnedObjectPath;

use super::{
    delegate, dnssd, link,
    log::Log,
    manager,
    service::{OneLink, OneService, Root, Service},
};
use crate::manager::DelegateView;

/// The manager.
pub(super) const MANAGER: &str = "/org/freedesktop/resolve1";
/// Above all links.
const LINKS: &str = "/org/freedesktop/resolve1/link";
/// Above all services that are announced.
const SERVICES: &str = "/org/freedesktop/resolve1/dnssd";
/// Above all delegates.
const DELEGATES: &str = "/org/freedesktop/resolve1/dns_delegate";

static ON_MANAGER: &[&Interface<Rc<Root>>] = &[&manager::MANAGER];
static ON_LINK: &[&Interface<Rc<OneLink>>] = &[&link::LINK];
static ON_SERVICE: &[&Interface<Rc<OneService>>] = &[&dnssd::SERVICE];
static ON_DELEGATE: &[&Interface<Rc<DelegateView>>] = &[&delegate::DELEGATE];
static ON_LOG: &[&Interface<Rc<dyn LogControl>>] = &[&LOG_CONTROL];

/// The path of a link's object.
pub(super) fn link_path(ifindex: u32) -> OwnedObjectPath {
    below(LINKS, &ifindex.to_string())
}

/// The path of a service's object.
pub(super) fn service_path(id: &str) -> OwnedObjectPath {
    below(SERVICES, id)
}

/// The path of a delegate's object.
pub(super) fn delegate_path(id: &str) -> OwnedObjectPath {
    below(DELEGATES, id)
}

fn below(above: &str, id: &str) -> OwnedObjectPath {
    let path = format!("{above}/{}", encode_label(id));
    // An encoded label holds nothing but letters, digits and '_', and is never empty.
    zbus::ObjectPath::from_string_unchecked(path).into()
}

/// The id in the path of a service's object.
pub(super) fn service_id(path: &str) -> Option<String> {
    id_below(SERVICES, path)
}

fn id_below(above: &str, path: &str) -> Option<String> {
    decode_label(path.strip_prefix(above)?.strip_prefix('/')?)
}

/// The manager's object.
pub(super) fn manager(service: &Service) -> Box<dyn Object> {
    Box::new(Bound {
        object: service.root(),
        interfaces: ON_MANAGER,
    })
}

/// The objects.
pub(super) struct Paths {
    service: Rc<Service>,
    log: Rc<dyn LogControl>,
}

impl Paths {
    pub(super) fn new(service: &Rc<Service>) -> Self {
        Self {
            service: Rc::clone(service),
            log: Rc::new(Log),
        }
    }

    /// What has an id in its path.
    fn one(&self, path: &str) -> Option<Box<dyn Object>> {
        if let Some(index) = id_below(LINKS, path) {
            let object = self.service.link(index.parse().ok()?).ok()?;
            let interfaces = ON_LINK;
            return Some(Box::new(Bound { object, interfaces }));
        }
        if let Some(id) = service_id(path) {
            let object = self.service.service(&id)?;
            let interfaces = ON_SERVICE;
            return Some(Box::new(Bound { object, interfaces }));
        }
        let object = self.service.delegate(&id_below(DELEGATES, path)?)?;
        let interfaces = ON_DELEGATE;
        Some(Box::new(Bound { object, interfaces }))
    }
}

impl Tree for Paths {
    fn find(&self, path: &str, _: &Call) -> Lookup {
        match path {
            MANAGER => Lookup::Object(manager(&self.service)),
            LINKS | SERVICES | DELEGATES => Lookup::Empty,
            LOG_CONTROL_PATH => Lookup::Object(Box::new(Bound {
                object: Rc::clone(&self.log),
                interfaces: ON_LOG,
            })),
            path => self.one(path).map_or(Lookup::None, Lookup::Object),
        }
    }

    fn paths(&self) -> Vec<String> {
        let manager = &self.service.manager;
        let links = manager.link_indices().into_iter().map(link_path);
        let services = manager.services();
        let services = services.iter().map(|service| service_path(&service.id));
        let delegates = manager.delegates();
        let delegates = delegates
            .iter()
            .map(|view| delegate_path(&view.delegate.id));
        let objects = links.chain(services).chain(delegates);
        [MANAGER, LINKS, SERVICES, DELEGATES, LOG_CONTROL_PATH]
            .map(str::to_owned)
            .into_iter()
            .chain(objects.map(|path| path.to_string()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{link_path, service_id, service_path};

    #[test]
    fn paths_and_ids() {
        assert_eq!(link_path(1).as_str(), "/org/freedesktop/resolve1/link/_31");
        assert_eq!(
            link_path(11).as_str(),
            "/org/freedesktop/resolve1/link/_311"
        );
        let path = service_path("a/b ü");
        assert_eq!(service_id(path.as_str()).as_deref(), Some("a/b ü"));
        assert_eq!(service_id("/org/freedesktop/resolve1/dnssd"), None);
        assert_eq!(service_id("/org/freedesktop/resolve1/link/_31"), None);
    }
}
