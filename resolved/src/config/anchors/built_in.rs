//! The trust anchors that hold without any file.

use hickory_proto::{
    dnssec::{
        Algorithm, DigestType,
        rdata::{DNSSECRData, DS},
    },
    rr::Name,
};

use crate::{config::TrustAnchor, name};

/// The root's keys: tag and SHA-256 digest of the KSK of 2017 and of 2024, <https://data.iana.org/root-anchors/root-anchors.xml>.
const ROOT: [(u16, [u8; 32]); 2] = [
    (
        20326,
        [
            0xe0, 0x6d, 0x44, 0xb8, 0x0b, 0x8f, 0x1d, 0x39, 0xa9, 0x5c, 0x0b, 0x0d, 0x7c, 0x65,
            0xd0, 0x84, 0x58, 0xe8, 0x80, 0x40, 0x9b, 0xbc, 0x68, 0x34, 0x57, 0x10, 0x42, 0x37,
            0xc7, 0xf8, 0xec, 0x8d,
        ],
    ),
    (
        38696,
        [
            0x68, 0x3d, 0x2d, 0x0a, 0xcb, 0x8c, 0x9b, 0x71, 0x2a, 0x19, 0x48, 0xb2, 0x7f, 0x74,
            0x12, 0x19, 0x29, 0x8d, 0x0a, 0x45, 0x0d, 0x61, 0x2c, 0x48, 0x3a, 0xf4, 0x44, 0xa4,
            0xc0, 0xfb, 0x2b, 0x16,
        ],
    ),
];

/// Zones that exist in private networks alone, so that no chain of trust leads there.
const PRIVATE: [&str; 33] = [
    // RFC 6761: addresses for private use, and names for tests.
    "10.in-addr.arpa",
    "16.172.in-addr.arpa",
    "17.172.in-addr.arpa",
    "18.172.in-addr.arpa",
    "19.172.in-addr.arpa",
    "20.172.in-addr.arpa",
    "21.172.in-addr.arpa",
    "22.172.in-addr.arpa",
    "23.172.in-addr.arpa",
    "24.172.in-addr.arpa",
    "25.172.in-addr.arpa",
    "26.172.in-addr.arpa",
    "27.172.in-addr.arpa",
    "28.172.in-addr.arpa",
    "29.172.in-addr.arpa",
    "30.172.in-addr.arpa",
    "31.172.in-addr.arpa",
    "168.192.in-addr.arpa",
    "test",
    // RFC 4193: unique local addresses.
    "d.f.ip6.arpa",
    // RFC 8880, 7: its answers are made on the way.
    "ipv4only.arpa",
    "170.0.0.192.in-addr.arpa",
    "171.0.0.192.in-addr.arpa",
    // RFC 8375, RFC 9462, RFC 9476
    "home.arpa",
    "resolver.arpa",
    "alt",
    // RFC 6762 and its appendix G; names that ICANN does not delegate.
    "local",
    "intranet",
    "internal",
    "private",
    "corp",
    "home",
    "lan",
];

/// The root's.
pub(in crate::config) fn of_the_root() -> Vec<TrustAnchor> {
    let anchor = |(tag, digest): &(u16, [u8; 32])| TrustAnchor {
        name: Name::root(),
        data: DNSSECRData::DS(DS::new(
            *tag,
            Algorithm::RSASHA256,
            DigestType::SHA256,
            digest.to_vec(),
        )),
    };
    ROOT.iter().map(anchor).collect()
}

/// Those below which nothing is validated.
pub(in crate::config) fn private_zones() -> Vec<Name> {
    let zones = PRIVATE.iter();
    zones.filter_map(|zone| name::parse(zone).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_are_names() {
        assert_eq!(private_zones().len(), PRIVATE.len());
    }
}
