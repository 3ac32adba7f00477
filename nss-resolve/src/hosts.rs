//! The hosts database: whatever resolved can resolve.

use nss_host::{Address, AddressAnswer, ByName, Failure, Hosts, NameAnswer};

use crate::resolved;

/// Everything that resolved knows.
pub(crate) struct Resolved;

impl Hosts for Resolved {
    fn by_name(question: ByName<'_>, answer: &mut AddressAnswer<'_>) -> Result<(), Failure> {
        resolved::by_name(question, answer)
    }

    fn by_address(question: Address, answer: &mut NameAnswer<'_>) -> Result<(), Failure> {
        // As the files and dns services do.
        resolved::by_address(&question.unmapped(), answer)
    }
}
