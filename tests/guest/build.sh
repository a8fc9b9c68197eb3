#!/bin/sh
# Assemble every guest here to a 64 KB ROM image: build.sh OUTDIR
set -e
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: build.sh OUTDIR}
mkdir -p "$out"
for f in "$here"/*.asm; do
    n=$(basename "$f" .asm)
    nasm -f bin -Werror -w-number-overflow -I "$here/" -o "$out/$n.rom.tmp" "$f"
    [ "$(stat -c %s "$out/$n.rom.tmp")" = 65536 ] || { echo "$n: not 64 KB" >&2; exit 1; }
    mv "$out/$n.rom.tmp" "$out/$n.rom"
done
