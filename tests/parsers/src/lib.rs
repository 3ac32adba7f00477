//! Every parser of what comes from outside: the network, the kernel, other programs, files. Each function here takes any
//! bytes and panics where something does not hold of what a parser makes of them.
//!
//! `fuzz/` gives them to libFuzzer, with the bytes of `fuzz/corpus/` to begin with; `tests/replay.rs` has them go through the
//! same bytes and through damaged ones, without it.

mod bus;
mod config;
mod container;
mod dbus;
mod dns;
mod files;
mod kernel;
mod map;
mod multicast;
mod names;
mod nss;
mod programs;
mod stub;
mod sys;
mod varlink;

pub use bus::dbus_reply;
pub use config::{
    dns_delegate, dnssd_service, kernel_command_line, resolved_conf, static_records, trust_anchors,
};
pub use container::{copy_message, os_release, user_database};
pub use dbus::{dbus_address, dbus_authentication, dbus_match_rule, dbus_message, dbus_signature};
pub use dns::{cache_response, dnssec_proofs, upstream_datagram, upstream_ladder, upstream_reply};
pub use files::{env_file, hosts_file, link_state, machine_state, resolv_conf};
pub use kernel::{machine_addresses, rtnetlink_events};
pub use map::lookaside_reader;
pub use multicast::{llmnr_message, mdns_packets};
pub use names::name_text;
pub use nss::{json_tokens, nss_hosts, nss_users};
pub use programs::{oci_state, resolvconf_input};
pub use stub::stub_packet;
pub use varlink::{hook_reply, record_json, varlink_call};

/// Calls a macro with the names of all of them.
#[macro_export]
macro_rules! for_all {
    ($with:ident) => {
        $with! {
            cache_response copy_message dbus_address dbus_authentication dbus_match_rule dbus_message dbus_reply dbus_signature
            dns_delegate dnssd_service dnssec_proofs env_file hook_reply hosts_file
            json_tokens kernel_command_line link_state llmnr_message lookaside_reader machine_addresses machine_state mdns_packets name_text
            nss_hosts nss_users oci_state os_release record_json resolv_conf resolvconf_input resolved_conf rtnetlink_events
            static_records stub_packet trust_anchors upstream_datagram upstream_ladder upstream_reply user_database
            varlink_call
        }
    };
}

/// Bytes as several texts: they are divided at the bytes 0xff, which no UTF-8 has.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == 0xff)
}
