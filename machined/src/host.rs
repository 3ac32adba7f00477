//! The host as a machine: `.host`, which is there from the first, and is not registered.

use std::{cell::RefCell, fs};

use rustix::time::ClockId;

use crate::{
    class::Class, error::Error, leader::Leader, machine::Machine, name::MachineName, record,
    register::now,
};

/// The slice of everything, as systemd.special(7) calls it, whoever manages services.
const UNIT: &str = "-.slice";

pub(crate) fn host() -> Result<Machine, Error> {
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    Ok(Machine {
        id: record::id(id.trim_end()),
        root_directory: "/".into(),
        // It is there since the boot, when CLOCK_MONOTONIC was 0.
        realtime: now(ClockId::Realtime).saturating_sub(now(ClockId::Boottime)),
        unit: RefCell::new(UNIT.into()),
        ..Machine::bare(MachineName::host(), Class::Host, Leader::open(1)?)
    })
}
