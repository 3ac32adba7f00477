//! Failures under the names that Varlink has for them.

use hickory_proto::op::ResponseCode;
use varlink_serve::Failure;

use crate::{access::Refusal, failure, message::ExtendedError};

/// A failure of the resolver as a reply.
///
/// Nothing is added to the errors of systemd-resolved: its own clients refuse what they do not know.
pub(super) fn failure(failure: failure::Failure) -> Failure {
    use failure::Failure as F;
    let resolve = |name: &str| Failure::named(format!("io.systemd.Resolve.{name}"));
    match failure {
        F::InvalidParameter(parameter, _) => Failure::invalid_parameter(parameter),
        F::NoNameServers => resolve("NoNameServers"),
        F::NoSuchRecord => resolve("NoSuchResourceRecord"),
        F::TimedOut => resolve("QueryTimedOut"),
        F::MaxAttempts => resolve("MaxAttemptsReached"),
        F::InvalidReply => resolve("InvalidReply"),
        F::Aborted => resolve("QueryAborted"),
        F::Refused => resolve("QueryRefused"),
        F::DnssecFailed(fault, extended) => with(
            resolve("DNSSECValidationFailed").with("result", fault.as_str()),
            extended,
        ),
        F::NoTrustAnchor => resolve("NoTrustAnchor"),
        F::Rcode(rcode, extended) => {
            with(resolve("DNSError").with("rcode", number(rcode)), extended)
        }
        F::RecordTypeUnsupported => resolve("ResourceRecordTypeUnsupported"),
        F::NetworkDown => resolve("NetworkDown"),
        F::NoSource => resolve("NoSource"),
        F::StubLoop => resolve("StubLoop"),
        F::CnameLoop => resolve("CNAMELoop"),
        F::TypeInvalidForQuery => resolve("ResourceRecordTypeInvalidForQuery"),
        F::ZoneTransferNotPermitted => resolve("ZoneTransfersNotPermitted"),
        F::TypeObsolete => resolve("ResourceRecordTypeObsolete"),
        F::ServiceNotProvided => resolve("ServiceNotProvided"),
        F::InconsistentServiceRecords => resolve("InconsistentServiceRecords"),
        F::NoSuchLink(ifindex) => ours("NoSuchLink").with("ifindex", ifindex),
        F::LinkBusy(name) => ours("LinkBusy").with("ifname", name),
        F::NoSuchDnssdService(id) => ours("NoSuchService").with("id", id),
        F::DnssdServiceExists(id) => ours("ServiceExists").with("id", id),
        F::NoSuchDelegate(id) => ours("NoSuchDelegate").with("id", id),
        F::NotSupported(what) => ours("NotSupported").with("message", what),
        F::System(_, errno) => Failure::system(&std::io::Error::from_raw_os_error(errno)),
    }
}

/// An error of the interface that systemd has not.
fn ours(name: &str) -> Failure {
    Failure::named(format!("io.switchyard.Resolve.{name}"))
}

/// A parameter that can't be, and why.
pub(super) fn invalid(parameter: &'static str, why: String) -> Failure {
    Failure::invalid_parameter(parameter).with("message", why)
}

/// Why a caller may not.
pub(super) fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Denied(_) => Failure::permission_denied(),
        Refusal::InteractiveAuthorizationRequired => {
            Failure::named("io.systemd.InteractiveAuthenticationRequired")
        }
        Refusal::TimedOut(_) => Failure::named("io.systemd.TimedOut"),
        Refusal::TooManyQuestions(_) => Failure::system(&rustix::io::Errno::BUSY.into()),
    }
}

fn with(failure: Failure, extended: Option<ExtendedError>) -> Failure {
    let Some(extended) = extended else {
        return failure;
    };
    let failure = failure.with("extendedDNSErrorCode", extended.code);
    match extended.text.is_empty() {
        true => failure,
        false => failure.with("extendedDNSErrorMessage", extended.text),
    }
}

/// An RCODE by its number.
pub(super) fn number(rcode: ResponseCode) -> u16 {
    rcode.into()
}
