//! The files that /etc/resolv.conf may lead to.

use std::{
    fmt::Write as _,
    fs::{self, File, Permissions},
    io::{self, Write as _},
    net::IpAddr,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use hickory_proto::rr::Name;

use super::{STUB, UPLINK};
use crate::{
    name,
    server::{DnsServer, Transport},
};

/// What they say.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Those of the machine and of its default links, the first goes first. What this file can't say of a server leaves it
    /// out: another port, encryption.
    pub servers: &'a [DnsServer],
    /// Search domains.
    pub domains: &'a [Name],
    /// The stub listens; otherwise its file leads to the servers themselves.
    pub stub: bool,
}

/// How many servers the C library takes (MAXNS of resolv.h).
const MOST_SERVERS: usize = 3;

/// By the words "systemd-resolved" in a comment other programs, such as Tailscale, know whom to ask instead of writing here.
const ABOUT: &str = "\
# Written by Switchyard's resolved in place of systemd-resolved(8): what is changed here does not last.
#
# Programs read this by the symbolic link /etc/resolv.conf. Make that a file, or let it lead elsewhere, to
# have another resolv.conf(5). See switchyard-resolved(8).
#
";

/// Writes both files into `dir`, each if it is to say something else than it does. Whether one was.
///
/// They appear whole or not at all, readable for everyone.
///
/// # Errors
/// If one can't be written; the one before stays.
pub fn write(dir: &Path, view: &View<'_>) -> io::Result<bool> {
    let uplink = replace(dir, UPLINK, &uplink(view))?;
    let stub = if view.stub {
        replace(dir, STUB, &stub(view))?
    } else {
        link(dir)?
    };
    Ok(uplink || stub)
}

fn uplink(view: &View<'_>) -> String {
    let mut text = format!("{ABOUT}# Here are the servers themselves, and all search domains.\n\n");
    let mut count = 0;
    let mut seen = Vec::new();
    for address in view.servers.iter().filter_map(address) {
        if seen.contains(&address) {
            continue;
        }
        if count == MOST_SERVERS {
            text.push_str("# The C library takes no more than the servers above.\n");
        }
        count += 1;
        // Writing to a String can't fail.
        let _ = writeln!(text, "nameserver {address}");
        seen.push(address);
    }
    if count == 0 {
        text.push_str("# No DNS servers known.\n");
    }
    text + &search(view.domains)
}

/// A server as this file can say it: plain DNS on the usual port, the link only where the address needs one.
fn address(server: &DnsServer) -> Option<String> {
    let is_plain = matches!(server.transport, Transport::Default | Transport::Plain);
    if !is_plain || !matches!(server.port, 0 | 53) {
        return None;
    }
    Some(match server.address {
        IpAddr::V6(address) if address.is_unicast_link_local() && server.ifindex != 0 => {
            format!("{address}%{}", server.ifindex)
        }
        address => address.to_string(),
    })
}

fn stub(view: &View<'_>) -> String {
    format!(
        "{ABOUT}# Here are the stub resolver and all search domains; \"resolvectl status\" shows the servers.\n\n\
         nameserver 127.0.0.53\noptions edns0 trust-ad\n{}",
        search(view.domains)
    )
}

/// Without a line the C library would search the domain of the machine's own name; `.` stops that.
fn search(domains: &[Name]) -> String {
    let mut text = "search".to_owned();
    let mut seen: Vec<&Name> = Vec::new();
    for domain in domains {
        if !seen.contains(&domain) {
            seen.push(domain);
            text.push(' ');
            text.push_str(&name::format(domain));
        }
    }
    if seen.is_empty() {
        text.push_str(" .");
    }
    text.push('\n');
    text
}

/// Whether the file said something else.
fn replace(dir: &Path, name: &str, content: &str) -> io::Result<bool> {
    let path = dir.join(name);
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    if is_file && fs::read(&path).is_ok_and(|known| known == content.as_bytes()) {
        return Ok(false);
    }
    put(dir, name, |new| {
        let mut file = File::create_new(new)?;
        // Whatever the umask is.
        file.set_permissions(Permissions::from_mode(0o644))?;
        file.write_all(content.as_bytes())
    })
}

/// Whether the stub's file led elsewhere.
fn link(dir: &Path) -> io::Result<bool> {
    if fs::read_link(dir.join(STUB)).is_ok_and(|target| target == Path::new(UPLINK)) {
        return Ok(false);
    }
    put(dir, STUB, |new| symlink(UPLINK, new))
}

/// Puts what `make` makes into the place of a file at once.
fn put(dir: &Path, name: &str, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<bool> {
    let new = dir.join(format!(".{name}.new"));
    // Left there by one that was killed in between.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    make(&new)?;
    fs::rename(&new, dir.join(name))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::server;

    fn said(text: &str) -> Vec<&str> {
        let lines = text.lines();
        lines
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .collect()
    }

    fn servers(texts: &[&str]) -> Vec<DnsServer> {
        let servers = texts.iter();
        servers
            .map(|text| server::parse(text, &|_| None).unwrap())
            .collect()
    }

    #[test]
    fn what_resolv_conf_can_say_of_servers() {
        let servers = servers(&[
            "192.0.2.1%3#dns.example",
            "192.0.2.2:54",
            "udp://192.0.2.3",
            "tls://192.0.2.4",
            "https://192.0.2.5",
            "fe80::1%3",
            "192.0.2.6",
            "192.0.2.6%4",
            "192.0.2.7",
        ]);
        let view = View {
            servers: &servers,
            domains: &[],
            stub: true,
        };
        let text = uplink(&view);
        let expected = [
            "nameserver 192.0.2.1",
            "nameserver 192.0.2.3",
            "nameserver fe80::1%3",
            "nameserver 192.0.2.6",
            "nameserver 192.0.2.7",
            "search .",
        ];
        assert_eq!(said(&text), expected);
        let third = text.find("fe80").unwrap();
        let warning = text.find("takes no more").unwrap();
        assert!(third < warning && warning < text.find("192.0.2.6").unwrap());
    }

    #[test]
    fn no_server_is_said_too() {
        let view = View {
            servers: &[],
            domains: &[],
            stub: true,
        };
        assert!(uplink(&view).contains("\n# No DNS servers known.\nsearch .\n"));
    }

    #[test]
    fn the_stub_and_the_domains() {
        let domains: Vec<Name> = ["a.example", "b", "A.example"]
            .iter()
            .map(|text| name::parse(text).unwrap())
            .collect();
        let view = View {
            servers: &[],
            domains: &domains,
            stub: true,
        };
        let text = stub(&view);
        let expected = [
            "nameserver 127.0.0.53",
            "options edns0 trust-ad",
            "search a.example b",
        ];
        assert_eq!(said(&text), expected);
        assert!(text.starts_with('#') && text.contains("systemd-resolved"));
    }

    #[test]
    fn files_change_only_when_they_have_to() {
        let dir = tempfile::tempdir().unwrap();
        let list = servers(&["192.0.2.1"]);
        let mut view = View {
            servers: &list,
            domains: &[],
            stub: true,
        };
        assert!(write(dir.path(), &view).unwrap());
        assert!(!write(dir.path(), &view).unwrap());
        for name in [UPLINK, STUB] {
            let found = fs::symlink_metadata(dir.path().join(name)).unwrap();
            assert!(found.is_file());
            assert_eq!(found.permissions().mode() & 0o7777, 0o644);
        }
        view.servers = &[];
        assert!(write(dir.path(), &view).unwrap());
        view.stub = false;
        assert!(write(dir.path(), &view).unwrap());
        assert!(!write(dir.path(), &view).unwrap());
        assert_eq!(
            fs::read_link(dir.path().join(STUB)).unwrap(),
            Path::new(UPLINK)
        );
        view.stub = true;
        assert!(write(dir.path(), &view).unwrap());
        assert!(dir.path().join(STUB).symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_a_killed_one_left_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".resolv.conf.new"), "half").unwrap();
        let view = View {
            servers: &[],
            domains: &[],
            stub: true,
        };
        assert!(write(dir.path(), &view).unwrap());
        let text = fs::read_to_string(dir.path().join(UPLINK)).unwrap();
        assert!(text.ends_with("search .\n"));
    }
}
