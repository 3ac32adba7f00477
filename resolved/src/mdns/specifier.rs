//! `%H` and its like in the names of services: systemd.dnssd(5).

use std::{fs, path::Path};

use rustix::system::uname;

/// The name with what its specifiers stand for, for a machine of this label; `None`: one is unknown, or has no value here, or
/// it comes to more than a label may have (RFC 6763, 4.1.1).
pub(super) fn expand(template: &str, label: &str) -> Option<String> {
    expand_at(template, label, Path::new("/"))
}

fn expand_at(template: &str, label: &str, root: &Path) -> Option<String> {
    let mut name = String::new();
    let mut letters = template.chars();
    while let Some(letter) = letters.next() {
        if letter == '%' {
            name.push_str(&value(letters.next()?, label, root)?);
        } else {
            name.push(letter);
        }
    }
    (1..=63).contains(&name.len()).then_some(name)
}

fn value(specifier: char, label: &str, root: &Path) -> Option<String> {
    let first_line = |path: &str| {
        let text = fs::read_to_string(root.join(path)).ok()?;
        Some(text.lines().next()?.to_owned())
    };
    Some(match specifier {
        'a' => architecture(&uname().machine().to_string_lossy()).to_owned(),
        'A' => os_release(root, "IMAGE_VERSION"),
        'b' => first_line("proc/sys/kernel/random/boot_id")?.replace('-', ""),
        'B' => os_release(root, "BUILD_ID"),
        'H' => label.to_owned(),
        'm' => first_line("etc/machine-id")?,
        'M' => os_release(root, "IMAGE_ID"),
        'o' => os_release(root, "ID"),
        'v' => uname().release().to_string_lossy().into_owned(),
        'w' => os_release(root, "VERSION_ID"),
        'W' => os_release(root, "VARIANT_ID"),
        '%' => "%".to_owned(),
        _ => return None,
    })
}

/// The word of systemd.unit(5) for `uname -m`.
fn architecture(machine: &str) -> &str {
    match machine {
        "x86_64" => "x86-64",
        "i386" | "i486" | "i586" | "i686" => "x86",
        "aarch64" => "arm64",
        "aarch64_be" => "arm64-be",
        "ppc64le" => "ppc64-le",
        "ppcle" => "ppc-le",
        "mips64" => "mips64",
        "parisc64" => "parisc64",
        "sh4" | "sh3" | "sh5" | "sh2" => "sh",
        arm if arm.starts_with("armv") && arm.ends_with('b') => "arm-be",
        arm if arm.starts_with("armv") => "arm",
        other => other,
    }
}

/// A field of os-release(5); empty where there is none.
fn os_release(root: &Path, field: &str) -> String {
    let text = ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|path| fs::read_to_string(root.join(path)).ok())
        .unwrap_or_default();
    let values = env_file::parse(&text).filter(|(key, _)| *key == field);
    values.last().map(|(_, value)| value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/machine-id"), "0123456789abcdef\n").unwrap();
        let release = "ID=debian\nVERSION_ID=\"12\"\nVARIANT_ID='x y'\n";
        fs::write(root.path().join("etc/os-release"), release).unwrap();
        let is = |template: &str, expected: Option<&str>| {
            let name = expand_at(template, "web", root.path());
            assert_eq!(name.as_deref(), expected, "{template}");
        };
        is("Files of %H", Some("Files of web"));
        is("%m", Some("0123456789abcdef"));
        is("%o %w, %W%%", Some("debian 12, x y%"));
        is("a%B", Some("a"));
        is("%B", None);
        is("%", None);
        is("%q", None);
        is("%b", None);
        is("", None);
        is(&"%H".repeat(21), Some(&"web".repeat(21)));
        is(&"%H".repeat(22), None);
        assert!(expand("%v %a", "x").is_some());
    }

    #[test]
    fn architectures() {
        assert_eq!(architecture("x86_64"), "x86-64");
        assert_eq!(architecture("armv7l"), "arm");
        assert_eq!(architecture("riscv64"), "riscv64");
    }
}
