//! Which scopes are asked for a name.
//!
//! The scope with the longest matching domain is asked; several that match equally are asked at once. Where none matches,
//! those that take everything are. See "Protocols and Routing" in systemd-resolved.service(8).

use hickory_proto::rr::{Name, RecordType};

use crate::{flags::Flags, local::stays_here, message::Question, name, server::Domain};

/// A scope: what is asked for a name by one protocol, and what of the cache belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeId {
    /// The machine's DNS servers.
    Global,
    /// A link's DNS servers.
    Link(u32),
    /// A delegate's DNS servers; its place in [`crate::config::Config::delegates`].
    Delegate(u32),
    /// LLMNR on a link.
    Llmnr(u32, Family),
    /// mDNS on a link.
    Mdns(u32, Family),
}

impl ScopeId {
    /// The link it belongs to; 0: none.
    #[must_use]
    pub const fn ifindex(self) -> u32 {
        match self {
            Self::Global | Self::Delegate(_) => 0,
            Self::Link(ifindex) | Self::Llmnr(ifindex, _) | Self::Mdns(ifindex, _) => ifindex,
        }
    }

    /// Its protocol's bit.
    #[must_use]
    pub const fn protocol(self) -> Flags {
        match self {
            Self::Global | Self::Link(_) | Self::Delegate(_) => Flags::DNS,
            Self::Llmnr(_, Family::V4) => Flags::LLMNR_IPV4,
            Self::Llmnr(_, Family::V6) => Flags::LLMNR_IPV6,
            Self::Mdns(_, Family::V4) => Flags::MDNS_IPV4,
            Self::Mdns(_, Family::V6) => Flags::MDNS_IPV6,
        }
    }
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// AF_INET.
    V4,
    /// AF_INET6.
    V6,
}

/// A scope that could be asked.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Which.
    pub id: ScopeId,
    /// Of unicast scopes.
    pub domains: &'a [Domain],
    /// A unicast scope that takes what no domain matches.
    pub default_route: bool,
}

/// How well a scope suits a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    No,
    /// If none suits better.
    Maybe,
    /// One of its domains matches, of this many labels.
    Domain(u8),
}

/// The scopes to be asked. None: nobody could know.
///
/// `single_label`: unicast DNS may be asked for the addresses of a single label.
#[must_use]
pub fn route(
    question: &Question,
    flags: Flags,
    ifindex: u32,
    single_label: bool,
    candidates: &[Candidate<'_>],
) -> Vec<ScopeId> {
    if stays_here(&question.name) {
        return Vec::new();
    }
    let suits = |candidate: &Candidate<'_>| {
        if !flags.intersects(candidate.id.protocol())
            || (ifindex != 0 && candidate.id.ifindex() != ifindex)
        {
            return Match::No;
        }
        match candidate.id {
            ScopeId::Global | ScopeId::Link(_) | ScopeId::Delegate(_) => {
                unicast(question, single_label, candidate)
            }
            ScopeId::Llmnr(_, family) => llmnr(question, family),
            ScopeId::Mdns(_, family) => mdns(question, family),
        }
    };
    let matches: Vec<_> = candidates
        .iter()
        .map(|candidate| (suits(candidate), candidate.id))
        .collect();
    let Some(best) = matches.iter().map(|(suits, _)| *suits).max() else {
        return Vec::new();
    };
    matches
        .into_iter()
        .filter(|(suits, _)| *suits == best && best != Match::No)
        .map(|(_, id)| id)
        .collect()
}

/// Single labels, and the root, do not leave the machine's own network: their addresses are LLMNR's, or the search
/// domains'. Other records of them are those of the root and of top-level domains.
fn is_unicast(question: &Question, single_label: bool) -> bool {
    let address = matches!(question.rtype, RecordType::A | RecordType::AAAA);
    match question.name.num_labels_with_wildcard() {
        0 => !address,
        1 => !address || single_label,
        _ => true,
    }
}

fn unicast(question: &Question, single_label: bool, candidate: &Candidate<'_>) -> Match {
    if !is_unicast(question, single_label) {
        return Match::No;
    }
    let domain = candidate
        .domains
        .iter()
        .filter(|domain| name::is_below(&question.name, &domain.name))
        .map(|domain| domain.name.num_labels())
        .max();
    match domain {
        Some(labels) => Match::Domain(labels),
        None if !candidate.default_route || is_multicast_only(&question.name) => Match::No,
        None => Match::Maybe,
    }
}

/// RFC 4795, 2: a single label, and addresses. Only those of a link's neighbours are then asked there.
fn llmnr(question: &Question, family: Family) -> Match {
    let suits = match family_of(question.rtype) {
        Some(of_type) => of_type == family,
        None => true,
    };
    let name = &question.name;
    let local = name.num_labels_with_wildcard() == 1 && !name::is_below(name, &parse("local"))
        || reverse(name) == Some(family);
    if suits && local {
        Match::Maybe
    } else {
        Match::No
    }
}

/// RFC 6762, 3 and 4: all below `local`, and addresses. Only those of a link's neighbours are then asked there.
fn mdns(question: &Question, family: Family) -> Match {
    let suits = family_of(question.rtype).is_none_or(|of_type| of_type == family);
    let name = &question.name;
    let local = parse("local");
    if suits && name.num_labels_with_wildcard() > 1 && name::is_below(name, &local) {
        Match::Domain(1)
    } else if reverse(name) == Some(family) {
        Match::Maybe
    } else {
        Match::No
    }
}

/// Addresses of a family are asked by that family alone.
const fn family_of(rtype: RecordType) -> Option<Family> {
    match rtype {
        RecordType::A => Some(Family::V4),
        RecordType::AAAA => Some(Family::V6),
        _ => None,
    }
}

fn is_multicast_only(name: &Name) -> bool {
    name.num_labels_with_wildcard() > 1 && name::is_below(name, &parse("local"))
        || link_local_reverse(name).is_some()
}

/// Addresses as names.
fn reverse(name: &Name) -> Option<Family> {
    if name::is_below(name, &parse("in-addr.arpa")) {
        Some(Family::V4)
    } else if name::is_below(name, &parse("ip6.arpa")) {
        Some(Family::V6)
    } else {
        None
    }
}

/// 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291) as names.
fn link_local_reverse(name: &Name) -> Option<Family> {
    const V6: [&str; 4] = [
        "8.e.f.ip6.arpa",
        "9.e.f.ip6.arpa",
        "a.e.f.ip6.arpa",
        "b.e.f.ip6.arpa",
    ];
    if name::is_below(name, &parse("254.169.in-addr.arpa")) {
        Some(Family::V4)
    } else if V6.iter().any(|zone| name::is_below(name, &parse(zone))) {
        Some(Family::V6)
    } else {
        None
    }
}

/// A name written here.
fn parse(text: &str) -> Name {
    name::parse(text).unwrap_or_default()
}

/// Counts a wildcard label too: [`Name::num_labels`] does not.
trait LabelCount {
    fn num_labels_with_wildcard(&self) -> usize;
}

impl LabelCount for Name {
    fn num_labels_with_wildcard(&self) -> usize {
        self.iter().len()
    }
}

/// A single label that search domains are appended to.
#[must_use]
pub fn wants_search(question: &Name, flags: Flags) -> bool {
    question.num_labels_with_wildcard() == 1 && !flags.contains(Flags::NO_SEARCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains(words: &[&str]) -> Vec<Domain> {
        words
            .iter()
            .map(|word| Domain {
                name: parse(word.trim_start_matches('~')),
                route_only: word.starts_with('~'),
            })
            .collect()
    }

    /// A global scope and two links: 2 a VPN with domains, 3 a link that takes everything, with LLMNR and mDNS.
    fn ask(text: &str, rtype: RecordType, vpn: &[&str]) -> Vec<ScopeId> {
        let vpn = domains(vpn);
        let unicast = |id, domains, default_route| Candidate {
            id,
            domains,
            default_route,
        };
        let candidates = [
            unicast(ScopeId::Global, &[], true),
            unicast(ScopeId::Link(2), &vpn, false),
            unicast(ScopeId::Link(3), &[], true),
            unicast(ScopeId::Llmnr(3, Family::V4), &[], false),
            unicast(ScopeId::Llmnr(3, Family::V6), &[], false),
            unicast(ScopeId::Mdns(3, Family::V4), &[], false),
        ];
        let question = Question::new(parse(text), rtype);
        route(&question, Flags::PROTOCOLS, 0, false, &candidates)
    }

    #[test]
    fn the_longest_domain_wins() {
        let vpn = ["~corp.example", "example"];
        assert_eq!(
            ask("a.corp.example", RecordType::A, &vpn),
            [ScopeId::Link(2)]
        );
        assert_eq!(ask("a.example", RecordType::A, &vpn), [ScopeId::Link(2)]);
        let default = [ScopeId::Global, ScopeId::Link(3)];
        assert_eq!(ask("a.test", RecordType::A, &vpn), default);
        assert_eq!(ask("a.test", RecordType::A, &["~."]), [ScopeId::Link(2)]);
    }

    #[test]
    fn single_labels_stay_on_the_link() {
        let v4 = [ScopeId::Llmnr(3, Family::V4)];
        let v6 = [ScopeId::Llmnr(3, Family::V6)];
        assert_eq!(ask("printer", RecordType::A, &[]), v4);
        assert_eq!(ask("printer", RecordType::AAAA, &["~."]), v6);
        assert!(ask("com", RecordType::DS, &[]).contains(&ScopeId::Global));
        assert!(ask(".", RecordType::DNSKEY, &[]).contains(&ScopeId::Global));
        assert!(ask(".", RecordType::A, &[]).is_empty());
    }

    #[test]
    fn what_is_multicast() {
        let mdns = [ScopeId::Mdns(3, Family::V4)];
        assert_eq!(ask("printer.local", RecordType::A, &[]), mdns);
        assert_eq!(
            ask("a.corp.local", RecordType::A, &["~corp.local"]),
            [ScopeId::Link(2)]
        );
        let link_local = ask("1.0.254.169.in-addr.arpa", RecordType::PTR, &[]);
        assert_eq!(
            link_local,
            [ScopeId::Llmnr(3, Family::V4), ScopeId::Mdns(3, Family::V4)]
        );
        // A neighbour's address may be known to servers as well.
        let neighbour = ask("1.0.168.192.in-addr.arpa", RecordType::PTR, &[]);
        let servers = neighbour.contains(&ScopeId::Link(3));
        assert!(servers && link_local.iter().all(|id| neighbour.contains(id)));
    }
}
