//! What `fuzz/corpus/` has, and what becomes of it by damage, through every parser: as `cargo fuzz` does it, but without a build of its
//! own and without its knowledge of which bytes lead further. `SWITCHYARD_FUZZ_SECONDS` is how long each parser is tried, 1 unless
//! told. The bytes are the same ones in every run, and those that something is wrong with are printed.

mod damage;

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use damage::Damage;

macro_rules! tests {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name), parsers::$name);
            }
        )*

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

parsers::for_all!(tests);

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries
}

fn replay(name: &str, parser: fn(&[u8])) {
    let kept: Vec<Vec<u8>> = entries(&fuzz().join("corpus").join(name))
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    assert!(!kept.is_empty());
    for bytes in &kept {
        check(parser, bytes);
    }
    let end = Instant::now() + Duration::from_secs(seconds());
    let mut damage = Damage::new(&kept);
    let mut count = 0_u64;
    while Instant::now() < end {
        check(parser, damage.next());
        count += 1;
    }
    println!("{name}: {} kept, {count} damaged", kept.len());
}

/// For how long a parser is tried.
fn seconds() -> u64 {
    env::var("SWITCHYARD_FUZZ_SECONDS").map_or(1, |text| text.parse().unwrap())
}

fn check(parser: fn(&[u8]), bytes: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| parser(bytes))) {
        eprintln!("by these bytes: b\"{}\"", bytes.escape_ascii());
        resume_unwind(panic);
    }
}

#[test]
fn every_parser_has_a_target_and_a_corpus_and_there_are_no_others() {
    let stems = |dir: &str| -> Vec<String> {
        let entries = entries(&fuzz().join(dir));
        let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        entries.iter().map(stem).collect()
    };
    let mut names = NAMES.to_vec();
    names.sort();
    assert_eq!(stems("corpus"), names);
    assert_eq!(stems("fuzz_targets"), names);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
    // Those that cargo-fuzz has a minute for in `make test`.
    let makefile = fs::read_to_string(fuzz().join("../Makefile")).unwrap();
    let line = makefile
        .lines()
        .find_map(|line| line.strip_prefix("hostile := "))
        .unwrap();
    assert!(line.split(' ').all(|name| NAMES.contains(&name)), "{line}");
}
