#!/bin/sh
# docs/options.md must say what frontend/options.def says: check_options.sh [VITRINE]
cd "$(dirname "$0")/.." || exit 1
new=$(mktemp)
trap 'rm -f "$new"' EXIT
tools/gen_options.sh "${1:-build/release/vitrine}" >"$new" || { echo "vitrine -help=md failed"; exit 1; }
[ -s "$new" ] || { echo "vitrine -help=md printed nothing"; exit 1; }
diff -u docs/options.md "$new" || {
    echo "docs/options.md is out of date: tools/gen_options.sh >docs/options.md"
    exit 1
}
