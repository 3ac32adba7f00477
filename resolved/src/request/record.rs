//! Records as they are.

use std::rc::Rc;

use hickory_proto::{
    op::ResponseCode,
    rr::{DNSClass, RecordType},
};

use super::parameters;
use crate::{
    failure::Failure,
    flags::Flags,
    manager::Manager,
    message::{Answer, Found, Lookup},
};

/// Records as they are.
#[derive(Clone, Debug)]
pub struct RecordReply {
    /// The asked ones, without the chain that led to them.
    pub records: Vec<Found>,
    /// Where they came from.
    pub flags: Flags,
}

/// Looks up records of any type.
///
/// # Errors
/// [`Failure::InvalidParameter`]; [`super::check_type`]'s; those of [`Manager::lookup`].
pub async fn resolve_record(
    manager: &Rc<Manager>,
    ifindex: i64,
    name: &str,
    class: u16,
    rtype: u16,
    flags: u64,
) -> Result<RecordReply, Failure> {
    let ifindex = parameters::ifindex(ifindex)?;
    let name = parameters::host(name)?;
    let (class, rtype) = (DNSClass::from(class), RecordType::from(rtype));
    super::check_type(class, rtype)?;
    let flags = parameters::flags(flags, Flags::empty())?;
    let lookup = Lookup {
        name,
        class,
        types: vec![rtype],
        ifindex,
        flags: flags | Flags::NO_SEARCH,
        dnssec_ok: false,
    };
    let answer = manager.lookup(&lookup).await?;
    let records: Vec<_> = answer.of_types(&lookup.types).cloned().collect();
    if records.is_empty() {
        return Err(absent(&answer));
    }
    Ok(RecordReply {
        records,
        flags: answer.flags,
    })
}

/// Why an answer has nothing of what was asked for.
pub(super) fn absent(answer: &Answer) -> Failure {
    if answer.rcode == ResponseCode::NXDomain {
        Failure::Rcode(ResponseCode::NXDomain, answer.extended_error.clone())
    } else {
        Failure::NoSuchRecord
    }
}
