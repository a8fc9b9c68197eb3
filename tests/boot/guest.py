"""One guest under test: starts vitrine with sockets for serial and monitor, waits for text, types.

Time is counted instructions (-icount), so a guest sees the same timing on a slow and on a fast host;
deadlines are in guest seconds, with a generous limit in host seconds behind them."""
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "vitrine")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Failure(Exception):
    pass


class Skip(Exception):
    """What the case needs is not there; the message says what."""


def sh(command, **kw):
    """A command of the host; its output, or Failure with its end."""
    p = subprocess.run(command, shell=isinstance(command, str), stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace", executable="/bin/bash"
                       if isinstance(command, str) else None, **kw)
    if p.returncode:
        raise Failure("%s: exit %d: %s" % (command, p.returncode, p.stdout[-300:]))
    return p.stdout


def lib(call):
    """A function of scripts/lib.sh; its last line of output."""
    return sh("set -e; cd '%s'; . scripts/lib.sh; %s" % (ROOT, call)).strip().splitlines()[-1]


def deb(arch, package, path=""):
    return os.path.join(lib("unpack_deb %s %s" % (arch, package)), path)


class Guest:
    def __init__(self, vitrine, args, serial=True, icount=True, host_limit=400, env=None, shift=2):
        self.dir = tempfile.mkdtemp(prefix="vitrine-test-")
        self.limit = time.monotonic() + host_limit
        self.serial_text = ""
        cmd = [vitrine, "-display", "none", "-monitor",
               "unix:%s/mon,server,nowait" % self.dir]
        cmd += ["-serial", "unix:%s/ser,server,nowait" % self.dir] if serial else ["-serial", "null"]
        if icount:
            cmd += ["-icount", "shift=%d" % shift]
        self.cmd = cmd + args + ["-S"]
        self.err = open(self.dir + "/stderr", "w+")
        self.proc = subprocess.Popen(self.cmd, stdin=subprocess.DEVNULL, stdout=self.err,
                                     stderr=self.err, env=env)
        self.mon = self.connect("mon")
        self.ser = self.connect("ser") if serial else None
        self.read_prompt()
        self.monitor("cont")

    def connect(self, name):
        path = "%s/%s" % (self.dir, name)
        while True:
            try:
                s = socket.socket(socket.AF_UNIX)
                s.connect(path)
                s.setblocking(False)
                return s
            except OSError:
                s.close()
            if self.proc.poll() is not None or time.monotonic() > self.limit:
                raise Failure("vitrine did not start: " + self.stderr())
            time.sleep(0.05)

    def stderr(self):
        with open(self.dir + "/stderr", errors="replace") as f:
            return f.read()[-600:]

    def read_prompt(self):
        text = ""
        while not text.endswith("(vitrine) "):
            if time.monotonic() > self.limit:
                raise Failure("the monitor does not answer; got %r" % text[-200:])
            r, _, _ = select.select([self.mon], [], [], 1)
            if r:
                data = self.mon.recv(65536)
                if not data:
                    raise Failure("the monitor went away: " + self.stderr())
                text += data.decode("latin-1").replace("\r", "")
            self.pump()
        return text[:-len("(vitrine) ")]

    def monitor(self, line):
        """Send one monitor command; its output without echo and prompt."""
        try:
            self.mon.sendall((line + "\n").encode())
        except OSError:
            raise Failure("the monitor went away: " + self.stderr()) from None
        text = self.read_prompt()
        return text[len(line) + 1:] if text.startswith(line) else text

    def pump(self):
        """Take what the serial port said."""
        if not self.ser:
            return
        try:
            while True:
                data = self.ser.recv(65536)
                if not data:
                    self.ser = None
                    return
                self.serial_text += data.decode("latin-1")
        except BlockingIOError:
            pass
        except OSError:
            self.ser = None

    def guest_seconds(self):
        m = re.search(r"virtual time: ([0-9.]+)", self.monitor("info status"))
        return float(m.group(1)) if m else 0.0

    def screen(self):
        return self.monitor("info screen")

    def wait(self, what, seconds, screen=False, start=None):
        """Wait until the pattern appears on the serial line (after `start`) or on the screen; returns the
        match.  seconds are the guest's."""
        begin = None
        start = 0 if start is None else start
        while True:
            self.pump()
            text = self.screen() if screen else self.serial_text[start:]
            m = re.search(what, text)
            if m:
                return m
            if self.proc.poll() is not None:
                raise Failure("vitrine ended with %s before %r: %s" % (self.proc.returncode, what, self.stderr()))
            now = self.guest_seconds()
            begin = now if begin is None else begin
            if now - begin > seconds or time.monotonic() > self.limit:
                raise Failure("%r did not appear in %.0f guest seconds%s; the end: %r" % (
                    what, now - begin, " (host limit)" if time.monotonic() > self.limit else "", text[-300:]))
            if self.ser:
                select.select([self.ser], [], [], 0.3)
            else:
                time.sleep(0.3)

    def send(self, text):
        data = text.encode()
        while data:
            self.pump()
            _, w, _ = select.select([], [self.ser], [], 5)
            if not w:
                raise Failure("the serial port takes no input")
            data = data[self.ser.send(data[:16]):]
            time.sleep(0.02)

    def command(self, line, seconds=60):
        """Run a shell command over the serial line: its output, after checking that it succeeded."""
        start = len(self.serial_text)
        self.send(line + "; echo RC=$?=\n")
        m = self.wait(r"(?s)(.*)RC=(\d+)=", seconds, start=start)
        out = m.group(1).replace("\r", "")
        if m.group(2) != "0":
            raise Failure("%r in the guest: exit %s: %s" % (line, m.group(2), out[-300:]))
        return out

    def key(self, *names):
        for n in names:
            self.monitor("sendkey " + n)

    def type(self, text):
        names = {">": "shift-dot", "|": "shift-backslash", ";": "semicolon", "&": "shift-7",
                 " ": "spc", "\n": "ret", "-": "minus", "/": "slash", ".": "dot", "=": "equal", ",": "comma"}
        for c in text:
            self.key(names.get(c, "shift-" + c.lower() if c.isupper() else c))

    def screendump(self, path):
        self.monitor("screendump " + path)
        if not os.path.getsize(path):
            raise Failure("screendump wrote nothing")

    def exit(self, seconds=60):
        """Wait for vitrine to end by itself; its exit status."""
        end = min(time.monotonic() + seconds, self.limit)
        while self.proc.poll() is None:
            self.pump()
            if time.monotonic() > end:
                raise Failure("vitrine did not end")
            time.sleep(0.1)
        return self.proc.returncode

    def close(self):
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                self.proc.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
