use super::*;

fn arrays(count: usize) -> String {
    "a".repeat(count) + "y"
}

fn structs(count: usize) -> String {
    "(".repeat(count) + "y" + &")".repeat(count)
}

fn entries(count: usize) -> String {
    "a{y".repeat(count) + "y" + &"}".repeat(count)
}

#[test]
fn sequences_of_complete_types() {
    for signature in [
        "",
        "y",
        "b",
        "n",
        "q",
        "i",
        "u",
        "x",
        "t",
        "d",
        "s",
        "o",
        "g",
        "h",
        "v",
        "sv",
        "as",
        "aas",
        "a{sv}",
        "a{ya{oa(ss)}}",
        "(s)",
        "(sa{sv}(ii))",
        "aaaav",
        "a(iay)",
        "a{hs}",
        &arrays(32),
        &structs(32),
        &entries(32),
        &"y".repeat(255),
        &("a".repeat(32) + &structs(32)),
        &("(".repeat(32) + &arrays(32) + &")".repeat(32)),
    ] {
        assert!(is_valid(signature.as_bytes()), "{signature}");
    }
    for signature in [
        "a",
        "aa",
        "(",
        ")",
        "()",
        "(s",
        "s)",
        "(s))",
        "{sv}",
        "({sv})",
        "a{sv",
        "a{s}",
        "a{}",
        "a{svv}",
        "a{vs}",
        "a{(s)s}",
        "a{ass}",
        "r",
        "e",
        "z",
        "m",
        "*",
        "s\0",
        " ",
        "a{s}v",
        "a()",
        "(a)",
        "\u{e4}",
        "ya",
        "}",
        "a}",
        "v{sv}",
        &arrays(33),
        &structs(33),
        &entries(33),
        &"y".repeat(256),
        &("a".repeat(32) + "(ay)"),
    ] {
        assert!(!is_valid(signature.as_bytes()), "{signature}");
    }
}

#[test]
fn what_containers_may_hold() {
    for (signature, single, element, pair) in [
        ("", false, false, false),
        ("s", true, true, false),
        ("v", true, true, false),
        ("ss", false, false, true),
        ("vs", false, false, false),
        ("sv", false, false, true),
        ("{sv}", false, true, false),
        ("a{sv}", true, true, false),
        ("sa{sv}", false, false, true),
        ("s{sv}", false, false, false),
        ("(ss)", true, true, false),
        ("o(ss)", false, false, true),
        ("oss", false, false, false),
        ("a", false, false, false),
    ] {
        let bytes = signature.as_bytes();
        let found = (is_single(bytes), is_element(bytes), is_pair(bytes));
        assert_eq!(found, (single, element, pair), "{signature}");
    }
}

#[test]
fn the_first_type_of_several() {
    for (signature, length) in [
        ("sus", Some(1)),
        ("a{sv}u", Some(5)),
        ("(s(u))u", Some(6)),
        ("aau", Some(3)),
        ("(su", None),
        ("{sv}", None),
    ] {
        assert_eq!(first(signature.as_bytes()), length, "{signature}");
    }
    assert_eq!(first_element(b"{sv}u"), Some(4));
}

#[test]
fn a_pair_is_no_longer_than_a_signature() {
    for (members, good) in [(252, true), (253, false)] {
        let pair = format!("y({})", "y".repeat(members));
        assert_eq!(is_pair(pair.as_bytes()), good);
    }
}
