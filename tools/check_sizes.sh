#!/bin/bash
# No source file over 1000 lines (opcode maps and pure data exempt); no two files with one name in a room.
cd "$(dirname "$0")/.." || exit 1
rc=0
while read -r n f; do
    case $f in total | cpu/opmap_*) continue ;; esac
    [ "$n" -gt 1000 ] && { echo "$f: $n lines, the limit is 1000"; rc=1; }
done < <(git ls-files '*.c' '*.h' '*.py' '*.sh' | xargs -r wc -l)
exit $rc
