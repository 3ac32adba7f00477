use super::*;

#[test]
fn each_kind_takes_its_own() {
    let long = format!("a.{}", "b".repeat(253));
    let longer = format!("a.{}", "b".repeat(254));
    let unique = format!(":1.{}", "0".repeat(252));
    let more_unique = format!(":1.{}", "0".repeat(253));
    let member = "m".repeat(255);
    let longer_member = "m".repeat(256);
    // interface, member, unique, well-known, namespace
    for (name, kinds) in [
        ("", "-----"),
        ("a", "-m--n"),
        ("a.b", "i--wn"),
        ("a.b.c", "i--wn"),
        ("org.freedesktop.DBus", "i--wn"),
        ("_a._1", "i--wn"),
        ("a.b-c", "---wn"),
        ("-a.-", "---wn"),
        ("a-b", "----n"),
        ("a.1", "-----"),
        ("1.a", "-----"),
        ("1", "-----"),
        ("a1", "-m--n"),
        ("_", "-m--n"),
        (".", "-----"),
        (".a", "-----"),
        ("a.", "-----"),
        ("a..b", "-----"),
        ("a.b.", "-----"),
        (":1.42", "--u--"),
        (":1", "-----"),
        (":", "-----"),
        (":a.b-c", "--u--"),
        (":.1", "-----"),
        (":1.", "-----"),
        (":1..2", "-----"),
        ("::1.2", "-----"),
        ("a:b.c", "-----"),
        ("a.\u{e4}", "-----"),
        ("a b", "-----"),
        ("a.b/c", "-----"),
        ("a.b\0", "-----"),
        (&long, "i--wn"),
        (&longer, "-----"),
        (&unique, "--u--"),
        (&more_unique, "-----"),
        (&member, "-m--n"),
        (&longer_member, "-----"),
    ] {
        type Check = fn(&[u8]) -> bool;
        let checks: [(char, Check); 5] = [
            ('i', is_interface),
            ('m', is_member),
            ('u', is_unique),
            ('w', is_well_known),
            ('n', is_namespace),
        ];
        let found = checks.map(|(kind, check)| if check(name.as_bytes()) { kind } else { '-' });
        assert_eq!(String::from_iter(found), kinds, "{name}");
        let is_any = kinds.contains(['u', 'w']);
        assert_eq!(is_bus(name.as_bytes()), is_any, "{name}");
        assert_eq!(is_error(name.as_bytes()), kinds.contains('i'), "{name}");
    }
}

#[test]
fn the_bus_is_started_by_nobody() {
    assert!(is_activatable(b"a.b"));
    assert!(!is_activatable(b"org.freedesktop.DBus"));
    assert!(!is_activatable(b":1.2"));
}

#[test]
fn below_a_name() {
    for (name, namespace, below) in [
        ("a.b", "a.b", true),
        ("a.b.c", "a.b", true),
        ("a.bc", "a.b", false),
        ("a", "a.b", false),
        ("x.a.b", "a.b", false),
        ("a.b", "a", true),
    ] {
        assert_eq!(
            is_below(name.as_bytes(), namespace.as_bytes()),
            below,
            "{name} {namespace}"
        );
    }
}
