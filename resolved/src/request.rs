//! The four lookups of both interfaces: host name, address, record, service.
//!
//! Parameters come as the interfaces have them and are checked here, so that both refuse the same. Names of parameters in
//! errors are Varlink's.

mod address;
mod hostname;
mod parameters;
mod record;
mod service;
mod shareable;

pub use address::{AddressReply, resolve_address};
pub use hostname::{HostnameReply, resolve_hostname};
pub(crate) use parameters::address as parse_address;
use parameters::invalid;
pub use parameters::{AF_INET, AF_INET6, AF_UNSPEC, check_type};
pub use record::{RecordReply, resolve_record};
pub(crate) use service::is_service_type;
pub use service::{Service, ServiceReply, resolve_service};
