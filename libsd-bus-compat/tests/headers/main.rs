//! The headers are written by hand, since they say what Rust has no words for: what cbindgen makes of the code is held against
//! them by the C compiler. A function that only one side has, another type, layout or value is refused, by its name.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod code;
mod header;
mod names;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use code::Code;
use tempfile::TempDir;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

fn code() -> &'static Code {
    static MADE: OnceLock<Code> = OnceLock::new();
    MADE.get_or_init(Code::read)
}

/// A copy of the headers.
fn headers() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("systemd");
    fs::create_dir(&to).unwrap();
    for entry in fs::read_dir(Path::new(CRATE).join("../include/systemd")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    (folder, to)
}

/// What is wrong with the headers of a folder; nothing if they are what the code gives.
fn wrong(include: &Path) -> String {
    let mut all: Vec<_> = fs::read_dir(include.join("systemd"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("sd-"))
        .collect();
    all.sort();
    let includes: String = all
        .iter()
        .map(|name| format!("#include <systemd/{name}>\n"))
        .collect();
    let varargs = format!("{CRATE}/src/ffi/varargs.c");
    let code = code();
    // The one C file comes with it: so its own functions, and what it takes for the types of those in Rust, are compared, too.
    let unit = format!(
        "#define _GNU_SOURCE\n#define SD_JOURNAL_SUPPRESS_LOCATION\n{includes}#include \"{varargs}\"\n{}{}",
        code.prelude, code.declarations
    );
    let unit_file = include.join("unit.c");
    fs::write(&unit_file, unit).unwrap();
    let mut wrong = compile(&unit_file, include, &["-fsyntax-only"]).unwrap_or_default();

    let headers_file = include.join("headers.c");
    fs::write(&headers_file, includes).unwrap();
    let declared = header::functions(&preprocess(&headers_file, include));
    assert!(declared.len() > 300);
    let in_c = defined_in_c(Path::new(&varargs), include);
    let built: BTreeSet<String> = code.functions.union(&in_c).cloned().collect();
    for name in built.difference(&declared) {
        wrong += &format!("{name} is not declared\n");
    }
    for name in declared.difference(&built) {
        wrong += &format!("{name} is declared, and is not there\n");
    }
    wrong
}

fn cc(include: &Path) -> Command {
    let mut cc = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()));
    cc.args(["-std=c11", "-I"]).arg(include);
    cc
}

/// What the compiler has to say, if it refuses.
fn compile(file: &Path, include: &Path, how: &[&str]) -> Option<String> {
    let strict = [
        "-Wall",
        "-Wextra",
        "-Wmissing-declarations",
        "-Wno-array-parameter",
        "-Werror",
    ];
    let mut cc = cc(include);
    let run = cc.args(strict).args(how).arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    (!run.status.success()).then_some(said)
}

fn preprocess(file: &Path, include: &Path) -> String {
    let run = cc(include).args(["-E", "-P"]).arg(file).output().unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8(run.stdout).unwrap()
}

/// The functions that the C file defines.
fn defined_in_c(file: &Path, include: &Path) -> BTreeSet<String> {
    let object = include.join("varargs.o");
    let mut cc = cc(include);
    let run = cc
        .arg("-c")
        .arg(file)
        .arg("-o")
        .arg(&object)
        .output()
        .unwrap();
    if !run.status.success() {
        // It was said already.
        return BTreeSet::new();
    }
    let nm = std::env::var("NM").unwrap_or_else(|_| "nm".into());
    let listed = Command::new(nm)
        .args(["--defined-only", "--extern-only"])
        .arg(&object)
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let names = listed.lines().filter_map(|line| line.rsplit(' ').next());
    names
        .filter(|name| name.starts_with("sd_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn headers_are_what_the_code_gives() {
    let (folder, _) = headers();
    assert!(code().functions.len() > 300);
    let wrong = wrong(folder.path());
    assert!(wrong.is_empty(), "{wrong}");
}

/// A change of any kind is noticed, and where it is.
#[test]
fn what_differs_is_refused() {
    for (header, right, mutated, name) in [
        (
            "sd-bus.h",
            "int sd_bus_get_timeout(sd_bus *bus, uint64_t *",
            "int sd_bus_get_timeout(sd_bus *bus, uint32_t *",
            "conflicting types for ‘sd_bus_get_timeout’",
        ),
        (
            "sd-bus.h",
            "sd_bus_set_description(sd_bus *bus, const char *",
            "sd_bus_set_description(sd_bus *bus, char *",
            "conflicting types for ‘sd_bus_set_description’",
        ),
        (
            "sd-bus.h",
            "int sd_bus_message_read(sd_bus_message *m, const char *types, ...)",
            "int sd_bus_message_read(sd_bus_message *m, char *types, ...)",
            "conflicting types for ‘sd_bus_message_read’",
        ),
        (
            "sd-bus.h",
            "int sd_bus_is_open(sd_bus *bus);",
            "",
            "sd_bus_is_open is not declared",
        ),
        (
            "sd-bus.h",
            "int sd_bus_is_open(sd_bus *bus);",
            "int sd_bus_is_open(sd_bus *bus);\nint sd_bus_is_nothing(sd_bus *bus);",
            "sd_bus_is_nothing is declared, and is not there",
        ),
        (
            "sd-bus.h",
            "typedef int (*sd_bus_message_handler_t)(sd_bus_message *m, void *",
            "typedef int (*sd_bus_message_handler_t)(sd_bus_message *m, const void *",
            "conflicting types for ‘sd_bus_message_handler_t’",
        ),
        (
            "sd-bus.h",
            "        const char *message;\n        int _need_free;",
            "        int _need_free;\n        const char *message;",
            "the place of message of sd_bus_error",
        ),
        (
            "sd-bus-vtable.h",
            "SD_BUS_VTABLE_HIDDEN = UINT64_C(1) << 1",
            "SD_BUS_VTABLE_HIDDEN = UINT64_C(1) << 11",
            "SD_BUS_VTABLE_HIDDEN",
        ),
        (
            "sd-bus-vtable.h",
            "extern const unsigned sd_bus_object_vtable_format;",
            "extern const uint64_t sd_bus_object_vtable_format;",
            "conflicting types for ‘sd_bus_object_vtable_format’",
        ),
        (
            "sd-bus-protocol.h",
            "SD_BUS_TYPE_UINT16 = 'q'",
            "SD_BUS_TYPE_UINT16 = 'Q'",
            "SD_BUS_TYPE_UINT16",
        ),
        (
            "sd-event.h",
            "SD_EVENT_FINISHED = 5",
            "SD_EVENT_FINISHED = 50",
            "SD_EVENT_FINISHED",
        ),
        (
            "sd-daemon.h",
            "#define SD_LISTEN_FDS_START 3",
            "#define SD_LISTEN_FDS_START 4",
            "SD_LISTEN_FDS_START",
        ),
        (
            "sd-login.h",
            "int sd_pid_get_owner_uid(pid_t pid, uid_t *uid);",
            "int sd_pid_get_owner_uid(pid_t pid, pid_t *uid);",
            "conflicting types for ‘sd_pid_get_owner_uid’",
        ),
    ] {
        let (folder, to) = headers();
        let file = to.join(header);
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.matches(right).count(), 1, "{right}");
        fs::write(&file, text.replace(right, mutated)).unwrap();
        let wrong = wrong(folder.path());
        // Quotes are the locale's.
        let plain = |text: &str| text.replace(['‘', '’'], "'");
        assert!(
            plain(&wrong).contains(&plain(name)),
            "{name} is not in what was said of {mutated}:\n{wrong}"
        );
    }
}
