//! Services that are announced by mDNS.

use std::{collections::BTreeMap, rc::Rc};

use dbus_serve::{Call, Handler, Interface, Later, Method, Reply, Signal};
use zbus::wire::ObjectPath;

use super::{
    call::{allow, caller},
    error::refused,
    service::{OneService, Root},
    tree::{self, service_path},
};
use crate::{
    access::Action, config::DnssdService, failure::Failure, manager::Manager, mode::Multicast,
};

type This = Rc<OneService>;

/// The longest label, and so the longest name of an instance. RFC 6763, 4.1.1
const LONGEST_LABEL: usize = 63;
/// The longest string of a TXT record. RFC 6763, 6.1
const LONGEST_ITEM: usize = 255;
/// The longest id: it goes into a path of the bus, three characters for a byte.
const LONGEST_ID: usize = 1024;

/// org.freedesktop.resolve1.DnssdService.
pub(super) static SERVICE: Interface<This> = Interface {
    name: "org.freedesktop.resolve1.DnssdService",
    properties: &[],
    methods: &[Method::new(
        "Unregister",
        &[],
        &[],
        Handler::Later(unregister),
    )],
    signals: &[Signal {
        name: "Conflicted",
        args: &[],
    }],
};

/// The strings of TXT records: keys and values, as they come over the bus and as they are kept.
type Txt = Vec<BTreeMap<String, Vec<u8>>>;
type Strings = Vec<Vec<(String, Vec<u8>)>>;

/// Manager.RegisterService.
pub(super) fn register(this: Rc<Root>, call: Call) -> Later {
    Box::pin(async move {
        let manager = &this.manager;
        if manager.config().mdns != Multicast::Yes {
            let what = "Support for MulticastDNS is disabled".to_owned();
            return Err(Failure::NotSupported(what).into());
        }
        let (id, name_template, service_type, port, priority, weight, txt) =
            call.args::<(String, String, String, u16, u16, u16, Txt)>()?;
        if manager.services().iter().any(|known| known.id == id) {
            return Err(Failure::DnssdServiceExists(id).into());
        }
        let mut service = DnssdService {
            id,
            name_template,
            service_type: service_type.trim_end_matches('.').to_owned(),
            subtype: None,
            port,
            priority,
            weight,
            txt: strings(txt)?,
            owner: 0,
        };
        check(&service)?;
        let caller = caller(&call).await?;
        let allowed = manager.access.check(&caller, Action::RegisterService, &[]);
        allowed.await.map_err(refused)?;
        service.owner = caller.uid;
        let path = service_path(&service.id);
        manager.register_service(service)?;
        call.reply(&path)
    })
}

/// Manager.UnregisterService.
pub(super) fn unregister_of(this: Rc<Root>, call: Call) -> Later {
    Box::pin(async move {
        let path = call.args::<ObjectPath<'_>>()?.to_string();
        let id = tree::service_id(&path).ok_or(Failure::NoSuchDnssdService(path))?;
        withdraw(&this.manager, &call, &id).await
    })
}

fn unregister(this: This, call: Call) -> Later {
    Box::pin(async move { withdraw(&this.manager, &call, &this.id).await })
}

async fn withdraw(manager: &Rc<Manager>, call: &Call, id: &str) -> Reply {
    let services = manager.services();
    let known = services.iter().find(|service| service.id == id);
    let known = known.ok_or_else(|| Failure::NoSuchDnssdService(id.to_owned()))?;
    // Who announced it may take it back.
    if caller(call).await?.uid != known.owner {
        allow(&manager.access, call, Action::UnregisterService, &[]).await?;
    }
    manager.unregister_service(id)?;
    call.reply(&())
}

fn strings(txt: Txt) -> Result<Strings, Failure> {
    for (key, value) in txt.iter().flatten() {
        // RFC 6763, 6.4
        let is_key = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'=';
        if key.is_empty() || !key.bytes().all(is_key) {
            return Err(invalid("txt", format!("{key:?} is no key of a TXT record")));
        }
        if key.len() + 1 + value.len() > LONGEST_ITEM {
            return Err(invalid("txt", format!("The value of {key:?} is too long")));
        }
    }
    Ok(txt
        .into_iter()
        .map(|one| one.into_iter().collect())
        .collect())
}

fn check(service: &DnssdService) -> Result<(), Failure> {
    if service.id.len() > LONGEST_ID {
        return Err(invalid("id", "It is too long".to_owned()));
    }
    let name = service.name_template.as_str();
    let fits = name.len() <= LONGEST_LABEL || name.contains('%');
    if name.is_empty() || !fits || name.chars().any(char::is_control) {
        return Err(invalid("name", format!("{name:?} is no service's name")));
    }
    if !is_service_type(&service.service_type) {
        let what = format!("{:?} is no service type", service.service_type);
        return Err(invalid("type", what));
    }
    Ok(())
}

/// `_SERVICE._tcp` or `_udp`. RFC 6763, 7
fn is_service_type(text: &str) -> bool {
    let Some((service, "_tcp" | "_udp")) = text.split_once('.') else {
        return false;
    };
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    service
        .strip_prefix('_')
        .is_some_and(|name| !name.is_empty() && name.bytes().all(is_letter))
        && service.len() <= LONGEST_LABEL
}

fn invalid(parameter: &'static str, what: String) -> Failure {
    Failure::InvalidParameter(parameter, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, service_type: &str) -> DnssdService {
        DnssdService {
            id: "x".to_owned(),
            name_template: name.to_owned(),
            service_type: service_type.to_owned(),
            subtype: None,
            port: 0,
            priority: 0,
            weight: 0,
            txt: Vec::new(),
            owner: 0,
        }
    }

    #[test]
    fn names_and_types() {
        let long = "x".repeat(64);
        for (name, kind, good) in [
            ("%H printer", "_ipp._tcp", true),
            ("a.b", "_x-y._udp", true),
            ("", "_ipp._tcp", false),
            ("a\n", "_ipp._tcp", false),
            (&long, "_ipp._tcp", false),
            ("a", "ipp._tcp", false),
            ("a", "_ipp._sctp", false),
            ("a", "_a._ipp._tcp", false),
            ("a", "", false),
        ] {
            assert_eq!(
                check(&service(name, kind)).is_ok(),
                good,
                "{name:?} {kind:?}"
            );
        }
    }

    #[test]
    fn keys_and_values() {
        let one = |key: &str, length: usize| {
            strings(vec![BTreeMap::from([(key.to_owned(), vec![0; length])])])
        };
        assert!(one("path", 250).is_ok() && one("path", 251).is_err());
        for key in ["", "a=b", "ä", "a\u{1}"] {
            assert!(one(key, 1).is_err(), "{key:?}");
        }
    }
}
