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
    # shift=6: they wait a lot and compute little
    base = ["-icount", "shift=6", "-m", "32", "-nodefaults", "-vga", "std"]
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


@case(cost=15)
def selftest_keyboard(vitrine, tmp):
    """8042, scan code sets 1 to 3, typematic, mouse: keys and movements by the monitor."""
    text = guest(vitrine, ["-fda", image("keyboard", 1440, tmp + "/k.img")])
    if "part five buttons" not in text or "monitor:" in text:
        raise Failure("not all parts ran: " + text[-600:])


@case(cost=25)
def selftest_keyboard_script(vitrine, tmp):
    """The same by -input-script, twice: the second run ends at the same instruction with the same hash."""
    asm = open(SELFTEST + "/keyboard.asm").read()
    asked = re.findall(r'"(?:> )?((?:sendkey|mouse_move|mouse_button) [^"]*)"', asm[asm.index("\nkeys:"):asm.index("\ntypematic:")])
    if len(asked) < 25:
        raise Failure("only %d keys found in keyboard.asm" % len(asked))
    script = ["0 wait > " + asked[0]]
    part = 0
    for i, line in enumerate(asked):
        script.append("+1 " + line)
        # a line asked for before is on the screen already: be later than what the guest does between
        pause = 3500 if line in asked[i + 1:i + 2] else 1000
        script.append("+1500 hash" if i + 1 == len(asked) else "+%d wait > %s" % (pause, asked[i + 1]))
    script.append("+0 quit")
    with open(tmp + "/keys", "w") as f:
        f.write("\n".join(script) + "\n")
    said = []
    for n in range(2):
        img = image("keyboard", 1440, "%s/k%d.img" % (tmp, n))
        said.append(sh([vitrine, "-icount", "shift=6", "-m", "32", "-nodefaults", "-vga", "std", "-display",
                        "none", "-fda", img, "-debugcon", "file:%s/text%d" % (tmp, n), "-input-script",
                        tmp + "/keys"]))
        text = open("%s/text%d" % (tmp, n)).read()
        if "FAIL" in text or "part typematic" not in text:
            raise Failure(text[-1000:])
    if said[0] != said[1] or "hash" not in said[0]:
        raise Failure("the runs differ: %s %s" % (said[0], said[1]))
