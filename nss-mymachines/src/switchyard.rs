//! Switchyard's machined, by Varlink.

use core::ffi::CStr;
use core::time::Duration;

use lookaside::{Lookaside, Source};
use nss_host::{Address, AddressAnswer, Failure, Family, NameAnswer};
use unix_call::{Deadline, Fault, Holdoff};
use varlink_call::resolve::{Found, address_names, hostname};
use varlink_call::{Outcome, Request, Scanner, Server, call};

use crate::name::MachineName;

const MACHINED: Server<'_> = Server {
    path: "/run/switchyard/machined/io.switchyard.Machines",
    uid: 0,
};

/// Where our machined has its socket.
const DIRECTORY: &CStr = c"/run/switchyard/machined";

/// What it tells everybody. docs/lookaside.md
static MAP: Lookaside = Lookaside::new(Source::Machined);

/// What a lookup may take in all.
pub(crate) const LIMIT: Duration = Duration::from_secs(1);
/// For how long a daemon that took longer is left alone by this process.
pub(crate) const PAUSE: Duration = Duration::from_secs(5);

/// The outer error is that machined could not be asked, the inner one is what it said.
type Answered = Result<Result<(), Failure>, Fault>;

pub(crate) fn by_name(
    name: MachineName<'_>,
    family: Option<Family>,
    answer: &mut AddressAnswer<'_>,
) -> Answered {
    let mut found = |found: Found<'_>| match found {
        Found::Address { octets, ifindex } => {
            if let Some(address) = Address::new(octets, ifindex) {
                answer.address(address);
            }
        }
        // Mostly it is the name that was asked for, which it is without.
        Found::Name(canonical) => {
            if canonical != name.as_bytes()
                && let Some(canonical) = MachineName::new(canonical)
            {
                answer.canonical_name(canonical.as_bytes());
            }
        }
        Found::TimeToLive(seconds) => answer.time_to_live(seconds),
    };
    let question = nss_known::name(name.as_bytes(), family);
    if let Some(told) = nss_known::verdict(&MAP, question, &mut found) {
        return Ok(told);
    }
    let mut request =
        Request::new("io.switchyard.Machines.ResolveHostname").text("name", name.as_bytes());
    if let Some(family) = family {
        request = request.integer("family", family.raw().unsigned_abs());
    }
    ask(&mut request, &mut |scanner| hostname(scanner, &mut found))
}

pub(crate) fn by_address(address: &Address, answer: &mut NameAnswer<'_>) -> Answered {
    let mut found = |found: Found<'_>| {
        if let Found::Name(name) = found
            && let Some(name) = MachineName::new(name)
        {
            answer.name(name.as_bytes());
        }
    };
    let question = nss_known::address(address);
    if let Some(told) = nss_known::verdict(&MAP, question, &mut found) {
        return Ok(told);
    }
    let mut request = Request::new("io.switchyard.Machines.ResolveAddress")
        .integer("family", address.family().raw().unsigned_abs())
        .octets("address", address.octets());
    ask(&mut request, &mut |scanner| {
        address_names(scanner, &mut found)
    })
}

fn ask(
    request: &mut Request,
    read: &mut dyn FnMut(&mut Scanner<'_, '_>) -> Result<(), Fault>,
) -> Answered {
    static HOLDOFF: Holdoff = Holdoff::new();
    // Where systemd's machined runs instead, this is what each name of the internet costs.
    if !unix_call::exists(DIRECTORY) {
        return Err(Fault::System(libc::ENOENT));
    }
    let outcome = HOLDOFF.guard(PAUSE, || {
        call(MACHINED, Deadline::after(LIMIT), request, read)
    })?;
    Ok(match outcome {
        Outcome::Returned => Ok(()),
        Outcome::Failed(name) => Err(match name.as_bytes() {
            b"io.switchyard.Machines.NoSuchMachine" => Failure::NotFound,
            b"io.switchyard.Machines.NoAddresses" => Failure::NoData,
            _ => Failure::Unavailable(libc::EREMOTEIO),
        }),
    })
}
