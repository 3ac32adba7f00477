//! The hosts database: names and addresses of machines.

use nss_host::{Address, AddressAnswer, ByName, Failure, Hosts, NameAnswer};
use unix_call::Fault;

use crate::name::MachineName;
use crate::{switchyard, systemd};

/// The machines of whichever machined there is.
pub(crate) struct Machines;

impl Hosts for Machines {
    fn by_name(question: ByName<'_>, answer: &mut AddressAnswer<'_>) -> Result<(), Failure> {
        // What can't be a machine's name is nobody's: most names of the internet are asked about,
        // but the longest cost nothing.
        let name = MachineName::asked(question.name).ok_or(Failure::NotFound)?;
        match switchyard::by_name(name, question.family, answer) {
            Err(Fault::System(libc::ENOENT)) => systemd::by_name(name, answer)?,
            outcome => outcome.map_err(unavailable)??,
        }
        // Unless the daemon has given another: the name without the dot that made it absolute.
        answer.canonical_name(name.as_bytes());
        Ok(())
    }

    fn by_address(question: Address, answer: &mut NameAnswer<'_>) -> Result<(), Failure> {
        let address = question.unmapped();
        if !address.can_be_remote() {
            return Err(Failure::NotFound);
        }
        // systemd's machined can't be asked: each machine's addresses cost it two forks. So
        // without ours this is a question nobody serves, as it is in systemd's module.
        switchyard::by_address(&address, answer).map_err(unavailable)?
    }
}

/// A daemon that could not be asked, or whose answer is none.
pub(crate) fn unavailable(fault: Fault) -> Failure {
    Failure::Unavailable(fault.errno())
}
