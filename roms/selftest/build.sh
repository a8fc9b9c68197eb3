#!/bin/sh
# Assemble a self-checking guest to a floppy image: build.sh NAME KB OUT [SEED] [FLAGS]
# Behind the guest every sector has the pattern that floppy.asm knows: word i of sector n is
# n + i * 257 + SEED.
set -e
here=$(cd "$(dirname "$0")" && pwd)
name=${1:?usage: build.sh NAME KB OUT [SEED] [FLAGS]} kb=${2:?} out=${3:?} seed=${4:-0} flags=${5:-0}
case $kb in
    160) g="40 1 8" ;;
    180) g="40 1 9" ;;
    320) g="40 2 8" ;;
    360) g="40 2 9" ;;
    720) g="80 2 9" ;;
    1200) g="80 2 15" ;;
    1440) g="80 2 18" ;;
    2880) g="80 2 36" ;;
    *) echo "build.sh: $kb KB is no standard size: 160 180 320 360 720 1200 1440 2880" >&2; exit 1 ;;
esac
set -- $g
nasm -f bin -Werror -I "$here/" -DTRACKS="$1" -DHEADS="$2" -DSPT="$3" -o "$out" "$here/$name.asm"
python3 - "$out" "$kb" "$seed" "$flags" <<'X'
import array, sys
name, kb, seed, flags = sys.argv[1], int(sys.argv[2]), int(sys.argv[3], 0), int(sys.argv[4], 0)
code = bytearray(open(name, "rb").read())
code[0x1fd] = flags
with open(name, "wb") as f:
    f.write(code)
    for n in range(len(code) // 512, kb * 2):
        a = array.array("H", ((n + i * 257 + seed) & 0xffff for i in range(256)))
        f.write(a.tobytes())
X
