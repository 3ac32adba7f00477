//! dnssd/*.dnssd: services to announce by mDNS, systemd.dnssd(5).

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    DnssdService, Sources,
    setting::{self, Setting},
    unit,
    words::{self, Escapes},
    wrong::Wrong,
};

const SECTION: &str = "Service";
/// The longest label, and so the longest name of an instance. RFC 6763, 4.1.1
const LONGEST_LABEL: usize = 63;
/// The longest string in a TXT record. RFC 6763, 6.1
const LONGEST_ITEM: usize = 255;

/// Reads all of them.
pub(super) fn read(sources: &Sources, wrong: &mut Wrong) -> Vec<DnssdService> {
    let mut services = Vec::new();
    for unit in unit::list(sources, "systemd/dnssd", ".dnssd", wrong) {
        let mut service = DnssdService {
            id: unit.id,
            name_template: String::new(),
            service_type: String::new(),
            subtype: None,
            port: 0,
            priority: 0,
            weight: 0,
            txt: Vec::new(),
            owner: 0,
        };
        for path in &unit.files {
            setting::each(path, SECTION, sources, wrong, |setting| {
                apply(setting, &mut service)
            });
        }
        if service.name_template.is_empty() {
            wrong.file(&unit.path, "no Name=; it is skipped");
        } else if service.service_type.is_empty() {
            wrong.file(&unit.path, "no Type=; it is skipped");
        } else {
            services.push(service);
        }
    }
    services
}

fn apply(setting: &mut Setting<'_>, service: &mut DnssdService) {
    let number = |text: &str| text.parse::<u16>().ok();
    const NUMBER: &str = "a number from 0 to 65535";
    match setting.key() {
        "Name" => {
            let is = "1 to 63 bytes without control characters, and specifiers of systemd.dnssd(5)";
            setting.put(&mut service.name_template, name_template, is);
        }
        "Type" => {
            let is = "a service and a protocol, such as _http._tcp";
            setting.put(&mut service.service_type, service_type, is);
        }
        "SubType" => setting.put(&mut service.subtype, subtype, "one label, such as _printer"),
        "Port" => setting.put(&mut service.port, number, NUMBER),
        "Priority" => setting.put(&mut service.priority, number, NUMBER),
        "Weight" => setting.put(&mut service.weight, number, NUMBER),
        "TxtText" => txt(setting, &mut service.txt, |value| Ok(value.to_vec())),
        "TxtData" => txt(setting, &mut service.txt, |value| {
            STANDARD
                .decode(value)
                .map_err(|error| format!("has no Base64: {error}"))
        }),
        _ => setting.unknown(SECTION),
    }
}

fn name_template(text: &str) -> Option<String> {
    // What specifiers come to is seen when they are put in.
    let fits = text.len() <= LONGEST_LABEL || text.contains('%');
    (fits && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// `_SERVICE._tcp` or `_udp` (RFC 6763, 7); empty: none.
fn service_type(text: &str) -> Option<String> {
    let is_valid = match text.split_once('.') {
        Some((service, "_tcp" | "_udp")) => {
            // Longer ones than the 15 of RFC 6335 are in use.
            let letters = service.strip_prefix('_').unwrap_or_default();
            let is_letter = |c: char| c.is_ascii_alphanumeric();
            service.len() <= LONGEST_LABEL
                && letters.starts_with(is_letter)
                && letters.ends_with(is_letter)
                && letters
                    .chars()
                    .all(|c| is_letter(c) || matches!(c, '-' | '_'))
        }
        _ => text.is_empty(),
    };
    is_valid.then(|| text.to_owned())
}

fn subtype(text: &str) -> Option<Option<String>> {
    if text.is_empty() {
        return Some(None);
    }
    let name = crate::name::parse(text).ok()?;
    (name.num_labels() == 1).then(|| Some(text.to_owned()))
}

/// Adds one TXT record: `key=value` and `key` between spaces.
fn txt(
    setting: &mut Setting<'_>,
    records: &mut Vec<Vec<(String, Vec<u8>)>>,
    decode: impl Fn(&[u8]) -> Result<Vec<u8>, String>,
) {
    if setting.value().is_empty() {
        records.clear();
        return;
    }
    let words = match words::split(setting.value(), Escapes::C) {
        Ok(words) => words,
        Err(message) => return setting.refuse(message),
    };
    let mut items = Vec::new();
    for word in words {
        let mut parts = word.splitn(2, |byte| *byte == b'=');
        let (key, value) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        // RFC 6763, 6.4: printable ASCII, at least one.
        let key = std::str::from_utf8(key)
            .ok()
            .filter(|key| !key.is_empty() && key.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        let Some(key) = key else {
            setting.refuse(format_args!(
                "has no key in {:?}",
                String::from_utf8_lossy(&word)
            ));
            continue;
        };
        match decode(value) {
            Ok(value) if key.len() + 1 + value.len() <= LONGEST_ITEM => {
                items.push((key.to_owned(), value));
            }
            Ok(_) => setting.refuse(format_args!(
                "has more than {LONGEST_ITEM} bytes for {key:?}"
            )),
            Err(message) => setting.refuse(message),
        }
    }
    if !items.is_empty() {
        records.push(items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Diagnostic, testing::Tree};

    fn read_one(text: &str) -> (Option<DnssdService>, Vec<Diagnostic>) {
        let tree = Tree::new();
        tree.write(
            "etc",
            "systemd/dnssd/web.dnssd",
            format!("[Service]\n{text}"),
        );
        let mut wrong = Wrong::default();
        let services = read(&tree.sources, &mut wrong);
        (services.into_iter().next(), wrong.into_list())
    }

    #[test]
    fn a_service() {
        let (service, wrong) = read_one(
            "Name=%H server\nType=_http._tcp\nSubType=_printer\nPort=80\nPriority=1\nWeight=2\n\
             TxtText=path=/a\\x20b 'k=x y' flag\nTxtData=bin=/wA=\n",
        );
        assert_eq!(wrong, []);
        let item = |key: &str, value: &[u8]| (key.to_owned(), value.to_vec());
        let expected = DnssdService {
            id: "web".into(),
            name_template: "%H server".into(),
            service_type: "_http._tcp".into(),
            subtype: Some("_printer".into()),
            port: 80,
            priority: 1,
            weight: 2,
            txt: vec![
                vec![item("path", b"/a b"), item("k", b"x y"), item("flag", b"")],
                vec![item("bin", &[0xff, 0])],
            ],
            owner: 0,
        };
        assert_eq!(service, Some(expected));
    }

    #[test]
    fn wrong_lines() {
        let (service, wrong) = read_one(
            "Name=a\nType=_a._tcp\nType=http\nType=_-._tcp\nSubType=a.b\nPort=x\nTxtText==v k\nTxtText='x\n\
             TxtData=k=###\nName=a\u{7}b\nOther=1\n",
        );
        let service = service.unwrap();
        assert_eq!(service.service_type, "_a._tcp");
        assert_eq!(service.txt, [[("k".to_owned(), Vec::new())]]);
        let lines: Vec<_> = wrong.iter().map(|wrong| wrong.line).collect();
        assert_eq!(lines, [4, 5, 6, 7, 8, 9, 10, 11, 12], "{wrong:?}");
    }

    #[test]
    fn without_a_name_or_a_type_there_is_no_service() {
        for text in [
            "Type=_a._tcp",
            "Name=a",
            "Name=a\nType=_a._tcp\nType=",
            "Name=a\nType=_a._tcp\nName=",
        ] {
            let (service, wrong) = read_one(text);
            assert_eq!(service, None);
            assert_eq!(wrong.len(), 1, "{text}");
            assert!(wrong[0].message.ends_with("it is skipped"));
        }
    }
}
