"""What firmware tables tell a guest: ACPI, SMBIOS, boot order, fw_cfg; buttons; the parallel port."""
import base64
import glob
import os
import re

from cases import demo_file
from guest import Failure, Guest, deb, lib, sh
from registry import case


def initrd_with(tmp, modules):
    """The demo's initrd with more kernel modules, in /m."""
    k = deb("i386", lib("kernel_package i386 686"))
    os.makedirs(tmp + "/x/m")
    for m in modules:
        found = glob.glob(k + "/lib/modules/*/kernel/**/%s.ko" % m, recursive=True)
        if not found:
            raise Failure("no module " + m)
        sh(["cp", found[0], tmp + "/x/m/"])
    sh("cd %s/x && find . | cpio -o -H newc -R 0:0 --quiet | gzip -1 > ../x.gz && cat '%s' ../x.gz > ../initrd.gz"
       % (tmp, demo_file("initrd.gz")))
    return tmp + "/initrd.gz"


def blob(g, path):
    out = g.command("base64 " + path, 60)
    return base64.b64decode("".join(re.findall(r"^[A-Za-z0-9+/=]{4,}$", out, re.M)))


@case(cost=60)
def acpi_linux(vitrine, tmp):
    """Linux takes routing, windows, timers and ports from our tables without a complaint; iasl takes them apart
    and together; SMBIOS and fw_cfg say what the options said; lp prints; the buttons arrive."""
    g = Guest(vitrine, ["-kernel", demo_file("vmlinuz"), "-initrd",
                        initrd_with(tmp, ["parport", "parport_pc", "lp", "qemu_fw_cfg"]), "-append", "console=ttyS0",
                        "-m", "160", "-parallel", "file:%s/lp" % tmp, "-serial", "null",
                        "-smbios", "type=1,manufacturer=Acme,serial=S-42", "-fw_cfg", "opt/hello,string=world",
                        "-uuid", "00112233-4455-6677-8899-aabbccddeeff"], host_limit=400)
    try:
        g.wait(r"GUEST-READY i686", 120)
        g.wait(r"vitrine:/# ", 20)
        log = g.command("dmesg", 300)
        for bad in (r"ACPI (BIOS )?(Error|Warning|Exception).*", r"ACPI:.*(rror|nvalid|onflict).*",
                    r".*BIOS bug.*", r".*can't find.*IRQ.*", r".*pnp.*disabling.*", r".*\[Firmware (Bug|Warn).*"):
            m = re.search(bad, log)
            if m:
                raise Failure("dmesg: " + m.group(0))
        for good in (r"Interrupt link LNKA configured for IRQ", r"bus resource \[mem 0x0a000000-0xfebfffff window\]",
                     r"ACPI: PM: \(supports S0 S5\)", r"ttyS1 at I/O 0x2f8", r"IOAPIC\[0\]: apic_id 0",
                     r"hpet0: 3 comparators", r"SMBIOS 2\.8 present"):
            if not re.search(good, log):
                raise Failure("dmesg says nothing of " + good)
        for t in ("DSDT", "FACP", "APIC", "HPET", "WAET", "FACS"):
            with open("%s/%s.dat" % (tmp, t), "wb") as f:
                f.write(blob(g, "/sys/firmware/acpi/tables/" + t))
            out = sh("cd %s && iasl -d %s.dat 2>&1 && iasl -vw 3168 -p u%s %s.dsl 2>&1" % (tmp, t, t, t))
            if "0 Errors, 0 Warnings" not in out or re.search(r"(?i)\b(error|invalid|bad) ", out):
                raise Failure("iasl on %s: %s" % (t, out[-300:]))
        ids = g.command("cd /sys/class/dmi/id; cat sys_vendor product_serial product_uuid bios_vendor; cd /")
        if not re.search(r"Acme\s+S-42\s+00112233-4455-6677-8899-aabbccddeeff\s+SeaBIOS", ids):
            raise Failure("SMBIOS: " + ids)
        g.command("for m in parport parport_pc lp qemu_fw_cfg; do insmod /m/$m.ko || exit 1; done 2>&1")
        if "world" not in g.command("cat /sys/firmware/qemu_fw_cfg/by_name/opt/hello/raw; echo"):
            raise Failure("fw_cfg file")
        g.command("grep parport0 /proc/interrupts; (echo hello; dmesg | head -c 20000) > /dev/lp0", 120)
        g.monitor("system_sleep")
        g.command("sleep 1; cd /sys/firmware/acpi/interrupts; grep -q '^ *1 .*enabled' ff_slp_btn && "
                  "grep -q '^ *0 .*enabled' ff_pwr_btn && cd /")
        with open(tmp + "/lp", "rb") as f:
            lp = f.read()
        if len(lp) != 20006 or not lp.startswith(b"hello\n"):
            raise Failure("the printer got %d bytes: %r" % (len(lp), lp[:40]))
        g.monitor("system_powerdown")
        if g.exit(100) != 0:
            raise Failure("the power button ended with a bad status")
    finally:
        g.close()


@case(cost=20)
def boot_ranks(vitrine, tmp):
    """bootindex becomes SeaBIOS's bootorder; without it the letters of -boot count; acpi=off boots too."""
    hd, fl, log = tmp + "/hd.img", tmp + "/fl.img", tmp + "/log"
    sh(["truncate", "-s", "4M", hd])
    sh(["truncate", "-s", "1440K", fl])
    hd_i, fl_i = "file=%s,format=raw,bootindex=%%d" % hd, "file=%s,format=raw,if=floppy,bootindex=%%d" % fl
    for args, want in (
            (["-boot", "n", "-hda", hd], "ROM"),
            (["-drive", hd_i % 5, "-drive", fl_i % 2], "Floppy"),
            (["-drive", hd_i % 0, "-device", "ne2k_pci,bootindex=1"], "Hard Disk"),
            (["-drive", hd_i % 1, "-device", "ne2k_pci,bootindex=0"], "ROM"),
            (["-hda", hd, "-fda", fl, "-boot", "a", "-machine", "acpi=off"], "Floppy")):
        g = Guest(vitrine, args + ["-m", "32", "-chardev", "file,id=l,path=" + log, "-device",
                                   "isa-debugcon,iobase=0x402,chardev=l"], serial=False, host_limit=60)
        try:
            g.wait(r"Booting from \S", 30, screen=True)
            with open(log, errors="replace") as f:
                text = f.read()
            first = re.search(r"Booting from ([A-Z][A-Za-z ]*)", text)
            if not first or first.group(1) != want:
                raise Failure("%s: booted from %s" % (args, first and first.group(1)))
        finally:
            g.close()
