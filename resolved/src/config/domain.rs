//! One search or routing domain as text: `NAME`, or `~NAME` for routing alone.

use hickory_proto::rr::Name;

use crate::{name, server::Domain};

/// Reads a domain. `.` and `*` are every name, for routing alone: the root is no suffix. What is not ASCII becomes A-labels.
///
/// # Errors
/// What is wrong, for whoever wrote it.
pub fn parse(text: &str) -> Result<Domain, String> {
    let (text, route_only) = match text.strip_prefix('~') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    if matches!(text, "." | "*") {
        return Ok(Domain {
            name: Name::root(),
            route_only: true,
        });
    }
    let name = name::parse(text).ok();
    match name.as_ref().and_then(name::to_ascii) {
        Some(name) if !name.is_root() => Ok(Domain { name, route_only }),
        _ => Err(format!("{text:?} is no domain name")),
    }
}

/// The text of a domain; [`parse`] reads it back.
#[must_use]
pub fn format(domain: &Domain) -> String {
    let mark = if domain.route_only { "~" } else { "" };
    format!("{mark}{}", name::format(&domain.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for (text, back) in [
            ("example.com", "example.com"),
            ("~example.com.", "~example.com"),
            ("~.", "~."),
            (".", "~."),
            ("*", "~."),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(format(&parse(text).unwrap()), back);
        }
    }

    #[test]
    fn what_is_no_domain() {
        for text in ["", "~", "a..b", &"x".repeat(64)] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
