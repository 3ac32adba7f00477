//! What calls told links, kept over a restart: a file for each link, in the format of systemd's resolved.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, ErrorKind, Write},
    net::IpAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use super::{LinkSettings, Network, words};
use crate::{
    config::{domain, server},
    server::DnsServer,
};

/// As systemd begins such files.
const HEADER: &str = "# This is private data. Do not parse.\n";
/// A file with 256 servers and 1,024 domains is shorter. One that is not is no file of ours.
const LONGEST: u64 = 512 * 1024;

/// Saves what a link was told, all or nothing. Nothing that is worth saving removes the file.
///
/// # Errors
/// Of the system.
pub fn save(dir: &Path, ifindex: u32, settings: &LinkSettings) -> io::Result<()> {
    if settings.managed || *settings == LinkSettings::default() {
        return remove(dir, ifindex);
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let temporary = dir.join(format!(".#{ifindex}"));
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o644)
            .open(&temporary)?;
        file.write_all(format(settings).as_bytes())?;
        fs::rename(&temporary, dir.join(ifindex.to_string()))
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// Removes what was saved of a link, if anything was.
///
/// # Errors
/// Of the system.
pub fn remove(dir: &Path, ifindex: u32) -> io::Result<()> {
    match fs::remove_file(dir.join(ifindex.to_string())) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What was saved of a link; `None` if nothing was.
///
/// # Errors
/// Of the system; [`ErrorKind::InvalidData`] and what is wrong, if the file can't be made sense of.
pub fn load(dir: &Path, ifindex: u32) -> io::Result<Option<LinkSettings>> {
    let file = match fs::File::open(dir.join(ifindex.to_string())) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() > LONGEST {
        return Err(io::Error::new(ErrorKind::InvalidData, "too long"));
    }
    let text = io::read_to_string(io::Read::take(file, LONGEST))?;
    let settings =
        parse(&text, ifindex).map_err(|wrong| io::Error::new(ErrorKind::InvalidData, wrong))?;
    Ok(Some(settings))
}

/// What was saved of the links that there are, at the start of the daemon.
///
/// Files of links that are gone are removed. One that can't be read is reported, and renamed to `IFINDEX.broken`.
#[must_use]
pub fn restore(dir: &Path, network: &Network) -> BTreeMap<u32, LinkSettings> {
    let mut restored = BTreeMap::new();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                tracing::warn!("Failed to read {}: {error}", dir.display());
            }
            return restored;
        }
    };
    for name in entries.flatten().map(|entry| entry.file_name()) {
        let Some(ifindex) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if !network.links.contains_key(&ifindex) {
            report(
                dir,
                ifindex,
                "remove what was saved of",
                remove(dir, ifindex),
            );
            continue;
        }
        match load(dir, ifindex) {
            Ok(settings) => restored.extend(settings.map(|settings| (ifindex, settings))),
            Err(error) => {
                report(dir, ifindex, "restore the settings of", Err(error));
                set_aside(dir, ifindex);
            }
        }
    }
    restored
}

fn set_aside(dir: &Path, ifindex: u32) {
    let from = dir.join(ifindex.to_string());
    let to = dir.join(format!("{ifindex}.broken"));
    match fs::rename(&from, &to) {
        Ok(()) => tracing::warn!("It is kept as {} to be looked at", to.display()),
        Err(error) => tracing::warn!("Failed to rename {}: {error}", from.display()),
    }
}

fn report(dir: &Path, ifindex: u32, what: &str, result: io::Result<()>) {
    if let Err(error) = result {
        let path = dir.join(ifindex.to_string());
        tracing::warn!(
            "Failed to {what} link {ifindex} ({}): {error}",
            path.display()
        );
    }
}

fn format(settings: &LinkSettings) -> String {
    let mut file = HEADER.to_owned();
    let mut one =
        |key: &str, word: Option<&str>| env_file::push(&mut file, key, word.unwrap_or_default());
    one("LLMNR", settings.llmnr.map(|mode| mode.as_str()));
    one("MDNS", settings.mdns.map(|mode| mode.as_str()));
    one("DNSSEC", settings.dnssec.map(|mode| mode.as_str()));
    one(
        "DNSOVERTLS",
        settings.dns_over_tls.map(|mode| mode.as_str()),
    );
    one(
        "DEFAULT_ROUTE",
        settings
            .default_route
            .map(|yes| if yes { "yes" } else { "no" }),
    );
    let servers: Vec<_> = settings.servers.iter().map(server_text).collect();
    one("SERVERS", Some(&servers.join(" ")));
    let domains: Vec<_> = settings.domains.iter().map(domain::format).collect();
    one("DOMAINS", Some(&domains.join(" ")));
    let names: Vec<_> = settings
        .negative_trust_anchors
        .iter()
        .map(crate::name::format)
        .collect();
    one("NTAS", Some(&names.join(" ")));
    file
}

/// The file's name says which link it is; a link-local address is none without it (RFC 4007), so systemd writes it there.
fn server_text(server: &DnsServer) -> String {
    let is_link_local = match server.address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    if is_link_local {
        return server::format(server);
    }
    server::format(&DnsServer {
        ifindex: 0,
        ..server.clone()
    })
}

fn parse(text: &str, ifindex: u32) -> Result<LinkSettings, String> {
    let mut settings = LinkSettings::default();
    for (key, value) in env_file::parse(text) {
        let wrong = || format!("{key}={value:?} means nothing");
        match key {
            "LLMNR" => settings.llmnr = Some(value.parse().map_err(|_| wrong())?),
            "MDNS" => settings.mdns = Some(value.parse().map_err(|_| wrong())?),
            "DNSSEC" => settings.dnssec = Some(value.parse().map_err(|_| wrong())?),
            "DNSOVERTLS" => settings.dns_over_tls = Some(value.parse().map_err(|_| wrong())?),
            "DEFAULT_ROUTE" => {
                settings.default_route =
                    Some(crate::mode::parse_boolean(&value).ok_or_else(wrong)?);
            }
            "SERVERS" => {
                settings.servers = words::all(&value, |word| words::server(word, ifindex))?
            }
            "DOMAINS" => settings.domains = words::all(&value, domain::parse)?,
            "NTAS" => settings.negative_trust_anchors = words::all(&value, words::name)?,
            // A later release's.
            _ => {}
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        links::Link,
        mode::{DnsOverTls, Dnssec, Multicast},
    };

    /// Written by systemd 252.
    const OF_SYSTEMD: &str = r"# This is private data. Do not parse.
LLMNR=resolve
MDNS=yes
DNSSEC=allow-downgrade
DNSOVERTLS=opportunistic
DEFAULT_ROUTE=no
SERVERS=10.9.9.2 10.9.9.3:5353 fd00::1 [fd00::2]:99#dns.example fe80::5%5 10.1.1.1#x.y
DOMAINS=a.example ~b.example ~.
NTAS=m.example n.example
";

    #[test]
    fn what_systemd_wrote() {
        let settings = parse(OF_SYSTEMD, 5).unwrap();
        assert_eq!(settings.llmnr, Some(Multicast::Resolve));
        assert_eq!(settings.mdns, Some(Multicast::Yes));
        assert_eq!(settings.dnssec, Some(Dnssec::AllowDowngrade));
        assert_eq!(settings.dns_over_tls, Some(DnsOverTls::Opportunistic));
        assert_eq!(settings.default_route, Some(false));
        assert_eq!(settings.servers.len(), 6);
        assert!(settings.servers.iter().all(|server| server.ifindex == 5));
        let domains: Vec<_> = settings.domains.iter().map(domain::format).collect();
        assert_eq!(domains, ["a.example", "~b.example", "~."]);
        assert_eq!(settings.negative_trust_anchors.len(), 2);
    }

    #[test]
    fn saved_and_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("netif");
        let mut settings = parse(OF_SYSTEMD, 5).unwrap();
        settings
            .domains
            .push(domain::parse(r"odd\.label.example").unwrap());
        assert_eq!(load(&dir, 5).unwrap(), None);
        save(&dir, 5, &settings).unwrap();
        assert_eq!(load(&dir, 5).unwrap(), Some(settings.clone()));
        let text = fs::read_to_string(dir.join("5")).unwrap();
        assert!(
            text.contains("fe80::5%5") && text.contains("[fd00::2]:99#dns"),
            "{text}"
        );
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        // Nothing to be told is nothing to be saved.
        save(&dir, 5, &LinkSettings::default()).unwrap();
        assert_eq!(load(&dir, 5).unwrap(), None);
        remove(&dir, 5).unwrap();
    }

    #[test]
    fn broken_files_are_set_aside_and_stale_ones_removed() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        fs::write(dir.join("2"), "LLMNR=perhaps\n").unwrap();
        fs::write(dir.join("3"), "SERVERS=192.0.2.1%4\n").unwrap();
        fs::write(dir.join("4"), "MDNS=no\nLATER=x\n").unwrap();
        fs::write(dir.join("5"), "MDNS=no\n").unwrap();
        fs::write(dir.join("6"), [0xff, 0xfe]).unwrap();
        let links = [2, 3, 4, 6].map(|index| (index, Link::default()));
        let network = Network {
            links: links.into(),
            ..Network::default()
        };
        let restored = restore(dir, &network);
        assert_eq!(restored.keys().collect::<Vec<_>>(), [&4]);
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["2.broken", "3.broken", "4", "6.broken"]);
    }
}
