//! All that resolved is called for, but the registering of services.

use crate::bus_client::table::{Like, Table};
use crate::lookups::{addresses, hostnames, records, services, show};
use crate::resolved_bus_world::{MANAGER, MANAGER_IFACE};
use crate::settings::settings;
use crate::standard::standard;

/// `of_links` says how what a link shows of its settings is compared.
pub fn all(ifindex: i32, of_links: Like) -> Table {
    let mut table = Table::of(MANAGER, MANAGER_IFACE).shown_by(show);
    standard(&mut table, ifindex);
    hostnames(&mut table, ifindex);
    addresses(&mut table);
    records(&mut table);
    services(&mut table);
    settings(&mut table, ifindex, of_links);
    table
}
