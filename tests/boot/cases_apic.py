"""Linux on the interrupt controllers: which it uses, and that they count and tick right."""
import re

from cases import demo_iso
from guest import CACHE, Failure, Guest
from registry import case


def demo_kernel(vitrine, append, args):
    demo_iso()
    g = Guest(vitrine, ["-kernel", CACHE + "/demo/vmlinuz", "-initrd", CACHE + "/demo/initrd.gz", "-m", "256",
                        "-append", "console=ttyS0 " + append] + args)
    g.wait(r"GUEST-READY i686", 120)
    g.wait(r"vitrine:/# ", 20)
    return g


def number(text, pattern):
    m = re.search(pattern, text)
    if not m:
        raise Failure("%r is not in %r" % (pattern, text[-600:]))
    return float(m.group(1))


@case(cost=25)
def linux_apic(vitrine, tmp):
    """Linux on local APIC, I/O APIC and HPET: its timers agree, nothing is spurious.  (A processor without CPUID leaf
    15h: Linux measures the clocks instead of believing it.)"""
    g = demo_kernel(vitrine, "apic=verbose", ["-cpu", "vitrine32"])
    try:
        log = g.command("dmesg | grep -iE 'apic|[s]purious|bug|cared|TIMER|comparators|bus clock'", 120)
        for bad in ("MP-BIOS bug", "spurious", "Spurious", "nobody cared", "APIC error", "..TIMER: trying"):
            if bad in log:
                raise Failure("dmesg says %r" % bad)
        bus = number(log, r"host bus clock speed is ([0-9.]+) MHz")
        if abs(bus - 1000) > 1:
            raise Failure("Linux measures the local APIC's clock as %s MHz, not 1000" % bus)
        number(log, r"(\d+) comparators, 64-bit 100.000000 MHz counter")
        irqs = g.command("cat /proc/interrupts")
        for line in (r" 0: +([1-9]\d*) +IO-APIC +2-edge +timer", r" 4: +([1-9]\d*) +IO-APIC +4-edge",
                     r" 9: +(\d+) +IO-APIC +9-fasteoi +acpi", r"LOC: +([1-9]\d*)"):
            number(irqs, line)
        # the local timer against the clock: 250 a second, unless the kernel stops its tick
        two = g.command("cat /proc/uptime; grep LOC /proc/interrupts; sleep 4; cat /proc/uptime; grep LOC /proc/interrupts")
        up = [float(x) for x in re.findall(r"(?m)^(\d+\.\d+) \d", two)]
        loc = [int(x) for x in re.findall(r"LOC: +(\d+)", two)]
        if loc[1] <= loc[0] or (loc[1] - loc[0]) / (up[1] - up[0]) > 260:
            raise Failure("local timer: %s at %s" % (loc, up))
        have = g.command("cat /sys/devices/system/clocksource/clocksource0/available_clocksource")
        if "hpet" not in have or "tsc" not in have:
            raise Failure("clock sources: " + have)
        text = g.monitor("info lapic") + g.monitor("info ioapic") + g.monitor("info irq")
        for want in ("base fee00000 svr 1ff", "pin  2 .*vector 30 edge", r"(?m)^ 4: \d+"):
            if not re.search(want, text):
                raise Failure("the monitor does not say %r: %s" % (want, text))
        g.send("poweroff\n")
        if g.exit(120):
            raise Failure("power-off: " + g.stderr())
    finally:
        g.close()


def without(append, args, want, wont):
    def run(vitrine, tmp):
        g = demo_kernel(vitrine, append, args)
        try:
            irqs = g.command("cat /proc/interrupts")
            if not re.search(want, irqs) or re.search(wont, irqs):
                raise Failure(irqs)
            g.send("poweroff\n")
            if g.exit(120):
                raise Failure("power-off: " + g.stderr())
        finally:
            g.close()
    run.__doc__ = "Linux with %s: %s." % (append or " ".join(args), want)
    return run


case(long=True, cost=20, name="linux_noapic")(without("noapic", [], r"0: +[1-9]\d* +XT-PIC +timer", "IO-APIC"))
case(long=True, cost=20, name="linux_nolapic")(without("nolapic", [], r"0: +\d{3,} +XT-PIC +timer", "IO-APIC|LOC: +[1-9]"))
case(long=True, cost=20, name="linux_cpu_without_apic")(
    without("", ["-cpu", "max,-apic"], r"0: +\d{3,} +XT-PIC +timer", "IO-APIC|LOC: +[1-9]"))
case(long=True, cost=20, name="linux_without_hpet")(
    without("", ["-machine", "pc,hpet=off"], r"0: +[1-9]\d* +IO-APIC +2-edge +timer", "hpet"))
