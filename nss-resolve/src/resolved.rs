//! resolved, by Varlink.

use core::ffi::CStr;
use core::time::Duration;

use lookaside::{Lookaside, Question, Source};
use nss_host::{Address, AddressAnswer, ByName, Failure, NameAnswer};
use unix_call::{Deadline, Fault, Holdoff};
use varlink_call::resolve::{Found, address_names, hostname};
use varlink_call::{Outcome, Request, Scanner, Server, call_watched};

use crate::{environment, name};

/// Only the user who owns this may make the socket in it; and only root can have made it, in
/// /run/systemd.
const DIRECTORY: &CStr = c"/run/systemd/resolve";

/// What it tells everybody. docs/lookaside.md
static MAP: Lookaside = Lookaside::new(Source::Resolved);

/// The words in which a resolved is asked.
struct Interface {
    socket: &'static str,
    resolve_hostname: &'static str,
    resolve_address: &'static str,
}

/// Switchyard's own, whose replies tell the time to live.
const SWITCHYARDS: Interface = Interface {
    socket: "/run/systemd/resolve/io.switchyard.Resolve",
    resolve_hostname: "io.switchyard.Resolve.ResolveHostname",
    resolve_address: "io.switchyard.Resolve.ResolveAddress",
};

/// What systemd's resolved serves, and every other that stands in for it.
const SYSTEMDS: Interface = Interface {
    socket: "/run/systemd/resolve/io.systemd.Resolve",
    resolve_hostname: "io.systemd.Resolve.ResolveHostname",
    resolve_address: "io.systemd.Resolve.ResolveAddress",
};

/// What a lookup may take in all. A daemon that means to be heard has given up on its servers by
/// then; systemd's tries for two minutes.
const LIMIT: Duration = Duration::from_secs(10);
/// After this time of silence the daemon is asked whether it lives, and it has as long to say so.
const PATIENCE: Duration = Duration::from_millis(500);
/// For how long a daemon that did not is left alone by this process.
const PAUSE: Duration = Duration::from_secs(5);

/// Asks for the addresses of a host.
pub(crate) fn by_name(question: ByName<'_>, answer: &mut AddressAnswer<'_>) -> Result<(), Failure> {
    let ByName { name, family } = question;
    let word = |interface: &Interface| {
        let request = Request::new(interface.resolve_hostname).text("name", name);
        match family {
            Some(family) => request.integer("family", family.raw().unsigned_abs()),
            None => request,
        }
    };
    answer.list_ipv6_first();
    let mut found = |found: Found<'_>| match found {
        Found::Address { octets, ifindex } => {
            if let Some(address) = Address::new(octets, ifindex) {
                answer.address(address);
            }
        }
        // Mostly it is the name that was asked for, which it is without.
        Found::Name(canonical) => {
            if !canonical.eq_ignore_ascii_case(name) && name::is_host(canonical) {
                answer.canonical_name(canonical);
            }
        }
        Found::TimeToLive(seconds) => answer.time_to_live(seconds),
    };
    let way = Way::asked_for()?;
    match way.known(nss_known::name(name, family), &mut found) {
        Some(told) => told,
        // No server has such a name. The question can't be put into words either, but that is no
        // fault of the daemon's, for which another service should be asked.
        None if !name::is_askable(name) => Err(Failure::NotFound),
        None => ask(way, &word, &mut |scanner| hostname(scanner, &mut found)),
    }
}

/// Asks for the names of an address.
pub(crate) fn by_address(address: &Address, answer: &mut NameAnswer<'_>) -> Result<(), Failure> {
    let word = |interface: &Interface| {
        Request::new(interface.resolve_address)
            .integer("family", address.family().raw().unsigned_abs())
            .octets("address", address.octets())
    };
    let mut found = |found: Found<'_>| match found {
        Found::Name(name) if name::is_host(name) => answer.name(name),
        Found::TimeToLive(seconds) => answer.time_to_live(seconds),
        _ => {}
    };
    let way = Way::asked_for()?;
    match way.known(nss_known::address(address), &mut found) {
        Some(told) => told,
        None => ask(way, &word, &mut |scanner| {
            address_names(scanner, &mut found)
        }),
    }
}

/// How the environment wants its questions put.
#[derive(Clone, Copy, Default)]
struct Way {
    flags: u32,
    link: Option<u32>,
}

impl Way {
    fn asked_for() -> Result<Self, Failure> {
        if environment::asks_for_nothing() {
            return Ok(Self::default());
        }
        if environment::is_resolved() {
            return Err(Failure::Unavailable(libc::EDEADLK));
        }
        Ok(Self {
            flags: environment::flags(),
            link: environment::link(),
        })
    }

    /// The verdict of the map, which has the answers to questions that are put in no way of their own.
    fn known(
        self,
        question: Option<Question<'_>>,
        found: &mut dyn FnMut(Found<'_>),
    ) -> Option<Result<(), Failure>> {
        if self.flags != 0 || self.link.is_some() {
            return None;
        }
        nss_known::verdict(&MAP, question, found)
    }
}

fn ask(
    way: Way,
    word: &dyn Fn(&Interface) -> Request,
    read: &mut dyn FnMut(&mut Scanner<'_, '_>) -> Result<(), Fault>,
) -> Result<(), Failure> {
    static HOLDOFF: Holdoff = Holdoff::new();
    let Way { flags, link } = way;
    let deadline = Deadline::after(LIMIT);
    let mut call = |interface: &Interface| {
        let mut request = word(interface).integer("flags", flags);
        // Not unless it is asked for: systemd's resolved knows it since version 260, and older ones
        // refuse what they don't know.
        if let Some(link) = link {
            request = request.integer("ifindex", link);
        }
        // resolved listens as the user it runs as, whose number only the owner of the directory
        // tells without asking NSS; with a socket unit (systemd 260) the service manager listens,
        // who is root.
        let server = Server {
            path: interface.socket,
            uid: unix_call::owner(DIRECTORY)?,
        };
        call_watched(server, deadline, PATIENCE, &mut request, read)
    };
    let outcome = HOLDOFF
        .guard(PAUSE, || match call(&SWITCHYARDS) {
            // There never was one, or it is gone and its socket stands yet.
            Err(Fault::System(libc::ENOENT | libc::ECONNREFUSED)) => call(&SYSTEMDS),
            outcome => outcome,
        })
        .map_err(|fault| Failure::Unavailable(fault.errno()))?;
    match outcome {
        Some(Outcome::Returned) => Ok(()),
        Some(Outcome::Failed(name)) => Err(failure(name.as_bytes())),
        // It lives, so the fault is with the servers that it asks.
        None => Err(Failure::TryAgain(libc::ETIMEDOUT)),
    }
}

/// What the errors of the daemon mean, as systemd's module takes them.
fn failure(error: &[u8]) -> Failure {
    match error {
        b"io.systemd.Disconnected"
        | b"io.systemd.TimedOut"
        | b"io.systemd.Protocol"
        | b"org.varlink.service.InterfaceNotFound"
        | b"org.varlink.service.MethodNotFound"
        | b"org.varlink.service.MethodNotImplemented" => Failure::Unavailable(libc::EREMOTEIO),
        b"io.systemd.Resolve.NoNameServers"
        | b"io.systemd.Resolve.QueryTimedOut"
        | b"io.systemd.Resolve.MaxAttemptsReached"
        | b"io.systemd.Resolve.NetworkDown" => Failure::TryAgain(libc::EAGAIN),
        b"io.systemd.Resolve.NoSuchResourceRecord" => Failure::NoData,
        // The daemon's verdict on this name: there is none (DNSError), or none to be believed
        // (DNSSECValidationFailed). To say otherwise would have another service asked without it.
        _ => Failure::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_their_meanings() {
        for (error, expected) in [
            ("NoNameServers", Failure::TryAgain(libc::EAGAIN)),
            ("QueryTimedOut", Failure::TryAgain(libc::EAGAIN)),
            ("MaxAttemptsReached", Failure::TryAgain(libc::EAGAIN)),
            ("NetworkDown", Failure::TryAgain(libc::EAGAIN)),
            ("NoSuchResourceRecord", Failure::NoData),
            ("DNSError", Failure::NotFound),
            ("DNSSECValidationFailed", Failure::NotFound),
            ("CNAMELoop", Failure::NotFound),
            ("Whatever", Failure::NotFound),
        ] {
            let error = format!("io.systemd.Resolve.{error}");
            assert_eq!(failure(error.as_bytes()), expected, "{error}");
        }
        assert_eq!(failure(b""), Failure::NotFound);
        assert_eq!(
            failure(b"org.varlink.service.MethodNotFound"),
            Failure::Unavailable(libc::EREMOTEIO)
        );
    }
}
