//! Whether this machine's name is its alone on a link: asked at the start, and again when somebody doubts it. RFC 4795, 4

use std::{net::IpAddr, time::Duration};

use super::message::Reply;
use crate::multicast::random;

/// A query is sent as often as this.
const TRANSMISSIONS: u8 = 3;
/// LLMNR_TIMEOUT and JITTER_INTERVAL, in milliseconds: who has the name answers within both. RFC 4795, 7
const WAIT: Duration = Duration::from_millis(200);
/// JITTER_INTERVAL.
const JITTER: u64 = 100;
/// Doubts are followed up at most as often as this: anyone can raise them.
const DOUBTS: Duration = Duration::from_secs(1);

/// Where it stands.
#[derive(Debug)]
pub(super) struct Uniqueness {
    id: u16,
    sent: u8,
    /// When to send again, or when it is settled; `None`: it is.
    next: Option<Duration>,
    settled_at: Duration,
}

/// What a reply to our question about our own name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Keep,
    /// The name is another's.
    Lost,
}

impl Uniqueness {
    /// Begins to ask, after `pause`.
    pub(super) fn begin(now: Duration, pause: Duration) -> Self {
        Self {
            id: random::id(),
            sent: 0,
            next: Some(now + pause + random::millis(0, JITTER)),
            settled_at: now,
        }
    }

    /// It is this machine's alone, as far as anybody said.
    pub(super) const fn is_settled(&self) -> bool {
        self.next.is_none()
    }

    /// When [`Self::due`] wants to be called.
    pub(super) const fn deadline(&self) -> Option<Duration> {
        self.next
    }

    /// The id of the query to send now, if one is due.
    pub(super) fn due(&mut self, now: Duration) -> Option<u16> {
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        if self.sent == TRANSMISSIONS {
            self.next = None;
            self.settled_at = now;
            return None;
        }
        self.sent += 1;
        self.next = Some(now + WAIT);
        Some(self.id)
    }

    /// Somebody got two answers for the name.
    pub(super) fn doubt(&mut self, now: Duration) {
        if self.is_settled() && now.saturating_sub(self.settled_at) >= DOUBTS {
            *self = Self::begin(now, Duration::ZERO);
        }
    }

    /// Somebody, from `peer` to `own`, replied to a query with our name.
    pub(super) fn heard(&self, reply: &Reply, peer: IpAddr, own: IpAddr) -> Verdict {
        if self.is_settled() || self.sent == 0 || reply.id != self.id {
            return Verdict::Keep;
        }
        // Two that begin at the same time: the name goes to the lesser address.
        if reply.tentative && own < peer {
            return Verdict::Keep;
        }
        Verdict::Lost
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::{op::ResponseCode, rr::RecordType};

    use super::*;
    use crate::message::Question;

    const SECOND: Duration = Duration::from_secs(1);

    fn reply(id: u16, tentative: bool) -> Reply {
        Reply {
            id,
            conflict: false,
            tentative,
            truncated: false,
            rcode: ResponseCode::NoError,
            question: Question::new(crate::name::parse("web").unwrap(), RecordType::ANY),
            answers: Vec::new(),
        }
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn silence_settles_it() {
        let mut state = Uniqueness::begin(Duration::ZERO, SECOND);
        assert!(state.deadline() >= Some(SECOND) && state.deadline() < Some(SECOND * 2));
        let mut sent = Vec::new();
        while let Some(next) = state.deadline() {
            assert!(!state.is_settled());
            assert_eq!(state.due(next - Duration::from_millis(1)), None);
            sent.extend(state.due(next));
        }
        assert_eq!(sent, [state.id; 3]);
        assert!(state.is_settled());
    }

    #[test]
    fn who_has_it_keeps_it() {
        let mut state = Uniqueness::begin(Duration::ZERO, Duration::ZERO);
        let early = reply(state.id, false);
        assert_eq!(state.heard(&early, address(2), address(1)), Verdict::Keep);
        assert!(state.due(SECOND).is_some());
        assert_eq!(state.heard(&early, address(2), address(1)), Verdict::Lost);
        let other = reply(state.id.wrapping_add(1), false);
        assert_eq!(state.heard(&other, address(2), address(1)), Verdict::Keep);
    }

    #[test]
    fn of_two_that_begin_the_lesser_address_wins() {
        let mut state = Uniqueness::begin(Duration::ZERO, Duration::ZERO);
        state.due(SECOND);
        let begins = reply(state.id, true);
        assert_eq!(state.heard(&begins, address(2), address(1)), Verdict::Keep);
        assert_eq!(state.heard(&begins, address(1), address(2)), Verdict::Lost);
    }

    #[test]
    fn doubts_are_followed_up_now_and_then() {
        let mut state = Uniqueness::begin(Duration::ZERO, Duration::ZERO);
        while let Some(next) = state.deadline() {
            state.due(next);
        }
        state.doubt(state.settled_at);
        assert!(state.is_settled());
        state.doubt(state.settled_at + DOUBTS);
        assert!(!state.is_settled());
    }
}
