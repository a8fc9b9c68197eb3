"""What Linux's own tools make of our disk and CD drives; what a guest's flush does on the host."""
import os
import re
import shutil
import subprocess

from guest import CACHE, ROOT, Failure, Guest, Skip, deb, sh
from registry import case

# programs, and the libraries that the demo guest lacks
TOOLS = ("hdparm", "smartmontools", "sg3-utils", "libsgutils2-1.46-2", "libstdc++6", "libgcc-s1", "libcap-ng0",
         "libc6")


def tools_initrd(tmp):
    """The demo guest's initrd with hdparm, smartctl and sg3-utils appended as a second archive."""
    root = tmp + "/tools"
    os.makedirs(root + "/sbin")
    os.makedirs(root + "/lib")
    for p in TOOLS:
        d = deb("i386", p)
        for sub in ("sbin", "usr/sbin", "usr/bin"):
            for name in ("hdparm", "smartctl", "sg_inq", "sg_modes", "sg_requests", "sg_prevent", "sg_get_config"):
                if os.path.exists(os.path.join(d, sub, name)):
                    shutil.copy(os.path.join(d, sub, name), root + "/sbin/")
        for sub in ("lib", "usr/lib"):
            libs = os.path.join(d, sub, "i386-linux-gnu")
            if os.path.isdir(libs):
                sh("cp -a %s/lib{stdc++,gcc_s,cap-ng,sgutils2,m,c,pthread}[-.]*so* %s/lib/ 2>/dev/null || true" % (libs, root))
    out = tmp + "/initrd"
    sh("cp '%s' '%s' && cd '%s' && find . | cpio -o -H newc --quiet | gzip -1 >> '%s'" % (
        CACHE + "/demo/initrd.gz", out, root, out))
    return out


def boot(vitrine, tmp, args, limit=580):
    sh([os.path.join(ROOT, "scripts/mkdemo.sh")])
    g = Guest(vitrine, ["-kernel", CACHE + "/demo/vmlinuz", "-append", "console=ttyS0 quiet", "-m", "256"] + args,
              host_limit=limit)
    g.wait(r"GUEST-READY i686", 200)
    g.wait(r"vitrine:/# ", 20)
    return g


def must(text, *patterns):
    for p in patterns:
        if not re.search(p, text):
            raise Failure("no %r in: %s" % (p, text[-1500:]))


@case(cost=60, long=True)
def linux_storage_tools(vitrine, tmp):
    """hdparm, smartctl and sg3-utils in a Linux guest find what the disk and the CD drive offer."""
    disk = tmp + "/disk.img"
    sh(["truncate", "-s", "64M", disk])
    iso = CACHE + "/demo/demo.iso"
    sh([os.path.join(ROOT, "scripts/mkdemo.sh")])
    g = boot(vitrine, tmp, ["-initrd", tools_initrd(tmp), "-hda", disk, "-cdrom", iso])
    try:
        g.command("cd /lib && ldconfig 2>/dev/null; cd /")
        t = g.command("hdparm -I /dev/sda")
        print_to(tmp, "hdparm", t)
        must(t, r"Model Number: +VITRINE HARDDISK", r"supported; cleared|not +supported|LBA +user addressable",
             r"LBA48 +user addressable sectors: +131072", r"\*\s+SMART feature set", r"\*\s+Write cache",
             r"\*\s+48-bit Address", r"\*\s+Mandatory FLUSH_CACHE", r"\*\s+SMART self-test",
             r"\*\s+SMART error logging", r"DMA: .*mdma2.*\*?udma", r"Checksum: correct")
        if re.search(r"Security Mode feature|Host Protected Area feature", t):
            raise Failure("hdparm sees security or a host protected area: " + t[-800:])
        t = g.command("hdparm -N /dev/sda 2>&1 || true")
        print_to(tmp, "hdparm-N", t)
        for opt, word in (("-W0 /dev/sda && hdparm -W", "write-caching =  0"), ("-W1 /dev/sda && hdparm -W", "=  1"),
                          ("-A0 /dev/sda && hdparm -A", "look-ahead    =  0"), ("-A1 /dev/sda && hdparm -A", "=  1"),
                          ("-C", "drive state is:  active/idle"), ("-y /dev/sda && hdparm -C", "standby")):
            must(g.command("hdparm %s /dev/sda 2>&1" % opt), word)
        g.command("dd if=/dev/sda of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null || dd if=/dev/sda of=/dev/null bs=64k count=4")
        t = g.command("smartctl -a /dev/sda || true")
        print_to(tmp, "smartctl", t)
        must(t, r"Device Model: +VITRINE HARDDISK", r"SMART support is: Enabled", r"test result: PASSED",
             r"No Errors Logged", r"No self-tests have been logged", r"Power_On_Hours")
        if re.search(r"(?i)checksum error|Error SMART|failed:|Invalid", t):
            raise Failure("smartctl complains: " + t[-1500:])
        g.command("smartctl -t short /dev/sda && smartctl -s off /dev/sda && smartctl -s on /dev/sda &&"
                  " smartctl -o on /dev/sda; smartctl -S on /dev/sda")
        must(g.command("smartctl -l selftest /dev/sda || true"), r"# 1 +Short offline +Completed without error")
        t = g.command("sg_inq /dev/sr0; sg_modes -a /dev/sr0; sg_get_config --brief /dev/sr0;"
                      " cat /proc/sys/dev/cdrom/info")
        print_to(tmp, "cdrom", t)
        must(t, r"Vendor identification: VITRINE", r"Product identification: DVD-ROM", r"RMB=1",
             r"error recovery", r"Power condition", r"Timeout and protect", r"capabilities and mechanical", r"drive speed:\s+48",
             r"Can lock tray:\s+1", r"Can read DVD:\s+1", r"Can change speed:\s+1", r"CD-ROM")
    finally:
        g.close()


def print_to(tmp, name, text):
    with open("%s/%s.txt" % (tmp, name), "w") as f:
        f.write(text)


@case(cost=40)
def flush_reaches_the_host(vitrine, tmp):
    """A guest's FLUSH CACHE is a sync of the image on the host before the guest hears of its end; a disk with
    readonly=on takes no write and tells so."""
    if shutil.which("strace") is None or subprocess.run(["strace", "-o", "/dev/null", "true"]).returncode:
        raise Skip("strace does not work here")
    disk, ro, log = tmp + "/disk.img", tmp + "/ro.img", tmp + "/strace"
    sh(["truncate", "-s", "16M", disk])
    sh(["truncate", "-s", "16M", ro])
    wrap = tmp + "/traced"
    with open(wrap, "w") as f:
        f.write("#!/bin/sh\nexec strace -D -f -y -s 16 -o %s -e trace=pwrite64,pwritev,write,fsync,fdatasync %s \"$@\"\n"
                % (log, os.path.abspath(vitrine)))
    os.chmod(wrap, 0o755)
    g = boot(wrap, tmp, ["-initrd", CACHE + "/demo/initrd.gz", "-hda", disk,
                         "-drive", "file=%s,format=raw,index=1,readonly=on" % ro])
    try:
        g.command("printf FLUSHED-SECTOR | dd of=/dev/sda bs=512 seek=104 conv=sync,fsync")
        lines = open(log, errors="replace").read().splitlines()
        wrote = [i for i, x in enumerate(lines) if "disk.img" in x and "FLUSHED-SECTOR" in x]
        synced = [i for i, x in enumerate(lines) if "disk.img" in x and re.search(r"\bf(data)?sync\(", x)]
        if not wrote or not synced or synced[-1] < wrote[0]:
            raise Failure("no sync after the write: %s" % [x for x in lines if "disk.img" in x][-6:])
        before = len(synced)
        g.command("dd if=/dev/zero of=/dev/sda bs=4k count=8") # no flush asked for beyond the close
        t = g.command("dd if=/dev/zero of=/dev/sdb bs=512 count=1 conv=fsync 2>&1; dmesg | tail -n 3; true")
        must(t, "(?i)read-only|not permitted|I/O error")
        must(g.command("cat /sys/block/sdb/ro /sys/block/sda/ro; dd if=/dev/sdb of=/dev/null bs=512 count=8 2>&1"), r"\d")
        if before < 1 or any(open(ro, "rb").read()):
            raise Failure("the read-only image was written")
        if any("ro.img" in x for x in open(log, errors="replace").read().splitlines()):
            raise Failure("a write reached the read-only image's file")
    finally:
        g.close() # -D: strace is vitrine's child, and it is vitrine that is ended
