#!/bin/bash
# Make the demo ISO from Debian's own packages: a 32-bit kernel, busybox in an initramfs with the disk,
# CD and file system modules, fdisk and e2fsprogs, ISOLINUX.  Prints the ISO's path.  Made once, kept in
# the cache; made again when this script changes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
out=$CACHE/demo
mkdir -p "$out"
exec 9>"$out/lock"
flock 9 # two tests may ask at once
stamp=$(sha256sum <"$here/mkdemo.sh" | cut -c1-16)
if [ -e "$out/demo.iso" ] && [ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ]; then
    echo "$out/demo.iso"
    exit 0
fi
say "Making the demo ISO from Debian's packages ..."
w=$(mktemp -d)
trap 'rm -rf "$w"' EXIT
kpkg=$(kernel_package i386 686)
kv=${kpkg#linux-image-}
k=$(unpack_deb i386 "$kpkg")
r=$w/root
mkdir -p "$r"/{bin,sbin,etc,proc,sys,dev,tmp,mnt,lib,usr/bin,usr/sbin,root,run}
cp "$(unpack_deb i386 busybox-static)/bin/busybox" "$r/bin/busybox"
ln -s busybox "$r/bin/sh"

# modules and what they depend on
depmod -b "$k" "$kv"
mods="ata_piix ata_generic sd_mod sr_mod isofs ext4 vfat nls_cp437 nls_iso8859-1 crc32c_generic ne2k-pci ne af_packet button evdev floppy"
md=$r/lib/modules/$kv
mkdir -p "$md"
cp "$k/lib/modules/$kv"/modules.{builtin,order} "$md/"
for m in $mods; do
    awk -v m="/$m.ko:" 'index("/" $1, m) { sub(":", ""); for (i = 1; i <= NF; i++) print $i }' \
        "$k/lib/modules/$kv/modules.dep"
done | sort -u | while read -r f; do
    install -D -m 644 "$k/lib/modules/$kv/$f" "$md/$f"
done
depmod -b "$r" "$kv"

# fdisk and e2fsprogs with their libraries
for p in e2fsprogs fdisk libblkid1 libc6 libcom-err2 libext2fs2 libfdisk1 libmount1 libncursesw6 libreadline8 \
    libselinux1 libpcre2-8-0 libsmartcols1 libss2 libtinfo6 libuuid1; do
    d=$(unpack_deb i386 "$p")
    case $p in
    e2fsprogs) cp "$d"/sbin/{mke2fs,e2fsck,dumpe2fs,tune2fs} "$r/sbin/"; cp "$d/etc/mke2fs.conf" "$r/etc/"
        ln -s mke2fs "$r/sbin/mkfs.ext4"; ln -s mke2fs "$r/sbin/mkfs.ext2"; ln -s e2fsck "$r/sbin/fsck.ext4" ;;
    fdisk) cp "$d"/sbin/{fdisk,sfdisk} "$r/sbin/" ;;
    *) for t in lib usr/lib; do
            [ -d "$d/$t/i386-linux-gnu" ] && cp -a "$d/$t/i386-linux-gnu"/*.so* "$r/lib/" 2>/dev/null || true
        done ;;
    esac
done
ln -sf ld-linux.so.2 "$r/lib/ld.so" 2>/dev/null || true
rm -f "$r"/lib/lib{m,resolv,nss*,anl,BrokenLocale,mvec,memusage,pcprofile,SegFault,c_malloc_debug,thread_db,nsl}[.-]*
rm -rf "$r"/lib/{gconv,audit}

cat >"$r/etc/inittab" <<'X'
::sysinit:/etc/rc
ttyS0::respawn:-/bin/sh
tty1::respawn:-/bin/sh
::ctrlaltdel:/sbin/reboot
::shutdown:/bin/umount -a -r
X
cat >"$r/etc/rc" <<'X'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s 2>/dev/null
for m in ata_piix sd_mod sr_mod isofs ext4; do modprobe $m; done
for m in button evdev ne2k-pci af_packet; do modprobe $m; done 2>/dev/null
acpid
hostname vitrine
dmesg -n 4
for t in /dev/ttyS0 /dev/tty1; do cat /etc/motd >$t; done 2>/dev/null
echo "GUEST-READY $(uname -m) $(uname -r)" >/dev/ttyS0
X
cat >"$r/etc/motd" <<'X'

This is Linux inside Vitrine: a real shell on an emulated PC.
Try: cat /proc/cpuinfo   dmesg | less   fdisk -l   mount /dev/sr0 /mnt   udhcpc
Leave with: poweroff

X
cat >"$r/etc/profile" <<'X'
export PATH=/sbin:/usr/sbin:/bin:/usr/bin PS1='vitrine:\w# ' HOME=/root
X
# the network: udhcpc asks, this sets; the power button: acpid
mkdir -p "$r/etc/udhcpc" "$r/etc/acpi/PWRF" "$r"/var/{log,run}
cat >"$r/etc/udhcpc/default.script" <<'X'
#!/bin/busybox sh
case $1 in
deconfig) ip addr flush dev $interface; ip link set $interface up ;;
bound | renew)
    ip addr flush dev $interface
    ip addr add $ip/${mask:-24} dev $interface
    for g in $router; do ip route replace default via $g dev $interface; break; done
    : >/etc/resolv.conf
    [ -n "$domain" ] && echo "search $domain" >>/etc/resolv.conf
    for d in $dns; do echo "nameserver $d" >>/etc/resolv.conf; done ;;
esac
exit 0
X
printf '#!/bin/busybox sh\npoweroff\n' >"$r/etc/acpi/PWRF/00000080"
chmod +x "$r/etc/udhcpc/default.script" "$r/etc/acpi/PWRF/00000080"
printf 'root::0:0:root:/root:/bin/sh\n' >"$r/etc/passwd"
chmod +x "$r/etc/rc"
ln -s /bin/busybox "$r/init"
ln -s /bin/busybox "$r/sbin/init"
(cd "$r" && find . | sort | cpio -o -H newc -R 0:0 --quiet | gzip -9n) >"$w/initrd.gz"
cp "$k/boot/vmlinuz-$kv" "$w/vmlinuz"

cd=$w/cd
mkdir -p "$cd/isolinux"
cp "$w/vmlinuz" "$w/initrd.gz" "$cd/"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$cd/isolinux/"
cat >"$cd/isolinux/isolinux.cfg" <<'X'
SERIAL 0 115200
DEFAULT demo
PROMPT 0
LABEL demo
 KERNEL /vmlinuz
 INITRD /initrd.gz
 APPEND console=tty0 console=ttyS0,115200
X
xorriso -as mkisofs -quiet -V VITRINE -o "$out/demo.iso.new" -b isolinux/isolinux.bin -c isolinux/boot.cat \
    -no-emul-boot -boot-load-size 4 -boot-info-table -J -R "$cd" 2>/dev/null
mv "$w/vmlinuz" "$w/initrd.gz" "$out/"
mv "$out/demo.iso.new" "$out/demo.iso"
echo "$stamp" >"$out/stamp"
echo "$out/demo.iso"
