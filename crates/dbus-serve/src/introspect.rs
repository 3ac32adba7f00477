//! Introspection data, in the layout that sd-bus gives it.

use std::{collections::BTreeSet, fmt::Write};

use crate::{
    standard,
    table::{Arg, Change, Interface},
};

/// The start of every description: the document type that the D-Bus specification names.
const HEAD: &str = "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n\
    \"https://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n<node>\n";

/// The description of a node: the standard interfaces, those that `describe` writes, and the nodes below.
pub(crate) fn node(describe: impl FnOnce(&mut String), children: &BTreeSet<&str>) -> String {
    let mut xml = String::from(HEAD);
    for standard in standard::DESCRIBED {
        interface(&mut xml, standard);
    }
    describe(&mut xml);
    for child in children {
        line(&mut xml, format_args!(" <node name=\"{child}\"/>"));
    }
    xml.push_str("</node>\n");
    xml
}

/// The nodes right below `path` on the way to one of `paths`.
pub(crate) fn children<'a>(path: &str, paths: &'a [String]) -> BTreeSet<&'a str> {
    let above = path.trim_end_matches('/');
    paths
        .iter()
        .filter_map(|other| {
            other
                .strip_prefix(above)?
                .strip_prefix('/')?
                .split('/')
                .next()
        })
        .filter(|child| !child.is_empty())
        .collect()
}

fn line(xml: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String can't fail. Names and signatures come from tables and encoded labels: nothing to escape.
    let _ = xml.write_fmt(text);
    xml.push('\n');
}

pub(crate) fn interface<O>(xml: &mut String, table: &Interface<O>) {
    line(xml, format_args!(" <interface name=\"{}\">", table.name));
    for property in table.properties.iter().filter(|found| !found.hidden) {
        let access = match property.set {
            Some(_) => "readwrite",
            None => "read",
        };
        let (name, signature) = (property.name, property.signature);
        line(
            xml,
            format_args!("  <property name=\"{name}\" type=\"{signature}\" access=\"{access}\">"),
        );
        let change = match property.change {
            Change::Silent => Some("false"),
            Change::Never => Some("const"),
            Change::Invalidates => Some("invalidates"),
            Change::Told => None,
        };
        if let Some(change) = change {
            annotation(
                xml,
                "org.freedesktop.DBus.Property.EmitsChangedSignal",
                change,
            );
        }
        if property.set.is_some() {
            annotation(xml, "org.freedesktop.systemd1.Privileged", "true");
        }
        line(xml, format_args!("  </property>"));
    }
    for method in table.methods {
        line(xml, format_args!("  <method name=\"{}\">", method.name));
        args(xml, method.takes, " direction=\"in\"");
        args(xml, method.gives, " direction=\"out\"");
        if method.privileged {
            annotation(xml, "org.freedesktop.systemd1.Privileged", "true");
        }
        line(xml, format_args!("  </method>"));
    }
    for signal in table.signals {
        line(xml, format_args!("  <signal name=\"{}\">", signal.name));
        args(xml, signal.args, "");
        line(xml, format_args!("  </signal>"));
    }
    line(xml, format_args!(" </interface>"));
}

fn annotation(xml: &mut String, name: &str, value: &str) {
    line(
        xml,
        format_args!("   <annotation name=\"{name}\" value=\"{value}\"/>"),
    );
}

fn args(xml: &mut String, args: &[Arg], direction: &str) {
    for (signature, name) in args {
        line(
            xml,
            format_args!("   <arg type=\"{signature}\" name=\"{name}\"{direction}/>"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::children;

    #[test]
    fn nodes_below() {
        let paths = ["/a/b", "/a/b/c", "/a/bc/d", "/"].map(str::to_owned);
        let of = |path| children(path, &paths).into_iter().collect::<Vec<_>>();
        assert_eq!(of("/"), ["a"]);
        assert_eq!(of("/a"), ["b", "bc"]);
        assert_eq!(of("/a/b"), ["c"]);
        assert!(of("/a/b/c").is_empty());
        assert!(of("/x").is_empty());
    }
}
