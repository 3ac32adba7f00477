//! Where validation begins, and where it does not go.

use hickory_proto::{
    dnssec::{
        PublicKey, TrustAnchors,
        rdata::{DNSKEY, DNSSECRData},
    },
    rr::Name,
};

use super::labels;
use crate::config::TrustAnchor;

/// A key signing key of a zone. RFC 4034, 2.1.1; RFC 3757
const KEY_SIGNING_KEY: u16 = 257;

/// The trust anchors, positive and negative.
pub(super) struct Anchors {
    positive: Vec<TrustAnchor>,
    negative: Vec<Name>,
}

impl Anchors {
    /// No positive ones: the root's keys, as IANA publishes them.
    pub fn new(positive: &[TrustAnchor], negative: &[Name]) -> Self {
        let positive = if positive.is_empty() {
            root()
        } else {
            positive.to_vec()
        };
        Self {
            positive,
            negative: negative.to_vec(),
        }
    }

    /// The closest zone at or above the name whose keys are known beforehand. `None`: nothing can be proven of it, or
    /// nothing is to be (RFC 7646).
    pub fn above(&self, name: &Name) -> Option<&Name> {
        let closest = |names: &mut dyn Iterator<Item = &'_ Name>| {
            names
                .filter(|anchor| anchor.zone_of(name))
                .map(labels)
                .max()
        };
        let positive = self
            .positive
            .iter()
            .map(|anchor| &anchor.name)
            .filter(|anchor| anchor.zone_of(name))
            .max_by_key(|anchor| labels(anchor))?;
        let negative = closest(&mut self.negative.iter());
        (negative < Some(labels(positive))).then_some(positive)
    }

    /// Whether one of the anchors of this zone is, or stands for, this key.
    pub fn trust(&self, zone: &Name, key: &DNSKEY) -> bool {
        let mut anchors = self.positive.iter().filter(|anchor| anchor.name == *zone);
        anchors.any(|anchor| match &anchor.data {
            DNSSECRData::DS(ds) => {
                ds.algorithm() == key.public_key().algorithm()
                    && ds.covers(zone, key).unwrap_or(false)
            }
            DNSSECRData::DNSKEY(trusted) => {
                trusted.public_key().algorithm() == key.public_key().algorithm()
                    && trusted.public_key().public_bytes() == key.public_key().public_bytes()
            }
            _ => false,
        })
    }
}

fn root() -> Vec<TrustAnchor> {
    let built_in = TrustAnchors::default();
    let keys = (0..built_in.len()).filter_map(|index| built_in.get(index));
    keys.map(|key| TrustAnchor {
        name: Name::root(),
        data: DNSSECRData::DNSKEY(DNSKEY::with_flags(KEY_SIGNING_KEY, key.clone())),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name;

    fn n(text: &str) -> Name {
        name::parse(text).unwrap()
    }

    #[test]
    fn the_closest_one_holds() {
        let mut positive = root();
        assert_eq!(positive.len(), 2);
        let deep = TrustAnchor {
            name: n("island.corp.example"),
            ..positive[0].clone()
        };
        positive.push(deep);
        let anchors = Anchors::new(&positive, &[n("corp.example"), n("lan")]);
        assert_eq!(anchors.above(&n("www.example")), Some(&Name::root()));
        assert_eq!(anchors.above(&n("printer.lan")), None);
        assert_eq!(anchors.above(&n("lan")), None);
        assert_eq!(anchors.above(&n("corp.example")), None);
        assert_eq!(
            anchors.above(&n("x.island.corp.example")),
            Some(&n("island.corp.example"))
        );
        let island = Anchors::new(&positive[2..], &[]);
        assert_eq!(island.above(&n("www.example")), None);
    }
}
