//! Which interface is meant: `INTERFACE`, or `INTERFACE.PROTOCOL` of those who register it more than once.

use std::io;

use rtnetlink::{Dump, Event, Link, Questions};

/// An interface.
#[derive(Debug, PartialEq, Eq)]
pub struct Interface {
    pub index: u32,
    /// The one that was found.
    pub name: String,
    /// What stood around it, and means nothing to the resolver.
    pub dropped: Option<String>,
}

/// Finds it; `None` if there is none. A number is an index, which the resolver may know or not.
pub fn find(text: &str) -> io::Result<Option<Interface>> {
    if let Some(index) = text
        .parse()
        .ok()
        .filter(|index| (1..=i32::MAX.unsigned_abs()).contains(index))
    {
        return Ok(Some(Interface {
            index,
            name: text.to_owned(),
            dropped: None,
        }));
    }
    let link = |event: Event| match event {
        Event::Link(link) => Some(link),
        _ => None,
    };
    let links = Questions::open()?.ask(Dump::Links, link)?.items;
    Ok(find_among(text, &links))
}

/// The name as a whole first: that of a VLAN has a dot. Then without what is behind a dot, the last one first; then without what is
/// before the first: where Debian's resolvconf left its interface-order, wg-quick writes `tun.wg0`.
fn find_among(text: &str, links: &[Link]) -> Option<Interface> {
    let shorter = text.rmatch_indices('.').map(|(at, _)| text.split_at(at));
    let behind = text.match_indices('.').take(1).map(|(at, dot)| {
        let (before, name) = text.split_at(at + dot.len());
        (name, before)
    });
    let mut candidates = [(text, "")].into_iter().chain(shorter).chain(behind);
    candidates.find_map(|(name, dropped)| {
        let index = index_of(name, links)?;
        Some(Interface {
            index,
            name: name.to_owned(),
            dropped: (!dropped.is_empty()).then(|| dropped.to_owned()),
        })
    })
}

fn index_of(name: &str, links: &[Link]) -> Option<u32> {
    let is_named = |link: &&Link| {
        let mut others = link.alternative_names.iter().flatten();
        link.name.as_deref() == Some(name) || others.any(|other| other == name)
    };
    links.iter().find(is_named).map(|link| link.index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_what_is_around_them() {
        let link = |index, name: &str, others: &[&str]| Link {
            index,
            name: Some(name.to_owned()),
            alternative_names: Some(others.iter().map(|other| (*other).to_owned()).collect()),
            ..Link::default()
        };
        let links = [
            link(5, "eth9", &["enp9s0"]),
            link(7, "eth0.100", &[]),
            link(8, "eth0", &[]),
        ];
        let read = |text: &str| {
            find_among(text, &links).map(|found| (found.index, found.dropped.unwrap_or_default()))
        };
        let is = |index, dropped: &str| Some((index, dropped.to_owned()));
        assert_eq!(read("eth9"), is(5, ""));
        assert_eq!(read("enp9s0"), is(5, ""));
        assert_eq!(read("eth9.dhcp"), is(5, ".dhcp"));
        assert_eq!(read("eth9.a.b"), is(5, ".a.b"));
        assert_eq!(read("eth0.100"), is(7, ""));
        assert_eq!(read("eth0.100.inet"), is(7, ".inet"));
        assert_eq!(read("eth0.200"), is(8, ".200"));
        assert_eq!(read("tun.eth9"), is(5, "tun."));
        for missing in ["", ".", "eth", "eth1.eth", "../eth9x"] {
            assert_eq!(read(missing), None, "{missing}");
        }
    }

    #[test]
    fn by_number_and_by_the_kernel() {
        assert_eq!(find("99").unwrap().unwrap().index, 99);
        assert_eq!(find("lo.dhcp").unwrap().unwrap().index, 1);
        assert_eq!(find("no-such-link").unwrap(), None);
    }
}
