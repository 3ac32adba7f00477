#!/bin/sh
# What of libsd-bus-compat/symbols is in the finished objects, as docs/sd-bus.md:
#
#     dist/symbol-table.sh stage/usr/lib/switchyard/compat/libsystemd.so.0 stage/usr/lib/x86_64-linux-gnu/libsd-bus-compat.so.0
#
# A test compares that file with what this prints.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 LIBSYSTEMD LIBSD_BUS_COMPAT" >&2; exit 2; }
table=$(cd "$(dirname "$0")" && pwd)/../libsd-bus-compat/symbols

# NAME VERSION of what an object exports.
exports() {
    readelf --dyn-syms --wide "$1" | awk '$7 ~ /^[0-9]+$/ && $8 ~ /^sd_.*@@/ { sub(/@@/, " ", $8); print $8 }'
}

{ exports "$1"; exports "$2"; cat "$table"; } | awk '
$2 ~ /^LIBSYSTEMD_/ { sub(/LIBSYSTEMD_/, "", $2); compat[$1] = $2; next }
$2 ~ /^SD_BUS_COMPAT_/ { own[$1] = 1; next }
/^\[/ { group = substr($1, 2, length($1) - 2); refused = $2; order[++groups] = group; is_refused[group] = refused != ""; next }
/^sd_/ {
    all[group]++
    if (!($1 in compat) || compat[$1] != $2) state = "missing"
    else if ($1 in own) { state = "built"; built[group]++ }
    else state = refused == "" ? "not yet" : "refused"
    rows[group] = rows[group] "| `" $1 "` | " $2 " | " state " |\n"
}
END {
    print "# The C library, symbol by symbol\n"
    print "Made by `dist/symbol-table.sh` of the finished objects; a test fails where they differ."
    print "`built` is in libsd-bus-compat.so.0 and in libsystemd.so.0. libsystemd.so.0 exports the others, too, since programs bind all they import"
    print "when they start; they answer -EOPNOTSUPP, or nothing: `not yet` is to be built, `refused` is not meant to be.\n"
    print "| Group | Built | Of |\n|---|---|---|"
    for (i = 1; i <= groups; i++) printf "| %s%s | %d | %d |\n", order[i], is_refused[order[i]] ? " (refused)" : "", built[order[i]], all[order[i]]
    for (i = 1; i <= groups; i++) printf "\n## %s\n\n| Symbol | LIBSYSTEMD_ | |\n|---|---|---|\n%s", order[i], rows[order[i]]
}'
