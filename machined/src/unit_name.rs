//! Names of units, systemd.unit(5), and how they name cgroups.

/// The scope that is made for a machine: `machine-NAME.scope`, NAME escaped as systemd-escape(1) does. For an ordinary user
/// it is `machine-NAME-UID.scope`, which is no other machine's, since a dash of NAME is escaped: theirs must not be there yet
/// when root makes a machine of that name, nor what they leave in it.
pub fn scope_of(machine: &str, uid: u32) -> String {
    let mut scope = "machine-".to_owned();
    for (index, byte) in machine.bytes().enumerate() {
        match byte {
            b'/' => scope.push('-'),
            b'.' if index == 0 => scope.push_str("\\x2e"),
            b':' | b'_' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => scope.push(byte.into()),
            other => scope.push_str(&format!("\\x{other:02x}")),
        }
    }
    if uid != 0 {
        scope.push_str(&format!("-{uid}"));
    }
    scope + ".scope"
}

/// The unit a cgroup's path lies in, and the rest of the path below that unit (empty for none); `None` where no unit
/// is: the cgroups of a runtime that follows no such convention.
pub fn unit_of_cgroup(path: &str) -> Option<(&str, &str)> {
    let mut rest = path.trim_start_matches('/');
    loop {
        let (component, below) = rest.split_once('/').unwrap_or((rest, ""));
        // What would read as an attribute of the cgroup file system has a `_` in front.
        let name = component.strip_prefix('_').unwrap_or(component);
        if is_slice(name) {
            rest = below.trim_start_matches('/');
        } else {
            return is_unit(name).then_some((name, below));
        }
    }
}

/// The cgroup of a slice: `a-b.slice` is `a.slice/a-b.slice`, as a dash means a level. `None` for what is no slice.
pub fn path_of_slice(slice: &str) -> Option<String> {
    if !is_slice(slice) || slice == "-.slice" {
        return None;
    }
    let stem = slice.strip_suffix(".slice")?;
    let levels = stem.match_indices('-').map(|(dash, _)| dash);
    let levels = levels.chain([stem.len()]);
    let levels = levels.filter_map(|end| stem.get(..end));
    let levels: Vec<_> = levels.map(|level| format!("{level}.slice")).collect();
    Some(levels.join("/"))
}

fn is_slice(name: &str) -> bool {
    let is_stem = |stem: &str| stem == "-" || !stem.split('-').any(str::is_empty);
    is_name(name) && name.strip_suffix(".slice").is_some_and(is_stem)
}

/// Whether it names a unit that processes can be in. A template (`a@.service`) is none.
fn is_unit(name: &str) -> bool {
    let Some((stem, suffix)) = name.rsplit_once('.') else {
        return false;
    };
    matches!(suffix, "service" | "scope" | "socket" | "mount" | "swap")
        && is_name(name)
        && !stem.is_empty()
        && !stem.starts_with('@')
        && !stem.ends_with('@')
}

fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b":-_.\\@".contains(&b);
    (1..=255).contains(&name.len()) && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_as_systemd_escape_names_them() {
        assert_eq!(scope_of("web", 0), "machine-web.scope");
        assert_eq!(scope_of("web", 1000), "machine-web-1000.scope");
        assert_eq!(scope_of("web-1000", 0), "machine-web\\x2d1000.scope");
        assert_eq!(scope_of("my-web.1_a", 0), "machine-my\\x2dweb.1_a.scope");
    }

    #[test]
    fn units_of_paths() {
        let cases = [
            (
                "/machine.slice/machine-web.scope",
                Some(("machine-web.scope", "")),
            ),
            (
                "/machine.slice/systemd-nspawn@web.service/payload/init.scope",
                Some(("systemd-nspawn@web.service", "payload/init.scope")),
            ),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope",
                Some(("user@1000.service", "app.slice/a.scope")),
            ),
            ("/init.scope", Some(("init.scope", ""))),
            ("/-.slice/_cpu.service", Some(("cpu.service", ""))),
            ("/lxc.payload.web", None),
            ("/docker/0123", None),
            ("/machine.slice", None),
            ("/a.slice/b@.service", None),
            ("/", None),
            ("", None),
            ("/../../x.scope", None),
            ("/a b.scope", None),
            ("/.scope", None),
        ];
        for (path, unit) in cases {
            assert_eq!(unit_of_cgroup(path), unit, "{path}");
        }
    }

    #[test]
    fn paths_of_slices() {
        let path = |slice| path_of_slice(slice);
        assert_eq!(path("machine.slice").as_deref(), Some("machine.slice"));
        assert_eq!(
            path("a-b-c.slice").as_deref(),
            Some("a.slice/a-b.slice/a-b-c.slice")
        );
        for bad in [
            "",
            ".slice",
            "-.slice",
            "a--b.slice",
            "-a.slice",
            "a/b.slice",
            "a.scope",
            "..slice/",
        ] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }
}
