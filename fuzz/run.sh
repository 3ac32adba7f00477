#!/bin/sh
# run.sh NAME...: every target by cargo-fuzz, as many at once as there are processors: those named for LONG seconds (60), the others for
# SHORT ones (5). They begin with what is kept in corpus/, and leave it as it is: what they find is in target/fuzz/found, and the bytes that
# one failed by are in target/fuzz/failed. SANITIZER (none) is cargo-fuzz's; all but none want a nightly compiler.
set -eu
target=${CARGO_TARGET_DIR:-$(dirname "$0")/../target}
mkdir -p "$target/fuzz" && target=$(cd "$target" && pwd)
cd "$(dirname "$0")"
export OUT="$target/fuzz" SANITIZER="${SANITIZER:-none}" PATH="$PATH:$target/tools/bin"
[ "$SANITIZER" = none ] || export RUSTUP_TOOLCHAIN=nightly

missing() {
    echo "skipped: nothing was fuzzed: $*"
    if [ "${SWITCHYARD_REQUIRE:-}" = 1 ]; then exit 1; else exit 0; fi
}
command -v "${CXX:-c++}" >/dev/null || missing "libFuzzer is in C++, and there is no compiler of it"
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked --root "$target/tools" cargo-fuzz ||
    missing "there is no cargo-fuzz, and cargo could not install it"
cargo fetch --quiet --locked || missing "cargo could not fetch the crates of fuzz/Cargo.lock"

# Without what maps their code to lines: that is 80 MB in each, and a panic says where it is.
CARGO_PROFILE_RELEASE_STRIP=debuginfo cargo fuzz build --sanitizer "$SANITIZER" --codegen-units 16 --target-dir "$OUT/$SANITIZER"

{
    for name in "$@"; do echo "$name ${LONG:-60}"; done
    for name in $(cargo fuzz list); do
        case " $* " in *" $name "*) ;; *) echo "$name ${SHORT:-5}" ;; esac
    done
} | xargs -n 2 -P "$(nproc)" ./one.sh
