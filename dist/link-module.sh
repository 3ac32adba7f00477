#!/bin/sh
# Links an NSS module out of the static library that cargo built with the profile `module`:
#
#     cargo build --profile module -p nss-mymachines
#     dist/link-module.sh target/module/libnss_mymachines.a libnss_mymachines.so.2 \
#         nss-mymachines/libnss_mymachines.map stage/libnss_mymachines.so.2
#
# CC is the compiler (default: cc), LDFLAGS come last. A cdylib of rustc's would need libgcc_s.so.1,
# which triples the cost of dlopen(3), and could not take our version script.
set -eu
[ $# -eq 4 ] || { echo "usage: $0 STATICLIB SONAME MAP OUT" >&2; exit 2; }
library=$1 soname=$2 map=$3 out=$4

# The entry points are the roots: from them the linker finds what of the library is needed.
roots=$(sed -n 's/^[[:space:]]*\([a-z_][a-z0-9_]*\);$/-Wl,-u,\1/p' "$map")

mkdir -p "$(dirname "$out")"
# -z defs: what a reachable panic calls is defined nowhere, so an object that has one does not link.
# -z noseparate-code: one read-only segment instead of three, which are two calls of mmap(2) and a few page faults less in every
# process that looks something up: 37 µs for dlopen(3) instead of 44. That constants can be executed is the price.
# -nostartfiles: a module has no constructors. What the C compiler would add looks for four functions in all objects of the program.
# -z nodelete: dlclose(3) must not unmap code that another thread may be in.
# -z pack-relative-relocs needs glibc 2.36 (it makes the object ask for that): not without.
relr=
if ${CC:-cc} -shared -nostdlib -Wl,-z,pack-relative-relocs -o "$out.probe" -x c /dev/null 2>/dev/null; then
    relr=-Wl,-z,pack-relative-relocs
fi
rm -f "$out.probe"
# shellcheck disable=SC2086 # lists of words
${CC:-cc} -shared -o "$out" \
    -Wl,-soname,"$soname" -Wl,--version-script="$map" $roots "$library" \
    -Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete -Wl,-z,noexecstack -Wl,-z,noseparate-code $relr \
    -nostartfiles -Wl,--gc-sections -Wl,--as-needed -Wl,-O1 -Wl,--hash-style=gnu -Wl,--build-id -Wl,-s \
    -static-libgcc ${LDFLAGS:-}
