//! python-sdbus, the package of PyPI: built of its source against systemd's library and against ours, its own tests run on both.

mod sd_probe;
mod sd_program;

use std::fs;
use std::time::Duration;

use sd_program::{OURS, closed, theirs};
use support::{Sandbox, sandbox, skip};

const SOURCE: &str = "/usr/src/sdbus.tar.gz";

/// Builds it in a folder, with what pkg-config says of this file's library.
fn build(s: &Sandbox, folder: &str, pkg_config: &str) {
    let line = format!(
        "mkdir {folder} && tar -xf {SOURCE} --no-same-owner --strip-components=1 -C {folder} && cd {folder} && touch test/__init__.py && \
         export PKG_CONFIG_PATH={pkg_config} && CPPFLAGS=$(pkg-config --cflags libsystemd) \
         LDFLAGS=$(pkg-config --libs-only-L libsystemd) /usr/bin/python3 setup.py -q build_ext --inplace 2>&1"
    );
    let built = s.cmd("sh").args(["-c", &line]);
    built.timeout(Duration::from_secs(120)).run().ok();
}

/// Each of its tests with how it ended, and which library was loaded.
fn results(s: &Sandbox, folder: &str, library: &str) -> (Vec<String>, String) {
    let tests = s
        .cmd("/usr/bin/python3")
        .arg("/tmp/run_tests.py")
        .dir(folder);
    let tests = tests
        .env("PYTHONPATH", "src")
        .env("LD_LIBRARY_PATH", library);
    let output = tests.timeout(Duration::from_secs(120)).run();
    println!("{}", output.stderr);
    let mut results: Vec<String> = output.ok().lines().map(str::to_owned).collect();
    let loaded = results.pop().unwrap();
    (results, loaded)
}

/// Builds it against systemd's library, and gives the tests that pass on that.
fn passed(s: &Sandbox) -> Vec<String> {
    fs::write("/tmp/run_tests.py", include_str!("programs/run_tests.py")).unwrap();
    build(s, "/tmp/theirs", "");
    let theirs = theirs(s);
    let (results, loaded) = results(s, "/tmp/theirs", &theirs);
    let library = format!("on {theirs}/libsystemd.so.0");
    assert!(loaded.starts_with(&library), "{loaded}");
    let passed: Vec<_> = results
        .iter()
        .filter(|line| line.ends_with(" ok"))
        .cloned()
        .collect();
    assert!(passed.len() > 120, "{results:#?}");
    passed
}

#[track_caller]
fn all_pass(s: &Sandbox, folder: &str, library: &str, expected: &str) {
    let passed = passed(s);
    let (results, loaded) = results(s, folder, library);
    assert_eq!(loaded, format!("on {expected}"));
    let left: Vec<_> = passed
        .iter()
        .filter(|line| !results.contains(line))
        .collect();
    assert!(left.is_empty(), "these do not pass: {left:#?}");
}

/// Built against systemd's library, and run on ours.
#[test]
fn as_it_is() {
    sandbox!(closed().bus(true).timeout(Duration::from_secs(300)), |s| {
        if fs::metadata(SOURCE).is_err() {
            skip!("the source of python-sdbus could not be fetched");
        }
        all_pass(s, "/tmp/theirs", OURS, &format!("{OURS}/libsystemd.so.0"));
    });
}

/// Built against our library under its own name.
#[test]
fn built_on_ours() {
    sandbox!(closed().bus(true).timeout(Duration::from_secs(300)), |s| {
        if fs::metadata(SOURCE).is_err() {
            skip!("the source of python-sdbus could not be fetched");
        }
        // As a distribution has it that takes ours for its libsystemd.
        let ours = "mkdir /tmp/pkgconfig && sed 's/^Name:.*/Name: libsystemd/; s/^Version:.*/Version: 258/' \
            /usr/lib/*/pkgconfig/libsd-bus-compat.pc >/tmp/pkgconfig/libsystemd.pc";
        s.run(ours).ok();
        build(s, "/tmp/ours", "/tmp/pkgconfig");
        let library = format!("{}/libsd-bus-compat.so.0", theirs(s));
        all_pass(s, "/tmp/ours", "", &library);
    });
}
