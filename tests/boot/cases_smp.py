"""Several processors: the self-checking guest, Linux, two equal runs."""
import os
import re
import subprocess

from cases import asan_vitrine, demo_iso
from guest import CACHE, ROOT, Failure, Guest, sh
from registry import case


@case(cost=20)
def self_checking_smp(vitrine, tmp):
    """tests/guest/smp.asm with 2, 4 and 8 processors (1: self_checking): release and portable ASan."""
    rom = tmp + "/smp.rom"
    sh(["nasm", "-f", "bin", "-w-number-overflow", "-I", ROOT + "/tests/guest/", "-o", rom,
        ROOT + "/tests/guest/smp.asm"])
    for exe in (vitrine, asan_vitrine()):
        for layout in ("2", "4", "8", "4,sockets=1,cores=2,threads=2"):
            p = subprocess.run([exe, "-bios", rom, "-display", "none", "-serial", "null", "-monitor", "none", "-vga",
                                "none", "-m", "16", "-icount", "shift=2", "-smp", layout, "-device",
                                "isa-debugcon,iobase=0x402,chardev=d", "-chardev", "file,id=d,path=" + tmp + "/log",
                                "-device", "isa-debug-exit,iobase=0x501,iosize=2", "-no-reboot"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200,
                               stdin=subprocess.DEVNULL)
            log = open(tmp + "/log", errors="replace").read()
            if p.returncode != 1 or "PASS" not in log:
                raise Failure("-smp %s under %s: exit %d, %r %s" % (layout, exe, p.returncode, log[-200:],
                                                                    p.stdout[-300:]))


def loads(g, cpus):
    """A busy loop on each processor; how many ticks of user time each has had since."""
    g.command("for i in $(seq 0 %d); do taskset $(printf '%%x' $((1 << i))) sh -c 'while :; do :; done' & done"
              % (cpus - 1))
    before = g.command("grep '^cpu[0-9]' /proc/stat")
    g.command("sleep 3")
    after = g.command("grep '^cpu[0-9]' /proc/stat; kill $(jobs -p)")
    user = [[int(x) for x in re.findall(r"(?m)^cpu\d (\d+)", t)] for t in (before, after)]
    return [b - a for a, b in zip(*user)]


@case(cost=60)
def linux_smp(vitrine, tmp):
    """Linux with four processors: each computes, they interrupt one another, the power goes off."""
    demo_iso()
    g = Guest(vitrine, ["-kernel", CACHE + "/demo/vmlinuz", "-initrd", CACHE + "/demo/initrd.gz", "-m", "256",
                        "-smp", "4", "-append", "console=ttyS0"])
    try:
        g.wait(r"GUEST-READY i686", 200)
        g.wait(r"vitrine:/# ", 20)
        if not re.search(r"(?m)^4\r?$", g.command("nproc")):
            raise Failure("nproc is not 4: " + g.command("cat /proc/cpuinfo"))
        log = g.command("dmesg | grep -iE 'smp:|smpboot|[B]UG|not respond|unsync|soft lockup|stalls'")
        log = log.split("; echo RC=$?=", 1)[-1]  # without the echo of what was typed
        if "Brought up 1 node, 4 CPUs" not in log or re.search(r"BUG|not respond|unsync|lockup|stalls", log):
            raise Failure(log)
        busy = loads(g, 4)
        if len(busy) != 4 or min(busy) < 100:
            raise Failure("ticks of user time on each processor: %s" % busy)
        irqs = g.command("cat /proc/interrupts")
        for name in ("LOC", "RES", "CAL"):
            m = re.search(r"(?m)^ *%s:((?: +\d+){4})" % name, irqs)
            if not m or min(int(x) for x in m.group(1).split()) < 1:
                raise Failure("%s does not count on every processor: %s" % (name, irqs))
        text = g.monitor("info cpus") + g.monitor("cpu 3") + g.monitor("info cpus") + g.monitor("info lapic")
        if "* CPU #0" not in text or "* CPU #3" not in text or "lapic3: id 03" not in text:
            raise Failure("the monitor says: " + text)
        if "There is no processor 4" not in g.monitor("cpu 4"):
            raise Failure("cpu 4 is taken")
        g.send("poweroff\n")
        if g.exit(200):
            raise Failure("power-off: " + g.stderr())
    finally:
        g.close()


@case(cost=30)
def smp_runs_are_equal(vitrine, tmp):
    """The same machine of four twice: the same hash at the same time while Linux starts."""
    demo_iso()
    with open(tmp + "/script", "w") as f:
        f.write("1500 hash\n2500 hash\n3000 quit\n")
    said = []
    for n in range(2):
        said.append(sh([vitrine, "-icount", "shift=2", "-smp", "4", "-m", "128", "-display", "none", "-serial", "null",
                        "-monitor", "none", "-kernel", CACHE + "/demo/vmlinuz", "-initrd",
                        CACHE + "/demo/initrd.gz", "-input-script", tmp + "/script"]))
    if said[0] != said[1] or said[0].count("hash") != 2:
        raise Failure("the runs differ: %s %s" % (said[0], said[1]))
