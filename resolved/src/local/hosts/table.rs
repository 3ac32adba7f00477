//! The content of a hosts file.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    rc::Rc,
};

/// Names that an address is known by: a file of blocked names may write thousands beside one address.
const MOST_NAMES: usize = 64;

/// Lines that are complained of in one file.
const MOST_COMPLAINTS: usize = 16;

/// What the file has, both ways.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// By the name in lower case.
    hosts: HashMap<Box<str>, Host>,
    /// In the file's order: the first is canonical.
    names: HashMap<IpAddr, Vec<Rc<str>>>,
    /// Names beside 0.0.0.0 or `::` in lower case: there are no such hosts.
    blocked: HashSet<Box<str>>,
}

/// A name that the file has.
#[derive(Debug)]
pub(super) struct Host {
    /// As written.
    pub name: Rc<str>,
    /// In the file's order, each once.
    pub addresses: Vec<IpAddr>,
}

impl Table {
    /// Reads the text of the file; tells of each line that is wrong by its number.
    pub fn parse(text: &[u8], mut complain: impl FnMut(usize, &str)) -> Self {
        let mut table = Self::default();
        let mut complaints = 0;
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if let Err(what) = table.line(line) {
                complaints += 1;
                if complaints <= MOST_COMPLAINTS {
                    complain(index + 1, &what);
                }
            }
        }
        table.strip_localhost();
        table
    }

    /// A name, in lower case.
    pub fn host(&self, key: &str) -> Option<&Host> {
        self.hosts.get(key)
    }

    /// Whether the file says that there is no such host; a name in lower case.
    pub fn is_blocked(&self, key: &str) -> bool {
        self.blocked.contains(key)
    }

    /// The names of an address.
    pub fn names(&self, address: &IpAddr) -> &[Rc<str>] {
        self.names.get(address).map_or(&[], Vec::as_slice)
    }

    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        // Only comments may be in another encoding than UTF-8.
        let line = String::from_utf8_lossy(line);
        let mut fields = line.split_ascii_whitespace();
        let Some(address) = fields.next() else {
            return Ok(());
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| format!("{address:?} is no address"))?;
        let mut wrong = None;
        for name in fields {
            let name = name.strip_suffix('.').unwrap_or(name);
            if is_host_name(name) {
                self.add(address, name);
            } else {
                wrong.get_or_insert_with(|| format!("{name:?} is no host name"));
            }
        }
        wrong.map_or(Ok(()), Err)
    }

    fn add(&mut self, address: IpAddr, name: &str) {
        let key = name.to_ascii_lowercase().into_boxed_str();
        if address.is_unspecified() {
            self.blocked.insert(key);
            return;
        }
        let host = self.hosts.entry(key).or_insert_with(|| Host {
            name: name.into(),
            addresses: Vec::new(),
        });
        if host.addresses.contains(&address) {
            return;
        }
        host.addresses.push(address);
        let names = self.names.entry(address).or_default();
        if names.len() < MOST_NAMES {
            names.push(Rc::clone(&host.name));
        }
    }

    /// Forgets what says of the loopback no more than is known without the file, so that `localhost` is answered like the
    /// names below it: with the link, and for ::1 only where there is IPv6.
    fn strip_localhost(&mut self) {
        for address in [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ] {
            let names: Vec<_> = self
                .names(&address)
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect();
            let says_no_more = names
                .iter()
                .all(|name| is_localhost(name) && self.leads_to_loopback(name));
            if says_no_more && names.len() < MOST_NAMES {
                self.names.remove(&address);
                for name in names {
                    self.hosts.remove(name.as_str());
                }
            }
        }
    }

    fn leads_to_loopback(&self, key: &str) -> bool {
        let loopback = |address: &IpAddr| address.is_loopback();
        self.host(key)
            .is_none_or(|host| host.addresses.iter().all(loopback))
    }
}

fn is_localhost(key: &str) -> bool {
    let below = |zone: &str| {
        key.strip_suffix(zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    below("localhost") || below("localhost.localdomain")
}

/// Letters, digits and hyphens: RFC 952 with RFC 1123, 2.1.
fn is_host_name(name: &str) -> bool {
    /// Without the dot at the end. RFC 1035, 2.3.4
    const LONGEST: usize = 253;
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= LONGEST && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Table, Vec<usize>) {
        let mut wrong = Vec::new();
        let table = Table::parse(text.as_bytes(), |line, _| wrong.push(line));
        (table, wrong)
    }

    fn addresses(table: &Table, key: &str) -> Vec<String> {
        let host = table.host(key);
        host.map_or_else(Vec::new, |host| {
            host.addresses.iter().map(IpAddr::to_string).collect()
        })
    }

    #[test]
    fn lines() {
        let (table, wrong) = parse(
            "\n# comment\n192.0.2.1 Web.Example web # x\n\t2001:db8::1   web.example.  \r\n192.0.2\n\
             192.0.2.3 under_score ok -a b- c..d\n192.0.2.4\nfe80::1%eth0 zoned\n192.0.2.5 late\n",
        );
        assert_eq!(
            addresses(&table, "web.example"),
            ["192.0.2.1", "2001:db8::1"]
        );
        assert_eq!(addresses(&table, "web"), ["192.0.2.1"]);
        assert_eq!(addresses(&table, "ok"), ["192.0.2.3"]);
        assert_eq!(addresses(&table, "late"), ["192.0.2.5"]);
        assert!(table.host("under_score").is_none() && table.host("b-").is_none());
        assert_eq!(wrong, [5, 6, 8]);
        let names = table.names(&"192.0.2.1".parse().unwrap());
        assert_eq!(
            names.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
            ["Web.Example", "web"]
        );
    }

    #[test]
    fn other_encodings_do_no_harm() {
        let mut wrong = 0;
        let table = Table::parse(
            b"192.0.2.1 a # \xe9t\xe9\n\xff\xfe\n192.0.2.2 b\0c\n192.0.2.3 d",
            |_, _| wrong += 1,
        );
        assert!(table.host("a").is_some() && table.host("d").is_some());
        assert_eq!(wrong, 2);
    }

    #[test]
    fn blocked_names() {
        let (table, _) = parse("0.0.0.0 ads.example Other\n:: six\n0.0.0.0 both\n192.0.2.1 both\n");
        assert!(
            table.is_blocked("ads.example") && table.is_blocked("other") && table.is_blocked("six")
        );
        assert_eq!(addresses(&table, "both"), ["192.0.2.1"]);
    }

    #[test]
    fn localhost_is_left_to_synthesis_where_that_says_the_same() {
        let (table, _) = parse("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
        assert!(table.host("localhost").is_none());
        assert_eq!(addresses(&table, "ip6-localhost"), ["::1"]);
        assert_eq!(table.names(&"::1".parse().unwrap()).len(), 3);
        let (table, _) = parse("127.0.0.1 localhost web\n");
        assert_eq!(addresses(&table, "localhost"), ["127.0.0.1"]);
        let (table, _) = parse("127.0.0.1 localhost\n192.0.2.1 localhost\n");
        assert_eq!(addresses(&table, "localhost"), ["127.0.0.1", "192.0.2.1"]);
    }

    /// Whatever the bytes: what can be looked up is a name or an address of the file.
    #[test]
    fn noise_does_no_harm() {
        let words: [&[u8]; 12] = [
            b"192.0.2.1",
            b"::1",
            b"0.0.0.0",
            b"localhost",
            b"a.b",
            b"#",
            b"\n",
            b" ",
            b"\t",
            b"\0",
            b"\xff",
            b"..",
        ];
        let mut seed = 1_u32;
        for _ in 0..2000 {
            let mut text = Vec::new();
            for _ in 0..64 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.extend_from_slice(words[(seed >> 16) as usize % words.len()]);
            }
            let table = Table::parse(&text, |_, _| ());
            assert!(table.hosts.keys().all(|name| is_host_name(name)));
            assert!(table.hosts.values().all(|host| !host.addresses.is_empty()));
            assert!(table.names.values().all(|names| !names.is_empty()));
        }
    }

    #[test]
    fn a_hundred_thousand_names_of_one_address() {
        let mut text = String::new();
        for index in 0..100_000 {
            text.push_str(&format!("127.0.0.1 host{index}.example\n"));
        }
        let (table, wrong) = parse(&text);
        assert!(wrong.is_empty());
        assert_eq!(addresses(&table, "host99999.example"), ["127.0.0.1"]);
        assert_eq!(table.names(&Ipv4Addr::LOCALHOST.into()).len(), MOST_NAMES);
    }
}
