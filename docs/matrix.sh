#!/bin/sh
# matrix.sh: writes the table "what works with what" into README.md, from docs/matrix.txt.
# Every line there names the test that shows it. A test that is gone or ignored is an error, so the table can't say what is not
# so; new tests change nothing until a line names them.
#   matrix.sh           write the table        matrix.sh --check   only say whether it is up to date
set -eu
cd "$(dirname "$0")/.."
begin='<!-- matrix: made by docs/matrix.sh -->' end='<!-- end of matrix -->'

table() {
    echo '| Program | What works | Shown by |'
    echo '|---|---|---|'
    while IFS='|' read -r program what shown; do
        case $program in '#'* | '') continue ;; esac
        shown=$(echo "$shown" | tr -d " ")
        file=tests/${shown%%::*}.rs test=${shown##*::}
        grep -q -E "fn $test\(" "$file" || { echo "matrix: no test $shown" >&2; exit 1; }
        if grep -B2 -E "fn $test\(" "$file" | grep -q '#\[ignore'; then
            echo "matrix: $shown is ignored" >&2
            exit 1
        fi
        echo "| ${program}|${what}| \`$shown\` |"
    done <docs/matrix.txt
}

rows=$(table)
new=$(printf '%s\n' "$rows" | awk -v begin="$begin" -v end="$end" '
    FNR == NR { rows = rows $0 "\n"; next }
    $0 == begin { print; printf "%s", rows; inside = 1; next }
    $0 == end { inside = 0 }
    !inside { print }' - README.md)
if [ "${1:-}" = --check ]; then
    printf '%s\n' "$new" | cmp -s - README.md || { echo "matrix: README.md is not up to date; run docs/matrix.sh" >&2; exit 1; }
else
    printf '%s\n' "$new" >README.md.new && mv README.md.new README.md
fi
