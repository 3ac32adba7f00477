//! What the boot loader, the virtual machine monitor or the service manager set: the kernel's command line, credentials.

use std::path::Path;

use super::{
    Config, Sources, files, setting,
    sources::{Credential, SEARCH_DOMAINS},
    words::{self, Escapes},
    wrong::Wrong,
};

/// `network.dns` and `network.search_domains`: for a machine that nobody has configured yet.
pub(super) fn read_credentials(config: &mut Config, sources: &Sources, wrong: &mut Wrong) {
    if !config.read_resolv_conf {
        return;
    }
    for Credential { path, text } in &sources.credentials {
        let is_for_domains = path.ends_with(SEARCH_DOMAINS);
        for word in text.split_ascii_whitespace() {
            let added = if is_for_domains {
                setting::add_domain(&mut config.domains, word)
            } else {
                setting::add_server(&mut config.servers, word, sources.ifindex_of)
            };
            if let Err(message) = added {
                wrong.file(path, message);
            }
        }
        config.read_resolv_conf = false;
    }
}

/// `nameserver=` and `domain=` (dracut.cmdline(7)): whoever starts the machine has the last word.
pub(super) fn read_kernel_command_line(config: &mut Config, sources: &Sources, wrong: &mut Wrong) {
    let path: &Path = &sources.proc_cmdline;
    // A container may have no /proc.
    let Ok(bytes) = files::try_read(path) else {
        return;
    };
    let line: String = String::from_utf8_lossy(&bytes).replace('\0', " ");
    let words = match words::split(&line, Escapes::Character) {
        Ok(words) => words,
        Err(_) => line
            .split_ascii_whitespace()
            .map(|word| word.as_bytes().to_vec())
            .collect(),
    };
    let (mut servers, mut domains) = (None, None);
    for word in &words {
        let word = String::from_utf8_lossy(word);
        let added = match word.split_once('=') {
            Some(("nameserver", value)) if !value.is_empty() => {
                setting::add_server(servers.get_or_insert_default(), value, sources.ifindex_of)
            }
            Some(("domain", value)) if !value.is_empty() => {
                setting::add_domain(domains.get_or_insert_default(), value)
            }
            _ => continue,
        };
        if let Err(message) = added {
            wrong.file(path, message);
        }
    }
    config.read_resolv_conf &= servers.is_none() && domains.is_none();
    config.servers = servers.unwrap_or_else(|| std::mem::take(&mut config.servers));
    config.domains = domains.unwrap_or_else(|| std::mem::take(&mut config.domains));
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{domain, server, sources::credentials};

    struct Machine {
        dir: tempfile::TempDir,
        sources: Sources,
    }

    fn machine(cmdline: &str) -> Machine {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cmdline"), cmdline).unwrap();
        let sources = Sources {
            roots: Vec::new(),
            proc_cmdline: dir.path().join("cmdline"),
            credentials: Vec::new(),
            ifindex_of: |_| None,
        };
        Machine { dir, sources }
    }

    fn set(config: &Config) -> (Vec<String>, Vec<String>) {
        (
            config.servers.iter().map(server::format).collect(),
            config.domains.iter().map(domain::format).collect(),
        )
    }

    #[test]
    fn the_kernel_overrides() {
        let machine = machine(
            "quiet nameserver=192.0.2.1 nameserver=[2001:db8::1]:54 domain=a.example nameserver= x\n",
        );
        let mut config = Config::default();
        setting::add_server(&mut config.servers, "192.0.2.9", |_| None).unwrap();
        let mut wrong = Wrong::default();
        read_kernel_command_line(&mut config, &machine.sources, &mut wrong);
        let (servers, domains) = set(&config);
        assert_eq!(servers, ["192.0.2.1", "[2001:db8::1]:54"]);
        assert_eq!(domains, ["a.example"]);
        assert!(!config.read_resolv_conf);
        assert_eq!(wrong.into_list(), []);
    }

    #[test]
    fn what_the_kernel_does_not_set_stays() {
        for cmdline in ["", "quiet 'unbalanced", "init\0nameservers=192.0.2.1\0"] {
            let machine = machine(cmdline);
            let mut config = Config::default();
            let mut wrong = Wrong::default();
            read_kernel_command_line(&mut config, &machine.sources, &mut wrong);
            assert_eq!(config, Config::default());
            assert_eq!(wrong.into_list(), []);
        }
        let machine = machine("init\0domain=a\0nameserver=x");
        let (mut config, mut wrong) = (Config::default(), Wrong::default());
        read_kernel_command_line(&mut config, &machine.sources, &mut wrong);
        assert_eq!(set(&config).1, ["a"]);
        assert_eq!(wrong.into_list().len(), 1);
    }

    #[test]
    fn credentials_are_for_the_unconfigured() {
        let mut machine = machine("");
        fs::write(
            machine.dir.path().join("network.dns"),
            "192.0.2.1 192.0.2.2\n",
        )
        .unwrap();
        fs::write(machine.dir.path().join("network.search_domains"), "a b").unwrap();
        machine.sources.credentials = credentials(machine.dir.path());
        let (mut config, mut wrong) = (Config::default(), Wrong::default());
        read_credentials(&mut config, &machine.sources, &mut wrong);
        let (servers, domains) = set(&config);
        assert_eq!(servers, ["192.0.2.1", "192.0.2.2"]);
        assert_eq!(domains, ["a", "b"]);
        assert!(!config.read_resolv_conf);

        let mut config = Config {
            read_resolv_conf: false,
            ..Config::default()
        };
        read_credentials(&mut config, &machine.sources, &mut wrong);
        assert_eq!(set(&config).0, [""; 0]);
        assert_eq!(wrong.into_list(), []);
    }
}
