#!/bin/bash
# mkdebian.sh [i386|amd64]: make a small real Debian 12 on a raw disk, as a guest for tests: minbase, kernel,
# systemd, gcc; i386: the tools that show what a PC is (lspci, dmidecode, acpidump, iasl, hdparm, hwclock) and that
# use its network; amd64: what works a processor hard (openssl, python3, stress-ng).
# Prints the image's path.  Made once, kept in the cache, made again when this script changes.  A guest should
# be given the image with -snapshot.  root logs in without a password, on tty1 and on ttyS0.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
arch=${1:-i386}
case $arch in
    i386) out=$CACHE/debian kernel=linux-image-686
        more=dmidecode,pciutils,acpica-tools,hdparm,iproute2,isc-dhcp-client,wget,ca-certificates,nano,bsdgames ;;
    amd64) out=$CACHE/debian-amd64 kernel=linux-image-amd64 more=openssl,python3,stress-ng,pciutils,iproute2 ;;
    *) say "mkdebian.sh: no such guest: $arch; say i386 or amd64"; exit 1 ;;
esac
mkdir -p "$out"
exec 9>"$out/lock"
flock 9 # two tests may ask at once
stamp=$(sha256sum <"$here/mkdebian.sh" | cut -c1-16)
if [ -e "$out/debian.img" ] && [ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ]; then
    echo "$out/debian.img"
    exit 0
fi
say "Making a Debian disk from Debian's packages; this takes some minutes, once ..."
# shellcheck disable=SC2086
need_packages $PKG_DEBIAN
if [ "$(id -u)" -ne 0 ]; then
    as_root=fakeroot # owners and modes for tar and mke2fs only
fi
w=$(mktemp -d)
trap 'rm -rf "$w"' EXIT

# The host's own Debian mirror serves the guest too; the main suite is enough, and one list fewer can be broken.
mirror=$(cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | sed 's/#.*//' |
    grep -om 1 'https\?://[^ ]*/debian/\?\( \|$\)') || mirror=http://deb.debian.org/debian
packages=$kernel,systemd-sysv,udev,dbus,kmod,procps,initramfs-tools,e2fsprogs,fdisk,util-linux,util-linux-extra,gcc,libc6-dev,$more
mmdebstrap --arch=$arch --variant=minbase --include=$packages --aptopt='APT::Install-Recommends "false"' \
    --aptopt='Acquire::Retries "3"' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --customize-hook='echo guest >"$1/etc/hostname"; echo 127.0.1.1 guest >>"$1/etc/hosts"' \
    --customize-hook='chroot "$1" passwd -d root' \
    --customize-hook='echo "/dev/sda1 / ext4 defaults 0 1" >"$1/etc/fstab"' \
    bookworm "$w/root.tar" "$mirror" >"$out/mmdebstrap.log" 2>&1 ||
    { tail -n 8 "$out/mmdebstrap.log" >&2; say "mmdebstrap failed; the whole log is $out/mmdebstrap.log"; exit 1; }

# GRUB's core goes into the gap before the first partition, its menu onto the root file system.
cat >"$w/grub.cfg" <<'X'
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=1
menuentry "Debian" {
    linux /vmlinuz root=/dev/sda1 ro console=tty0 console=ttyS0,115200
    initrd /initrd.img
}
X
img=$w/debian.img part=2048 # the partition's first sector
truncate -s 2G "$img"
printf 'label: dos\nlabel-id: 0x56495452\nstart=%d, type=83, bootable\n' $part | /sbin/sfdisk -q "$img"
mkdir "$w/root"
cat >"$w/fill.sh" <<'X'
set -e
tar -C "$1/root" --numeric-owner --exclude='./dev/*' -xf "$1/root.tar"
install -D -m 644 "$1/grub.cfg" "$1/root/boot/grub/grub.cfg"
size=$(( $(stat -c %s "$2") / 1024 - $3 / 2 ))
/sbin/mke2fs -q -F -t ext4 -O '^metadata_csum_seed,^orphan_file' -E offset=$(($3 * 512)) -d "$1/root" "$2" ${size}k
X
${as_root:-} bash "$w/fill.sh" "$w" "$img" $part
g=/usr/lib/grub/i386-pc
grub-mkimage -O i386-pc -d $g -o "$w/core.img" -p '(hd0,msdos1)/boot/grub' biosdisk part_msdos ext2 linux normal \
    configfile serial terminal echo
python3 - "$img" $g/boot.img "$w/core.img" $part <<'X'
import struct
import sys

img, boot, core = (open(p, "rb").read(n) for p, n in zip(sys.argv[1:4], (512, 512, -1)))
core += bytes(-len(core) % 512)
sectors = len(core) // 512
assert 1 < sectors < int(sys.argv[4]), "GRUB does not fit before the partition"
# boot.img looks for the core in sector 1 already.  The core's first sector ends with a list of where the rest
# is: first sector (8 bytes), how many sectors, segment to load them at.  Only the count is open.
at, count, segment = struct.unpack("<QHH", core[500:512])
assert at == 2 and segment == 0x820, "an unknown GRUB"
core = core[:500] + struct.pack("<QHH", 2, sectors - 1, 0x820) + core[512:]
boot = bytearray(boot)
boot[0x66:0x68] = b"\x90\x90"  # trust DL, as grub-bios-setup has it for a hard disk
with open(sys.argv[1], "r+b") as f:
    f.write(bytes(boot[:440]) + img[440:512] + core)  # the partition table is the disk's
X
cp --sparse=always "$img" "$out/debian.img.new"
mv "$out/debian.img.new" "$out/debian.img"
echo "$stamp" >"$out/stamp"
echo "$out/debian.img"
