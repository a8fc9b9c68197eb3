"""64-bit guests of Debian's packages: A8 (Memtest86+), A15 (Linux and busybox), A18 (the installer), and a whole
Debian with systemd, openssl, python3, gcc and stress-ng; on one processor and on several."""
import gzip
import os
import re
import time

from guest import ROOT, Failure, Guest, deb, lib, sh
from picture import Picture
from registry import case


def kernel():
    """Debian's current amd64 kernel."""
    name = lib("kernel_package amd64 amd64")
    return deb("amd64", name, "boot/vmlinuz-" + name[len("linux-image-"):])


def cpio(path, files):
    """A gzipped initramfs ("newc"): files are (name, mode, data, (major, minor))."""
    out, ino = bytearray(), 1
    for name, mode, data, dev in files + [("TRAILER!!!", 0, b"", (0, 0))]:
        head = "070701" + "".join("%08X" % v for v in (
            ino, mode, 0, 0, 1, 0, len(data), 0, 0, dev[0], dev[1], len(name) + 1, 0))
        out += head.encode() + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
        ino += 1
    with open(path, "wb") as f:
        f.write(gzip.compress(bytes(out), 6, mtime=0))


INIT = b"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin PS1='vitrine:\\w# '
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
echo GUEST-READY $(uname -m) $(uname -r) CPUS=$(grep -c ^processor /proc/cpuinfo)
exec setsid cttyhack sh
"""


def initrd(tmp):
    with open(deb("amd64", "busybox-static", "bin/busybox"), "rb") as f:
        busybox = f.read()
    dirs = [(d, 0o40755, b"", (0, 0)) for d in ("bin", "proc", "sys", "dev", "root", "tmp")]
    cpio(tmp + "/initrd.gz", dirs + [("dev/console", 0o20600, b"", (5, 1)), ("bin/busybox", 0o100755, busybox, (0, 0)),
                                     ("init", 0o100755, INIT, (0, 0))])
    return tmp + "/initrd.gz"


def linux(vitrine, tmp, args=(), cpus=1, flags=()):
    g = Guest(vitrine, ["-kernel", kernel(), "-initrd", initrd(tmp), "-append", "console=ttyS0", "-m", "256", *args])
    try:
        g.wait(r"Linux version 6\.\d+\.\d+-\d+-amd64 ", 30)
        g.wait(r"GUEST-READY x86_64 6\S+ CPUS=%d\s" % cpus, 200)
        g.wait(r"vitrine:/# ", 20)
        said = g.command("grep -m 1 ^flags /proc/cpuinfo")
        for f in flags:
            if not re.search(r"\b%s\b" % f, said):
                raise Failure("no %s in the guest's %s" % (f, said))
        if "1524155677489" not in g.command("echo $((1234567 * 1234567))"):
            raise Failure("the shell cannot count in 64 bits")
        bad = [line for line in g.serial_text.splitlines() if re.search(r"BUG|WARNING:|Oops|Call Trace", line)]
        if bad:
            raise Failure("the kernel complains: " + bad[0])
        g.send("poweroff -f\n")
        if g.exit(60) != 0:
            raise Failure("power-off did not end with status 0")
    finally:
        g.close()


@case(cost=30)
def linux_amd64(vitrine, tmp):
    """A15: the 64-bit kernel by -kernel and -initrd on the default processor: a shell that answers, power-off."""
    linux(vitrine, tmp, flags=("lm", "nx", "sse4_2", "avx2", "fma", "bmi2", "smep", "smap", "fsgsbase", "sha_ni"))


@case(cost=35)
def linux_amd64_smp(vitrine, tmp):
    """A15 on two processors of the v3 level, of AMD's make."""
    linux(vitrine, tmp, ["-smp", "2", "-cpu", "x86-64-v3,vendor=AuthenticAMD"], cpus=2, flags=("lm", "avx2"))


@case(long=True, cost=60)
def linux_amd64_models(vitrine, tmp):
    """A15 on each 64-bit model, and on eight processors."""
    for args, n in ((["-cpu", "qemu64"], 1), (["-cpu", "x86-64-v1"], 1), (["-cpu", "x86-64-v2"], 1),
                    (["-cpu", "max,vendor=AuthenticAMD"], 1), (["-smp", "8"], 8)):
        linux(vitrine, tmp, args, n)


def memtest_iso():
    return deb("amd64", "memtest86+", "usr/lib/memtest86+/memtest86+x64.iso")


@case(cost=15)
def memtest_amd64(vitrine, tmp):
    """A8: Memtest86+ for x86-64 from its ISO, to test 4 over 32 MB."""
    g = Guest(vitrine, ["-cdrom", memtest_iso(), "-boot", "d", "-m", "32"])
    try:
        g.wait(r"Memtest86\+ v6", 20, screen=True)
        g.wait(r"x64", 20, screen=True)
        g.wait(r"Test #4", 60, screen=True)
        g.wait(r"Errors: 0\s", 5, screen=True)
    finally:
        g.close()


@case(long=True, cost=900)
def memtest_amd64_pass(vitrine, tmp):
    """A8: a full pass over 256 MB finds no error."""
    g = Guest(vitrine, ["-cdrom", memtest_iso(), "-boot", "d", "-m", "256"], host_limit=7200)
    try:
        g.wait(r"Pass: +1 ", 20000, screen=True)
        g.wait(r"Errors: 0\s", 5, screen=True)
        g.screendump(tmp + "/memtest64.png")
    finally:
        g.close()


def installer(path):
    return deb("amd64", "debian-installer-12-netboot-amd64",
               "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/" + path)


def installer_dialogue(vitrine, tmp, cpus, iso, serial):
    """To the first dialogue: from an ISO or through -kernel, on VGA or on the serial port."""
    append = "console=ttyS0,115200" if serial else "vga=normal nomodeset fb=false"
    if iso:
        os.makedirs(tmp + "/cd/isolinux")
        sh("cp '%s' '%s' %s/cd/" % (installer("linux"), installer("initrd.gz"), tmp))
        sh("cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 %s/cd/isolinux/" % tmp)
        with open(tmp + "/cd/isolinux/isolinux.cfg", "w") as f:
            f.write("SERIAL 0 115200\nDEFAULT i\nPROMPT 0\nLABEL i\n KERNEL /linux\n INITRD /initrd.gz\n APPEND %s\n"
                    % append)
        sh("xorriso -as mkisofs -quiet -o %s/di.iso -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot "
           "-boot-load-size 4 -boot-info-table %s/cd 2>&1" % (tmp, tmp))
        args = [tmp + "/di.iso"]
    else:
        args = ["-kernel", installer("linux"), "-initrd", installer("initrd.gz"), "-append", append]
    g = Guest(vitrine, args + ["-m", "1024", "-smp", str(cpus)], host_limit=900)
    try:
        g.wait(r"Select a language|Choose the language", 600, screen=not serial)
        g.screendump(tmp + "/installer.png")
    finally:
        g.close()


@case(cost=60)
def installer_amd64(vitrine, tmp):
    """A18: the 64-bit installer from an ISO on VGA, with four processors."""
    installer_dialogue(vitrine, tmp, 4, True, False)


for n in (1, 4):
    for from_iso in (False, True):
        for on_serial in (False, True):
            if (n, from_iso, on_serial) == (4, True, False):
                continue

            def run(vitrine, tmp, n=n, from_iso=from_iso, on_serial=on_serial):
                installer_dialogue(vitrine, tmp, n, from_iso, on_serial)
            run.__doc__ = "A18: the 64-bit installer %s, dialogue on %s, %d processor(s)." % (
                "from an ISO" if from_iso else "through -kernel", "the serial port" if on_serial else "VGA", n)
            case(run, long=True, cost=60, name="installer_amd64_%s_%s_%d" % (
                "iso" if from_iso else "kernel", "serial" if on_serial else "vga", n))


# ---- a whole system ----

def image():
    return sh([os.path.join(ROOT, "scripts/mkdebian.sh"), "amd64"]).strip().splitlines()[-1]


def vga_login(g):
    """Log in on the VGA console too (a framebuffer: pixels, no text page), by its keyboard, and say so on the serial
    line; the picture has a page of grey text on black."""
    g.type("root\n")
    begin = g.guest_seconds()
    while g.guest_seconds() - begin < 8:
        time.sleep(0.2)
    start = len(g.serial_text)
    g.type("tty > /dev/ttyS0\n")
    g.wait(r"/dev/tty1", 30, start=start)
    png = g.dir + "/vga.png"
    g.screendump(png)
    picture = Picture(png)
    lit = picture.share(lambda r, gr, b: r > 0x80 and gr > 0x80 and b > 0x80)
    if not 0.001 < lit < 0.4:
        raise Failure("the VGA picture (%dx%d) has %.4f of its pixels lit" % (picture.width, picture.height, lit))
    g.type("exit\n")


def boot(vitrine, disk, args=(), host_limit=3600):
    g = Guest(vitrine, ["-drive", "file=%s,format=raw,if=ide" % disk, "-boot", "c", "-m", "1024", *args],
              host_limit=host_limit)
    try:
        g.wait(r"Linux version 6\S+-amd64", 60)
        g.wait(r"guest login: ", 600)
        vga_login(g)
        g.send("root\n")
        g.wait(r"root@guest:~# ", 120)
        g.command("bind 'set enable-bracketed-paste off'; stty cols 1000; export PAGER=cat")
        failed = g.command("systemctl --failed --no-legend --plain | tee /dev/stderr | wc -l")
        if not re.search(r"(?m)^0$", failed):
            raise Failure("failed units: " + failed)
    except BaseException:
        g.close()
        raise
    return g


def power_off(g):
    g.send("poweroff\n")
    status = g.exit(600)
    if status != 0:
        raise Failure("power-off ended with status %s: %s" % (status, g.stderr()))


PYTHON = r"""
import decimal, math, fractions, hashlib, struct, zlib, random
decimal.getcontext().prec = 60
assert str(decimal.Decimal(2).sqrt())[:42] == '1.4142135623730950488016887242096980785696'
assert abs(math.sin(1e6) - -0.34999350217129294) < 1e-16 and math.exp(1) == 2.718281828459045
assert math.fsum([.1] * 10) == 1.0 and math.factorial(25) == 15511210043330985984000000
assert math.isclose(math.gamma(5.5), 52.34277778455352, rel_tol=1e-15) and 2 ** 200 % 1000007 == 446616
assert fractions.Fraction(0.1) == fractions.Fraction(3602879701896397, 36028797018963968)
assert hashlib.sha256(b'vitrine').hexdigest().startswith('@HASH@')
assert zlib.crc32(b'123456789') == 0xcbf43926 and struct.pack('<d', -0.0) == bytes(7) + b'\x80'
random.seed(4); x = [random.random() for _ in range(2000)]
assert sorted(x) == [y for _, y in sorted(zip(x, x))] and 0.47 < sum(x) / 2000 < 0.53
print('PYTHON-' + 'OK')
"""


def python_test():
    import hashlib
    return PYTHON.replace("@HASH@", hashlib.sha256(b"vitrine").hexdigest()[:16])


def exercise(g):
    out = g.command("openssl speed -seconds 1 sha256 aes-128-cbc 2>&1", 600)
    if not re.search(r"(?m)^sha256 +[\d.]+k", out) or not re.search(r"(?m)^aes-128-cbc +[\d.]+k", out):
        raise Failure("openssl speed said " + out[-400:])
    g.command("cat >t.py <<'X'\n" + python_test() + "X\ntrue")
    if "PYTHON-OK" not in g.command("python3 t.py", 300):
        raise Failure("python3's self-test")
    g.command("printf '#include <stdio.h>\\nint main(void){double d=0;for(int i=1;i<2000;i++)d+=1.0/i;"
              "printf(\"SUM=%%.6f\\\\n\",d);return 42;}\\n' >a.c; gcc -O2 -o a a.c", 300)
    out = g.command("./a; echo DONE=$?")
    if "SUM=8.177868" not in out or "DONE=42" not in out:
        raise Failure("the compiled program said " + out)
    out = g.command("dpkg --audit && echo AUDIT-CLEAN", 300)
    if "AUDIT-CLEAN" not in out:
        raise Failure("dpkg --audit said " + out)


def host_fsck(disk):
    """The root file system, checked on the host: it must be clean."""
    sh("dd if='%s' of='%s.part' bs=1M skip=1 conv=sparse status=none && /sbin/e2fsck -fn '%s.part'; e=$?; rm -f '%s.part'; exit $e"
       % (disk, disk, disk, disk))


@case(long=True, cost=400)
def debian_amd64(vitrine, tmp):
    """Debian for amd64 from an IDE disk: login on serial and VGA, no failed unit, openssl, python3, gcc, dpkg --audit,
    power-off, and a clean file system on the host."""
    disk = tmp + "/debian.img"
    sh(["cp", "--sparse=always", image(), disk])
    g = boot(vitrine, disk)
    try:
        exercise(g)
        power_off(g)
    finally:
        g.close()
    host_fsck(disk)


@case(long=True, cost=400)
def debian_amd64_v3_smp(vitrine, tmp):
    """The same on two processors of level x86-64-v3: the dynamic linker uses its v3 paths."""
    disk = tmp + "/debian.img"
    sh(["cp", "--sparse=always", image(), disk])
    g = boot(vitrine, disk, ["-cpu", "x86-64-v3", "-smp", "2"])
    try:
        if "2" not in g.command("nproc").split():
            raise Failure("not two processors")
        out = g.command("/lib64/ld-linux-x86-64.so.2 --help | grep supported")
        if not re.search(r"x86-64-v3 \(supported", out):
            raise Failure("glibc does not take it for x86-64-v3: " + out)
        exercise(g)
        power_off(g)
    finally:
        g.close()
    host_fsck(disk)


STRESS = ("--cpu 1 --cpu-method all", "--vm 1 --vm-bytes 128M", "--matrix 1", "--vecmath 1")


def stress(vitrine, seconds):
    """stress-ng checks its own results (--verify)."""
    g = boot(vitrine, image(), ["-snapshot"], host_limit=14000)
    try:
        for what in STRESS:
            out = g.command("stress-ng %s --verify --timeout %d --metrics-brief 2>&1" % (what, seconds), seconds * 30 + 600)
            if re.search(r"(?i)\bfail(ed|ure|:)", out.replace("failed: 0", "")) or \
                    not re.search(r"successful run completed", out):
                raise Failure("stress-ng %s: %s" % (what, out[-600:]))
        power_off(g)
    finally:
        g.close()


@case(long=True, cost=1500)
def debian_amd64_stress(vitrine, tmp):
    """stress-ng --verify for 60 guest seconds each: cpu with all methods, vm, matrix, vecmath."""
    stress(vitrine, 60)
