//! systemd's machined, by its state files and D-Bus.

mod state;

use core::time::Duration;

use dbus_call::{Message, Method, Outcome, call, secure_getenv, system_bus};
use nss_host::{Address, AddressAnswer, Failure};
use unix_call::{Deadline, Fault, Holdoff};

use crate::hosts::unavailable;
use crate::name::MachineName;
use crate::switchyard::PAUSE;

/// What a lookup may take in all: the bus may first have to start machined, which forks twice for
/// every question.
const LIMIT: Duration = Duration::from_secs(5);

pub(crate) fn by_name(
    name: MachineName<'_>,
    answer: &mut AddressAnswer<'_>,
) -> Result<(), Failure> {
    static HOLDOFF: Holdoff = Holdoff::new();
    // The state file first: only names of machines reach the bus.
    let ifindex = state::container(name)?;
    let outcome = HOLDOFF
        .guard(PAUSE, || ask(name, ifindex, answer))
        .map_err(unavailable)?;
    match outcome {
        Outcome::Returned => Ok(()),
        Outcome::Failed(error) => Err(match error.as_bytes() {
            b"org.freedesktop.machine1.NoSuchMachine" => Failure::NotFound,
            // It shares the host's network, or its addresses are not for machined to see.
            b"org.freedesktop.machine1.NoPrivateNetworking"
            | b"org.freedesktop.DBus.Error.NotSupported" => Failure::NoData,
            b"org.freedesktop.DBus.Error.AccessDenied" => Failure::Unavailable(libc::EACCES),
            _ => Failure::Unavailable(libc::EREMOTEIO),
        }),
    }
}

fn ask(
    name: MachineName<'_>,
    ifindex: u32,
    answer: &mut AddressAnswer<'_>,
) -> Result<Outcome, Fault> {
    // systemd's machined, looking up a host, would wait for itself. The bus stands between, so
    // who is at the other end does not tell; the service manager's word does.
    if secure_getenv(c"SYSTEMD_ACTIVATION_UNIT") == Some(b"systemd-machined.service") {
        return Err(Fault::System(libc::EDEADLK));
    }
    let method = Method {
        destination: "org.freedesktop.machine1",
        path: "/org/freedesktop/machine1",
        interface: "org.freedesktop.machine1.Manager",
        member: "GetMachineAddresses",
        argument: name.as_str(),
        reply: "a(iay)",
    };
    call(
        &system_bus()?,
        Deadline::after(LIMIT),
        method,
        &mut |body| {
            body.array(8, &mut |body| {
                if let Some(address) = address(body, ifindex)? {
                    answer.address(address);
                }
                Ok(())
            })
        },
    )
}

/// Reads an `(iay)`; `None` if it is of another family than the two.
fn address(body: &mut Message<'_, '_>, ifindex: u32) -> Result<Option<Address>, Fault> {
    let family = body.u32()?.cast_signed();
    let mut octets = [0; 16];
    let mut count = 0_usize;
    body.array(1, &mut |body| {
        let octet = body.u8()?;
        if let Some(place) = octets.get_mut(count) {
            *place = octet;
        }
        count = count.saturating_add(1);
        Ok(())
    })?;
    let Some(family) = nss_host::Family::from_raw(family) else {
        return Ok(None);
    };
    if count != family.size() {
        return Err(Fault::Shape);
    }
    Ok(Address::new(
        octets.get(..count).unwrap_or_default(),
        ifindex,
    ))
}
