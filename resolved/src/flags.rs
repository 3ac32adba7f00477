//! The 64 bits that go with every question and every answer on both interfaces.

bitflags::bitflags! {
    /// How to look up, and how it was found: the `flags` of org.freedesktop.resolve1 and io.systemd.Resolve.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Flags: u64 {
        /// Unicast DNS.
        const DNS = 1 << 0;
        /// LLMNR over IPv4.
        const LLMNR_IPV4 = 1 << 1;
        /// LLMNR over IPv6.
        const LLMNR_IPV6 = 1 << 2;
        /// Multicast DNS over IPv4.
        const MDNS_IPV4 = 1 << 3;
        /// Multicast DNS over IPv6.
        const MDNS_IPV6 = 1 << 4;
        /// A CNAME or DNAME is an error.
        const NO_CNAME = 1 << 5;
        /// Services: without the TXT records.
        const NO_TXT = 1 << 6;
        /// Services: without the addresses.
        const NO_ADDRESS = 1 << 7;
        /// No search domains.
        const NO_SEARCH = 1 << 8;
        /// Answer: proven by DNSSEC, or made on this machine.
        const AUTHENTICATED = 1 << 9;
        /// DNSSEC is not asked for.
        const NO_VALIDATE = 1 << 10;
        /// No answer that this machine makes by itself (`localhost`, /etc/hosts …).
        const NO_SYNTHESIZE = 1 << 11;
        /// Not from the cache.
        const NO_CACHE = 1 << 12;
        /// Not from the LLMNR and mDNS zones of this machine.
        const NO_ZONE = 1 << 13;
        /// Not from the trust anchors.
        const NO_TRUST_ANCHOR = 1 << 14;
        /// Not from the network.
        const NO_NETWORK = 1 << 15;
        /// Answer: never left this machine, or only encrypted.
        const CONFIDENTIAL = 1 << 18;
        /// Answer: made on this machine.
        const SYNTHETIC = 1 << 19;
        /// Answer: from the cache.
        const FROM_CACHE = 1 << 20;
        /// Answer: from the LLMNR or mDNS zone of this machine.
        const FROM_ZONE = 1 << 21;
        /// Answer: a trust anchor.
        const FROM_TRUST_ANCHOR = 1 << 22;
        /// Answer: from the network.
        const FROM_NETWORK = 1 << 23;
        /// Nothing that has expired, even where answers are kept beyond their time.
        const NO_STALE = 1 << 24;
        /// A single label may be asked of unicast DNS.
        const RELAX_SINGLE_LABEL = 1 << 25;
        /// Answer: from a hook.
        const FROM_HOOK = 1 << 27;
    }
}

impl Flags {
    /// The bits that choose protocols; none of them means all.
    pub const PROTOCOLS: Self = Self::DNS.union(Self::LLMNR).union(Self::MDNS);
    /// Both families of LLMNR.
    pub const LLMNR: Self = Self::LLMNR_IPV4.union(Self::LLMNR_IPV6);
    /// Both families of mDNS.
    pub const MDNS: Self = Self::MDNS_IPV4.union(Self::MDNS_IPV6);
    /// Where an answer can come from.
    pub const SOURCES: Self = Self::SYNTHETIC
        .union(Self::FROM_CACHE)
        .union(Self::FROM_ZONE)
        .union(Self::FROM_TRUST_ANCHOR)
        .union(Self::FROM_NETWORK)
        .union(Self::FROM_HOOK);
    /// What every lookup may ask for.
    const ANY_LOOKUP: Self = Self::PROTOCOLS
        .union(Self::NO_CNAME)
        .union(Self::NO_VALIDATE)
        .union(Self::NO_SYNTHESIZE)
        .union(Self::NO_CACHE)
        .union(Self::NO_ZONE)
        .union(Self::NO_TRUST_ANCHOR)
        .union(Self::NO_NETWORK)
        .union(Self::NO_STALE)
        .union(Self::RELAX_SINGLE_LABEL);

    /// Reads the flags of a call. `more`: those that this kind of lookup allows beyond what all do.
    ///
    /// Every bit that means nothing here is refused (`None`). No protocol bit means all protocols.
    #[must_use]
    pub fn from_call(bits: u64, more: Self) -> Option<Self> {
        let flags = Self::from_bits(bits)?;
        if !Self::ANY_LOOKUP.union(more).contains(flags) {
            return None;
        }
        Some(if flags.intersects(Self::PROTOCOLS) {
            flags
        } else {
            flags | Self::PROTOCOLS
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_bits_are_refused() {
        assert_eq!(Flags::from_call(1 << 40, Flags::empty()), None);
        assert_eq!(
            Flags::from_call(Flags::AUTHENTICATED.bits(), Flags::empty()),
            None
        );
        assert_eq!(Flags::from_call(Flags::NO_TXT.bits(), Flags::empty()), None);
    }

    #[test]
    fn no_protocol_is_every_protocol() {
        assert_eq!(Flags::from_call(0, Flags::empty()), Some(Flags::PROTOCOLS));
        assert_eq!(Flags::from_call(1, Flags::empty()), Some(Flags::DNS));
        let txt = Flags::NO_TXT.bits();
        assert_eq!(
            Flags::from_call(txt, Flags::NO_TXT),
            Some(Flags::PROTOCOLS | Flags::NO_TXT)
        );
    }
}
