//! What the code gives: its C functions, as cbindgen declares them.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use cbindgen::{Builder, Config, ItemType, Language, SortKey, Style};

use crate::names::{CONSTANTS, OBJECTS, OF_CONST, STRUCTURES, TYPES, values};
use crate::{CRATE, header};

pub struct Code {
    /// The functions that Rust exports.
    pub functions: BTreeSet<String>,
    /// What the declarations need before them.
    pub prelude: &'static str,
    pub declarations: String,
}

/// Structures of the system are no types by themselves in C.
const PRELUDE: &str = "\
    #include <stdbool.h>\n\
    #include <sys/inotify.h>\n#include <sys/signalfd.h>\n#include <sys/socket.h>\n#include <sys/uio.h>\n\
    typedef struct inotify_event inotify_event;\ntypedef struct iovec iovec;\n\
    typedef struct signalfd_siginfo signalfd_siginfo;\ntypedef struct sockaddr sockaddr;\n\
    #define ALIGNED(n) __attribute__((__aligned__(n)))\n\
    #define SAME(a, b, fields) _Static_assert(a == b, fields)\n";

impl Code {
    pub fn read() -> Self {
        let source = expanded();
        let mut declarations = String::new();
        // Each by itself: cbindgen knows types by their last name only.
        for name in modules(&source) {
            let mut text = module(&source, &format!("ffi::{name}"));
            for (inner, _) in TYPES {
                if let Some(inner) = inner.strip_prefix(&format!("{name}::"))
                    && let Some(apart) = find(&text, inner)
                {
                    text = text.replace(&apart, "");
                }
            }
            let types = TYPES.iter().find(|(of, _)| *of == name);
            let mut config = config();
            for (name, in_c) in types.map_or(&[][..], |(_, types)| types) {
                config.export.rename.insert((*name).into(), (*in_c).into());
                // cbindgen looks into an Option for a pointer to a function, and not behind its name.
                if in_c.ends_with("_t") {
                    text = text.replace(&format!("Option<{name}>"), name);
                    config.export.include.push((*name).into());
                }
            }
            config.export.item_types =
                vec![ItemType::Functions, ItemType::Globals, ItemType::Typedefs];
            declarations += &made(&text, config);
        }
        // An object that several share is const in Rust.
        let plain = |line: &str| {
            let is_const = |name: &&str| line.contains(&format!(" {name}("));
            let line = format!("{line}\n");
            match OF_CONST.iter().any(is_const) {
                true => line,
                false => OBJECTS.iter().fold(line, |line, object| {
                    line.replace(&format!("const {object} *"), &format!("{object} *"))
                        .replace(&format!("const {object}*"), &format!("{object}*"))
                }),
            }
        };
        declarations = declarations.lines().map(plain).collect();
        // C has no const for what a list's texts are, though nobody changes them.
        declarations = declarations.replace("const char *const *", "char **");
        let functions = header::functions(&declarations);
        declarations += &structures(&source);
        declarations += &constants(&source);
        Self {
            functions,
            prelude: PRELUDE,
            declarations,
        }
    }
}

fn config() -> Config {
    let mut config = Config {
        language: Language::C,
        style: Style::Type,
        documentation: false,
        no_includes: true,
        usize_is_size_t: true,
        line_length: usize::MAX,
        sort_by: SortKey::Name,
        ..Config::default()
    };
    config.layout.aligned_n = Some("ALIGNED".into());
    config
}

fn made(text: &str, config: Config) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let made = Builder::new().with_config(config).with_src(file.path());
    let mut bytes = Vec::new();
    made.generate().unwrap().write(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

/// That structures of both are the same, field by field.
fn structures(source: &str) -> String {
    let mut all = String::new();
    for structure in STRUCTURES {
        let (in_c, own) = (structure.in_c, format!("rust_{}", structure.in_c));
        let mut config = config();
        config.export.include = vec![structure.name.into()];
        config.export.item_types = vec![ItemType::Structs];
        config
            .export
            .rename
            .insert(structure.name.into(), own.clone());
        let made = made(
            &module(source, &format!("ffi::{}", structure.module)),
            config,
        );
        // Others come along that its functions have to do with.
        let end = format!("}} {own};");
        let before = made
            .split_inclusive(&end)
            .next()
            .filter(|text| text.contains(&end));
        let before = before.unwrap_or_else(|| panic!("no {own} in\n{made}"));
        let begin = before.rfind("typedef struct").unwrap();
        all += before.get(begin..).unwrap();
        all += "\n";
        let mut same = |what: &str, of: String, own: String| {
            writeln!(all, "SAME({of}, {own}, \"{what} of {in_c}\");").unwrap();
        };
        for what in ["sizeof", "_Alignof"] {
            same(what, format!("{what}({in_c})"), format!("{what}({own})"));
        }
        for (field, own_field) in structure.fields {
            let place = |of: &str, field: &str| format!("offsetof({of}, {field})");
            same(
                &format!("the place of {field}"),
                place(in_c, field),
                place(&own, own_field),
            );
            let type_of = |of: &str, field: &str| format!("__typeof__((({of} *) 0)->{field})");
            let (first, second) = (type_of(in_c, field), type_of(&own, own_field));
            let are = format!("__builtin_types_compatible_p({first}, {second})");
            same(&format!("the type of {field}"), are, "1".into());
        }
    }
    all
}

/// That numbers of both are the same.
fn constants(source: &str) -> String {
    let mut all = String::new();
    for (path, names) in CONSTANTS {
        // cbindgen takes public ones.
        let text = module(source, path).replace(" const ", " pub const ");
        let text = text.replace("pub pub const", "pub const");
        let mut config = config();
        config.export.item_types = vec![ItemType::Constants, ItemType::Enums];
        config.export.include = vec!["State".into()];
        let prefix = format!("{}_", path.replace("::", "_"));
        let made = made(&text, config);
        for (name, in_c) in *names {
            let value =
                value(&made, name).unwrap_or_else(|| panic!("{path} has no {name}:\n{made}"));
            writeln!(
                all,
                "SAME({in_c}, ({value}), \"{in_c}, which is {prefix}{name}\");"
            )
            .unwrap();
        }
    }
    for (in_c, value) in values() {
        writeln!(all, "SAME({in_c}, {value}U, \"{in_c}\");").unwrap();
    }
    all
}

/// The value of a constant or of a variant that cbindgen has written.
fn value<'m>(made: &'m str, name: &str) -> Option<&'m str> {
    made.lines().find_map(|line| {
        let line = line.trim();
        let defined = line
            .strip_prefix("#define ")
            .and_then(|rest| rest.strip_prefix(name)?.strip_prefix(' '));
        let variant = || {
            line.strip_prefix(name)?
                .strip_prefix(" = ")?
                .strip_suffix(',')
        };
        defined.or_else(variant)
    })
}

/// The crate with its macros expanded, which cbindgen does not do itself on a stable compiler. The compiler prints it; nothing that is built
/// this way is used.
fn expanded() -> String {
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(CRATE).join("../target"), Into::into);
    let run = Command::new(env::var_os("CARGO").unwrap())
        .current_dir(CRATE)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", target.join("headers"))
        .args([
            "rustc",
            "--quiet",
            "--locked",
            "--offline",
            "--lib",
            "--profile",
            "check",
            "--",
            "-Zunpretty=expanded",
        ])
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8(run.stdout).unwrap()
}

/// The modules of `ffi`, and those within that are taken by themselves.
fn modules(source: &str) -> Vec<String> {
    let ffi = module(source, "ffi");
    let names = ffi.lines().filter_map(|line| {
        let line = line.strip_prefix("    ")?.strip_suffix(" {")?;
        let name = line
            .strip_prefix("mod ")
            .or(line.strip_prefix("pub mod "))?;
        Some(name.to_owned())
    });
    let within = TYPES.iter().map(|(path, _)| (*path).to_owned());
    let within = within
        .filter(|path| path.contains("::") && find(source, &format!("ffi::{path}")).is_some());
    names.chain(within).collect()
}

/// What stands in a module that must be there.
fn module(source: &str, path: &str) -> String {
    find(source, path).unwrap_or_else(|| panic!("there is no module {path}"))
}

/// What stands in a module: the compiler prints each level four columns further to the right.
fn find(source: &str, path: &str) -> Option<String> {
    let mut lines: Vec<&str> = source.lines().collect();
    for name in path.split("::") {
        let begins = ["", "pub ", "pub(crate) ", "pub(super) "]
            .map(|visible| format!("{visible}mod {name} {{"));
        let is_outermost = |line: &&&str| begins.iter().any(|begin| begin == line.trim_start());
        let least = lines
            .iter()
            .filter(is_outermost)
            .map(|line| line.len() - line.trim_start().len())
            .min()?;
        let indent = " ".repeat(least);
        let begin = lines.iter().position(|line| {
            begins
                .iter()
                .any(|begin| *line == format!("{indent}{begin}"))
        })?;
        let end = format!("{indent}}}");
        let length = lines[begin..].iter().position(|line| *line == end)?;
        lines = lines[begin + 1..begin + length].to_vec();
    }
    Some(lines.join("\n"))
}
