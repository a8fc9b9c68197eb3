"""The self-checking VGA guest (roms/selftest/vga.asm): what it reads back it checks itself; each picture it
draws is compared, pixel by pixel, with tests/golden/vga/NAME.png.

    python3 tests/boot/cases_vga.py --vitrine build/release/vitrine         compare
    python3 tests/boot/cases_vga.py --vitrine ... --write DIR               write the pictures: look at them,
                                                                            then they are the goldens
    python3 tests/boot/cases_vga.py --qemu qemu-system-i386 [--write DIR]   QEMU's pictures against the goldens

A picture that blinks has one golden for each phase (NAME-1.png, NAME-2.png): every look must be one of
them, and each must be seen."""
import glob
import os
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guest import ROOT, Failure, Guest, Skip, deb, sh  # noqa: E402
from registry import case  # noqa: E402

# Where QEMU 7.2 draws something else, and why we do not.  All the other pictures are equal, as for_qemu()
# compares them.
QEMU_KNOWN = [
    (r"text0[01]", "its 40-column characters are 16 dots wide; at half the dot clock 9 dots are 18 pixels"),
    (r"text03-underline|text07", "it does not underline"),
    (r"text03-blink", "it does not blink characters, and takes their bit 7 for brightness all the same"),
    (r"text03-pel-mask|mode13-pel-mask", "it has no PEL mask"),
    (r"text03-(smooth-scroll|byte-panning|split.*)", "it neither pans nor splits within a row of text"),
    (r"mode0F-blink", "it does not blink graphics"),
    (r"mode12-(panned|split.*)|modex-(panned|split)", "it has no pixel panning"),
    (r"mode12-count-by-two", "it does not know CR17 bit 3"),
    (r"mode12-line-banks", "it repeats each line before it looks at CR17 bit 0, but in CGA modes"),
    (r"mode12-screen-off", "it does not know SR1 bit 5"),
    (r"vbe-virtual-odd", "its start address counts in four bytes"),
    (r"vbe-800x600x4", "it leaves chain 4 on after an eight-bit mode"),
]
GOLDEN = os.path.join(ROOT, "tests/golden/vga")


def read_png(path):
    """(width, height, RGB bytes) of an eight-bit RGB or palette PNG without interlace."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise Failure("%s is no PNG" % path)
    at, packed, palette = 8, b"", b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            w, h, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", body)
        elif kind == b"PLTE":
            palette = body
        elif kind == b"IDAT":
            packed += body
        at += size + 12
    if depth != 8 or color not in (2, 3) or interlace:
        raise Failure("%s: a kind of PNG that this reader does not know" % path)
    n = 3 if color == 2 else 1
    raw, out, above = zlib.decompress(packed), bytearray(), bytearray(w * n)
    for y in range(h):
        kind = raw[y * (w * n + 1)]
        line = bytearray(raw[y * (w * n + 1) + 1:(y + 1) * (w * n + 1)])
        if kind == 1:
            for i in range(n, w * n):
                line[i] = (line[i] + line[i - n]) & 255
        elif kind == 2:
            for i in range(w * n):
                line[i] = (line[i] + above[i]) & 255
        elif kind == 3:
            for i in range(w * n):
                line[i] = (line[i] + ((line[i - n] if i >= n else 0) + above[i]) // 2) & 255
        elif kind == 4:
            for i in range(w * n):
                a, b, c = (line[i - n] if i >= n else 0), above[i], (above[i - n] if i >= n else 0)
                pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
                line[i] = (line[i] + (a if pa <= pb and pa <= pc else b if pb <= pc else c)) & 255
        out += line
        above = line
    if color == 3:
        out = b"".join(palette[i * 3:i * 3 + 3] for i in out)
    return w, h, bytes(out)


class Png:
    """A picture that is taken apart only where its file is not the same byte for byte."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        self.path = path

    def __eq__(self, other):
        return self.data == other.data or self.pixels() == other.pixels()

    def pixels(self):
        return read_png(self.path)


def read_ppm(path):
    with open(path, "rb") as f:
        data = f.read()
    m = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    return int(m.group(1)), int(m.group(2)), data[m.end():]


def difference(a, b):
    """None, or in words what differs between two pictures."""
    if a[:2] != b[:2]:
        return "%dx%d instead of %dx%d" % (a[:2] + b[:2])
    if a[2] == b[2]:
        return None
    wrong = [i // 3 for i in range(0, len(a[2]), 3) if a[2][i:i + 3] != b[2][i:i + 3]]
    i = wrong[0]
    return "%d pixels differ; the first, %d,%d, is %s instead of %s" % (
        len(wrong), i % a[0], i // a[0], a[2][i * 3:i * 3 + 3].hex(), b[2][i * 3:i * 3 + 3].hex())


def pixels(p):
    return p.pixels() if isinstance(p, Png) else p


def for_qemu(p):
    """What is left when taste is taken away: how the DAC's six bits (or the five of a 15-bit mode) become eight,
    and the ninth dot of characters, which QEMU repeats from B0h on (IBM: C0h to DFh) and does not draw again
    when only AR10 has changed."""
    w, h, rgb = pixels(p)
    rgb = rgb.translate(bytes(i & 0xf8 for i in range(256)))
    if w == 720 and h in (392, 400, 480):
        lines = []
        for y in range(h):
            line = bytearray(rgb[y * w * 3:(y + 1) * w * 3])
            for i in (26, 25, 24):
                del line[i::i + 1]
            lines.append(line)
        w, rgb = 640, b"".join(lines)
    return w, h, rgb


def known(name):
    for pattern, why in QEMU_KNOWN:
        if re.fullmatch(pattern, name):
            return "; known: " + why
    return ""


def image(tmp):
    img = tmp + "/vga.img"
    sh(["nasm", "-f", "bin", "-I", ROOT + "/roms/selftest/", "-o", img, ROOT + "/roms/selftest/vga.asm"])
    return img


def goldens(name, blinking):
    if not blinking:
        return [name]
    n = len(glob.glob("%s/%s-[0-9].png" % (GOLDEN, name)))
    return ["%s-%d" % (name, i + 1) for i in range(n)]


def look(g, name, blinking, tmp, wrong, same=None):
    """Compare what is on the screen with its goldens: exactly, or by what same() makes of the pixels."""
    same = same or (lambda p: p)
    want, missing = {}, []
    for n in goldens(name, blinking):
        path = "%s/%s.png" % (GOLDEN, n)
        if os.path.exists(path):
            want[n] = same(Png(path))
        else:
            missing.append(n)
    if missing or not want:
        wrong.append("%s has no golden picture" % name)
        return
    seen = set()
    for _ in range(300 if blinking else 1):
        now = same(g.picture("%s/%s" % (tmp, name)))
        match = [n for n in want if want[n] == now]
        if not match:
            wrong.append("%s: %s" % (name, difference(pixels(now), pixels(want[sorted(want)[0]]))))
            return
        seen.add(match[0])
        if len(seen) == len(want):
            return
    wrong.append("%s: never saw %s" % (name, sorted(set(want) - seen)))


class Vitrine(Guest):
    def picture(self, path):
        self.screendump(path + ".png")
        return Png(path + ".png")


class Qemu:
    """As much of Guest as is needed here, around QEMU."""

    def __init__(self, qemu, img, tmp):
        self.serial_text, self.ppm = "", tmp + "/qemu.ppm"
        self.proc = subprocess.Popen(
            [qemu, "-machine", "pc,accel=tcg", "-m", "32", "-display", "none", "-net", "none", "-drive",
             "if=floppy,format=raw,file=" + img, "-boot", "a", "-serial", "unix:%s/s,server,nowait" % tmp,
             "-monitor", "unix:%s/m,server,nowait" % tmp, "-device", "isa-debug-exit,iobase=0x501,iosize=2"],
            stdin=subprocess.DEVNULL)
        self.ser, self.mon = (self.connect(tmp + x) for x in ("/s", "/m"))
        self.prompt()

    def connect(self, path):
        for _ in range(100):
            try:
                s = socket.socket(socket.AF_UNIX)
                s.connect(path)
                return s
            except OSError:
                time.sleep(0.1)
        raise Failure("QEMU did not start")

    def prompt(self):
        text = b""
        while not text.endswith(b"(qemu) "):
            text += self.mon.recv(4096)

    def wait(self, what, seconds, start=0):
        end = time.monotonic() + seconds
        while not re.search(what, self.serial_text[start:]):
            r, _, _ = select.select([self.ser], [], [], 1)
            data = self.ser.recv(4096) if r else b""
            if (r and not data) or time.monotonic() > end:
                raise Failure("%r did not come: %r" % (what, self.serial_text[-200:]))
            self.serial_text += data.decode("latin-1")
        return re.search(what, self.serial_text[start:])

    def send(self, text):
        self.ser.sendall(text.encode())

    def picture(self, path):
        self.mon.sendall(("screendump %s\n" % self.ppm).encode())
        self.prompt()
        os.replace(self.ppm, path + ".ppm")
        return read_ppm(path + ".ppm")

    def close(self):
        self.proc.kill()
        self.proc.wait()


def drive(g, ibm, at_picture):
    """Answer the guest until it passes; at_picture(name, blinking) at each picture."""
    start = 0
    while True:
        m = g.wait(r"([PBQ]) (\S+)\r\n|FAIL (\w{4})|PASS", 120, start=start)
        start += m.end()
        if m.group(3):
            raise Failure("check %s failed in the guest" % m.group(3))
        if not m.group(1):
            return
        if m.group(1) == "Q":
            g.send("y" if ibm else "n")
            continue
        at_picture(m.group(2), m.group(1) == "B")
        g.send(".")


def compare(vitrine, tmp, **kw):
    wrong, seen = [], set()
    g = Vitrine(vitrine, ["-fda", image(tmp), "-boot", "a", "-m", "32", "-device",
                          "isa-debug-exit,iobase=0x501,iosize=2"], **kw)

    def at_picture(name, blinking):
        seen.update(goldens(name, blinking))
        look(g, name, blinking, tmp, wrong)
    try:
        drive(g, True, at_picture)
        status = g.exit()
        if status != 1 or "runtime error" in g.stderr():
            wrong.append("exit status %s: %s" % (status, g.stderr()))
    finally:
        g.close()
    for path in glob.glob(GOLDEN + "/*.png"):
        if os.path.basename(path)[:-4] not in seen:
            wrong.append("%s was not drawn" % path)
    if wrong:
        raise Failure("; ".join(wrong[:8]))


@case(cost=30)
def vga_pictures(vitrine, tmp):
    """Every VGA and VBE mode, pixel by pixel, and the guest's own checks of registers and memory."""
    compare(vitrine, tmp)


@case(cost=120)
def vga_pictures_asan(vitrine, tmp):
    """The same under ASan and UBSan, with the portable engine: no report."""
    asan = ROOT + "/build/asan/vitrine"
    if not os.path.exists(asan):
        raise Skip("build/asan is not built")
    compare(asan, tmp, host_limit=600)


@case
def grub_firmware_picture(vitrine, tmp):
    """A6, GRUB as firmware without a VGA BIOS: its menu is on the screen, not only in memory."""
    rom = deb("i386", "grub-firmware-qemu", "usr/share/qemu/grub.bin")
    g = Vitrine(vitrine, ["-bios", rom, "-m", "64"], serial=False)
    try:
        g.wait(r"Search & load /boot/multiboot\.img", 5, screen=True)
        w, h, rgb = g.picture(tmp + "/grub").pixels()
        if (w, h) != (640, 400):
            raise Failure("%dx%d instead of 640x400" % (w, h))
        # the chosen entry is a grey bar (from line 64 on, one later by line compare 0), letters black on it
        bar = [rgb[(74 * 640 + x) * 3:(74 * 640 + x) * 3 + 3] for x in range(300, 600)]
        text = [rgb[(y * 640 + x) * 3:(y * 640 + x) * 3 + 3] for y in range(16, 34) for x in range(180, 450)]
        if set(bar) != {b"\xa2\xa2\xa2"} or not 400 < text.count(b"\xa2\xa2\xa2") < 800:
            raise Failure("the menu is not drawn: %d dots of the title, bar %s" % (
                text.count(b"\xa2\xa2\xa2"), set(bar)))
    finally:
        g.close()


def main():
    import argparse
    p = argparse.ArgumentParser()
    p.add_argument("--vitrine")
    p.add_argument("--qemu")
    p.add_argument("--write", metavar="DIR")
    a = p.parse_args()
    tmp = tempfile.mkdtemp(prefix="vitrine-vga-")
    out = a.write or tmp
    os.makedirs(out, exist_ok=True)
    if a.qemu:
        g = Qemu(a.qemu, image(tmp), tmp)
    else:
        g = Vitrine(a.vitrine, ["-fda", image(tmp), "-boot", "a", "-m", "32", "-device",
                                "isa-debug-exit,iobase=0x501,iosize=2"])
    count, bad = 0, []

    def at_picture(name, blinking):
        nonlocal count
        count += 1
        if not a.write or a.qemu:
            wrong = []
            look(g, name, blinking, out, wrong, for_qemu if a.qemu else None)
            why = known(name) if a.qemu and wrong else ""
            bad.extend(wrong if not why else [])
            print((wrong[0] if wrong else "%s: equal" % name) + why, flush=True)
            return
        phases = []
        for _ in range(60 if blinking else 1):
            path = "%s/%s%s" % (out, name, "-%d" % (len(phases) + 1) if blinking else "")
            now = g.picture(path)
            if now in phases:
                os.remove(path + ".png")
            else:
                phases.append(now)
        print("%s: %d" % (name, len(phases)), flush=True)
    try:
        drive(g, not a.qemu, at_picture)
        print("PASS, %d pictures, %d not as they should be" % (count, len(bad)))
    finally:
        g.close()
    return len(bad) > 0


if __name__ == "__main__":
    sys.exit(main())
