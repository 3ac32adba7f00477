//! A process of 32 bits reads the map that one of 64 has written.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

mod common;

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use common::{ADDRESSES, World, question};
use lookaside::{Answer, Item};
use support::skip_for_machine;

/// Linked by Rust's own linker with a C library that comes with Rust: no C compiler need know of 32 bits.
const TARGET: &str = "i686-unknown-linux-musl";
const LINK: &str =
    "-C panic=abort -C linker=rust-lld -C linker-flavor=ld.lld -C link-self-contained=yes";

const LONG: usize = 40;

/// Runs a line in this crate's folder, with the tools that built this.
fn run(line: &str) -> std::process::Output {
    let tools = Path::new(env!("CARGO")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new("sh")
        .args(["-c", line])
        .env("PATH", format!("{}:{path}", tools.display()))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

fn text(line: &str) -> String {
    let output = run(line);
    assert!(output.status.success(), "{line}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_process_of_32_bits_reads_what_one_of_64_writes() {
    if cfg!(not(target_arch = "x86_64")) {
        skip_for_machine!("it is not known here which processes have 32 bits");
    }
    let library = run(&format!("rustc --print target-libdir --target {TARGET}"));
    let library = String::from_utf8(library.stdout).unwrap();
    if !Path::new(library.trim()).exists() {
        skip_for_machine!(&format!("the toolchain has no {TARGET}"));
    }
    let world = World::new();
    let directory = world.directory.path().display();
    let made = format!("{directory}/{TARGET}/debug");
    // The reader alone, and then a program around it.
    text(&format!(
        "cargo build --quiet --locked --lib --target {TARGET} --target-dir {directory}"
    ));
    text(&format!(
        "rustc --edition 2024 --target {TARGET} {LINK} -L dependency={made}/deps \
         --extern lookaside={made}/liblookaside.rlib -o {directory}/ask tests/bits/ask.rs"
    ));

    let mut writer = world.writer();
    let v6 = Item::Address {
        octets: &[0xfe; 16],
        ifindex: 7,
    };
    let alias = Item::Name(b"canonical.example");
    let long = [&[ADDRESSES[0]; LONG][..], &[v6, alias]].concat();
    assert!(writer.publish(&question("long.example"), Answer::Found(&long), None));
    writer.publish(&question("absent.example"), Answer::NotFound, None);
    writer.publish(&question("empty.example"), Answer::NoData, None);
    writer.renew();
    let ask = || {
        let owner = rustix::process::geteuid().as_raw();
        run(&format!(
            "{directory}/ask {} {owner} known.example long.example absent.example empty.example other.example",
            world.path.display(),
        ))
    };
    let outcome = ask();
    if String::from_utf8_lossy(&outcome.stderr).contains("Exec format error") {
        skip_for_machine!("the kernel runs no programs of 32 bits");
    }
    let mut expected = String::new();
    let item = |expected: &mut String, name: &str, item: &Item<'_>| {
        writeln!(expected, "{name}: {item:?}").unwrap();
    };
    item(&mut expected, "known.example", &ADDRESSES[0]);
    expected += "known.example: Found { ttl: None }\n";
    long.iter()
        .for_each(|part| item(&mut expected, "long.example", part));
    expected += "long.example: Found { ttl: None }
absent.example: NotFound { ttl: None }
empty.example: NoData { ttl: None }
other.example: Miss
";
    // Until a whole lease is left, on a machine that is slow.
    let writer = std::cell::RefCell::new(writer);
    common::wait_until("it does not find what is there", || {
        writer.borrow_mut().renew();
        let said = String::from_utf8(ask().stdout).unwrap();
        if said != expected {
            println!("{said}");
        }
        said == expected
    });
}
