use super::*;

#[test]
fn paths() {
    let long = format!("/{}", "a".repeat(100_000));
    for path in ["/", "/a", "/a/b", "/_/0/A_1", "/0", &long] {
        assert!(is_valid(path.as_bytes()), "{path}");
    }
    for path in [
        "", "a", "a/b", "//", "/a/", "/a//b", "//a", "/a-b", "/a.b", "/\u{e4}", "/a b", "/a\0",
        "/a/b/",
    ] {
        assert!(!is_valid(path.as_bytes()), "{path}");
    }
}

#[test]
fn below_a_path() {
    for (path, namespace, is) in [
        ("/a", "/a", true),
        ("/a/b", "/a", true),
        ("/ab", "/a", false),
        ("/a", "/a/b", false),
        ("/a", "/", true),
        ("/", "/", true),
        ("/", "/a", false),
    ] {
        assert_eq!(
            is_below(path.as_bytes(), namespace.as_bytes()),
            is,
            "{path} {namespace}"
        );
    }
}

/// The examples of the specification's "Match Rules".
#[test]
fn prefixes_of_arguments() {
    for (one, is) in [
        ("/", true),
        ("/aa/", true),
        ("/aa/bb/", true),
        ("/aa/bb/cc/", true),
        ("/aa/bb/cc", true),
        ("/aa/b", false),
        ("/aa", false),
        ("/aa/bb", false),
    ] {
        assert_eq!(is_either_prefix(one.as_bytes(), b"/aa/bb/"), is, "{one}");
    }
    assert!(is_either_prefix(b"/aa", b"/aa"));
}

#[test]
fn above_a_path() {
    let above = |path: &'static str| {
        let above = ancestors(path.as_bytes()).map(str::from_utf8);
        above.collect::<Result<Vec<_>, _>>().unwrap()
    };
    assert_eq!(above("/a/b/c"), ["/a/b", "/a", "/"]);
    assert_eq!(above("/a"), ["/"]);
    assert_eq!(above("/"), [""; 0]);
}

#[test]
fn names_below_a_prefix() {
    for (prefix, name, path) in [
        ("/", "web", Some("/web")),
        ("/a/b", "1-2", Some("/a/b/_31_2d2")),
        ("/a", "", Some("/a/_")),
        ("a", "web", None),
        ("/a/", "web", None),
    ] {
        let encoded = encode(prefix, name.as_bytes());
        assert_eq!(encoded.as_deref(), path, "{prefix} {name}");
        if let Some(encoded) = encoded {
            assert_eq!(decode(&encoded, prefix).as_deref(), Some(name.as_bytes()));
        }
    }
    for (path, name) in [
        ("/a", Some("")),
        ("/a/b/c", Some("b/c")),
        ("/ab", None),
        ("/b/c", None),
    ] {
        assert_eq!(
            decode(path, "/a").as_deref(),
            name.map(str::as_bytes),
            "{path}"
        );
    }
}

#[test]
fn names_in_a_template() {
    for (path, template, names) in [
        ("/a/one/b/two", "/a/%/b/%", Some(&["one", "two"][..])),
        ("/a/x_2dy", "/a/%", Some(&["x-y"])),
        ("/a/preone", "/a/pre%", Some(&["one"])),
        ("/a/onepost/b", "/a/%post/b", Some(&["one"])),
        ("/a/", "/a/%", Some(&[""])),
        ("/a", "/a", Some(&[])),
        ("/a/one/two", "/a/%", None),
        ("/a/one", "/a/%/b", None),
        ("/a/one", "/a/%%", None),
        ("/b/one", "/a/%", None),
    ] {
        let decoded = decode_many(path.as_bytes(), template.as_bytes());
        let names = names.map(|names| {
            let names = names.iter().map(|name| name.as_bytes().to_vec());
            names.collect::<Vec<_>>()
        });
        assert_eq!(decoded, names, "{path} {template}");
    }
}
