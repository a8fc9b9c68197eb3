"""The guests of Debian's packages, A1 to A19 as ../shared/guests/README.md numbers and describes them, each
from its boot path.  cases.py has A2 (grub_floppy), A3 (grub_cd), A4 (ipxe_cd), A7 by -kernel (memtest_kernel),
A10 (linux_refuses), A12 (demo_disk), A14 (pae_kernel) and A16 (installer_kernel)."""
import gzip
import os
import re
import time

from cases import demo_file, demo_iso
from guest import ROOT, Failure, Guest, deb, sh
from picture import Picture
from registry import case


def memtest_iso():
    return deb("i386", "memtest86+", "usr/lib/memtest86+/memtest86+ia32.iso")


def hdd():
    return sh([os.path.join(ROOT, "scripts/mkhdd.sh")]).strip().splitlines()[-1]


def installer_gtk(name):
    return deb("i386", "debian-installer-12-netboot-i386",
               "usr/lib/debian-installer/images/12/i386/gtk/debian-installer/i386/" + name)


def invaders():
    return deb("i386", "grub-invaders", "boot/invaders.exec")


def gnumach(tmp):
    with gzip.open(deb("i386", "gnumach-image-1.8-486", "boot/gnumach-1.8-486.gz")) as z, open(tmp + "/mach", "wb") as f:
        f.write(z.read())
    return tmp + "/mach"


@case
def invaders_kernel(vitrine, tmp):
    """A1: GRUB Invaders by Multiboot: the invaders come down, the ship moves by the keyboard and shoots."""
    g = Guest(vitrine, ["-kernel", invaders(), "-m", "16"])
    try:
        g.wait(r"(-\*-.*\n.*){8}", 5, screen=True)
        first = g.screen()
        ship = g.wait(r"\n( *)/ ?\\", 5, screen=True).group(1)
        begin = g.guest_seconds()
        while [r for r in g.screen().split("\n") if "-*-" in r] == [r for r in first.split("\n") if "-*-" in r]:
            if g.guest_seconds() - begin > 10:
                raise Failure("the invaders do not move: " + first)
        for _ in range(12):
            g.key("left")
            time.sleep(0.05)
        begin = g.guest_seconds()
        while len(re.search(r"\n( *)/ ?\\", g.screen() + "\n/\\").group(1)) >= len(ship):
            if g.guest_seconds() - begin > 10:
                raise Failure("the ship does not move to the left: " + g.screen())
    finally:
        g.close()


@case
def gnumach_kernel(vitrine, tmp):
    """A9: GNU Mach by Multiboot: it probes PCI by BIOS32, the CD drive, the floppy controller, COM1 and the clock, and
    misses its bootstrap.  (Called -486, it was compiled with CMOV: no Pentium runs it.)"""
    g = Guest(vitrine, ["-kernel", gnumach(tmp), "-m", "64", "-rtc", "base=2031-02-03T04:05:06"])
    try:
        g.wait(r"bootstrap_create: No bootstrap code loaded", 60, screen=True)
        text = g.screen()
        for want in (r"PCI BIOS revision 2\.10", r"Intel 82371 PIIX3", r"hd2: VITRINE DVD-ROM, ATAPI CDROM drive",
                     r"FDC 0 is a .*82077|FDC 0 is a S82078B", r"com0: at atbus0, port = 3f8", r"2031-02-03 04:05"):
            if not re.search(want, text):
                raise Failure("%r is not in what it said: %s" % (want, text))
    finally:
        g.close()


def ipxe_address(vitrine, tmp, args, features):
    """Fewer instructions a second than usual (shift=4): iPXE waits by polling."""
    g = Guest(vitrine, args + ["-m", "64", "-nic", "user"], shift=4)
    try:
        g.wait(r"Features: DNS HTTP %s" % features, 30, screen=True)
        g.wait(r"net0: 52:54:00:12:34:56 using rtl8029 on 0000:00:0\d\.0", 30, screen=True)
        g.wait(r"Configuring \(net0 52:54:00:12:34:56\)\.+ ok\s+net0: 10\.0\.2\.15/255\.255\.255\.0 gw 10\.0\.2\.2\s",
               60, screen=True)
    finally:
        g.close()


@case(cost=15)
def ipxe_kernel(vitrine, tmp):
    """A5: iPXE by -kernel gets its address by DHCP through the NE2000."""
    ipxe_address(vitrine, tmp, ["-kernel", deb("i386", "ipxe", "boot/ipxe.lkrn")], "iSCSI NFS TFTP SRP")


@case(cost=15)
def ipxe_rom(vitrine, tmp):
    """A5: the same by the card's option ROM, which SeaBIOS runs for -boot n."""
    ipxe_address(vitrine, tmp, ["-boot", "n"], "iSCSI NFS TFTP AoE")


@case(cost=15)
def ipxe_cd_address(vitrine, tmp):
    """A4 and A5: iPXE from its CD, with a card."""
    ipxe_address(vitrine, tmp, ["-cdrom", deb("i386", "ipxe", "usr/lib/ipxe/ipxe.iso"), "-boot", "d"], "iSCSI NFS TFTP SRP")


@case
def grub_hybrid_disk(vitrine, tmp):
    """A3: the same image as a hard disk, on a 486: its MBR finds GRUB, which sees the disk."""
    img = deb("i386", "grub-rescue-pc", "usr/lib/grub-rescue/grub-rescue-usb.img")
    g = Guest(vitrine, ["-hda", img, "-snapshot", "-boot", "c", "-cpu", "486", "-m", "64"])
    try:
        g.wait(r"GNU GRUB +version 2", 60, screen=True)
        g.key("c")
        g.wait(r"grub>", 20, screen=True)
        g.type("ls\n")
        g.wait(r"\(hd0\)", 20, screen=True)
    finally:
        g.close()


@case
def grub_firmware_keys(vitrine, tmp):
    """A6: GRUB as the firmware (1.75 MiB), no BIOS: it takes keys and finds its memory disk.  cases_vga.py looks
    at its picture."""
    g = Guest(vitrine, ["-bios", deb("i386", "grub-firmware-qemu", "usr/share/qemu/grub.bin"), "-m", "64"])
    try:
        g.wait(r"\*Search & load /boot/multiboot\.img", 20, screen=True)
        g.key("c")
        g.wait(r"grub>", 20, screen=True)
        g.type("ls\n")
        g.wait(r"\(memdisk\)|\(ata", 20, screen=True)
    finally:
        g.close()


@case
def memtest_cd(vitrine, tmp):
    """A7: Memtest86+ from its ISO, whose El Torito entry emulates a floppy; test 4 over 32 MB."""
    g = Guest(vitrine, ["-cdrom", memtest_iso(), "-boot", "d", "-m", "32", "-cpu", "pentium"])
    try:
        g.wait(r"Memtest86\+ v6", 20, screen=True)
        g.wait(r"Test #4", 60, screen=True)
        g.wait(r"Errors: 0\s", 5, screen=True)
    finally:
        g.close()


@case(long=True, cost=200)
def memtest_pass(vitrine, tmp):
    """A7: a full pass over 32 MB finds no error, with the default processor (PAE)."""
    g = Guest(vitrine, ["-cdrom", memtest_iso(), "-boot", "d", "-m", "32"], host_limit=3000)
    try:
        g.wait(r"Test #10", 600, screen=True)
        g.wait(r"Pass: +1 ", 600, screen=True)
        g.wait(r"Errors: 0\s", 5, screen=True)
        g.screendump(tmp + "/memtest.png")
    finally:
        g.close()


@case(cost=25)
def linux_kernel(vitrine, tmp):
    """A11: Linux by -kernel and -initrd on a Pentium III: a shell that answers, honest /proc/cpuinfo, power-off."""
    g = Guest(vitrine, ["-kernel", demo_file("vmlinuz"), "-initrd", demo_file("initrd.gz"), "-append",
                        "console=ttyS0", "-m", "128", "-cpu", "pentium3"])
    try:
        g.wait(r"Linux version 6\.\d+\.\d+-\d+-686 ", 20)
        g.wait(r"GUEST-READY i686 6\.", 120)
        g.wait(r"vitrine:/# ", 20)
        flags = g.command("grep -m 1 ^flags /proc/cpuinfo")
        for f in ("fpu", "tsc", "cmov", "mmx", "sse"):
            if not re.search(r"\b%s\b" % f, flags):
                raise Failure("no %s in the guest's %s" % (f, flags))
        if "42" not in g.command("echo $((6 * 7))"):
            raise Failure("the shell cannot count")
        g.send("poweroff -f\n")
        if g.exit(60) != 0:
            raise Failure("power-off did not end with status 0")
    finally:
        g.close()


@case(cost=25)
def linux_disk(vitrine, tmp):
    """A13: the same from a disk: MBR, SYSLINUX in a FAT16 partition, int 13h."""
    g = Guest(vitrine, ["-hda", hdd(), "-snapshot", "-boot", "c", "-m", "128"])
    try:
        g.wait(r"SYSLINUX 6", 20, screen=True)
        g.wait(r"GUEST-READY i686", 120)
        g.wait(r"vitrine:/# ", 20)
        if "sda1" not in g.command("cat /proc/partitions"):
            raise Failure("Linux does not see the disk it came from")
    finally:
        g.close()


@case(long=True, cost=100)
def installer_framebuffer(vitrine, tmp):
    """A17: the installer on Linux's bochs-drm framebuffer: a grey dialogue on blue with a red bar, English."""
    g = Guest(vitrine, ["-kernel", installer_gtk("linux"), "-initrd", installer_gtk("initrd.gz"), "-m", "512",
                        "-append", "vga=788"], host_limit=900)
    png = tmp + "/installer.png"

    def share(pic, *want):
        return pic.share(lambda *c: all(abs(a - b) < 24 for a, b in zip(c, want)))
    try:
        # Host seconds: an idle guest's time runs away while a picture is read.
        while True:
            g.screendump(png)
            p = Picture(png)
            if p.width >= 1024 and share(p, 0xaa, 0xaa, 0xaa) > 0.7 and 0.002 < share(p, 0xaa, 0, 0) < 0.03:
                break
            if time.monotonic() > g.limit:
                raise Failure("no dialogue; the picture is %dx%d, its colors are %r" % (
                    p.width, p.height, sorted(p.colors().items(), key=lambda x: -x[1])[:5]))
            time.sleep(1)
        if share(p, 0, 0, 0xaa) < 0.03:
            raise Failure("the dialogue has no blue behind it")
        before, end = p, time.monotonic() + 60
        while Picture(png).rows == before.rows:
            if time.monotonic() > end:
                raise Failure("the bar does not move")
            g.key("down")  # the keyboard moves it; a key that comes before the dialogue is complete is lost
            time.sleep(0.5)
            g.screendump(png)
    finally:
        g.close()


def debian_image():
    return sh([os.path.join(ROOT, "scripts/mkdebian.sh")]).strip().splitlines()[-1]


def boot_debian(vitrine, args=(), host_limit=1200):
    g = Guest(vitrine, ["-hda", debian_image(), "-snapshot", "-boot", "c", "-m", "512", *args], host_limit=host_limit)
    try:
        g.wait(r"Linux version 6", 60)
        g.wait(r"guest login: ", 300)
        g.send("root\n")
        g.wait(r"root@guest:~# ", 60)
        g.command("bind 'set enable-bracketed-paste off'; stty cols 1000; export PAGER=cat")
    except BaseException:
        g.close()
        raise
    return g


@case(long=True, cost=150)
def debian_disk(vitrine, tmp):
    """A19: Debian from a disk: GRUB, systemd without a failed unit, gcc makes a program that runs, power-off."""
    g = boot_debian(vitrine)
    try:
        failed = g.command("systemctl --failed --no-legend --plain | tee /dev/stderr | wc -l")
        if not re.search(r"(?m)^0$", failed):
            raise Failure("failed units: " + failed)
        g.command("printf '#include <stdio.h>\\nint main(void){double d=0;for(int i=1;i<2000;i++)d+=1.0/i;"
                  "printf(\"SUM=%%.6f\\\\n\",d);return 42;}\\n' >a.c; gcc -O2 -o a a.c", 120)
        out = g.command("./a; echo DONE=$?")
        if "SUM=8.177868" not in out or "DONE=42" not in out:
            raise Failure("the compiled program said " + out)
        g.command("dd if=/dev/urandom of=/var/tmp/f bs=1M count=32 status=none; sync; md5sum /var/tmp/f >/tmp/s;"
                  " echo 3 >/proc/sys/vm/drop_caches; md5sum -c /tmp/s", 120)
        g.send("poweroff\n")
        status = g.exit(200)
        if status != 0:
            raise Failure("power-off ended with status %s: %s" % (status, g.stderr()))
    finally:
        g.close()


def expect(log, what, patterns, never=()):
    for p in patterns:
        if not re.search(p, log):
            raise Failure("%s does not say %r: %s" % (what, p, log[-400:]))
    for p in never:
        m = re.search("(?i).*" + p + ".*", log)
        if m:
            raise Failure("%s says %r" % (what, m.group(0)))


@case(long=True, cost=160)
def debian_tools(vitrine, tmp):
    """A19: dmidecode, lspci -vv, acpidump, iasl and hwclock show the machine that we meant; iasl compiles what it
    disassembled; DHCP by the NE2000; the power button ends it.  The log stays as build/debian-tools.log."""
    uuid = "6d1f2c3b-4a59-4876-9788-a9bacbdcedfe"
    g = boot_debian(vitrine, [
        "-rtc", "base=2031-02-03T04:05:06", "-uuid", uuid, "-smbios", "type=0,vendor=Vendor-0,version=Version-0",
        "-smbios", "type=1,manufacturer=Maker-1,product=Product-1,serial=Serial-1",
        "-smbios", "type=2,product=Board-2,serial=Serial-2", "-smbios", "type=3,serial=Serial-3"])
    log = open(os.path.join(ROOT, "build/debian-tools.log"), "w")

    def say(line, seconds=120):
        out = g.command(line, seconds).split("; echo RC=$?=", 1)[-1]  # without the echo of what was typed
        log.write("# %s\n%s\n" % (line, out))
        log.flush()
        return out
    try:
        expect(say("dmidecode"), "dmidecode", [
            r"SMBIOS 2\.8 present", r"Vendor: Vendor-0\n\s+Version: Version-0", r"Manufacturer: Maker-1\n\s+Product Name: Product-1",
            r"Serial Number: Serial-1\n\s+UUID: " + uuid, r"Product Name: Board-2", r"Serial Number: Serial-2",
            r"Chassis Information(?s:.*)Serial Number: Serial-3", r"Processor Information(?s:.*)Status: Populated, Enabled",
            r"Physical Memory Array", r"Memory Device(?s:.*)Size: 512 MB", r"End Of Table"],
            [r"BAD INDEX", r"[Ww]rong", r"[Tt]runcated", r"Invalid entry", r"broken"])
        expect(say("lspci -vv"), "lspci", [
            r"00:00\.0 Host bridge: Intel Corporation 440FX", r"00:01\.0 ISA bridge: Intel Corporation 82371SB PIIX3",
            r"00:01\.1 IDE interface(?s:[^:]*:.*?)Region 4: I/O ports at \w+ \[size=16\](?s:.*?)driver in use: ata_piix",
            r"00:01\.3 Bridge: Intel Corporation 82371AB/EB/MB PIIX4 ACPI(?s:.*?)routed to IRQ 9",
            r"VGA compatible controller: Device 1234:1111(?s:.*?)prefetchable\) \[size=16M\](?s:.*?)driver in use: bochs-drm",
            r"Ethernet controller: Realtek Semiconductor Co\., Ltd\. RTL-8029\(AS\)(?s:.*?)I/O ports at \w+ \[size=32\]"
            r"(?s:.*?)driver in use: ne2k-pci"],
            [r"<access denied>", r"!!!", r"<ignored>", r"\[virtual\]", r"Unknown header"])
        say("mkdir -p /tmp/t; cd /tmp/t; acpidump >acpi.txt && acpixtract -a acpi.txt >/dev/null; ls *.dat")
        tables = say("for f in *.dat; do iasl -d $f >$f.log 2>&1 || echo FAILED $f; done; cat *.dat.log")
        expect(tables, "iasl -d", [r"(?i)dsdt\.dsl", r"(?i)facp\.dsl", r"(?i)apic\.dsl", r"(?i)hpet\.dsl"],
               [r"FAILED", r"\berror\b", r"warning", r"checksum is"])
        made = say("for f in *.dsl; do iasl -tc $f 2>&1 || echo FAILED $f; done")
        expect(made, "iasl -tc", [r"Compilation successful\. 0 Errors, 0 Warnings"], [r"FAILED", r"[1-9]\d* Errors"])
        count = int(say("ls *.dsl | wc -l").strip().splitlines()[-1])
        if count < 4 or made.count("0 Errors") != count:
            raise Failure("%d tables, but iasl compiled %d" % (count, made.count("0 Errors")))
        expect(say("dmesg | grep -E 'ACPI|hpet|APIC'"), "dmesg", [r"ACPI: DSDT", r"ACPI: PM-Timer IO Port"],
               [r"ACPI Error", r"ACPI BIOS (Error|Warning)", r"ACPI Warning", r"ACPI Exception", r"BIOS bug"])
        expect(say("hwclock --show --utc"), "hwclock", [r"2031-02-03 04:\d\d:\d\d"])
        expect(say("hwclock --set --utc --date '2033-04-05 06:07:08' && hwclock --show --utc && cat /proc/driver/rtc"),
               "hwclock --set", [r"2033-04-05 06:07:\d\d", r"rtc_date\s+: 2033-04-05", r"24hr\s+: yes", r"batt_status\s+: okay"])
        say("hdparm -I /dev/sda; cat /proc/interrupts /proc/iomem /proc/ioports")
        expect(say("dhclient -1 $(ls /sys/class/net | grep -v lo); ip -4 addr", 200), "ip addr", [r"inet 10\.0\.2\.15/24"])
        time.sleep(0.1)
        g.monitor("system_powerdown")
        status = g.exit(300)
        if status != 0:
            raise Failure("the power button ended with status %s: %s" % (status, g.stderr()))
    finally:
        log.close()
        g.close()
