//! Delegates: servers for some domains, beside the links.

use std::rc::Rc;

use dbus_serve::{Call, Change, Interface, Property, Reply};
use zbus::wire::OwnedObjectPath;

use super::{service::Root, tree::delegate_path, wire};
use crate::manager::DelegateView;

/// org.freedesktop.resolve1.DnsDelegate.
pub(super) static DELEGATE: Interface<Rc<DelegateView>> = Interface {
    name: "org.freedesktop.resolve1.DnsDelegate",
    properties: &[
        Property::new("DNS", "a(iiayqs)", Change::Silent, |this| {
            let servers = this.delegate.servers.iter();
            let servers: Vec<_> = servers.map(wire::global_server_ex).collect();
            servers.into()
        }),
        Property::new("CurrentDNSServer", "(iiayqs)", Change::Silent, |this| {
            let current = this.current_server.as_ref();
            let current = current.map(wire::global_server_ex);
            current.unwrap_or_default().into()
        }),
        Property::new("Domains", "a(sb)", Change::Silent, |this| {
            let domains = this.delegate.domains.iter();
            domains.map(wire::domain).collect::<Vec<_>>().into()
        }),
        Property::new("DefaultRoute", "b", Change::Silent, |this| {
            this.delegate.default_route.into()
        }),
    ],
    methods: &[],
    signals: &[],
};

/// Manager.GetDelegate.
pub(super) fn get(this: &Rc<Root>, call: &Call) -> Reply {
    let found = this.manager.delegate(call.args::<&str>()?)?;
    call.reply(&delegate_path(&found.delegate.id))
}

/// Manager.ListDelegates.
pub(super) fn list(this: &Rc<Root>, call: &Call) -> Reply {
    let delegates = this.manager.delegates();
    let rows: Vec<(&str, OwnedObjectPath)> = delegates
        .iter()
        .map(|view| {
            let id = view.delegate.id.as_str();
            (id, delegate_path(id))
        })
        .collect();
    call.reply(&rows)
}
