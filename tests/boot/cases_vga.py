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
from guest import ROOT, Failure, Guest, deb, sh  # noqa: E402
from registry import case  # noqa: E402

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


def six_bits(p):
    """The DAC's six bits: how they become eight is the emulator's taste."""
    return p[0], p[1], bytes(x & 0xfc for x in p[2])


def image(tmp):
    img = tmp + "/vga.img"
    sh(["nasm", "-f", "bin", "-I", ROOT + "/roms/selftest/", "-o", img, ROOT + "/roms/selftest/vga.asm"])
    return img


def goldens(name, blinking):
    if not blinking:
        return [name]
    n = len(glob.glob("%s/%s-[0-9].png" % (GOLDEN, name)))
    return ["%s-%d" % (name, i + 1) for i in range(n)]


def look(g, name, blinking, tmp, wrong, same=lambda p: p):
    """Compare what is on the screen with its goldens."""
    want, missing = {}, []
    for n in goldens(name, blinking):
        path = "%s/%s.png" % (GOLDEN, n)
        if os.path.exists(path):
            want[n] = same(read_png(path))
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
            wrong.append("%s: %s" % (name, difference(now, want[sorted(want)[0]])))
            return
        seen.add(match[0])
        if len(seen) == len(want):
            return
    wrong.append("%s: never saw %s" % (name, sorted(set(want) - seen)))


class Vitrine(Guest):
    def picture(self, path):
        self.screendump(path + ".png")
        return read_png(path + ".png")


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
        if status != 1:
            wrong.append("exit status %s: %s" % (status, g.stderr()))
    finally:
        g.close()
    for path in glob.glob(GOLDEN + "/*.png"):
        if os.path.basename(path)[:-4] not in seen:
            wrong.append("%s was not drawn" % path)
    if wrong:
        raise Failure("; ".join(wrong[:8]))


@case
def vga_pictures(vitrine, tmp):
    """Every VGA and VBE mode, pixel by pixel, and the guest's own checks of registers and memory."""
    compare(vitrine, tmp)


@case
def grub_firmware(vitrine, tmp):
    """A6, GRUB as firmware without a VGA BIOS: its menu is on the screen, not only in memory."""
    rom = deb("i386", "grub-firmware-qemu", "usr/share/qemu/grub.bin")
    g = Vitrine(vitrine, ["-bios", rom, "-m", "64"], serial=False)
    try:
        g.wait(r"Search & load /boot/multiboot\.img", 5, screen=True)
        w, h, rgb = g.picture(tmp + "/grub")
        if (w, h) != (640, 400):
            raise Failure("%dx%d instead of 640x400" % (w, h))
        # the chosen entry is a grey bar (from line 64 on, one later by line compare 0), letters black on it
        bar = [rgb[(74 * 640 + x) * 3:(74 * 640 + x) * 3 + 3] for x in range(300, 600)]
        text = [rgb[(y * 640 + x) * 3:(y * 640 + x) * 3 + 3] for y in range(16, 34) for x in range(180, 450)]
        if set(bar) != {b"\xa2\xa2\xa2"} or not 1000 < text.count(b"\xa2\xa2\xa2") < 2000:
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
    count = 0

    def at_picture(name, blinking):
        nonlocal count
        count += 1
        if not a.write or a.qemu:
            wrong = []
            look(g, name, blinking, out, wrong, six_bits if a.qemu else lambda x: x)
            print(wrong[0] if wrong else "%s: equal" % name, flush=True)
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
        print("PASS, %d pictures" % count)
    finally:
        g.close()


if __name__ == "__main__":
    main()
