//! Names that mean something to this machine alone. RFC 6761 (special-use domain names), RFC 6303 (local zones).

use hickory_proto::rr::Name;

/// What a name means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    /// `localhost` and all below it, also as `localhost.localdomain`: RFC 6761, 6.3.
    Localhost,
    /// `_gateway`: the routers of the default routes.
    Gateway,
    /// `_outbound`: the addresses that connections to the world come from.
    Outbound,
    /// `_localdnsstub`: 127.0.0.53.
    Stub,
    /// `_localdnsproxy`: 127.0.0.54.
    Proxy,
    /// Below 127.in-addr.arpa, and the reverse of ::1.
    LoopbackReverse,
    /// There is no such name anywhere.
    Nowhere,
}

impl Special {
    /// What it means; `None`: nothing special.
    pub fn of(name: &Name) -> Option<Self> {
        let below = |suffix: &[&str]| is_below(name, suffix);
        let is = |labels: &[&str]| name.iter().count() == labels.len() && below(labels);
        if below(&["localhost"]) || below(&["localhost", "localdomain"]) {
            Some(Self::Localhost)
        } else if is(&["_gateway"]) {
            Some(Self::Gateway)
        } else if is(&["_outbound"]) {
            Some(Self::Outbound)
        } else if is(&["_localdnsstub"]) {
            Some(Self::Stub)
        } else if is(&["_localdnsproxy"]) {
            Some(Self::Proxy)
        } else if below(&["arpa"]) {
            Self::of_reverse(name)
        // RFC 6761, 6.4; RFC 9476, 2.
        } else if below(&["invalid"]) || below(&["alt"]) {
            Some(Self::Nowhere)
        } else {
            None
        }
    }

    fn of_reverse(name: &Name) -> Option<Self> {
        let below = |suffix: &[&str]| is_below(name, suffix);
        // RFC 6303, 4.2: 0.0.0.0/8, and 255.255.255.255 as a whole name.
        if below(&["127", "in-addr", "arpa"]) {
            Some(Self::LoopbackReverse)
        } else if below(&["0", "in-addr", "arpa"])
            || below(&["255", "255", "255", "255", "in-addr", "arpa"])
        {
            Some(Self::Nowhere)
        } else {
            of_reverse_v6(name)
        }
    }
}

/// RFC 6303, 4.3 and 4.4: `::` and `::1`.
fn of_reverse_v6(name: &Name) -> Option<Special> {
    /// 32 nibbles, `ip6`, `arpa`.
    const LABELS: usize = 34;
    if name.iter().count() != LABELS || !is_below(name, &["ip6", "arpa"]) {
        return None;
    }
    let mut nibbles = name.iter().take(LABELS - 2);
    let first = nibbles.next()?;
    if !nibbles.all(|nibble| nibble == b"0") {
        return None;
    }
    match first {
        b"0" => Some(Special::Nowhere),
        b"1" => Some(Special::LoopbackReverse),
        _ => None,
    }
}

/// Whether a name ends in these labels, in any case of letters. Allocates nothing: it is asked for every lookup.
fn is_below(name: &Name, suffix: &[&str]) -> bool {
    let mut labels = name.iter().rev();
    suffix.iter().rev().all(|wanted| {
        labels
            .next()
            .is_some_and(|label| label.eq_ignore_ascii_case(wanted.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::parse;

    #[test]
    fn meanings() {
        use Special::*;
        for (text, meaning) in [
            ("localhost", Some(Localhost)),
            ("a.b.LOCALHOST", Some(Localhost)),
            ("x.localhost.localdomain", Some(Localhost)),
            ("localdomain", None),
            ("notlocalhost", None),
            ("localhost.example", None),
            ("_gateway", Some(Gateway)),
            ("_Outbound", Some(Outbound)),
            ("a._gateway", None),
            ("gateway", None),
            ("_localdnsstub", Some(Stub)),
            ("_localdnsproxy", Some(Proxy)),
            ("1.0.0.127.in-addr.arpa", Some(LoopbackReverse)),
            ("127.in-addr.arpa", Some(LoopbackReverse)),
            ("1.127.10.in-addr.arpa", None),
            ("3.2.1.0.in-addr.arpa", Some(Nowhere)),
            ("255.255.255.255.in-addr.arpa", Some(Nowhere)),
            ("255.255.255.in-addr.arpa", None),
            ("x.invalid", Some(Nowhere)),
            ("alt", Some(Nowhere)),
            ("example.com", None),
            ("", None),
        ] {
            assert_eq!(Special::of(&parse(text).unwrap()), meaning, "{text}");
        }
    }

    #[test]
    fn reverse_of_ipv6() {
        let of = |text: &str| Special::of(&Name::from(text.parse::<std::net::IpAddr>().unwrap()));
        assert_eq!(of("::1"), Some(Special::LoopbackReverse));
        assert_eq!(of("::"), Some(Special::Nowhere));
        assert_eq!(of("::2"), None);
        assert_eq!(of("1::1"), None);
    }
}
