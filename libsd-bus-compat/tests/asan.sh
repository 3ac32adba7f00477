#!/bin/sh
# The C library with AddressSanitizer in it, by a nightly compiler, and the C probes of the suite with that: everything that the tests have
# them do, they do once more so. `make asan` has what the tests want.
#
# std is not instrumented (that takes -Zbuild-std and its source); its allocations are seen all the same, since they are malloc's.
set -eu
cd "$(dirname "$0")/../.."
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
target=$(mkdir -p "${CARGO_TARGET_DIR:-target}/asan" && cd "${CARGO_TARGET_DIR:-target}/asan" && pwd)

# build.rs takes CC for the name of a program.
cat >"$target/cc" <<'CC'
#!/bin/sh
exec cc -fsanitize=address -g "$@"
CC
chmod +x "$target/cc"
CC=$target/cc CARGO_TARGET_DIR=$target RUSTFLAGS="-Zsanitizer=address -Cunsafe-allow-abi-mismatch=sanitizer -Cforce-frame-pointers=yes -g" \
    cargo +nightly rustc --target "$host" --profile library --locked -p libsd-bus-compat --crate-type staticlib

tests=$(sed -n 's/^path = "\(sd_[a-z_]*\)\.rs"$/\1/p' tests/Cargo.toml)
probes=
for name in $tests; do
    if grep -q 'Probe::new(' "tests/$name.rs"; then probes="$probes --test $name"; fi
done
# shellcheck disable=SC2086 # a list of words
SWITCHYARD_ASAN=$target/$host/library/libsd_bus_compat.a cargo test -p switchyard-tests --locked --no-fail-fast $probes
