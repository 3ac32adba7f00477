//! What was counted since the start or the last reset.

use std::cell::Cell;

use hickory_proto::dnssec::Proof;

/// The counters of `resolvectl statistics`.
#[derive(Debug, Default)]
pub struct Statistics {
    /// Lookups on the network under way.
    pub current_transactions: Cell<u64>,
    /// Lookups on the network.
    pub total_transactions: Cell<u64>,
    /// Of them nobody answered in time.
    pub total_timeouts: Cell<u64>,
    /// Of those a stale answer stood in.
    pub total_timeouts_served_stale: Cell<u64>,
    /// A server answered with an error.
    pub total_failed_responses: Cell<u64>,
    /// Of those a stale answer stood in.
    pub total_failed_responses_served_stale: Cell<u64>,
    /// Validated.
    pub dnssec_secure: Cell<u64>,
    /// Proven unsigned.
    pub dnssec_insecure: Cell<u64>,
    /// Wrong.
    pub dnssec_bogus: Cell<u64>,
    /// Neither.
    pub dnssec_indeterminate: Cell<u64>,
}

/// One more.
pub fn count(counter: &Cell<u64>) {
    counter.set(counter.get().saturating_add(1));
}

impl Statistics {
    /// Begins again; what is under way stays.
    pub fn reset(&self) {
        for counter in [
            &self.total_transactions,
            &self.total_timeouts,
            &self.total_timeouts_served_stale,
            &self.total_failed_responses,
            &self.total_failed_responses_served_stale,
            &self.dnssec_secure,
            &self.dnssec_insecure,
            &self.dnssec_bogus,
            &self.dnssec_indeterminate,
        ] {
            counter.set(0);
        }
    }

    /// Counts a verdict.
    pub fn verdict(&self, proof: Proof) {
        count(match proof {
            Proof::Secure => &self.dnssec_secure,
            Proof::Insecure => &self.dnssec_insecure,
            Proof::Bogus => &self.dnssec_bogus,
            Proof::Indeterminate => &self.dnssec_indeterminate,
        });
    }
}
