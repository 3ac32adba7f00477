//! Which name a container gets.
//!
//! The name resolves for every program of the host, so who chooses it matters. It is taken from the administrator (the
//! hook's own `--name`, the container manager's record, the id given to the runtime), never from what an image can carry.

/// The longest name of a machine, in bytes (HOST_NAME_MAX).
const NAME_MAX: usize = 64;

/// How much of an id podman and docker show, and set as the container's hostname.
const SHORT_ID: usize = 12;

/// The names to try, the best first: the chosen one or else the manager's, and what the id gives.
///
/// # Errors
/// There is none that a machine can have.
pub fn candidates(
    id: &str,
    chosen: Option<String>,
    manager: Option<String>,
) -> Result<Vec<String>, String> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    // A random id is cut where its manager cuts it; one that a person gave is a name.
    let from_id = if is_random(id) {
        id.get(..SHORT_ID).unwrap_or(id)
    } else {
        id
    };
    let mut names: Vec<String> = Vec::new();
    for name in [chosen.or(manager), Some(from_id.to_owned())]
        .into_iter()
        .flatten()
    {
        let name = made_valid(&name);
        if !name.is_empty() && !is_taken(&name, host.trim_end()) && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return Err(format!(
            "the container '{}' has no name that a machine can have",
            id.escape_debug()
        ));
    }
    Ok(names)
}

/// The first half of a random id, as the machine's id. (podman sets the same as the container's machine-id.)
pub fn machine_id(id: &str) -> Option<[u8; 16]> {
    let digits = id.get(..32).filter(|_| is_random(id))?;
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

/// Container managers make ids of 64 hexadecimal digits.
fn is_random(id: &str) -> bool {
    id.len() == 64
        && id
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The nearest name that machined accepts: labels of `[A-Za-z0-9_-]` joined by single dots, at most 64 bytes.
fn made_valid(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let plain: String = text
        .chars()
        .map(|c| if allowed(c) { c } else { '-' })
        .take(NAME_MAX)
        .collect();
    let labels: Vec<&str> = plain.split('.').filter(|label| !label.is_empty()).collect();
    labels.join(".")
}

/// Names that must go on meaning the host itself: RFC 6761, section 6.3, and the host's own.
fn is_taken(name: &str, host: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || name == host.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{candidates, is_taken, machine_id, made_valid};

    const HEX: &str = "8e24e4633258acd79bea829a0760d8c80c6534ee23cccee2fae9cbeab01878ac";

    #[test]
    fn the_best_name_comes_first() {
        let web = || Some("web".to_owned());
        assert_eq!(candidates(HEX, None, web()).unwrap(), ["web", &HEX[..12]]);
        assert_eq!(
            candidates(HEX, Some("db".into()), web()).unwrap(),
            ["db", &HEX[..12]]
        );
        assert_eq!(candidates("web", None, None).unwrap(), ["web"]);
        assert_eq!(candidates("web", None, web()).unwrap(), ["web"]);
        assert_eq!(
            candidates(HEX, Some("localhost".into()), None).unwrap(),
            [&HEX[..12]]
        );
        assert!(candidates("...", None, None).is_err());
        assert!(candidates("localhost", None, None).is_err());
    }

    #[test]
    fn names_are_made_valid() {
        for (text, name) in [
            ("web", "web"),
            ("a+b", "a-b"),
            ("/web", "-web"),
            ("a..b.", "a.b"),
            ("ä", "-"),
            ("", ""),
            ("..", ""),
            ("a/../b", "a-.-b"),
            ("a\0b", "a-b"),
        ] {
            assert_eq!(made_valid(text), name, "{text:?}");
        }
        assert_eq!(made_valid(&"ü".repeat(100)), "-".repeat(64));
        assert_eq!(made_valid(&format!("{}.x", "x".repeat(63))), "x".repeat(63));
    }

    #[test]
    fn names_of_the_host_stay_the_hosts() {
        for name in ["localhost", "LOCALHOST", "a.localhost", "Thishost"] {
            assert!(is_taken(name, "thishost"), "{name}");
        }
        assert!(!is_taken("localhost1", "thishost"));
    }

    #[test]
    fn ids() {
        assert_eq!(machine_id(HEX).unwrap()[15], 0xc8);
        for id in [
            "web",
            "",
            &HEX[1..],
            &HEX.to_uppercase(),
            &HEX.replace('8', "g"),
        ] {
            assert_eq!(machine_id(id), None, "{id}");
        }
    }
}
