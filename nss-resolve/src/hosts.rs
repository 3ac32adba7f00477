//! The hosts database: whatever resolved can resolve.

use nss_host::{Address, AddressAnswer, ByName, Failure, Hosts, NameAnswer};

use crate::{name, resolved};

/// Everything that resolved knows.
pub(crate) struct Resolved;

impl Hosts for Resolved {
    fn by_name(question: ByName<'_>, answer: &mut AddressAnswer<'_>) -> Result<(), Failure> {
        // No server has such a name. The question can't be put into words either, but that is no
        // fault of the daemon's, for which another service should be asked.
        let asked = name::askable(question.name).ok_or(Failure::NotFound)?;
        resolved::by_name(asked, question.family, answer)
    }

    fn by_address(question: Address, answer: &mut NameAnswer<'_>) -> Result<(), Failure> {
        // As the files and dns services do.
        resolved::by_address(&question.unmapped(), answer)
    }
}
