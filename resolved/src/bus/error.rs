//! Failures by their names on the bus.

use std::{borrow::Cow, io};

use dbus_serve::Error;
use hickory_proto::op::ResponseCode;

use crate::{access::Refusal, failure::Failure, message::ExtendedError};

/// Joins the prefix that all standard errors share.
macro_rules! dbus {
    ($name:literal) => {
        Cow::Borrowed(concat!("org.freedesktop.DBus.Error.", $name))
    };
}

/// Joins the prefix of our own.
macro_rules! resolve1 {
    ($name:literal) => {
        Cow::Borrowed(concat!("org.freedesktop.resolve1.", $name))
    };
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let message = match &failure {
            Failure::InvalidParameter("ifindex", _) => "Invalid interface index".to_owned(),
            Failure::InvalidParameter("flags", _) => "Invalid flags parameter".to_owned(),
            Failure::NoSource => "All suitable resolution sources turned off".to_owned(),
            Failure::DnssecFailed(_, extended) => with(failure.to_string(), extended.as_ref()),
            Failure::Rcode(rcode, extended) => {
                let what = format!("Server or network returned error {}", word(*rcode));
                with(what, extended.as_ref())
            }
            other => other.to_string(),
        };
        Self::new(name(&failure), message)
    }
}

/// Why a caller may not.
pub(super) fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Denied(why) => Error::access_denied(format!("Access denied: {why}")),
        Refusal::InteractiveAuthorizationRequired => Error::new(
            dbus!("InteractiveAuthorizationRequired"),
            "Interactive authentication required.",
        ),
        Refusal::TimedOut(action) => Error::new(
            dbus!("Timeout"),
            format!("polkit did not answer on {action}"),
        ),
        Refusal::TooManyQuestions(uid) => Error::limits_exceeded(format!(
            "Too many calls of user {uid} wait for authorization"
        )),
    }
}

/// What is wrong with an address of this family.
pub(super) fn of_address(failure: Failure, family: i32) -> Error {
    match failure {
        Failure::InvalidParameter("family", _) => {
            Error::invalid_args(format!("Unknown address family {family}"))
        }
        Failure::InvalidParameter("address", _) => Error::invalid_args("Invalid address size"),
        other => other.into(),
    }
}

/// What is wrong with a type of records.
pub(super) fn of_type(failure: Failure, rtype: u16) -> Error {
    let message = match &failure {
        Failure::TypeInvalidForQuery => {
            format!("Specified resource record type {rtype} may not be used in a query.")
        }
        Failure::TypeObsolete => {
            format!("Specified DNS resource record type {rtype} is obsolete.")
        }
        Failure::ZoneTransferNotPermitted => {
            "Zone transfers not permitted via this programming interface.".to_owned()
        }
        _ => return failure.into(),
    };
    Error::new(name(&failure), message)
}

/// What became of a lookup of `asked`, in the words that resolvectl prints.
pub(super) fn of_lookup(failure: Failure, asked: &str) -> Error {
    let message = match &failure {
        Failure::Rcode(ResponseCode::NXDomain, extended) => {
            with(format!("Name '{asked}' not found"), extended.as_ref())
        }
        Failure::Rcode(rcode, extended) => {
            let word = word(*rcode);
            let what =
                format!("Could not resolve '{asked}', server or network returned error {word}");
            with(what, extended.as_ref())
        }
        Failure::ServiceNotProvided => {
            format!("'{asked}' does not provide the requested service")
        }
        Failure::NoSuchRecord => format!("'{asked}' does not have any RR of the requested type"),
        Failure::CnameLoop => {
            format!("CNAME loop detected, or CNAME resolving disabled on '{asked}'")
        }
        _ => return failure.into(),
    };
    Error::new(name(&failure), message)
}

/// The text comes from a server: a terminal must not take it for its own.
fn with(message: String, extended: Option<&ExtendedError>) -> String {
    match extended {
        Some(extended) if extended.text.is_empty() => {
            format!("{message} (extended error {})", extended.code)
        }
        Some(extended) => {
            let text = extended.text.escape_debug();
            format!("{message} (extended error {}: {text})", extended.code)
        }
        None => message,
    }
}

fn name(failure: &Failure) -> Cow<'static, str> {
    match failure {
        Failure::InvalidParameter(..) | Failure::TypeInvalidForQuery => dbus!("InvalidArgs"),
        Failure::NoNameServers => resolve1!("NoNameServers"),
        Failure::NoSuchRecord => resolve1!("NoSuchRR"),
        Failure::TimedOut | Failure::MaxAttempts => dbus!("Timeout"),
        Failure::InvalidReply => resolve1!("InvalidReply"),
        Failure::Aborted => resolve1!("Aborted"),
        Failure::Refused => resolve1!("DnsError.REFUSED"),
        Failure::DnssecFailed(..) => resolve1!("DnssecFailed"),
        Failure::NoTrustAnchor => resolve1!("NoTrustAnchor"),
        Failure::Rcode(rcode, _) => Cow::Owned(format!(
            "org.freedesktop.resolve1.DnsError.{}",
            word(*rcode)
        )),
        Failure::RecordTypeUnsupported => resolve1!("ResourceRecordTypeUnsupported"),
        Failure::NetworkDown => resolve1!("NetworkDown"),
        Failure::NoSource => resolve1!("NoSource"),
        Failure::StubLoop => resolve1!("StubLoop"),
        Failure::CnameLoop => resolve1!("CNameLoop"),
        Failure::ZoneTransferNotPermitted | Failure::TypeObsolete | Failure::NotSupported(_) => {
            dbus!("NotSupported")
        }
        Failure::ServiceNotProvided => resolve1!("NoSuchService"),
        Failure::InconsistentServiceRecords => resolve1!("InconsistentServiceRecords"),
        Failure::NoSuchLink(_) => resolve1!("NoSuchLink"),
        Failure::LinkBusy(_) => resolve1!("LinkBusy"),
        Failure::NoSuchDnssdService(_) => resolve1!("NoSuchDnssdService"),
        Failure::DnssdServiceExists(_) => resolve1!("DnssdServiceExists"),
        Failure::NoSuchDelegate(_) => resolve1!("NoSuchDelegate"),
        Failure::System(_, errno) => {
            dbus_serve::name_of_system_error(&io::Error::from_raw_os_error(*errno))
        }
    }
}

/// The name of an RCODE in IANA's registry "DNS RCODEs"; some have their errors on the bus, and all must be a name there.
fn word(rcode: ResponseCode) -> Cow<'static, str> {
    Cow::Borrowed(match u16::from(rcode) {
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        16 => "BADVERS",
        17 => "BADKEY",
        18 => "BADTIME",
        19 => "BADMODE",
        20 => "BADNAME",
        21 => "BADALG",
        22 => "BADTRUNC",
        23 => "BADCOOKIE",
        other => return Cow::Owned(format!("RCODE{other}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rcode_has_a_name_that_the_bus_allows() {
        for code in 1..4096u16 {
            let error = of_lookup(Failure::Rcode(code.into(), None), "a");
            assert!(
                zbus::names::ErrorName::try_from(&*error.name).is_ok(),
                "{code}"
            );
        }
    }

    #[test]
    fn what_a_server_says_does_not_reach_the_terminal_raw() {
        let extended = ExtendedError {
            code: 15,
            text: "blocked\u{1b}[2J".to_owned(),
        };
        let failure = Failure::Rcode(ResponseCode::NXDomain, Some(extended));
        let error = of_lookup(failure, "a.example");
        assert_eq!(error.name, "org.freedesktop.resolve1.DnsError.NXDOMAIN");
        assert_eq!(
            error.message,
            r"Name 'a.example' not found (extended error 15: blocked\u{1b}[2J)"
        );
    }
}
