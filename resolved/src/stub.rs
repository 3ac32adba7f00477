//! The stub on 127.0.0.53, the proxy on 127.0.0.54, and what DNSStubListenerExtra= adds: UDP and TCP.
//!
//! A question whose answer was given before is answered by threads of their own from its wire bytes; every other goes to the main
//! thread and [`Resolve`]. Local programs are the clients: whatever they send, a wrong packet costs no more than its size.

mod rules;

use std::future::Future;

use crate::{
    config::ExtraListener,
    failure::Failure,
    message::{Answer, Lookup, Question, Response},
    mode::StubListener,
};

/// Who answers what the stub does not know: the manager.
pub trait Resolve {
    /// A lookup through the whole pipeline; its flags have NO_SEARCH, and NO_VALIDATE where the client set CD. With NO_CACHE it
    /// is a refreshment of something hot: the answer is to be put into the cache.
    fn answer(&self, lookup: Lookup) -> impl Future<Output = Result<Answer, Failure>>;

    /// The servers of the scope that the name is routed to, DNS alone: no search, no synthesis, no CNAME followed. The response
    /// is passed on as it is.
    fn bypass(
        &self,
        question: Question,
        dnssec_ok: bool,
        checking_disabled: bool,
    ) -> impl Future<Output = Result<Response, Failure>>;
}

/// Where to listen, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `DNSStubListener=`: of 127.0.0.53 and 127.0.0.54.
    pub listener: StubListener,
    /// `DNSStubListenerExtra=`.
    pub extra: Vec<ExtraListener>,
    /// Of memory, for answers in wire form.
    pub wire_bytes: usize,
    /// Threads that answer from memory; 0: one for each core, at most four.
    pub threads: usize,
}
