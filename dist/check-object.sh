#!/bin/sh
# Reads a linked NSS module, or the C library, and says what is wrong with it, if anything:
#
#     dist/check-object.sh libnss_mymachines.so.2 nss-mymachines/libnss_mymachines.map
#
# The file's name must be its soname. LIMIT is its largest size in bytes (64000). STD=1: it stands on Rust's standard library,
# which has thread-local storage.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 OBJECT MAP" >&2; exit 2; }
object=$1 map=$2 limit=${LIMIT:-64000} bad=0

wrong() { echo "$object: $*" >&2; bad=1; }

dynamic=$(readelf --dynamic --wide "$object")
symbols=$(readelf --dyn-syms --wide "$object")
segments=$(readelf --program-headers --wide "$object")

soname=$(printf '%s\n' "$dynamic" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
[ "$soname" = "$(basename "$object")" ] || wrong "its soname is '$soname'"

for needed in $(printf '%s\n' "$dynamic" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    case $needed in
    libc.so.6 | ld-linux*.so.*) ;;
    *) wrong "it needs $needed" ;;
    esac
done

# Defined here and visible, with a version if there is one: $8 is the name, $7 the section.
# A version is itself a symbol, in upper case.
exports=$(printf '%s\n' "$symbols" | awk '$7 ~ /^([0-9]+|ABS)$/ && $5 != "LOCAL" && $8 !~ /^[A-Z]/ { print $8 }' | LC_ALL=C sort)
expected=$(awk '/\{$/ { version = NF > 1 ? "@@" $1 : "" }
    /^[[:space:]]*[a-z_][a-z0-9_]*;$/ { sub(/;/, "", $1); print $1 version }' "$map" | LC_ALL=C sort)
[ "$exports" = "$expected" ] || wrong "it exports $(echo $exports), the map $(echo $expected)"

# Undefined symbols are glibc's, each with a version, or weak ones of the C start files.
foreign=$(printf '%s\n' "$symbols" | awk '$7 == "UND" && $5 != "WEAK" && $8 != "" && $8 !~ /@GLIBC_/ { print $8 }')
[ -z "$foreign" ] || wrong "nobody defines $(echo $foreign)"

for flag in NOW NODELETE; do
    printf '%s\n' "$dynamic" | grep -q "(FLAGS_1).*$flag" || wrong "it is not linked with -z $(echo $flag | tr A-Z a-z)"
done
case $segments in *GNU_RELRO*) ;; *) wrong "it has no RELRO segment" ;; esac
printf '%s\n' "$segments" | grep GNU_STACK | grep -q ' RW ' || wrong "its stack is executable"
printf '%s\n' "$dynamic" | grep -q '(TEXTREL)' && wrong "it has text relocations"
[ -n "${STD:-}" ] || case $segments in *" TLS "*) wrong "it has thread-local storage" ;; esac

size=$(wc -c <"$object")
[ "$size" -le "$limit" ] || wrong "it has $size bytes, more than $limit"
exit $bad
