//! Addresses of machines.

use std::net::IpAddr;

/// One address of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// RT_SCOPE_* of rtnetlink(7): 0 global, 200 site, 253 link.
    pub scope: u8,
    /// The interface it stands on, as numbered *inside* the machine; 0 where it is not known.
    pub ifindex: u32,
}
