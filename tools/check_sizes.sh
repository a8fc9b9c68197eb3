#!/bin/bash
# No source file over 1000 lines, no line over 100 columns (opcode maps and pure data exempt).
cd "$(dirname "$0")/.." || exit 1
rc=0
while read -r n f; do
    case $f in total | cpu/opmap_*) continue ;; esac
    [ "$n" -gt 1000 ] && { echo "$f: $n lines, the limit is 1000"; rc=1; }
done < <(git ls-files '*.c' '*.h' '*.py' '*.sh' | xargs -r wc -l)
while read -r where; do
    echo "$where: longer than 100 columns"
    rc=1
done < <(git ls-files '*.c' '*.h' | grep -v 'cpu/opmap' | xargs awk 'length > 100 { print FILENAME ":" FNR }')
exit $rc
