//! What every object has, the manager's properties, and what needs no lookup.

use std::collections::BTreeMap;

use crate::{
    args,
    bus_client::{
        self, PROPERTIES,
        table::{
            Like::{Kind, Same},
            Table,
        },
    },
    resolved_bus_world::{LINK_IFACE, LOOPBACK, MANAGER, MANAGER_IFACE, link_path},
};

pub fn standard(table: &mut Table, up0: i32) {
    let link = link_path(up0);
    let log = "/org/freedesktop/LogControl1";
    for path in [
        MANAGER,
        &link,
        &format!("{MANAGER}/link"),
        log,
        "/org",
        "/",
        "/foo",
    ] {
        table.add(Same, path, "a.b", "Nope", args![]);
        table.add(Same, path, MANAGER_IFACE, "Nope", args![]);
        table.add(Same, path, PROPERTIES, "GetAll", args!["a.b"]);
        table.add(Same, path, "org.freedesktop.DBus.Peer", "Ping", args![]);
    }
    table.manager(Same, "GetLink", args!["x"]);
    table.manager(Same, "FlushCaches", args![1u32]);
    for member in ["FlushCaches", "ResetStatistics", "ResetServerFeatures"] {
        table.manager(Same, member, args![]);
    }
    for property in [
        "LLMNRHostname",
        "LLMNR",
        "MulticastDNS",
        "DNSOverTLS",
        "FallbackDNS",
        "FallbackDNSEx",
        "DNSSEC",
        "DNSSECStatistics",
        "DNSSECSupported",
        "DNSStubListener",
        "ResolvConfMode",
        "Nope",
    ] {
        table.get(Same, MANAGER, MANAGER_IFACE, property);
    }
    for property in [
        "CurrentDNSServer",
        "CurrentDNSServerEx",
        "TransactionStatistics",
        "CacheStatistics",
        "DNSSECNegativeTrustAnchors",
    ] {
        table.get(Kind, MANAGER, MANAGER_IFACE, property);
    }
    table.add(Kind, MANAGER, PROPERTIES, "GetAll", args![MANAGER_IFACE]);
    table.add(Same, &link, PROPERTIES, "GetAll", args![LINK_IFACE]);
    let lo = &link_path(LOOPBACK);
    table.add(Same, lo, PROPERTIES, "GetAll", args![LINK_IFACE]);
    let value = zbus::Variant::Variant(Box::new("x".into()));
    let args = args![MANAGER_IFACE, "LLMNR", value];
    table.add(Same, MANAGER, PROPERTIES, "Set", args);
    table.get(Kind, log, "org.freedesktop.LogControl1", "SyslogIdentifier");
    table.get(Same, log, "org.freedesktop.LogControl1", "LogLevel");
    let service = |path: &str| args![zbus::ObjectPath::try_from(path.to_owned()).unwrap()];
    table.manager(Kind, "UnregisterService", service("/foo"));
    let path = format!("{MANAGER}/dnssd/svc");
    table.manager(Kind, "UnregisterService", service(&path));
    table.manager(
        Same,
        "RegisterService",
        registered("svc", "n", "_http._tcp"),
    );
}

pub type Txt = Vec<BTreeMap<String, Vec<u8>>>;

pub fn registered(id: &str, name: &str, kind: &str) -> bus_client::Args {
    let txt: Txt = vec![BTreeMap::from([("path".to_owned(), b"/".to_vec())])];
    let (id, name, kind) = (id.to_owned(), name.to_owned(), kind.to_owned());
    args![id, name, kind, 80u16, 0u16, 0u16, txt]
}
