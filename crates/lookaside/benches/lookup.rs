//! What a lookup in a map costs, in nanoseconds: `cargo bench -p lookaside`, and with `--profile module` as in
//! the modules. The median of runs, in which the questions take turns.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "no figures come of what fails"
)]

use std::ffi::CString;
use std::hint::black_box;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use lookaside::{Answer, Family, Item, Lookaside, Question, Settings, Verdict, Writer};

const NAMES: usize = 1000;
const RUNS: usize = 21;

fn main() {
    let directory = tempfile::tempdir_in("/dev/shm").expect("no /dev/shm");
    let path = directory.path().join("map");
    let mut writer = Writer::create(&path, Settings::default()).expect("no map");
    writer.renew();

    let v4 = Item::Address {
        octets: &[192, 0, 2, 1],
        ifindex: 0,
    };
    let v6 = Item::Address {
        octets: &[0x20; 16],
        ifindex: 0,
    };
    let alias = Item::Name(b"edge-17.cdn.example.net");
    let many: Vec<Item<'_>> = [v4; 8].into_iter().chain([v6; 8]).chain([alias]).collect();
    for (label, answer) in [
        ("one", Answer::Found(&[v4])),
        ("both", Answer::Found(&[v4, v6])),
        ("many", Answer::Found(&many)),
        ("nodata", Answer::NoData),
        ("absent", Answer::NotFound),
    ] {
        for question in questions(label) {
            assert!(writer.publish(&question, answer, Some(3600)));
        }
    }

    let map = reader(&path);
    let is_found = |verdict| matches!(verdict, Verdict::Found { .. });
    let same = vec![questions("one")[0]; NAMES];
    let again = measure(map, &same, is_found);
    println!("{:<34}{again:>7.1}", "hit, 1 address, the same again");
    let mut report = |label: &str, expected: fn(Verdict) -> bool, asked: &str| {
        writer.renew();
        println!(
            "{label:<34}{:>7.1}",
            measure(map, &questions(asked), expected)
        );
    };
    report("hit, 1 address", is_found, "one");
    report("hit, A and AAAA", is_found, "both");
    report("hit, 8 A, 8 AAAA and an alias", is_found, "many");
    report("no data", |v| matches!(v, Verdict::NoData { .. }), "nodata");
    report(
        "not found",
        |v| matches!(v, Verdict::NotFound { .. }),
        "absent",
    );
    report("miss", |v| v == Verdict::Miss, "unknown");
    drop(writer);
    let retired = measure(map, &questions("one"), |v| v == Verdict::Miss);
    println!("{:<34}{retired:>7.1}", "miss, the map being retired");
    println!("{:<34}{:>7.1}", "hit, the map being new", first(&path));
}

fn questions(label: &str) -> Vec<Question<'static>> {
    let name = |at| format!("host-{at}.{label}.example.com");
    (0..NAMES)
        .map(|at| Question::name(name(at).leak().as_bytes(), Family::Any).expect("no name"))
        .collect()
}

fn reader(path: &Path) -> &'static Lookaside {
    let path = CString::new(path.as_os_str().as_bytes()).expect("a NUL");
    let owner = rustix::process::geteuid().as_raw();
    Box::leak(Box::new(Lookaside::owned_by(
        owner,
        Box::leak(path.into_boxed_c_str()),
    )))
}

fn measure(map: &Lookaside, questions: &[Question<'_>], expected: fn(Verdict) -> bool) -> f64 {
    let run = || {
        let start = Instant::now();
        for question in questions {
            let verdict = map.lookup(black_box(question), &mut |item| {
                black_box(item);
            });
            assert!(expected(verdict), "{verdict:?}");
        }
        start.elapsed().as_nanos() as f64 / questions.len() as f64
    };
    let mut runs: Vec<f64> = (0..RUNS).map(|_| run()).collect();
    runs.sort_by(f64::total_cmp);
    runs[RUNS / 2]
}

/// The first lookup of a process: opening and mapping included.
fn first(path: &Path) -> f64 {
    let mut writer = Writer::create(path, Settings::default()).expect("no map");
    let questions = questions("one");
    for question in &questions {
        assert!(writer.publish(question, Answer::NotFound, None));
    }
    writer.renew();
    let run = |question| {
        let map = reader(path);
        let start = Instant::now();
        let verdict = map.lookup(question, &mut |_| {});
        assert_ne!(verdict, Verdict::Miss);
        start.elapsed().as_nanos() as f64
    };
    let mut runs: Vec<f64> = questions.iter().take(RUNS).map(run).collect();
    runs.sort_by(f64::total_cmp);
    runs[RUNS / 2]
}
