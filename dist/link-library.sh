#!/bin/sh
# Links the C library out of the static library that cargo built with the profile `library`:
#
#     cargo rustc --profile library -p libsd-bus-compat --crate-type staticlib
#     dist/link-library.sh target/library/libsd_bus_compat.a libsd-bus-compat.so.0 OUT
#     dist/link-library.sh target/library/libsd_bus_compat.a libsystemd.so.0 OUT
#     dist/link-library.sh target/library/libsd_bus_compat.a libsd-bus-compat.a OUT
#
# libsystemd.so.0 has every symbol of libsd-bus-compat/symbols under systemd's versions, because programs bind all they
# import at their start: for what the static library has not, the answer is -EOPNOTSUPP. Under its own name the library
# has what it has, under a version of its own, so that a process may load systemd's beside it.
# The archive holds one object in which nothing but these functions is visible: so it goes into a program beside other libraries
# that hold Rust's standard library. OUT.map is the version script, for dist/check-object.sh. Tools: CC, LD, AR, NM, OBJCOPY.
set -eu
[ $# -eq 3 ] || { echo "usage: $0 STATICLIB SONAME OUT" >&2; exit 2; }
library=$1 soname=$2 out=$3
here=$(cd "$(dirname "$0")" && pwd)
table=$here/../libsd-bus-compat/symbols
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$(dirname "$out")"

${NM:-nm} --defined-only --extern-only --no-sort "$library" 2>/dev/null | awk '$3 ~ /^sd_/ { print $3 }' | sort -u >"$work/built"
awk '/^\[/ { refused = $2 } /^sd_/ { print $1, $2, ($3 == "" ? "int" : $3), (refused == "" ? "wanted" : refused) }' "$table" >"$work/all"
unknown=$(awk '{ print $1 }' "$work/all" | sort | comm -13 - "$work/built")
[ -z "$unknown" ] || { echo "$0: not in $table: $(echo $unknown)" >&2; exit 1; }

stubs=
case $soname in
libsystemd.so.0)
    {
        echo '#include <errno.h>'
        echo 'static int answer(void) { return -EOPNOTSUPP; }'
        echo 'static void *nothing(void) { return 0; }'
        awk 'NR == FNR { built[$1]; next } !($1 in built) {
            if ($3 == "object") printf "const unsigned %s = 0;\n", $1
            else if ($3 == "zero") printf "void *%s(void) __attribute__((alias(\"nothing\")));\n", $1
            else printf "int %s(void) __attribute__((alias(\"answer\")));\n", $1
        }' "$work/built" "$work/all"
    } >"$work/stubs.c"
    ${CC:-cc} -O2 -fPIC -c -o "$work/stubs.o" "$work/stubs.c"
    stubs=$work/stubs.o
    sort -s -n -k2,2 "$work/all" | awk '
        $2 != version { if (version) printf "}%s;\n", parent; parent = version ? " LIBSYSTEMD_" version : ""
            version = $2; printf "LIBSYSTEMD_%s {\nglobal:\n", version }
        { printf "\t%s;\n", $1 }
        END { printf "}%s;\n{ local: *; };\n", parent }' >"$work/map"
    # The oldest version is the one that hides the rest.
    awk '/^\{ local/ { next } /^};$/ && !hidden { print "local:\n\t*;"; hidden = 1 } { print }' "$work/map" >"$out.map"
    ;;
*)
    awk 'BEGIN { print "SD_BUS_COMPAT_0 {\nglobal:" } { printf "\t%s;\n", $1 } END { print "local:\n\t*;\n};" }' "$work/built" >"$out.map"
    ;;
esac

if [ "$soname" = libsd-bus-compat.a ]; then
    # shellcheck disable=SC2046 # a list of words
    ${LD:-ld} -r --gc-sections $(sed 's/^/-u /' "$work/built") -o "$work/all.o" "$library"
    ${OBJCOPY:-objcopy} --strip-debug --keep-global-symbols="$work/built" "$work/all.o" "$work/sd-bus-compat.o"
    rm -f "$out"
    ${AR:-ar} qcs "$out" "$work/sd-bus-compat.o"
    exit
fi

# Its own calls are its own, whoever else in the process has functions of these names.
LDFLAGS="$stubs -Wl,-Bsymbolic ${LDFLAGS:-}" "$here/link-module.sh" "$library" "$soname" "$out.map" "$out"
