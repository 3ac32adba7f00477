//! What was found out of zones, for as long as it holds.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

use hickory_proto::{dnssec::rdata::DNSKEY, rr::Name};
use tokio::time::Instant;

use super::anchors::Anchors;
use crate::config::TrustAnchor;

/// Names of which it is known where they stand.
const KNOWN: usize = 1000;
/// Never longer, whatever its TTL.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Where a name stands.
#[derive(Clone, Debug)]
pub(super) enum Trust {
    /// A zone begins here, and these are its keys.
    Secure(Rc<[DNSKEY]>),
    /// It is not signed, and that is proven.
    Insecure,
    /// No zone begins here, and that is proven.
    NotACut,
}

/// What is known of zones.
pub(super) struct Zones {
    pub anchors: Anchors,
    known: RefCell<HashMap<Name, (Instant, Trust)>>,
}

impl Zones {
    pub fn new(positive: &[TrustAnchor], negative: &[Name]) -> Self {
        Self {
            anchors: Anchors::new(positive, negative),
            known: RefCell::default(),
        }
    }

    pub fn get(&self, name: &Name) -> Option<Trust> {
        let known = self.known.borrow();
        let (until, trust) = known.get(name)?;
        (Instant::now() < *until).then(|| trust.clone())
    }

    pub fn put(&self, name: &Name, trust: &Trust, ttl: u32) {
        let now = Instant::now();
        let mut known = self.known.borrow_mut();
        if known.len() >= KNOWN {
            known.retain(|_, (until, _)| now < *until);
            if known.len() >= KNOWN {
                // It is filled again as it is needed; who forces this gains nothing.
                known.clear();
            }
        }
        let until = now + Duration::from_secs(ttl.into()).min(LONGEST);
        known.insert(name.clone(), (until, trust.clone()));
    }
}
