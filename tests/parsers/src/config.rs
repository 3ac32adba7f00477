//! What the administrator writes for resolved.

use std::{cell::OnceCell, fs, path::Path};

use resolved::config::{Config, Diagnostic, Sources, StaticRecords, check, domain, load, server};
use tempfile::TempDir;

thread_local! {
    static PLACE: OnceCell<Place> = const { OnceCell::new() };
}

struct Place {
    dir: TempDir,
    sources: Sources,
}

/// A directory in memory where there is one, gone with the thread.
pub(crate) fn memory() -> TempDir {
    let builder = || {
        tempfile::Builder::new()
            .prefix("switchyard-parsers-")
            .to_owned()
    };
    builder()
        .tempdir_in("/dev/shm")
        .or_else(|_| builder().tempdir())
        .unwrap()
}

impl Place {
    fn new() -> Self {
        let dir = memory();
        let sources = Sources {
            roots: vec![dir.path().join("etc")],
            proc_cmdline: dir.path().join("cmdline"),
            credentials: Vec::new(),
            ifindex_of: |name| (name == "eth0").then_some(2),
        };
        Self { dir, sources }
    }
}

/// What is read where this file alone has these bytes, and what was wrong.
fn read(file: &str, bytes: &[u8]) -> (Config, Vec<Diagnostic>) {
    PLACE.with(|place| {
        let place = place.get_or_init(Place::new);
        let path = place.dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let (config, wrong) = load(&place.sources);
        assert_eq!(load(&place.sources), (config.clone(), wrong.clone()));
        let checked = check(&place.sources);
        fs::remove_file(&path).unwrap();
        assert!(checked.starts_with(&wrong));
        well_named(&checked, &path, bytes);
        well_read(&config);
        (config, wrong)
    })
}

/// What is wrong is named by a line that there is.
fn well_named(wrong: &[Diagnostic], path: &Path, bytes: &[u8]) {
    // NUL ends a line too, as in systemd.
    let ends = bytes.iter().filter(|byte| matches!(byte, b'\n' | 0));
    let lines = 1 + ends.count();
    for diagnostic in wrong {
        assert_eq!(diagnostic.path, path);
        assert!(diagnostic.line <= lines, "{diagnostic}");
        assert!(!diagnostic.message.is_empty());
    }
}

fn well_read(config: &Config) {
    let delegated = || config.delegates.iter();
    let servers = config.servers.iter().chain(&config.fallback_servers);
    for read in servers.chain(delegated().flat_map(|delegate| &delegate.servers)) {
        assert!(server::is_usable(read.address));
        let written = server::format(read);
        let again = server::parse(&written, &|_| Some(read.ifindex));
        assert_eq!(again.as_ref(), Ok(read), "{written}");
    }
    for read in config
        .domains
        .iter()
        .chain(delegated().flat_map(|delegate| &delegate.domains))
    {
        let written = domain::format(read);
        assert_eq!(domain::parse(&written).as_ref(), Ok(read), "{written}");
    }
    assert!(config.servers.len() <= 256 && config.domains.len() <= 1024);
}

/// resolved.conf(5).
pub fn resolved_conf(bytes: &[u8]) {
    let (config, _) = read("etc/systemd/resolved.conf", bytes);
    let (of_a_drop_in, _) = read("etc/systemd/resolved.conf.d/a.conf", bytes);
    assert_eq!(of_a_drop_in, config);
}

/// systemd.dns-delegate(5).
pub fn dns_delegate(bytes: &[u8]) {
    let (config, _) = read("etc/systemd/dns-delegate.d/vpn.dns-delegate", bytes);
    assert!(config.delegates.len() <= 1);
    for delegate in &config.delegates {
        assert_eq!(delegate.id, "vpn");
        assert!(delegate.servers.len() <= 256 && delegate.domains.len() <= 1024);
    }
}

/// systemd.dnssd(5): what is announced has a type, and texts with keys.
pub fn dnssd_service(bytes: &[u8]) {
    let (config, _) = read("etc/systemd/dnssd/web.dnssd", bytes);
    assert!(config.services.len() <= 1);
    for service in &config.services {
        assert_eq!((service.id.as_str(), service.owner), ("web", 0));
        assert!(service.service_type.starts_with('_'));
        for (key, _) in service.txt.iter().flatten() {
            assert!(!key.is_empty() && !key.contains('='), "{key:?}");
        }
    }
}

/// dnssec-trust-anchors.d(5): positive by day, negative by night.
pub fn trust_anchors(bytes: &[u8]) {
    let none = Config::default();
    let (config, _) = read("etc/dnssec-trust-anchors.d/a.positive", bytes);
    assert_eq!(config.negative_trust_anchors, none.negative_trust_anchors);
    assert!(
        config
            .trust_anchors
            .iter()
            .any(|anchor| anchor.name.is_root())
    );
    let (config, _) = read("etc/dnssec-trust-anchors.d/a.negative", bytes);
    assert_eq!(config.trust_anchors, none.trust_anchors);
}

/// Static records: JSON. Each is whole, and found under its name.
pub fn static_records(bytes: &[u8]) {
    read("etc/systemd/resolve/static.d/a.rr", bytes);
    PLACE.with(|place| {
        let place = place.get_or_init(Place::new);
        let path = place.dir.path().join("etc/systemd/resolve/static.d/a.rr");
        fs::write(&path, bytes).unwrap();
        let records = StaticRecords::new(place.sources.static_records());
        for name in ["web.example", "example", "*"] {
            let name = resolved::name::parse(name).unwrap();
            for record in records.lookup(&name).iter().flat_map(|found| found.iter()) {
                assert_eq!((&record.name, record.ttl), (&name, 0));
                let bytes = resolved::message::record_bytes(record);
                assert!(bytes.is_some_and(|bytes| bytes.len() < 1024));
            }
        }
        fs::remove_file(&path).unwrap();
    });
}

/// The kernel's command line.
pub fn kernel_command_line(bytes: &[u8]) {
    read("cmdline", bytes);
}
