"""The portable build under ASan and UBSan runs the guests without a report: the small ones to their goal, the
others (with --long) for their first two thousand million instructions."""
import re
import shutil
import time

from cases import asan_vitrine, demo_file, demo_iso, installer, pae_vmlinuz
from cases_guests import debian_image, gnumach, hdd, installer_gtk, invaders, memtest_iso
from guest import Failure, Guest, deb
from registry import case


def asan_guest(args, until=(), instructions=0, then=None, host_limit=580):
    """Run a guest under the sanitizers until each (pattern, guest seconds, "screen" or "serial") was seen and at
    least so many instructions are done; then(guest) may do more.  A report, or a bad exit, is a Failure."""
    g = Guest(asan_vitrine(), args, host_limit=host_limit)
    try:
        try:
            for what, seconds, where in until:
                g.wait(what, seconds, screen=where == "screen")
            if then:
                then(g)
            while instructions and executed(g) < instructions:
                if time.monotonic() > g.limit:
                    raise Failure("only %d instructions before the host limit" % executed(g))
                time.sleep(0.5)
            g.mon.sendall(b"quit\n")
            status = g.exit()
        except Failure as e:
            raise Failure("%s; stderr: %s" % (e, report(g) or "empty")) from None
        if status or report(g):
            raise Failure("exit %s: %s" % (status, report(g)))
    finally:
        g.close()


def report(g):
    """What the sanitizers said: the first lines of a report, or nothing."""
    with open(g.dir + "/stderr", errors="replace") as f:
        text = f.read()
    m = re.search(r"(?s)(==\d+==ERROR|[^\n]*runtime error:|==\d+==WARNING).{0,700}", text)
    return m.group(0) if m else ""


def executed(g):
    """Instructions retired; it fails if vitrine is gone."""
    if g.proc.poll() is not None:
        raise Failure("vitrine ended with %s" % g.proc.returncode)
    m = re.search(r"(\d+) instructions retired", g.monitor("info status"))
    return int(m.group(1)) if m else 0


def grub_shell(g):
    g.key("c")
    g.wait(r"grub>", 20, screen=True)
    g.monitor("info registers")


@case
def asan_invaders(vitrine, tmp):
    """A1 under ASan."""
    asan_guest(["-kernel", invaders(), "-m", "16"], [(r"(-\*-.*\n.*){8}", 10, "screen")], instructions=50 * 10**6)


@case(cost=40)
def asan_gnumach(vitrine, tmp):
    """A9 under ASan."""
    asan_guest(["-kernel", gnumach(tmp), "-m", "64"], [(r"bootstrap_create: No bootstrap code loaded", 60, "screen")])


@case(cost=30)
def asan_grub_floppy(vitrine, tmp):
    """A2 under ASan."""
    shutil.copyfile(deb("i386", "grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-floppy.img"), tmp + "/a.img")
    asan_guest(["-fda", tmp + "/a.img", "-boot", "a", "-cpu", "486", "-m", "64"],
               [(r"GNU GRUB +version 2", 60, "screen")], then=grub_shell)


@case(cost=30)
def asan_grub_cd(vitrine, tmp):
    """A3 under ASan."""
    iso = deb("i386", "grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-cdrom.iso")
    asan_guest(["-cdrom", iso, "-m", "64"], [(r"GNU GRUB +version 2", 60, "screen")], then=grub_shell)


@case(cost=30)
def asan_ipxe_cd(vitrine, tmp):
    """A4 under ASan."""
    asan_guest(["-cdrom", deb("i386", "ipxe", "usr/lib/ipxe/ipxe.iso"), "-m", "64"],
               [(r"iPXE 1\.0\.0", 60, "screen")])


@case(cost=20)
def asan_grub_firmware(vitrine, tmp):
    """A6 under ASan."""
    asan_guest(["-bios", deb("i386", "grub-firmware-qemu", "usr/share/qemu/grub.bin"), "-m", "64"],
               [(r"\*Search & load /boot/multiboot\.img", 30, "screen")], then=grub_shell)


@case(cost=10)
def asan_linux_refuses(vitrine, tmp):
    """A10 under ASan."""
    for cpu, want in (("486", r"requires an i586 CPU, but only detected an i486 CPU"),
                      ("pentium", r"not present on the CPU:\s+cmov")):
        asan_guest(["-kernel", demo_file("vmlinuz"), "-cpu", cpu, "-m", "64"], [(want, 30, "screen")])


@case(long=True, cost=500)
def asan_linux_kernel(vitrine, tmp):
    """A11 under ASan: Linux to a shell that answers."""
    def shell(g):
        g.wait(r"vitrine:/# ", 20)
        g.command("ls -lR /sys/class >/dev/null; cat /proc/interrupts /proc/iomem /proc/ioports", 120)
    asan_guest(["-kernel", demo_file("vmlinuz"), "-initrd", demo_file("initrd.gz"), "-append", "console=ttyS0",
                "-m", "128"], [(r"GUEST-READY i686", 200, "serial")], then=shell, host_limit=2000)


BEGIN = 2 * 10**9  # instructions


def begins(name, number, make, cost=150):
    """A case that runs a guest's first two thousand million instructions under ASan."""
    def f(vitrine, tmp):
        asan_guest(make(tmp), instructions=BEGIN, host_limit=1500)
    f.__doc__ = "%s under ASan, its first 2 G instructions." % number
    case(f, long=True, cost=cost, name="asan_" + name)


begins("ipxe_rom", "A5", lambda tmp: ["-boot", "n", "-m", "64", "-nic", "user"])
begins("memtest", "A7", lambda tmp: ["-cdrom", memtest_iso(), "-boot", "d", "-m", "32"])
begins("linux_cd", "A12", lambda tmp: ["-cdrom", demo_iso(), "-m", "128"])
begins("linux_disk", "A13", lambda tmp: ["-hda", hdd(), "-snapshot", "-boot", "c", "-m", "128"])
begins("pae_kernel", "A14", lambda tmp: ["-kernel", pae_vmlinuz(), "-initrd", demo_file("initrd.gz"), "-append",
                                         "console=ttyS0", "-m", "128"])
begins("installer", "A16", lambda tmp: ["-kernel", installer("linux"), "-initrd", installer("initrd.gz"), "-m", "512",
                                        "-append", "vga=normal nomodeset fb=false"])
begins("framebuffer", "A17", lambda tmp: ["-kernel", installer_gtk("linux"), "-initrd", installer_gtk("initrd.gz"),
                                          "-m", "512", "-append", "vga=788"])
begins("debian", "A19", lambda tmp: ["-hda", debian_image(), "-snapshot", "-boot", "c", "-m", "512"])
