//! The headers of the C library: as both languages are taken most strictly, and beside the original's.

mod sd_probe;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use sd_probe::{OURS, quiet};
use support::{Sandbox, sandbox, skip_for_machine};

const OWN: &str = "/usr/include/switchyard";
const THEIR: &str = "/usr/include";

const STRICT: &str =
    "-Wall -Wextra -Wpedantic -Wshadow -Wcast-qual -Wundef -Wredundant-decls -Werror";
const STRICT_C: &str =
    "-Wstrict-prototypes -Wold-style-definition -Wmissing-prototypes -Wwrite-strings -Wconversion";

/// Runs the compiler, which must be content.
#[track_caller]
fn cc(s: &Sandbox, arguments: &str) -> String {
    let line = format!("{arguments} 2>&1");
    let compiled = s.cmd("sh").args(["-c", &line]);
    compiled.timeout(Duration::from_secs(60)).run().ok()
}

#[test]
fn both_languages() {
    sandbox!(quiet(), |s| {
        let list = s.run(&format!("cd {OWN} && ls systemd/sd-*.h")).ok();
        assert!(list.lines().count() >= 7, "{list}");
        fs::write("/tmp/all.c", include_str!("c/sd_headers.c")).unwrap();
        let compilers = [("cc", "c++"), ("clang", "clang++")];
        let known = |(cc, _): &(&str, &str)| s.run(&format!("command -v {cc}")).status == Some(0);
        for (c, cxx) in compilers.into_iter().filter(known) {
            let flags = format!("{STRICT} -I{OWN} -fsyntax-only");
            for standard in ["c11", "c17", "gnu17"] {
                let by = format!("{c} -std={standard} {flags} {STRICT_C} -x c");
                cc(s, &format!("{by} /tmp/all.c"));
                // Each by itself has what it needs.
                for name in list.lines() {
                    fs::write("/tmp/one.c", format!("#include <{name}>\n")).unwrap();
                    cc(s, &format!("{by} /tmp/one.c"));
                }
            }
            for standard in ["c++17", "c++20"] {
                let by = format!("{cxx} -std={standard} {flags} -x c++");
                cc(s, &format!("{by} /tmp/all.c"));
                for name in list.lines() {
                    fs::write("/tmp/one.c", format!("#include <{name}>\n")).unwrap();
                    cc(s, &format!("{by} /tmp/one.c"));
                }
            }
        }
        let linked = format!("cc -I{OWN} -o /tmp/all /tmp/all.c -lsd-bus-compat && /tmp/all");
        assert_eq!(cc(s, &linked), "");
    });
}

/// What a set of headers has.
struct Headers {
    /// Each function, as the compiler understands it.
    functions: BTreeMap<String, String>,
    /// Macros and constants of enumerations.
    names: BTreeSet<String>,
    /// Names that are numbers, pointers or text, and these.
    values: BTreeMap<String, String>,
}

impl Headers {
    fn read(s: &Sandbox, folder: &str, headers: &[&str]) -> Self {
        let include = |header: &&str| format!("#include <systemd/{header}.h>\n");
        let unit: String = headers.iter().map(include).collect();
        fs::write("/tmp/unit.c", &unit).unwrap();
        let by = format!("cc -std=gnu11 -I{folder}");
        cc(
            s,
            &format!("{by} -fsyntax-only -aux-info /tmp/unit.txt /tmp/unit.c"),
        );
        let told = fs::read_to_string("/tmp/unit.txt").unwrap();
        let functions = told.lines().filter_map(|line| {
            let (place, declared) = line.split_once("*/")?;
            let (before, _) = declared.split_once(" (")?;
            let name = before.rsplit([' ', '*']).next()?;
            let is_ours = name.starts_with("sd_") && place.contains("/systemd/");
            // An inline one tells the names of its parameters, too, and what the compiler found out about it.
            let declared = match declared.trim() {
                inline if inline.starts_with("static") => "inline",
                declared => declared,
            };
            is_ours.then(|| (name.to_owned(), declared.to_owned()))
        });
        let functions = functions.collect();

        let macros = cc(s, &format!("{by} -E -dM /tmp/unit.c"));
        let macros: BTreeMap<&str, &str> = macros
            .lines()
            .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
            .filter(|(name, _)| name.starts_with("SD_"))
            .collect();
        let text = cc(s, &format!("{by} -E -P /tmp/unit.c"));
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let constants: BTreeSet<&str> = words.filter(|word| word.starts_with("SD_")).collect();
        let plain =
            |body: &str| body.starts_with("((") || body.starts_with(|c: char| c.is_ascii_digit());
        let mut program = format!("{unit}#include <stdio.h>\nint main(void) {{\n");
        for name in &constants {
            program += &format!("printf(\"{name} %lld\\n\", (long long) {name});\n");
        }
        for (name, body) in &macros {
            if body.starts_with('"') && !name.contains('(') {
                program += &format!("puts(\"{name} \" {name});\n");
            } else if plain(body) && !name.contains('(') && !body.contains('{') {
                program += &format!("printf(\"{name} %lld\\n\", (long long) (intptr_t) {name});\n");
            }
        }
        program += "return 0; }\n";
        fs::write("/tmp/values.c", program).unwrap();
        let values = cc(
            s,
            &format!("{by} -o /tmp/values /tmp/values.c && /tmp/values"),
        );
        let values = values.lines().filter_map(|line| line.split_once(' '));
        let macros = macros.keys().map(|name| name.split('(').next().unwrap());
        Self {
            functions,
            names: macros.chain(constants).map(str::to_owned).collect(),
            values: values
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }
}

/// Functions of the original's headers have the same types in ours, unless they are not built, and everything else is there by the
/// same name and value.
#[test]
fn beside_the_originals() {
    sandbox!(quiet(), |s| {
        if !fs::exists(format!("{THEIR}/systemd/sd-bus.h")).unwrap() {
            skip_for_machine!("there are no headers of the original");
        }
        let own = s.run(&format!("cd {OWN}/systemd && ls sd-*.h")).ok();
        let own: Vec<&str> = own
            .lines()
            .filter_map(|name| name.strip_suffix(".h"))
            .collect();
        let (ours, theirs) = (Headers::read(s, OWN, &own), Headers::read(s, THEIR, &own));
        let exported = format!("readelf --dyn-syms --wide {OURS}/../../*/libsd-bus-compat.so.0");
        let exported = s.run(&exported).ok();
        let is_built = |name: &str| exported.contains(&format!(" {name}@@"));
        let (mut same, mut differ) = (0, Vec::new());
        for (name, theirs) in &theirs.functions {
            match ours.functions.get(name) {
                Some(ours) if ours == theirs => same += 1,
                Some(ours) => differ.push(format!("ours {ours} theirs {theirs}")),
                // The function that sd_bus_unrefp calls is sd_bus_unref.
                None if is_built(name)
                    || theirs == "inline" && name.strip_suffix('p').is_none_or(is_built) =>
                {
                    differ.push(format!("{name} is not declared"));
                }
                None => {}
            }
        }
        assert!(differ.is_empty(), "{}", differ.join("\n"));
        assert!(same > 300, "{same}");
        // What has to do with functions that are not there.
        let left_out = |name: &str| {
            let of =
                |(prefix, function): &(&str, &str)| name.starts_with(prefix) && !is_built(function);
            OF_FUNCTIONS.iter().any(of)
        };
        let lacking = theirs.names.difference(&ours.names);
        let lacking: Vec<&String> = lacking.filter(|name| !left_out(name)).collect();
        assert!(lacking.is_empty(), "{lacking:?}");
        let other: Vec<_> = theirs
            .values
            .iter()
            .filter(|(name, value)| ours.values.get(*name) != Some(value) && !left_out(name))
            .collect();
        assert!(other.is_empty(), "{other:?}");
        assert!(theirs.values.len() > 100, "{:?}", theirs.values);
    });
}

/// How names begin that are given to these functions.
const OF_FUNCTIONS: [(&str, &str); 3] = [
    ("SD_BUS_CREDS_", "sd_bus_creds_get_mask"),
    ("SD_BUS_MESSAGE_DUMP_", "sd_bus_message_dump"),
    ("SD_JOURNAL_", "sd_journal_next"),
];
