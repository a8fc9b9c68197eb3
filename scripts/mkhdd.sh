#!/bin/bash
# Make a bootable disk of the demo guest: MBR, one FAT16 partition, SYSLINUX, kernel and initramfs.
# Prints the disk's path.  Made once, kept in the cache; made again when this script or the demo changes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
demo=$(dirname "$("$here/mkdemo.sh")")
out=$CACHE/hdd
mkdir -p "$out"
exec 9>"$out/lock"
flock 9
stamp=$(cat "$here/mkhdd.sh" "$demo/stamp" | sha256sum | cut -c1-16)
if [ -e "$out/hdd.img" ] && [ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ]; then
    echo "$out/hdd.img"
    exit 0
fi
img=$out/hdd.img.new start=2048 sectors=129024 # 63 MB behind a gap of 1 MB
rm -f "$img"
truncate -s $(((start + sectors) * 512)) "$img"
printf 'label: dos\nlabel-id: 0x56495453\nstart=%d, size=%d, type=6, bootable\n' $start $sectors | /sbin/sfdisk -q "$img"
dd if=/usr/lib/syslinux/mbr/mbr.bin of="$img" bs=440 count=1 conv=notrunc status=none
fs=$img@@$((start * 512))
mformat -i "$fs" -T $sectors -h 16 -s 63 -H $start ::
syslinux --install --offset $((start * 512)) "$img"
mcopy -i "$fs" "$demo/vmlinuz" "$demo/initrd.gz" ::
mcopy -i "$fs" - ::syslinux.cfg <<'X'
SERIAL 0 115200
DEFAULT demo
PROMPT 0
LABEL demo
 KERNEL vmlinuz
 INITRD initrd.gz
 APPEND console=tty0 console=ttyS0,115200
X
mv "$img" "$out/hdd.img"
echo "$stamp" >"$out/stamp"
echo "$out/hdd.img"
