#!/bin/sh
# one.sh NAME SECONDS: what run.sh does with one target.
set -eu
name=$1 log=$OUT/$1.log
mkdir -p "$OUT/found/$name" "$OUT/failed"
if CARGO_PROFILE_RELEASE_STRIP=debuginfo cargo fuzz run --sanitizer "$SANITIZER" --codegen-units 16 --target-dir "$OUT/$SANITIZER" \
    "$name" "$OUT/found/$name" "corpus/$name" -- \
    -max_total_time="$2" -timeout=25 -rss_limit_mb=4096 -artifact_prefix="$OUT/failed/$name-" -print_final_stats=1 >"$log" 2>&1; then
    sed -n "s/^Done/$name:/p" "$log"
    exit
fi
input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
# In one piece: others are at work.
printf '%s\n' "$(
    tail -n 60 "$log"
    if [ -e "$input" ]; then
        echo "$name failed by the bytes of $input; by base64:"
        base64 "$input"
    else
        echo "$name failed; all that it said is in $log"
    fi
)"
exit 1
