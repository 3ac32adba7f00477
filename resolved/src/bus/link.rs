//! The Link interface, and the manager's methods that are about one link.

use std::rc::Rc;

use dbus_serve::{Call, Change, Error, Handler, Interface, Later, Method, Property, Reply};

use super::{
    call::{allow, ifindex},
    service::{OneLink, Root},
    setting::{
        DefaultRoute, Dns, DnsEx, DnsOverTls, Dnssec, Domains, Llmnr, MulticastDns,
        NegativeTrustAnchors, Setting,
    },
    tree::link_path,
    wire,
};
use crate::{access::Action, name};

type This = Rc<OneLink>;

/// org.freedesktop.resolve1.Link.
pub(super) static LINK: Interface<This> = Interface {
    name: "org.freedesktop.resolve1.Link",
    properties: &[
        Property::new("ScopesMask", "t", Change::Silent, |this| {
            this.view.scopes.bits().into()
        }),
        Property::new("DNS", "a(iay)", Change::Silent, |this| {
            let servers = this.view.servers.iter();
            servers.map(wire::link_server).collect::<Vec<_>>().into()
        }),
        Property::new("DNSEx", "a(iayqs)", Change::Silent, |this| {
            let servers = this.view.servers.iter();
            servers.map(wire::link_server_ex).collect::<Vec<_>>().into()
        }),
        Property::new("CurrentDNSServer", "(iay)", Change::Silent, |this| {
            let current = this.view.current_server.as_ref();
            current.map(wire::link_server).unwrap_or_default().into()
        }),
        Property::new("CurrentDNSServerEx", "(iayqs)", Change::Silent, |this| {
            let current = this.view.current_server.as_ref();
            current.map(wire::link_server_ex).unwrap_or_default().into()
        }),
        Property::new("Domains", "a(sb)", Change::Silent, |this| {
            let domains = this.view.domains.iter();
            domains.map(wire::domain).collect::<Vec<_>>().into()
        }),
        Property::new("DefaultRoute", "b", Change::Silent, |this| {
            this.view.default_route.into()
        }),
        Property::new("LLMNR", "s", Change::Silent, |this| {
            this.view.llmnr.as_str().into()
        }),
        Property::new("MulticastDNS", "s", Change::Silent, |this| {
            this.view.mdns.as_str().into()
        }),
        Property::new("DNSOverTLS", "s", Change::Silent, |this| {
            this.view.dns_over_tls.as_str().into()
        }),
        Property::new("DNSSEC", "s", Change::Silent, |this| {
            this.view.dnssec.as_str().into()
        }),
        Property::new("DNSSECNegativeTrustAnchors", "as", Change::Silent, |this| {
            let names = this.view.negative_trust_anchors.iter();
            names.map(name::format).collect::<Vec<_>>().into()
        }),
        Property::new("DNSSECSupported", "b", Change::Silent, |this| {
            this.view.dnssec_supported.into()
        }),
    ],
    methods: &[
        Method::new(
            "SetDNS",
            &[("a(iay)", "addresses")],
            &[],
            Handler::Later(set::<Dns>),
        ),
        Method::new(
            "SetDNSEx",
            &[("a(iayqs)", "addresses")],
            &[],
            Handler::Later(set::<DnsEx>),
        ),
        Method::new(
            "SetDomains",
            &[("a(sb)", "domains")],
            &[],
            Handler::Later(set::<Domains>),
        ),
        Method::new(
            "SetDefaultRoute",
            &[("b", "enable")],
            &[],
            Handler::Later(set::<DefaultRoute>),
        ),
        Method::new(
            "SetLLMNR",
            &[("s", "mode")],
            &[],
            Handler::Later(set::<Llmnr>),
        ),
        Method::new(
            "SetMulticastDNS",
            &[("s", "mode")],
            &[],
            Handler::Later(set::<MulticastDns>),
        ),
        Method::new(
            "SetDNSOverTLS",
            &[("s", "mode")],
            &[],
            Handler::Later(set::<DnsOverTls>),
        ),
        Method::new(
            "SetDNSSEC",
            &[("s", "mode")],
            &[],
            Handler::Later(set::<Dnssec>),
        ),
        Method::new(
            "SetDNSSECNegativeTrustAnchors",
            &[("as", "names")],
            &[],
            Handler::Later(set::<NegativeTrustAnchors>),
        ),
        Method::new("Revert", &[], &[], Handler::Later(revert)),
    ],
    signals: &[],
};

/// Link.Set….
fn set<S: Setting>(this: This, call: Call) -> Later {
    Box::pin(async move {
        let value = call.args::<S::Value>()?;
        tell::<S>(&this, &call, value).await
    })
}

/// Manager.SetLink….
pub(super) fn set_of<S: Setting>(this: Rc<Root>, call: Call) -> Later {
    Box::pin(async move {
        let (index, value) = call.args::<(i32, S::Value)>()?;
        let link = OneLink::find(&this.manager, ifindex(index)?)?;
        tell::<S>(&link, &call, value).await
    })
}

async fn tell<S: Setting>(link: &OneLink, call: &Call, value: S::Value) -> Reply {
    let index = link.view.link.index;
    link.manager.changeable_link(index)?;
    let change = S::change(value)?;
    allow_on(link, call, S::ACTION).await?;
    link.manager.set_link(index, vec![change])?;
    call.reply(&())
}

fn revert(this: This, call: Call) -> Later {
    Box::pin(async move { forget(&this, &call).await })
}

/// Manager.RevertLink.
pub(super) fn revert_of(this: Rc<Root>, call: Call) -> Later {
    Box::pin(async move {
        let link = OneLink::find(&this.manager, ifindex(call.args::<i32>()?)?)?;
        forget(&link, &call).await
    })
}

async fn forget(link: &OneLink, call: &Call) -> Reply {
    let index = link.view.link.index;
    link.manager.changeable_link(index)?;
    allow_on(link, call, Action::Revert).await?;
    link.manager.revert_link(index)?;
    call.reply(&())
}

async fn allow_on(link: &OneLink, call: &Call, action: Action) -> Result<(), Error> {
    let details = [("interface", link.view.link.name.as_str())];
    allow(&link.manager.access, call, action, &details).await
}

/// Manager.GetLink.
pub(super) fn get(this: &Rc<Root>, call: &Call) -> Reply {
    let link = OneLink::find(&this.manager, ifindex(call.args::<i32>()?)?)?;
    call.reply(&link_path(link.view.link.index))
}
