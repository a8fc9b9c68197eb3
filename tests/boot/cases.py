"""Real guests, each from its boot path.  A case is a function of (vitrine, tmp) that raises Failure."""
import hashlib
import os
import re
import shutil
import subprocess

from guest import CACHE, ROOT, Failure, Guest, deb, lib, sh
from registry import case


def demo_iso():
    return sh([os.path.join(ROOT, "scripts/mkdemo.sh")]).strip().splitlines()[-1]


def asan_vitrine():
    return os.path.join(ROOT, "build/asan/vitrine")


@case
def grub_cd(vitrine, tmp):
    """grub-rescue-cdrom.iso: menu on the screen, the keyboard works, ls and reboot."""
    iso = deb("i386", "grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-cdrom.iso")
    g = Guest(vitrine, ["-cdrom", iso, "-m", "64"])
    try:
        g.wait(r"GNU GRUB +version 2", 60, screen=True)
        g.screendump(tmp + "/grub-menu.png")
        g.key("c")
        g.wait(r"grub>", 20, screen=True)
        g.type("ls\n")
        g.wait(r"\(cd0?\)", 20, screen=True)
        g.type("reboot\n")
        g.wait(r"Minimal BASH-like|GNU GRUB +version 2(?s:.*)highlighted", 60, screen=True)
        g.wait(r"The highlighted entry will be executed|Use the .* keys", 60, screen=True)
    finally:
        g.close()


def boot_demo(vitrine, args, **kw):
    g = Guest(vitrine, ["-cdrom", demo_iso(), "-m", "256"] + args, **kw)
    g.wait(r"GUEST-READY i686", 120)
    g.wait(r"vitrine:/# ", 20)
    return g


@case
def demo_disk(vitrine, tmp):
    """Partition, make ext4, mount, write 200 MB, sync, reboot: the files are there, e2fsck finds nothing;
    the CD mounts and compares; power off ends the process with status 0."""
    img = tmp + "/disk.img"
    sh(["truncate", "-s", "512M", img])
    g = boot_demo(vitrine, ["-hda", img, "-boot", "d"], host_limit=580)
    try:
        g.command("printf 'n\\np\\n1\\n\\n\\nw\\n' | /sbin/fdisk /dev/sda >/dev/null; grep sda1 /proc/partitions")
        g.command("mkfs.ext4 -q /dev/sda1", 120)
        g.command("mount -t ext4 /dev/sda1 /mnt && mkdir /mnt/d")
        # content that differs in every file and compresses badly enough
        g.command("for i in 1 2 3 4; do (echo $i; cat /proc/kallsyms) | gzip > /mnt/d/a$i; done", 200)
        g.command("for i in 1 2 3 4; do for j in 1 2 3 4 5 6 7 8; do cat /mnt/d/a$i /dev/zero | head -c 6553600"
                  " > /mnt/d/f$i$j || break 2; done; done", 600)
        sums = g.command("sync; du -m /mnt/d | tail -n 1; cd /mnt/d; cat f* | md5sum; cd /", 300)
        if int(re.search(r"(\d+)\s+/mnt/d", sums).group(1)) < 200:
            raise Failure("less than 200 MB written: " + sums)
        md5 = re.search(r"[0-9a-f]{32}", sums).group(0)
        g.command("mkdir -p /tmp/cd && mount -t iso9660 -o ro /dev/sr0 /tmp/cd")
        cd = g.command("md5sum /tmp/cd/vmlinuz /tmp/cd/initrd.gz", 120)
        for name in ("vmlinuz", "initrd.gz"):
            want = hashlib.md5(open(CACHE + "/demo/" + name, "rb").read()).hexdigest()
            if want not in cd:
                raise Failure("%s read from the CD differs" % name)
        g.command("umount /tmp/cd; umount /mnt")
        start = len(g.serial_text)
        g.send("reboot\n")
        g.wait(r"GUEST-READY i686", 200, start=start)
        g.wait(r"vitrine:/# ", 20, start=start + 200)
        g.command("mount -t ext4 /dev/sda1 /mnt")
        again = g.command("cd /mnt/d; cat f* | md5sum; cd /", 300)
        if md5 not in again:
            raise Failure("the files changed over the reboot: %s, were %s" % (again, md5))
        g.command("umount /mnt")
        g.send("poweroff\n")
        status = g.exit(120)
        if status != 0:
            raise Failure("power-off ended with status %s: %s" % (status, g.stderr()))
    finally:
        g.close()
    part = tmp + "/part.img"
    start = int(re.search(r"img1\D+(\d+)", sh(["/sbin/sfdisk", "-d", img])).group(1))
    sh(["dd", "if=" + img, "of=" + part, "bs=1M", "iflag=skip_bytes", "skip=%d" % (start * 512), "status=none"])
    sh(["/sbin/e2fsck", "-f", "-n", part])


def installer(path):
    return deb("i386", "debian-installer-12-netboot-i386",
               "usr/lib/debian-installer/images/12/i386/text/debian-installer/i386/" + path)


@case
def installer_kernel(vitrine, tmp):
    """The Debian installer through -kernel reaches its first dialogue on VGA."""
    g = Guest(vitrine, ["-kernel", installer("linux"), "-initrd", installer("initrd.gz"), "-m", "512",
                        "-append", "vga=normal nomodeset fb=false"], host_limit=580)
    try:
        g.wait(r"Select a language", 300, screen=True)
        g.screendump(tmp + "/installer.png")
    finally:
        g.close()


@case
def installer_iso(vitrine, tmp):
    """The Debian installer from an ISO, on the serial console."""
    os.makedirs(tmp + "/cd/isolinux")
    sh("cp '%s' '%s' %s/cd/" % (installer("linux"), installer("initrd.gz"), tmp))
    sh("cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 %s/cd/isolinux/" % tmp)
    with open(tmp + "/cd/isolinux/isolinux.cfg", "w") as f:
        f.write("SERIAL 0 115200\nDEFAULT i\nPROMPT 0\nLABEL i\n KERNEL /linux\n INITRD /initrd.gz\n"
                " APPEND console=ttyS0,115200\n")
    sh("xorriso -as mkisofs -quiet -o %s/di.iso -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot "
       "-boot-load-size 4 -boot-info-table %s/cd 2>&1" % (tmp, tmp))
    g = Guest(vitrine, [tmp + "/di.iso", "-m", "512"], host_limit=580)
    try:
        g.wait(r"Select a language|Choose the language", 300)
    finally:
        g.close()


@case
def deterministic(vitrine, tmp):
    """Two deterministic runs of one boot with disk DMA and a keyboard script end with equal hashes; another
    script gives another hash."""
    img = tmp + "/disk.img"

    def run(keys):
        sh("rm -f %s; truncate -s 64M %s; printf 'label: dos\\nlabel-id: 0x56495452\\nstart=2048, type=83\\n' | /sbin/sfdisk -q %s" % (img, img, img))
        with open(tmp + "/script", "w") as f:
            f.write("27000 type dd if=/dev/sda of=/dev/null bs=1M count=8; echo %s > /dev/sda1; sync\\n\n"
                    "36000 hash\n36000 quit\n" % keys)
        p = subprocess.run([vitrine, "-cdrom", demo_iso(), "-m", "128", "-hda", img, "-boot", "d", "-display", "none",
                            "-serial", "null", "-monitor", "none", "-icount", "shift=2", "-input-script", tmp + "/script"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=500,
                           stdin=subprocess.DEVNULL)
        m = re.search(r"hash ([0-9a-f]{16})", p.stdout)
        if not m or p.returncode:
            raise Failure("no hash, exit %d: %s" % (p.returncode, p.stdout[-300:]))
        with open(img, "rb") as f:
            f.seek(2048 * 512)
            return m.group(1), f.read(8)

    a, disk = run("hello")
    if not disk.startswith(b"hello"):
        raise Failure("the script's keys did not reach the guest's disk: %r" % disk)
    b, _ = run("hello")
    c, _ = run("hallo")
    if a != b:
        raise Failure("the hashes differ: %s %s" % (a, b))
    if a == c:
        raise Failure("another script gave the same hash")


@case
def self_checking(vitrine, tmp):
    """The guests of tests/guest, each a ROM that checks the processor itself: release and portable ASan."""
    roms = guest_roms(tmp)
    for exe in (vitrine, asan_vitrine()):
        for rom in roms:
            wide = os.path.basename(rom).startswith("long") or rom.endswith("64.rom")
            cpu = ["-cpu", "max,+lm,+pdpe1gb,+pcid,+invpcid,+smep,+smap,+umip,+fsgsbase,+rdpid,+monitor,"
                   "+arch_capabilities,+spec_ctrl"] if wide else []
            p = subprocess.run([exe, "-bios", rom, *cpu, "-display", "none", "-serial", "null", "-monitor", "none", "-vga", "none",
                                "-m", "16", "-icount", "shift=2", "-debugcon", "file:" + tmp + "/log", "-device",
                                "isa-debugcon,iobase=0x402,chardev=d", "-chardev", "file,id=d,path=" + tmp + "/log2",
                                "-device", "isa-debug-exit,iobase=0x501,iosize=2", "-no-reboot"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                               stdin=subprocess.DEVNULL)
            log = open(tmp + "/log2", errors="replace").read()
            if p.returncode != 1 or "PASS" not in log:
                raise Failure("%s under %s: exit %d, %r %s" % (os.path.basename(rom), exe, p.returncode, log[-200:],
                                                             p.stdout[-300:]))


def guest_roms(tmp):
    sh([os.path.join(ROOT, "tests/guest/build.sh"), tmp])
    roms = sorted(os.path.join(tmp, f) for f in os.listdir(tmp) if f.endswith(".rom"))
    if not roms:
        raise Failure("tests/guest/build.sh made no ROM")
    return roms


@case
def wrong_options(vitrine, tmp):
    """A mistake of the user's gets one sentence, status 1, and nothing touched."""
    img = tmp + "/d.img"
    sh(["truncate", "-s", "1M", img])
    for args, want in (
            (["-cdorm", "x.iso"], "-cdrom"),
            (["-cdrom", tmp + "/nothing.iso"], "nothing.iso"),
            (["-m", "12Q"], "-m"),
            (["-m", "64G"], "60"),
            (["-kernel", img], "d.img"),
            (["-cpu", "pentum3"], "pentium3"),
            (["-serial", "stdoi"], "stdio"),
            (["-boot", "order=z"], "z")):
        p = subprocess.run([vitrine, "-display", "none"] + args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, timeout=60, stdin=subprocess.DEVNULL)
        lines = p.stderr.strip().splitlines()
        if p.returncode != 1 or len(lines) != 1 or want not in lines[0]:
            raise Failure("%s: status %d, said %r" % (args, p.returncode, p.stderr))


@case
def disk_lock(vitrine, tmp):
    """A disk that is open for writing is refused to a second opener, with the holder's pid."""
    img = tmp + "/d.img"
    sh(["truncate", "-s", "1M", img])
    g = Guest(vitrine, ["-hda", img, "-m", "16"])
    try:
        p = subprocess.run([vitrine, "-display", "none", "-hda", img], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, timeout=60, stdin=subprocess.DEVNULL)
        if p.returncode != 1 or str(g.proc.pid) not in p.stderr:
            raise Failure("status %d, said %r; the holder is %d" % (p.returncode, p.stderr, g.proc.pid))
    finally:
        g.close()


@case
def grub_floppy(vitrine, tmp):
    """GRUB from a floppy (FDC and DMA), on a 486: the menu, the keyboard, and ls sees the floppy."""
    shutil.copyfile(deb("i386", "grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-floppy.img"), tmp + "/a.img")
    g = Guest(vitrine, ["-fda", tmp + "/a.img", "-boot", "a", "-cpu", "486", "-m", "64"])
    try:
        g.wait(r"GNU GRUB +version 2", 60, screen=True)
        g.key("c")
        g.wait(r"grub>", 20, screen=True)
        g.type("ls\n")
        g.wait(r"\(fd0\)", 20, screen=True)
    finally:
        g.close()


@case
def ipxe_cd(vitrine, tmp):
    """iPXE from its CD says that there is no network card.  In real time: with counted time the whole of its
    waiting passes between two looks at the screen."""
    iso = deb("i386", "ipxe", "usr/lib/ipxe/ipxe.iso")
    g = Guest(vitrine, ["-cdrom", iso, "-m", "64", "-nic", "none"], icount=False, host_limit=120)
    try:
        g.wait(r"iPXE 1\.0\.0", 60, screen=True)
        g.wait(r"No more network devices", 60, screen=True)
    finally:
        g.close()


@case
def linux_refuses(vitrine, tmp):
    """Linux 6.1 says in its own words what an older processor lacks: CPUID and EFLAGS are honest."""
    for cpu, want in (("486", r"requires an i586 CPU, but only detected an i486 CPU"),
                      ("pentium", r"not present on the CPU:\s+cmov")):
        g = Guest(vitrine, ["-kernel", demo_file("vmlinuz"), "-cpu", cpu, "-m", "64"])
        try:
            g.wait(want, 30, screen=True)
        finally:
            g.close()


@case
def memtest_kernel(vitrine, tmp):
    """Memtest86+ through -kernel on a Pentium: it reaches test 4 without an error."""
    g = Guest(vitrine, ["-kernel", deb("i386", "memtest86+", "boot/memtest86+ia32.bin"), "-m", "32", "-cpu", "pentium"])
    try:
        g.wait(r"Memtest86\+ v6", 20, screen=True)
        g.wait(r"Test #4", 60, screen=True)
        g.wait(r"Errors: 0\s", 5, screen=True)
    finally:
        g.close()


def demo_file(name):
    return os.path.join(os.path.dirname(demo_iso()), name)


def pae_vmlinuz():
    k = deb("i386", lib("kernel_package i386 686-pae"))
    return [os.path.join(k, "boot", f) for f in os.listdir(k + "/boot") if f.startswith("vmlinuz")][0]


@case(cost=30)
def pae_kernel(vitrine, tmp):
    """The PAE kernel: 64-bit page tables and NX."""
    g = Guest(vitrine, ["-kernel", pae_vmlinuz(), "-initrd", demo_file("initrd.gz"), "-append", "console=ttyS0", "-m", "128"])
    try:
        g.wait(r"NX \(Execute Disable\) protection: active", 60)
        g.wait(r"GUEST-READY i686 \S+-686-pae", 120)
        g.wait(r"vitrine:/# ", 20)
        g.command("grep -w pae /proc/cpuinfo && head -c 4000000 /dev/urandom > /tmp/a && cp /tmp/a /tmp/b && cmp /tmp/a /tmp/b")
        g.send("poweroff -f\n")
        if g.exit(60) != 0:
            raise Failure("power-off did not end with status 0")
    finally:
        g.close()
