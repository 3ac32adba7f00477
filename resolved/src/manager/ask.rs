//! The stub's way in.

use std::rc::Rc;

use hickory_proto::rr::Name;

use super::Manager;
use crate::{
    failure::Failure,
    message::{Answer, Lookup, Question, Response},
    stub::Resolve,
};

impl Resolve for Rc<Manager> {
    async fn answer(&self, lookup: Lookup) -> Result<Answer, Failure> {
        self.lookup(&lookup).await
    }

    async fn bypass(
        &self,
        question: Question,
        dnssec_ok: bool,
        checking_disabled: bool,
    ) -> Result<Response, Failure> {
        Manager::bypass(self, &question, dnssec_ok, checking_disabled).await
    }

    fn may_be_copied(&self, name: &Name) -> bool {
        Manager::may_be_copied(self, name)
    }
}

impl Manager {
    /// Whether an answer about this name may be given again without us: nobody watches, and no hook is asked about it.
    pub(crate) fn may_be_copied(&self, name: &Name) -> bool {
        !self.observed.watched() && !self.local.is_hooked(name)
    }
}
