"""Read a screendump: PNG, 8-bit RGB, not interlaced (what frontend/ui/screenshot.c writes)."""
import struct
import zlib

from guest import Failure


class Picture:
    def __init__(self, path):
        with open(path, "rb") as f:
            data = f.read()
        if data[:8] != b"\x89PNG\r\n\x1a\n":
            raise Failure("%s is not a PNG" % path)
        at, packed = 8, b""
        while at < len(data):
            size, kind = struct.unpack(">I4s", data[at:at + 8])
            body = data[at + 8:at + 8 + size]
            if kind == b"IHDR":
                self.width, self.height, depth, color, _, _, lace = struct.unpack(">IIBBBBB", body)
                if (depth, color, lace) != (8, 2, 0):
                    raise Failure("%s is not 8-bit RGB" % path)
            elif kind == b"IDAT":
                packed += body
            at += size + 12
        raw, w = zlib.decompress(packed), self.width * 3
        self.rows, above = [], bytes(w)
        for y in range(self.height):
            kind, row = raw[y * (w + 1)], bytearray(raw[y * (w + 1) + 1:(y + 1) * (w + 1)])
            if kind:
                self.undo(kind, row, above)
            above = bytes(row)
            self.rows.append(above)

    @staticmethod
    def undo(kind, row, above):
        for i in range(len(row)):
            a = row[i - 3] if i >= 3 else 0
            b, c = above[i], above[i - 3] if i >= 3 else 0
            if kind == 1:
                p = a
            elif kind == 2:
                p = b
            elif kind == 3:
                p = (a + b) // 2
            else:
                x, y, z = abs(b - c), abs(a - c), abs(a + b - 2 * c)
                p = a if x <= y and x <= z else b if y <= z else c
            row[i] = (row[i] + p) & 255

    def colors(self):
        """How many pixels have each color, {(r, g, b): count}."""
        count = {}
        for row in self.rows:
            for i in range(0, len(row), 3):
                c = row[i:i + 3]
                count[c] = count.get(c, 0) + 1
        return {tuple(c): n for c, n in count.items()}

    def share(self, test):
        """The share of pixels for which test(r, g, b) is true."""
        return sum(n for c, n in self.colors().items() if test(*c)) / (self.width * self.height)
