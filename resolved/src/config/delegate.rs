//! dns-delegate.d/*.dns-delegate: servers for some domains, systemd.dns-delegate(5).

use super::{
    Delegate, Sources,
    setting::{self, Setting},
    unit, values,
    wrong::Wrong,
};

const SECTION: &str = "Delegate";
/// systemd's own limit.
const MOST: usize = 4096;

/// Reads all of them.
pub(super) fn read(sources: &Sources, wrong: &mut Wrong) -> Vec<Delegate> {
    let mut delegates = Vec::new();
    for unit in unit::list(sources, "systemd/dns-delegate.d", ".dns-delegate", wrong) {
        if delegates.len() == MOST {
            wrong.file(
                &unit.path,
                format!("one more than {MOST} delegates; it is skipped"),
            );
            break;
        }
        let mut delegate = Delegate {
            id: unit.id,
            servers: Vec::new(),
            domains: Vec::new(),
            default_route: false,
            firewall_mark: 0,
        };
        for path in &unit.files {
            setting::each(path, SECTION, sources, wrong, |setting| {
                apply(setting, &mut delegate)
            });
        }
        if delegate.servers.is_empty() {
            wrong.file(
                &unit.path,
                "no DNS= is right: names that are delegated here are not found",
            );
        }
        delegates.push(delegate);
    }
    delegates
}

fn apply(setting: &mut Setting<'_>, delegate: &mut Delegate) {
    match setting.key() {
        "DNS" => setting.servers(&mut delegate.servers),
        "Domains" => setting.domains(&mut delegate.domains),
        "DefaultRoute" => setting.boolean(&mut delegate.default_route),
        "FirewallMark" => setting.put(
            &mut delegate.firewall_mark,
            values::number,
            "a number of 32 bits, decimal or with 0x",
        ),
        _ => setting.unknown(SECTION),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{domain, server, testing::Tree};

    #[test]
    fn delegates() {
        let tree = Tree::new();
        let dir = "systemd/dns-delegate.d";
        tree.write(
            "lib",
            &format!("{dir}/vpn.dns-delegate"),
            "[Delegate]\nDNS=192.0.2.1\nDomains=corp.example ~b.example\nDefaultRoute=yes\nFirewallMark=0x1a\n",
        );
        tree.write(
            "etc",
            &format!("{dir}/vpn.dns-delegate.d/x.conf"),
            "[Delegate]\nDNS=192.0.2.2\nColour=red\n",
        );
        tree.write("etc", &format!("{dir}/empty.dns-delegate"), "");
        tree.write(
            "etc",
            &format!("{dir}/a.dns-delegate"),
            "[Delegate]\nDomains=a.example\n",
        );
        let mut wrong = Wrong::default();
        let delegates = read(&tree.sources, &mut wrong);
        assert_eq!(delegates.len(), 2);
        assert_eq!(delegates[0].id, "a");
        let vpn = &delegates[1];
        assert_eq!(vpn.id, "vpn");
        let servers: Vec<_> = vpn.servers.iter().map(server::format).collect();
        assert_eq!(servers, ["192.0.2.1", "192.0.2.2"]);
        let domains: Vec<_> = vpn.domains.iter().map(domain::format).collect();
        assert_eq!(domains, ["corp.example", "~b.example"]);
        assert!(vpn.default_route);
        assert_eq!(vpn.firewall_mark, 26);
        let wrong = wrong.into_list();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].path.ends_with("a.dns-delegate") && wrong[0].line == 0);
        assert!(wrong[1].path.ends_with("x.conf") && wrong[1].line == 3);
    }
}
