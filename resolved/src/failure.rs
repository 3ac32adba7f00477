//! Why a lookup or a request failed.

use std::fmt;

use hickory_proto::op::ResponseCode;

use crate::message::ExtendedError;

/// What validation found wrong. The words are those of both interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnssecFault {
    /// A signature that does not verify.
    Invalid,
    /// Outside of its time.
    SignatureExpired,
    /// No algorithm that we know.
    UnsupportedAlgorithm,
    /// A signature is missing.
    NoSignature,
    /// The key of a signature is missing.
    MissingKey,
    /// Something needed on the way could not be had.
    FailedAuxiliary,
    /// The proof of absence does not hold.
    NsecMismatch,
    /// The server can't do DNSSEC.
    IncompatibleServer,
    /// More work than is done for one lookup (KeyTrap, CVE-2023-50387).
    TooManyValidations,
}

impl DnssecFault {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::SignatureExpired => "signature-expired",
            Self::UnsupportedAlgorithm => "unsupported-algorithm",
            Self::NoSignature => "no-signature",
            Self::MissingKey => "missing-key",
            Self::FailedAuxiliary => "failed-auxiliary",
            Self::NsecMismatch => "nsec-mismatch",
            Self::IncompatibleServer => "incompatible-server",
            Self::TooManyValidations => "too-many-validations",
        }
    }
}

/// Why there is no answer. Both interfaces have a name for each.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A parameter that can't be; its name on Varlink, and what is wrong with it.
    InvalidParameter(&'static str, String),
    /// No server to ask, and nobody else who might know.
    NoNameServers,
    /// The name exists, such records of it do not.
    NoSuchRecord,
    /// Nobody answered in time.
    TimedOut,
    /// Everything was tried as often as it may be.
    MaxAttempts,
    /// What came back was no valid response.
    InvalidReply,
    /// The ground went from under it: a link, a server, the caller.
    Aborted,
    /// Records of this type are refused by configuration.
    Refused,
    /// Validation failed.
    DnssecFailed(DnssecFault, Option<ExtendedError>),
    /// There is no trust anchor for it, and only trust anchors were allowed.
    NoTrustAnchor,
    /// The server answered so.
    Rcode(ResponseCode, Option<ExtendedError>),
    /// The server does not know this type.
    RecordTypeUnsupported,
    /// There is no network.
    NetworkDown,
    /// Every source was forbidden by the flags.
    NoSource,
    /// Our own stub was to be asked.
    StubLoop,
    /// A CNAME that was not allowed, or too many of them.
    CnameLoop,
    /// A pseudo-type or class that can't be looked up.
    TypeInvalidForQuery,
    /// AXFR, IXFR.
    ZoneTransferNotPermitted,
    /// A type that is obsolete.
    TypeObsolete,
    /// The domain says that there is no such service (RFC 2782: a target of `.`).
    ServiceNotProvided,
    /// SRV records contradict each other.
    InconsistentServiceRecords,
    /// No such link.
    NoSuchLink(u32),
    /// The link is the loopback, or another manages it.
    LinkBusy(String),
    /// Nothing by this id.
    NoSuchDnssdService(String),
    /// That id is taken.
    DnssdServiceExists(String),
    /// Nothing by this id.
    NoSuchDelegate(String),
    /// Not done here, and why.
    NotSupported(String),
    /// The system refused; what was tried, and errno.
    System(String, i32),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidParameter(name, what) => write!(f, "Invalid {name}: {what}"),
            Self::NoNameServers => {
                f.write_str("No appropriate name servers or networks for name found")
            }
            Self::NoSuchRecord => f.write_str("The name does not have any such record"),
            Self::TimedOut => f.write_str("The query timed out"),
            Self::MaxAttempts => {
                f.write_str("All attempts to contact name servers or networks failed")
            }
            Self::InvalidReply => f.write_str("Received an invalid reply"),
            Self::Aborted => f.write_str("The query was aborted"),
            Self::Refused => f.write_str("DNS query type is refused by configuration"),
            Self::DnssecFailed(fault, _) => {
                write!(f, "DNSSEC validation failed: {}", fault.as_str())
            }
            Self::NoTrustAnchor => f.write_str("No suitable trust anchor known"),
            Self::Rcode(rcode, _) => write!(f, "The server answered: {rcode}"),
            Self::RecordTypeUnsupported => {
                f.write_str("The server does not support this record type")
            }
            Self::NetworkDown => f.write_str("The network is down"),
            Self::NoSource => f.write_str("All suitable resolution sources are disabled by flags"),
            Self::StubLoop => f.write_str("The server is this resolver's own stub"),
            Self::CnameLoop => f.write_str("A CNAME loop, or CNAME resolution is disabled"),
            Self::TypeInvalidForQuery => f.write_str("The record type can't be looked up"),
            Self::ZoneTransferNotPermitted => f.write_str("Zone transfers are not permitted"),
            Self::TypeObsolete => f.write_str("The record type is obsolete"),
            Self::ServiceNotProvided => f.write_str("The domain does not provide this service"),
            Self::InconsistentServiceRecords => {
                f.write_str("The service's records are inconsistent")
            }
            Self::NoSuchLink(index) => write!(f, "Link {index} not known"),
            Self::LinkBusy(name) => {
                write!(f, "Link {name} is managed by another or is the loopback")
            }
            Self::NoSuchDnssdService(id) => write!(f, "DNS-SD service {id:?} not known"),
            Self::DnssdServiceExists(id) => write!(f, "DNS-SD service {id:?} exists already"),
            Self::NoSuchDelegate(id) => write!(f, "Delegate {id:?} not known"),
            Self::NotSupported(what) => f.write_str(what),
            Self::System(what, errno) => {
                write!(f, "{what}: {}", std::io::Error::from_raw_os_error(*errno))
            }
        }
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// From an error of the system.
    #[must_use]
    pub fn system(what: impl Into<String>, error: &std::io::Error) -> Self {
        /// EIO: an error without a number did not come from a system call.
        const UNKNOWN: i32 = 5;
        Self::System(what.into(), error.raw_os_error().unwrap_or(UNKNOWN))
    }
}
