//! The Manager interface.

use std::rc::Rc;

use dbus_serve::{Arg, Call, Handler, Interface, Method, Reply};

use super::{
    delegate, dnssd, global, link, lookup,
    service::Root,
    setting::{
        DefaultRoute, Dns, DnsEx, DnsOverTls, Dnssec, Domains, Llmnr, MulticastDns,
        NegativeTrustAnchors,
    },
};

/// The object of the handlers.
type This = Rc<Root>;

const MODE: &[Arg] = &[("i", "ifindex"), ("s", "mode")];

/// org.freedesktop.resolve1.Manager.
pub(super) static MANAGER: Interface<This> = Interface {
    name: "org.freedesktop.resolve1.Manager",
    properties: global::PROPERTIES,
    methods: &[
        Method::new(
            "ResolveHostname",
            &[
                ("i", "ifindex"),
                ("s", "name"),
                ("i", "family"),
                ("t", "flags"),
            ],
            &[("a(iiay)", "addresses"), ("s", "canonical"), ("t", "flags")],
            Handler::Later(lookup::hostname),
        ),
        Method::new(
            "ResolveAddress",
            &[
                ("i", "ifindex"),
                ("i", "family"),
                ("ay", "address"),
                ("t", "flags"),
            ],
            &[("a(is)", "names"), ("t", "flags")],
            Handler::Later(lookup::address),
        ),
        Method::new(
            "ResolveRecord",
            &[
                ("i", "ifindex"),
                ("s", "name"),
                ("q", "class"),
                ("q", "type"),
                ("t", "flags"),
            ],
            &[("a(iqqay)", "records"), ("t", "flags")],
            Handler::Later(lookup::record),
        ),
        Method::new(
            "ResolveService",
            &[
                ("i", "ifindex"),
                ("s", "name"),
                ("s", "type"),
                ("s", "domain"),
                ("i", "family"),
                ("t", "flags"),
            ],
            &[
                ("a(qqqsa(iiay)s)", "srv_data"),
                ("aay", "txt_data"),
                ("s", "canonical_name"),
                ("s", "canonical_type"),
                ("s", "canonical_domain"),
                ("t", "flags"),
            ],
            Handler::Later(lookup::service),
        ),
        Method::new(
            "GetLink",
            &[("i", "ifindex")],
            &[("o", "path")],
            Handler::Now(link::get),
        ),
        Method::new(
            "SetLinkDNS",
            &[("i", "ifindex"), ("a(iay)", "addresses")],
            &[],
            Handler::Later(link::set_of::<Dns>),
        ),
        Method::new(
            "SetLinkDNSEx",
            &[("i", "ifindex"), ("a(iayqs)", "addresses")],
            &[],
            Handler::Later(link::set_of::<DnsEx>),
        ),
        Method::new(
            "SetLinkDomains",
            &[("i", "ifindex"), ("a(sb)", "domains")],
            &[],
            Handler::Later(link::set_of::<Domains>),
        ),
        Method::new(
            "SetLinkDefaultRoute",
            &[("i", "ifindex"), ("b", "enable")],
            &[],
            Handler::Later(link::set_of::<DefaultRoute>),
        ),
        Method::new(
            "SetLinkLLMNR",
            MODE,
            &[],
            Handler::Later(link::set_of::<Llmnr>),
        ),
        Method::new(
            "SetLinkMulticastDNS",
            MODE,
            &[],
            Handler::Later(link::set_of::<MulticastDns>),
        ),
        Method::new(
            "SetLinkDNSOverTLS",
            MODE,
            &[],
            Handler::Later(link::set_of::<DnsOverTls>),
        ),
        Method::new(
            "SetLinkDNSSEC",
            MODE,
            &[],
            Handler::Later(link::set_of::<Dnssec>),
        ),
        Method::new(
            "SetLinkDNSSECNegativeTrustAnchors",
            &[("i", "ifindex"), ("as", "names")],
            &[],
            Handler::Later(link::set_of::<NegativeTrustAnchors>),
        ),
        Method::new(
            "RevertLink",
            &[("i", "ifindex")],
            &[],
            Handler::Later(link::revert_of),
        ),
        Method::new(
            "RegisterService",
            &[
                ("s", "id"),
                ("s", "name_template"),
                ("s", "type"),
                ("q", "service_port"),
                ("q", "service_priority"),
                ("q", "service_weight"),
                ("aa{say}", "txt_datas"),
            ],
            &[("o", "service_path")],
            Handler::Later(dnssd::register),
        ),
        Method::new(
            "UnregisterService",
            &[("o", "service_path")],
            &[],
            Handler::Later(dnssd::unregister_of),
        ),
        Method::new(
            "GetDelegate",
            &[("s", "id")],
            &[("o", "path")],
            Handler::Now(delegate::get),
        ),
        Method::new(
            "ListDelegates",
            &[],
            &[("a(so)", "delegates")],
            Handler::Now(delegate::list),
        ),
        Method::new("ResetStatistics", &[], &[], Handler::Now(reset_statistics)),
        Method::new("FlushCaches", &[], &[], Handler::Now(flush_caches)),
        Method::new(
            "ResetServerFeatures",
            &[],
            &[],
            Handler::Now(reset_server_features),
        ),
    ],
    signals: &[],
};

fn reset_statistics(this: &This, call: &Call) -> Reply {
    this.manager.reset_statistics();
    call.reply(&())
}

fn flush_caches(this: &This, call: &Call) -> Reply {
    this.manager.flush_caches();
    call.reply(&())
}

fn reset_server_features(this: &This, call: &Call) -> Reply {
    this.manager.reset_server_features();
    call.reply(&())
}
