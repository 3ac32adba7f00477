#!/bin/sh
# The torture by threads under ThreadSanitizer, with a nightly compiler. LOOKASIDE_TORTURE is for how many seconds.
#
# std is not instrumented (that takes -Zbuild-std and its source), so its own channels and locks are reported as races. What
# counts is what has code of the crate in it.
set -eu
cd "$(dirname "$0")/../../.."
target=$(rustc +nightly -vV | sed -n 's/^host: //p')
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/tsan \
    TSAN_OPTIONS="exitcode=0 log_path=$out/report" \
    cargo +nightly test --target "$target" -p lookaside --locked --test torture sixteen_threads -- --nocapture
if grep -q 'crates/lookaside/src' "$out"/* 2>/dev/null; then
    cat "$out"/*
    exit 1
fi
echo "no race in lookaside; $(cat "$out"/* 2>/dev/null | grep -c 'WARNING: ThreadSanitizer') reports of std's own"
