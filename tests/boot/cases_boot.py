"""Boot paths: Multiboot kernels, large memory, boot order."""
import gzip
import os
import re
import subprocess

from cases import demo_file
from guest import ROOT, Failure, Guest, deb, lib, sh
from picture import Picture
from registry import case


def multiboot_kernel(tmp, variant):
    out = os.path.join(tmp, "mb%s.elf" % variant)
    sh(["nasm", "-f", "bin", *(["-D" + variant] if variant else []), "-o", out,
        os.path.join(ROOT, "tests/guest/multiboot/multiboot.asm")])
    for name, text in (("m1", "first module"), ("m2", "second")):
        with open(os.path.join(tmp, name), "w") as f:
            f.write(text)
    return out


def multiboot_args(tmp, kernel):
    return ["-kernel", kernel, "-m", "32", "-append", "one two",
            "-initrd", "%s/m1 MODA x,%s/m2 MODB" % (tmp, tmp),
            "-chardev", "file,id=d,path=%s/log" % tmp, "-device", "isa-debugcon,iobase=0x402,chardev=d",
            "-device", "isa-debug-exit,iobase=0x501,iosize=2", "-no-reboot"]


@case
def multiboot(vitrine, tmp):
    """Kernels that check what a Multiboot loader owes them: ELF, and addresses in the header; gzipped too."""
    for variant in ("", "KLUDGE"):
        kernel = multiboot_kernel(tmp, variant)
        if variant:
            with open(kernel, "rb") as f, gzip.open(kernel + ".gz", "wb") as z:
                z.write(f.read())
            kernel += ".gz"
        p = subprocess.run([vitrine, "-display", "none", "-monitor", "none", "-serial", "none", "-icount"] +
                           multiboot_args(tmp, kernel), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=100)
        log = open(tmp + "/log", errors="replace").read()
        if p.returncode != 1 or "PASS" not in log:
            raise Failure("%s: status %d, %s, %s" % (variant, p.returncode, log[-200:], p.stdout))
    good = open(multiboot_kernel(tmp, ""), "rb").read()
    for at, value, want in ((4, b"\2", "32-bit"), (18, b"\x3e", "32-bit"), (42, b"\x08", "cut short"),
                            (67, b"\xf0", "memory"), (64, b"\0\x70\0\0", "BIOS")):
        broken = good[:at] + value + good[at + len(value):]
        path = tmp + "/bad.elf"
        with open(path, "wb") as f:
            f.write(broken)
        p = subprocess.run([vitrine, "-display", "none", "-kernel", path], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        if p.returncode != 1 or len(p.stderr.strip().splitlines()) != 1 or want not in p.stderr:
            raise Failure("byte %d: status %d, %r" % (at, p.returncode, p.stderr))


@case
def multiboot_video(vitrine, tmp):
    """A kernel asks for 800x600 in 32 bits and draws into the framebuffer it was told of."""
    g = Guest(vitrine, multiboot_args(tmp, multiboot_kernel(tmp, "VIDEO")))
    try:
        late = False
        while "PASS" not in open(tmp + "/log", errors="replace").read():
            if late:
                raise Failure(open(tmp + "/log", errors="replace").read()[-200:])
            late = g.guest_seconds() > 10  # it halts when it is done, and then time flies: look once more
            g.pump()
        g.screendump(tmp + "/s.png")
    finally:
        g.close()
    p = Picture(tmp + "/s.png")
    row = b"\xff\x00\x00" * 400 + b"\x00\x00\xff" * 400
    if (p.width, p.height) != (800, 600) or any(r != row for r in p.rows):
        raise Failure("the picture is %dx%d and not half red, half blue" % (p.width, p.height))


@case(cost=60)
def large_memory(vitrine, tmp):
    """16 GB around the PCI hole: the PAE kernel has them all, and memory above 4 GB holds what is written."""
    k = deb("i386", lib("kernel_package i386 686-pae"))
    k = [os.path.join(k, "boot", f) for f in os.listdir(k + "/boot") if f.startswith("vmlinuz")][0]
    g = Guest(vitrine, ["-kernel", k, "-initrd", demo_file("initrd.gz"), "-append",
                        "console=ttyS0", "-m", "16G"], host_limit=400)
    try:
        g.wait(r"GUEST-READY i686", 200)
        g.wait(r"vitrine:/# ", 20)
        free = g.command("grep -E 'MemTotal|HighTotal' /proc/meminfo; grep -c . /proc/iomem; grep RAM /proc/iomem")
        total = int(re.search(r"MemTotal: +(\d+)", free).group(1))
        if total < 15 * 1024 * 1024:
            raise Failure("of 16 GB the kernel sees %d KB" % total)
        if not re.search(r"100000000-43fffffff : System RAM", free):
            raise Failure("no System RAM from 4 GB to 17 GB: " + free)
    finally:
        g.close()
