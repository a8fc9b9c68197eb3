#!/usr/bin/env python3
"""Run a self-checking guest under Vitrine or QEMU and do what it asks for: run.py [options] VITRINE-OR-qemu [ARGS...]

A line of its text that begins with "> " is a command for the monitor; @1 and @2 in it are the files given
by -1 and -2.  Prints the guest's text; exit status 0 if it said PASS."""
import argparse
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time

ALLOWED = ("sendkey", "mouse_move", "mouse_button", "eject", "change", "info")


class Asker:
    """Reads the guest's text, passes what it asks for to the monitor."""

    def __init__(self, mon, prompt, files, echo):
        self.mon, self.prompt, self.files, self.echo = mon, prompt, files, echo
        self.text, self.line = "", ""

    def answer(self):
        out = ""
        while not out.endswith(self.prompt):
            r, _, _ = select.select([self.mon], [], [], 60)
            data = self.mon.recv(65536) if r else b""
            if not data:
                break
            out += data.decode("latin-1")
        return out

    def feed(self, data):
        for c in data.decode("latin-1"):
            self.text += c
            if c != "\n":
                self.line += c
                continue
            line, self.line = self.line.strip(), ""
            if self.echo:
                print(line, flush=True)
            if line.startswith("> ") and line[2:].split()[0] in ALLOWED:
                command = line[2:]
                for k, v in self.files.items():
                    command = command.replace("@" + k, v)
                self.mon.sendall((command + "\n").encode())
                said = re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]|\r", "", self.answer())
                said = [x for x in said.split("\n")[1:] if x.strip() and x.strip() != self.prompt.strip()]
                if said and "info" not in command:
                    self.text += "".join("monitor: %s\n" % x for x in said)
                    if self.echo:
                        print("monitor:", *said, flush=True)


def run(emulator, args, files=None, limit=120, echo=False, env=None):
    """The guest's text and the emulator's exit status (None: it had to be ended)."""
    d = tempfile.mkdtemp(prefix="selftest-")
    qemu = os.path.basename(emulator).startswith("qemu")
    cmd = [emulator, "-display", "none", "-monitor", "unix:%s/mon,server,nowait" % d, "-S",
           "-chardev", "socket,id=text,path=%s/text,server=on,wait=off" % d,
           "-device", "isa-debugcon,iobase=0x402,chardev=text",
           "-device", "isa-debug-exit,iobase=0x501,iosize=2"] + args
    p = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE if not echo else None, env=env)
    end = time.monotonic() + limit
    try:
        socks = []
        for name in ("mon", "text"):
            while True:
                s = socket.socket(socket.AF_UNIX)
                try:
                    s.connect("%s/%s" % (d, name))
                    break
                except OSError:
                    s.close()
                if p.poll() is not None or time.monotonic() > end:
                    return "did not start: " + (p.stderr.read().decode() if p.stderr else ""), p.poll()
                time.sleep(0.05)
            socks.append(s)
        a = Asker(socks[0], "(qemu) " if qemu else "(vitrine) ", files or {}, echo)
        a.answer()
        socks[0].sendall(b"cont\n")
        a.answer()
        while time.monotonic() < end:
            r, _, _ = select.select([socks[1]], [], [], 1)
            if r:
                data = socks[1].recv(65536)
                if not data:
                    break
                a.feed(data)
            elif p.poll() is not None:
                break
        if time.monotonic() < end:
            p.wait(10)
        return a.text, p.poll()
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
        for name in os.listdir(d):
            os.unlink(os.path.join(d, name))
        os.rmdir(d)


def passed(text, status):
    return status == 1 and re.search(r"(?m)^PASS\r?$", text) and not re.search(r"(?m)^FAIL", text)


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("-1", dest="one", default="")
    ap.add_argument("-2", dest="two", default="")
    ap.add_argument("--limit", type=float, default=120)
    ap.add_argument("emulator")
    ap.add_argument("args", nargs=argparse.REMAINDER)
    o = ap.parse_args()
    text, status = run(o.emulator, o.args, {"1": o.one, "2": o.two}, o.limit, True)
    print("status", status)
    sys.exit(not passed(text, status))
