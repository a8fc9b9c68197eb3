"""Self-checking guests of roms/selftest that are started by the firmware from a floppy image."""
import os
import re
import shutil
import sys

from guest import ROOT, Failure, sh
from registry import case

SELFTEST = os.path.join(ROOT, "roms/selftest")
sys.path.insert(0, SELFTEST)
import run as selftest  # noqa: E402

F_RO, F_EMU, F_SWAP, F_B = 1, 2, 4, 8 # FLAGS of floppy.asm
SEED_2 = 0x5000                       # the pattern of "the other disk"


def image(name, kb, path, seed=0, flags=0):
    sh([SELFTEST + "/build.sh", name, str(kb), path, str(seed), str(flags)])
    return path


def guest(vitrine, args, files=None, limit=300):
    base = ["-icount", "shift=2", "-m", "32", "-nodefaults", "-vga", "std"]
    text, status = selftest.run(vitrine, base + args, files, limit)
    if not selftest.passed(text, status):
        at = text.find("part ")
        raise Failure("status %s: %s" % (status, text[at if at >= 0 else 0:][-1500:]))
    return text


def floppy(path, index=0, more=""):
    return ["-drive", "if=floppy,format=raw,file=%s,index=%d%s" % (path, index, more)]


def floppy_sizes(vitrine, tmp, sizes):
    """By int 13h and by the controller's ports: read, write, format, two drives, the disk changed by the
    monitor; the images are afterwards what they were."""
    for kb in sizes:
        one = image("floppy", kb, "%s/a%d.img" % (tmp, kb), 0, F_SWAP | F_B)
        two = image("floppy", kb, "%s/b%d.img" % (tmp, kb), SEED_2)
        other = shutil.copy(two, "%s/c%d.img" % (tmp, kb))
        before = open(one, "rb").read(), open(two, "rb").read()
        text = guest(vitrine, floppy(one) + floppy(two, 1), {"1": one, "2": other})
        if "part drive B" not in text or "> change floppy0" not in text or "monitor:" in text:
            raise Failure("%d KB: not all parts ran: %s" % (kb, text[-600:]))
        if (open(one, "rb").read(), open(two, "rb").read()) != before:
            raise Failure("%d KB: the guest passed, but the image is not what it was" % kb)


@case(cost=20)
def selftest_floppy(vitrine, tmp):
    floppy_sizes(vitrine, tmp, (180, 1440))


@case(cost=40, long=True)
def selftest_floppy_sizes(vitrine, tmp):
    floppy_sizes(vitrine, tmp, (160, 320, 360, 720, 1200, 2880))


@case
def selftest_floppy_protected(vitrine, tmp):
    """readonly=on is a write-protected disk: the right errors, and the file stays as it is."""
    one = image("floppy", 1440, tmp + "/a.img", 0, F_RO)
    os.chmod(one, 0o444)
    before = open(one, "rb").read()
    text = guest(vitrine, floppy(one, 0, ",readonly=on"))
    if "part controller: write-protected" not in text or open(one, "rb").read() != before:
        raise Failure("the write-protected part did not run, or wrote: " + text[-600:])


@case
def selftest_floppy_el_torito(vitrine, tmp):
    """A CD that boots by floppy emulation: int 13h drive 00h is its image, which cannot be written."""
    for kb in (1200, 1440, 2880):
        os.makedirs("%s/cd%d" % (tmp, kb))
        image("floppy", kb, "%s/cd%d/boot.img" % (tmp, kb), 0, F_RO | F_EMU)
        iso = "%s/%d.iso" % (tmp, kb)
        sh(["xorriso", "-as", "mkisofs", "-quiet", "-o", iso, "-b", "boot.img", "%s/cd%d" % (tmp, kb)])
        text = guest(vitrine, ["-cdrom", iso, "-boot", "d"])
        if "part int 13h" not in text:
            raise Failure("%d KB: %s" % (kb, text[-600:]))
