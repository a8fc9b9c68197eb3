/* Command lines, good and bad, each bad one with its exact sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "frontend/keyval.h"
#include "frontend/options.h"
#include "frontend/suggest.h"

enum { WORDS = 24 };

/* Splits at spaces; '~' inside a word stands for a space. */
static int split(char *line, char **argv)
{
    int argc = 0;
    argv[argc++] = "vitrine";
    for (char *w = strtok(line, " "); w && argc < WORDS; w = strtok(NULL, " ")) {
        for (char *p = w; *p; p++) {
            *p = *p == '~' ? ' ' : *p;
        }
        argv[argc++] = w;
    }
    return argc;
}

static bool parse(struct options *o, const char *text, char *line, struct err *err)
{
    char *argv[WORDS + 1] = {0};
    strcpy(line, text);
    int argc = split(line, argv);
    memset(err, 0, sizeof *err);
    return options_parse(o, argc, argv, err);
}

static const struct {
    const char *line, *sentence;
} bad[] = {
    {"-cdorm x.iso", "unknown option -cdorm, did you mean -cdrom?"},
    {"--cdorm x.iso", "unknown option --cdorm, did you mean -cdrom?"},
    {"-nographics", "unknown option -nographics, did you mean -nographic?"},
    {"-xyzzy", "unknown option -xyzzy; vitrine -help lists them all"},
    {"-m=512", "unknown option -m=512, did you mean -m 512?"},
    {"-cdrom", "-cdrom needs an argument: -cdrom FILE"},
    {"a.iso b.iso", "two files, \"a.iso\" and \"b.iso\": give the second one to -cdrom, -hda or "
                    "-drive"},
    {"-m lots", "-m lots is not a size: say -m 512M or -m 2G"},
    {"-m 61G", "-m 61G is more memory than this machine can have: at most -m 60G"},
    {"-m 99999999999G", "-m 99999999999G is not a size: say -m 512M or -m 2G"},
    {"-m 512k", "-m 512k is less memory than a PC needs: at least -m 1M"},
    {"-m sise=1G", "-m: unknown setting \"sise\", did you mean \"size\"?"},
    {"-smp 9", "-smp 9: a machine has 1 to 8 processors: say -smp 8"},
    {"-smp 0", "-smp cpus=0 is not a number of processors: say -smp cpus=2"},
    {"-smp two", "-smp cpus=two is not a number of processors: say -smp cpus=2"},
    {"-smp cores=4,cpus=3", "-smp cores=4,cpus=3: sockets=1 times cores=4 times threads=1 is 4, "
                            "not 3"},
    {"-smp 4,sockets=1,cores=2,threads=1",
     "-smp 4,sockets=1,cores=2,threads=1: sockets=1 times cores=2 times threads=1 is 2, not 4"},
    {"-smp 4,maxcpus=2", "-smp 4,maxcpus=2: maxcpus=2 is less than cpus=4"},
    {"-smp 2,dies=2", "-smp dies=2: there is one: leave it out"},
    {"-smp 2,core=2", "-smp: unknown setting \"core\", did you mean \"cores\"?"},
    {"-smp 65536", "-smp cpus=65536 is not a number of processors: say -smp cpus=2"},
    {"-smp 2,cores=65535,threads=65535,sockets=65535",
     "-smp 2,cores=65535,threads=65535,sockets=65535: a machine has 1 to 8 processors: say -smp 8"},
    {"-accel kvm", "-accel: kvm comes with a later version: say -accel interp"},
    {"-accel warp", "-accel: there is no accelerator \"warp\": say -accel interp"},
    {"-enable-kvm", "-enable-kvm: KVM comes with a later version; say -accel interp or nothing"},
    {"-s", "-s: the gdb stub comes with a later version; -d and the monitor look inside already"},
    {"-nic usr", "-nic usr: did you mean -nic user?"},
    {"-nic tap", "-nic tap: such networks come with a later version: say -nic user or -nic none"},
    {"-netdev socket,id=a",
     "-netdev socket: such networks come with a later version: say -netdev user,id=ID"},
    {"-nic user,model=e1000",
     "-nic: the card \"e1000\" is not built: say model=ne2k_pci or model=ne2k_isa"},
    {"-nic user,model=ne2k_pic",
     "-nic: there is no card \"ne2k_pic\", did you mean model=ne2k_pci?"},
    {"-nic user,mac=1:2", "-nic: 1:2 is no MAC address: say mac=52:54:00:12:34:56"},
    {"-nic user,mac=53:54:00:12:34:5g",
     "-nic: 53:54:00:12:34:5g is no MAC address: say mac=52:54:00:12:34:56"},
    {"-nic user,mac=01:54:00:12:34:56",
     "-nic: a card cannot have the group address 01:54:00:12:34:56: say "
     "mac=52:54:00:12:34:56"},
    {"-nic user,hostfwd=tcp::70000-:22",
     "-nic: tcp::70000-:22 is no forward of a port: say tcp::8080-:80 or "
     "udp:127.0.0.1:5300-10.0.2.15:53 (addresses are numbers, ports 1 to 65535)"},
    {"-nic user,hostfwd=tcp::2222",
     "-nic: tcp::2222 is no forward of a port: say tcp::8080-:80 or "
     "udp:127.0.0.1:5300-10.0.2.15:53 (addresses are numbers, ports 1 to 65535)"},
    {"-nic user,hostfwd=tcp:localhost:1-:1",
     "-nic: tcp:localhost:1-:1 is no forward of a port: say tcp::8080-:80 or "
     "udp:127.0.0.1:5300-10.0.2.15:53 (addresses are numbers, ports 1 to 65535)"},
    {"-nic user,hostfwrd=x", "-nic: unknown setting \"hostfwrd\", did you mean \"hostfwd\"?"},
    {"-nic user,guestfwd=x",
     "-nic: guestfwd= comes with a later version: leave it out (the guest reaches the "
     "host as 10.0.2.2)"},
    {"-nic user,net=10.0.2", "-nic: net=10.0.2 is no network: say net=10.0.2.0/24 (/4 to /28)"},
    {"-nic user,net=10.0.2.0/30",
     "-nic: net=10.0.2.0/30 is no network: say net=10.0.2.0/24 (/4 to /28)"},
    {"-nic user,dhcpstart=10.0.3.1",
     "-nic: dhcpstart=10.0.3.1 is outside the network: 10.0.2.1 to 10.0.2.254"},
    {"-nic user,dns=10.0.2.2",
     "-nic: host, dns and dhcpstart must be three addresses: say "
     "host=10.0.2.2,dns=10.0.2.3,dhcpstart=10.0.2.15"},
    {"-nic user,restrict=perhaps", "-nic: restrict=perhaps must be restrict=on or restrict=off"},
    {"-netdev user", "-netdev user needs an id: -netdev user,id=net0 -device ne2k_pci,netdev=net0"},
    {"-netdev user,id=a", "-netdev id=a is connected to no card: add -device ne2k_pci,netdev=a"},
    {"-netdev user,id=a -netdev user,id=a", "-netdev id=a is used twice"},
    {"-device ne2k_pci,netdev=b", "-device: there is no -netdev with id=b: add -netdev user,id=b"},
    {"-netdev user,id=a -device ne2k_pci,netdev=a -device ne2k_isa,netdev=a",
     "-device: the network a has a card already: give this one a -netdev of its own"},
    {"-nic user -nic user -nic user -nic user -nic user", "-nic: at most 4 network cards"},
    {"-net user",
     "-net user is connected to no card: add -net nic, or say -nic user (each card has "
     "a network of its own)"},
    {"-net nci", "-net nci: did you mean -net nic?"},
    {"-net tap", "-net tap is not built: say -net nic -net user, or -nic user"},
    {"-device ne2k_isa,iobase=0x301",
     "-device: iobase=0x301 is no place for 32 ports: 0x200 to 0x3e0 in steps of 0x20, "
     "usually 0x300"},
    {"-device ne2k_isa,irq=6",
     "-device: irq=6 is taken by the board: say 9 (or 3, 4, 5, 7, 10, 11, 14, 15 where "
     "nothing else sits)"},
    {"-device ne2k_pci,addr=1", "-device: addr=1 is no free slot: 03 to 1f (hexadecimal)"},
    {"-device ne2k_pci,addr=5 -device ne2k_pci,addr=5",
     "-device: two cards in slot 05: give one another addr="},
    {"-device ne2k_isa -device ne2k_isa,iobase=0x300",
     "-device: two cards at ports 0x300: give one another iobase=, as 0x320"},
    {"-object filter-dump,id=f,netdev=x,file=y",
     "-object filter-dump: there is no -netdev with id=x"},
    {"-object filter-dump,id=f",
     "-object filter-dump needs netdev= and file=: -object "
     "filter-dump,id=f0,netdev=net0,file=net.pcap"},
    {"-object rng-random,id=r", "-object rng-random,id=r is not built: there is filter-dump"},
    {"-machine q35", "-machine: there is no machine \"q35\": say -machine pc"},
    {"-vga cirrus", "-vga cirrus is not built: say -vga std or -vga none"},
    {"-display sld", "-display sld: did you mean -display sdl?"},
    {"-display vulkan", "-display vulkan is not built: say -display sdl, term or none"},
    {"-boot order=x", "-boot order=x must be letters of a (floppy), c (disk), d (CD), n (network): "
                      "say -boot order=dc"},
    {"-uuid 1234", "-uuid 1234 is not a UUID: say -uuid 550e8400-e29b-41d4-a716-446655440000"},
    {"-smbios serial=x", "-smbios serial=x needs a type: -smbios type=1,serial=TEXT"},
    {"-smbios type=17,asset=x", "-smbios type=17: the types that can be set are 0 (BIOS), 1 "
                                "(system), 2 (board), 3 (chassis) and 4 (processor)"},
    {"-smbios type=1,serail=x", "-smbios type=1: unknown setting \"serail\", did you mean "
                                "\"serial\"?"},
    {"-smbios type=3,product=x", "-smbios type=3: unknown setting \"product\", there are type, "
                                 "manufacturer, version, serial, asset, sku"},
    {"-smbios type=0,release=1", "-smbios release=1: say release=MAJOR.MINOR, each 0 to 255"},
    {"-smbios file=x", "-smbios file= is not built: say -smbios type=1,manufacturer=NAME,"
                       "serial=TEXT"},
    {"-fw_cfg name=etc/x,string=y", "-fw_cfg name=etc/x: names begin with opt/ and have up to 55 "
                                    "characters: say -fw_cfg name=opt/org.example/x,string=TEXT"},
    {"-fw_cfg opt/x", "-fw_cfg name=opt/x needs string=TEXT or file=FILE, one of them"},
    {"-fw_cfg opt/x,string=a -fw_cfg opt/x,string=b", "-fw_cfg name=opt/x is given twice"},
    {"-parallel null -parallel null -parallel null -parallel null",
     "-parallel: at most 3 parallel ports"},
    {"-parallel nul", "-parallel nul: did you mean -parallel null?"},
    {"-machine acpi=maybe", "-machine: acpi=maybe must be acpi=on or acpi=off"},
    {"-drive file=x,bootindex=first", "-drive: bootindex=first must be a number from 0 to "
                                      "2147483647 (0x7fffffff)"},
    {"-boot ordr=d", "-boot: unknown setting \"ordr\", did you mean \"order\"?"},
    {"-boot menu=maybe", "-boot: menu=maybe must be menu=on or menu=off"},
    {"-boot splash-time=70000", "-boot: splash-time=70000 must be a number from 0 to 65535 "
                                "(0xffff)"},
    {"-rtc base=tomorrow", "-rtc base=tomorrow is not a date: say base=utc, base=localtime or "
                           "base=2026-01-31T23:59:00"},
    {"-icount shift=11", "-icount shift=11 must be 0 to 10 (an instruction takes 2^shift ns): say "
                         "-icount shift=3"},
    {"-hda a.img -drive file=b.img,index=0", "-hda and -drive both want the first IDE disk (hda): "
                                             "give one of them another place with -drive index=N"},
    {"-hdc a.img -cdrom b.iso", "-hdc and -cdrom both want the third IDE place (hdc, CD): give one "
                                "of them another place with -drive index=N"},
    {"-drive if=ide", "-drive without a file: say -drive file=FILE,format=raw"},
    {"-drive file=x,format=qcow2", "-drive format=qcow2 is not built: say format=raw, or convert "
                                   "it with qemu-img convert -O raw"},
    {"-drive file=x,if=virtio", "-drive if=virtio is not built: say if=ide or if=floppy"},
    {"-drive fiel=x", "-drive: unknown setting \"fiel\", did you mean \"file\"?"},
    {"-drive ,file=x", "-drive: an empty setting in \",file=x\""},
    {"-serial telnet:x", "-serial telnet:x is not a place: say stdio, null, none, file:F, unix:P, "
                         "tcp:H:P, pty, mon:stdio or chardev:ID"},
    {"-serial sdtio", "-serial sdtio: did you mean -serial stdio?"},
    {"-serial tcp:localhost",
     "-serial tcp:localhost: say tcp:HOST:PORT or tcp::PORT,server,nowait"},
    {"-serial tcp::99999,server", "-serial: \"99999\" is not a TCP port: 1 to 65535"},
    {"-serial tcp::4444,sever", "-serial: unknown setting \"sever\", did you mean \"server\"?"},
    {"-serial chardev:x", "-serial: there is no -chardev with id=x"},
    {"-serial stdio -monitor stdio", "-serial and -monitor both want this terminal: say -serial "
                                     "mon:stdio, or -chardev stdio,id=ID,mux=on for both"},
    {"-serial stdio -display term", "-serial and -display term both want this terminal: say "
                                    "-display none or sdl, or -serial pty"},
    {"-chardev file,id=a", "-chardev file needs path=FILE"},
    {"-chardev null", "-chardev null needs a short id: -chardev null,id=ID"},
    {"-chardev null,id=a -chardev null,id=a", "-chardev id=a is used twice"},
    {"-chardev spice,id=a", "-chardev spice is not built: say null, stdio, file, socket or pty"},
    {"-chardev socket,id=a", "-chardev socket needs path=PATH or host=H,port=P"},
    {"-chardev file,id=a,path=p -serial chardev:a -serial chardev:a",
     "-serial: the character device a is in use already; mux=on (or mon:stdio) lets several share "
     "it"},
    {"-device isa-debugcon", "-device isa-debugcon needs chardev=ID: -chardev file,id=log,path=F "
                             "-device isa-debugcon,iobase=0x402,chardev=log"},
    {"-device isa-debugexit", "-device: there is no device \"isa-debugexit\", did you mean "
                              "\"isa-debug-exit\"?"},
    {"-device e1000", "-device: the device \"e1000\" is not built; -device help lists those that "
                      "are"},
    {"-device isa-serial,iobase=0x1ffff",
     "-device: iobase=0x1ffff must be a number from 0 to 65528 "
     "(0xfff8)"},
    {"-device ide-hd,drive=x", "-device ide-hd,drive=x: no -drive with id=x comes before"},
    {"-nographic -display sdl", "-nographic and -display contradict each other: say -serial "
                                "mon:stdio for a window with a serial terminal"},
    {"-k klingon", "-k: there is no layout \"klingon\": say -k us, uk, de, fr, es, it or sv"},
    {"-d inasm", "-d: there is no item \"inasm\", did you mean in_asm?"},
    {"-d sleep", "-d: there is no item \"sleep\"; -d help lists them"},
    {"-dfilter 10", "-dfilter 10 is no address range: say 0x7c00..0x7dff or 0x7c00+0x200"},
    {"-dfilter 9..8", "-dfilter 9..8 is no address range: say 0x7c00..0x7dff or 0x7c00+0x200"},
    {"-initrd x", "-initrd without -kernel: add -kernel FILE"},
    {"-triple-fault pause", "-triple-fault pause: say -triple-fault stop or -triple-fault reset"},
    {"-cpu pentium,sse", "-cpu: say +sse or -sse"},
};

static void test_bad_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct options o;
        struct err err;
        char line[800];
        bool ok = parse(&o, bad[i].line, line, &err);
        if (ok || strcmp(err.msg, bad[i].sentence) != 0) {
            print_error("vitrine %s\n  said: %s\n  want: %s\n", bad[i].line, ok ? "(yes)" : err.msg,
                        bad[i].sentence);
        }
        assert_false(ok);
        assert_string_equal(err.msg, bad[i].sentence);
        assert_int_not_equal(err.code, 0);
        options_free(&o);
    }
}

#define GOOD(text)                                                                                 \
    struct options o;                                                                              \
    struct err err;                                                                                \
    char line[800];                                                                                \
    (void)state;                                                                                   \
    if (!parse(&o, text, line, &err)) {                                                            \
        fail_msg("%s: %s", text, err.msg);                                                         \
    }

static void test_nothing(void **state)
{
    GOOD("");
    assert_int_equal(o.ram_size, OPT_RAM_DEFAULT);
    assert_int_equal(o.ui, OPT_UI_AUTO);
    assert_int_equal(o.serials, 1);
    assert_true(o.serial[0].present);
    assert_string_equal(o.serial[0].chr, "");
    assert_string_equal(o.monitor, "");
    options_free(&o);
}

static void test_machine_words(void **state)
{
    GOOD("x.iso -m 1.5G -cpu 486,+fpu,-vme,sse=on -boot order=dc,once=d,menu=on,splash-time=500 "
         "-rtc base=2026-01-31T23:59:00 -icount shift=5 -name guest=My~PC -machine "
         "pc,accel=interp,hpet=off "
         "-smp cpus=1 -no-reboot -no-shutdown -S -snapshot");
    assert_string_equal(o.file, "x.iso");
    assert_int_equal(o.ram_size, 1536ull << 20);
    assert_string_equal(o.cpu_model, "486");
    assert_string_equal(o.cpu_flags, "+fpu,-vme,+sse");
    assert_string_equal(o.boot_order, "dc");
    assert_string_equal(o.boot_once, "d");
    assert_true(o.boot_menu && o.boot_menu_ms == 500);
    assert_int_equal(o.rtc, OPT_RTC_DATE);
    assert_int_equal(o.rtc_date, 1769903940);
    assert_true(o.icount && o.no_hpet);
    assert_int_equal(o.icount_shift, 5);
    assert_string_equal(o.name, "My PC");
    assert_true(o.no_reboot && o.no_shutdown && o.freeze && o.snapshot);
    options_free(&o);
}

static void test_smp(void **state)
{
    static const struct {
        const char *line;
        unsigned cpus, max_cpus, cores, threads;
    } good[] = {
        {"x.iso -smp 1", 1, 1, 1, 1},
        {"x.iso -smp 4", 4, 4, 1, 1}, /* four sockets */
        {"x.iso -smp 8,sockets=2", 8, 8, 4, 1},
        {"x.iso -smp cpus=4,cores=2", 4, 4, 2, 1},
        {"x.iso -smp 4,sockets=1,cores=2,threads=2", 4, 4, 2, 2},
        {"x.iso -smp 4,sockets=1,cores=2", 4, 4, 2, 2}, /* threads follow */
        {"x.iso -smp sockets=2,cores=3", 6, 6, 3, 1},
        {"x.iso -smp 2,maxcpus=4", 2, 4, 1, 1},
        {"x.iso -smp 2,dies=1", 2, 2, 1, 1},
    };
    for (unsigned i = 0; i < ARRAY_LEN(good); i++) {
        GOOD(good[i].line);
        assert_int_equal(o.cpus, good[i].cpus);
        assert_int_equal(o.max_cpus, good[i].max_cpus);
        assert_int_equal(o.cores, good[i].cores);
        assert_int_equal(o.threads, good[i].threads);
        options_free(&o);
    }
}

static void test_icount_alone(void **state)
{
    GOOD("-icount x.iso");
    assert_true(o.icount);
    assert_int_equal(o.icount_shift, 3);
    assert_string_equal(o.file, "x.iso");
    options_free(&o);
}

static void test_drives(void **state)
{
    GOOD("-drive file=a,,b.img,format=raw,readonly=on -cdrom c.iso -hdb d.img "
         "-drive file=e.img,media=cdrom -drive file=f.img,if=floppy -drive "
         "if=none,id=z,file=g.img -drive file=h,if=none,id=y -fdb i.img");
    /* the last two never find a device, which app_open_drives() tells; here they stay IF_NONE */
    assert_int_equal(o.drives, 8);
    assert_string_equal(o.drive[0].file, "a,b.img");
    assert_int_equal(o.drive[0].index, 0);
    assert_true(o.drive[0].readonly && o.drive[0].raw_said);
    assert_int_equal(o.drive[1].index, 2);
    assert_true(o.drive[1].cd);
    assert_int_equal(o.drive[2].index, 1);
    assert_false(o.drive[2].cd);
    assert_int_equal(o.drive[3].index, 3);
    assert_true(o.drive[3].cd);
    assert_int_equal(o.drive[4].iface, OPT_IF_FLOPPY);
    assert_int_equal(o.drive[4].index, 0);
    assert_int_equal(o.drive[5].iface, OPT_IF_NONE);
    assert_int_equal(o.drive[7].index, 1);
    options_free(&o);
}

static void test_device_drive(void **state)
{
    GOOD("-drive if=none,id=z,file=g.img -device ide-hd,drive=z,bus=ide.1,unit=1 -device "
         "isa-debug-exit,iobase=0xf4,iosize=4");
    assert_int_equal(o.drive[0].iface, OPT_IF_IDE);
    assert_int_equal(o.drive[0].index, 3);
    assert_int_equal(o.debug_exit_iobase, 0xf4);
    assert_int_equal(o.debug_exit_iosize, 4);
    options_free(&o);
}

static void test_nographic(void **state)
{
    GOOD("-nographic");
    assert_int_equal(o.ui, OPT_UI_NONE);
    assert_int_equal(o.serials, 1);
    const struct opt_chardev *c = options_chardev(&o, o.serial[0].chr);
    assert_non_null(c);
    assert_int_equal(c->kind, OPT_CHR_STDIO);
    assert_true(c->mux);
    assert_false(c->signal);
    assert_string_equal(o.monitor, o.serial[0].chr);
    options_free(&o);
}

static void test_nographic_serial_elsewhere(void **state)
{
    GOOD("-nographic -serial file:log");
    const struct opt_chardev *c = options_chardev(&o, o.serial[0].chr);
    assert_int_equal(c->kind, OPT_CHR_FILE);
    c = options_chardev(&o, o.monitor);
    assert_non_null(c);
    assert_int_equal(c->kind, OPT_CHR_STDIO);
    options_free(&o);
}

static void test_nographic_serial_stdio_shares(void **state)
{
    GOOD("-nographic -serial stdio");
    assert_string_equal(o.monitor, o.serial[0].chr);
    assert_true(options_chardev(&o, o.monitor)->mux);
    options_free(&o);
}

static void test_sockets(void **state)
{
    GOOD("-serial unix:/tmp/a=b,server,nowait -serial tcp:10.0.0.1:4444 -monitor "
         "tcp::5555,server=on,wait=off -serial none -serial pty");
    const struct opt_chardev *c = options_chardev(&o, o.serial[0].chr);
    assert_string_equal(c->path, "/tmp/a=b");
    assert_true(c->server);
    assert_false(c->wait);
    c = options_chardev(&o, o.serial[1].chr);
    assert_string_equal(c->host, "10.0.0.1");
    assert_false(c->server);
    c = options_chardev(&o, o.monitor);
    assert_string_equal(c->host, "127.0.0.1");
    assert_string_equal(c->port, "5555");
    assert_true(c->server && !c->wait);
    assert_false(o.serial[2].present);
    assert_true(o.serial[3].present);
    options_free(&o);
}

static void test_chardev_mux(void **state)
{
    GOOD("-chardev stdio,id=t,mux=on,signal=off -serial chardev:t -monitor chardev:t -chardev "
         "file,id=d,path=x -device isa-debugcon,iobase=0x402,chardev=d -debugcon null");
    assert_string_equal(o.monitor, "t");
    assert_int_equal(o.debugcons, 2);
    assert_int_equal(o.debugcon[0].iobase, 0x402);
    assert_int_equal(o.debugcon[1].iobase, 0xe9);
    options_free(&o);
}

static void test_mon_stdio(void **state)
{
    GOOD("-serial mon:stdio -display sdl");
    assert_string_equal(o.monitor, o.serial[0].chr);
    assert_true(options_chardev(&o, o.monitor)->mux);
    options_free(&o);
}

static void test_nodefaults(void **state)
{
    GOOD("-nodefaults -display none");
    assert_int_equal(o.serials, 0);
    assert_string_equal(o.monitor, "");
    options_free(&o);
}

static void test_actions_come_first(void **state)
{
    GOOD("-help -cdorm");
    assert_int_equal(o.action, OPT_HELP);
    options_free(&o);
    assert_true(parse(&o, "-cpu help", line, &err));
    assert_int_equal(o.action, OPT_CPU_HELP);
    options_free(&o);
    assert_true(parse(&o, "-d help", line, &err));
    assert_int_equal(o.action, OPT_TEXT);
    assert_non_null(strstr(o.text, "guest_errors"));
    options_free(&o);
}

static void test_help_names_every_option(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    options_help(f, false);
    fclose(f);
    unsigned n = 0;
    for (const struct option_def *d = option_defs; d->name || d->help; d++) {
        if (d->name) {
            char want[64];
            snprintf(want, sizeof want, "\n  -%s ", d->name);
            assert_non_null(strstr(text, want));
            assert_non_null(strstr(text, d->help));
            n++;
        }
    }
    assert_true(n > 45);
    free(text);
}

/* docs/options.md is `vitrine -help=md`, kept current. */
static void test_document_is_current(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    options_help(f, true);
    fclose(f);
    char *have = calloc(1, len + 2);
    f = fopen(TESTS_DIR "/../docs/options.md", "r");
    assert_non_null(f);
    size_t n = fread(have, 1, len + 1, f);
    fclose(f);
    assert_int_equal(n, len);
    assert_string_equal(have, text);
    free(have);
    free(text);
}

static void test_default_network(void **state)
{
    GOOD("");
    assert_int_equal(o.nics, 1);
    assert_int_equal(o.nets, 1);
    assert_int_equal(o.nic[0].model, OPT_NIC_PCI);
    assert_string_equal(o.nic[0].id, "ne2k_pci.0");
    assert_memory_equal(o.nic[0].mac, "\x52\x54\x00\x12\x34\x56", 6);
    assert_int_equal(o.net[0].kind, OPT_NET_USER);
    assert_int_equal(o.net[0].dhcp, 0x0a00020f);
    assert_int_equal(o.net[0].host, 0x0a000202);
    assert_int_equal(o.net[0].dns, 0x0a000203);
    assert_false(o.net[0].ipv6 || o.net[0].restricted);
    assert_true(o.net[0].fallback);
    options_free(&o);
    static const char *const none[] = {"-nic none", "-net none", "-nodefaults", NULL};
    for (unsigned i = 0; none[i]; i++) {
        assert_true(parse(&o, none[i], line, &err));
        assert_int_equal(o.nics + o.nets, 0);
        options_free(&o);
    }
}

static void test_networks(void **state)
{
    GOOD("-nic user,model=ne2k_isa,hostfwd=tcp::2222-:22,hostfwd=udp:0.0.0.0:53-10.0.2.20:5353 "
         "-device ne2k_pci,netdev=n,mac=52-54-00-12-34-56,addr=0x1f,romfile=,id=card "
         "-netdev user,id=n,net=192.168.4.0/255.255.255.0,restrict=on,tftp=/srv,bootfile=a.0 "
         "-net nic,macaddr=52:54:00:aa:bb:cc -net user,hostname=x "
         "-object filter-dump,id=f,netdev=n,file=n.pcap,maxlen=96 -device ne2k_isa");
    assert_int_equal(o.nics, 4);
    assert_int_equal(o.nets, 3);
    assert_int_equal(o.nic[0].model, OPT_NIC_ISA);
    assert_int_equal(o.nic[0].iobase, 0x300);
    assert_int_equal(o.nic[0].irq, 9);
    assert_int_equal(o.nic[0].mac[5], 0x57); /* 56 is taken by the second */
    assert_int_equal(o.net[0].fwds, 2);
    assert_int_equal(o.net[0].fwd[0].host_addr, 0x7f000001); /* loopback unless written out */
    assert_int_equal(o.net[0].fwd[0].host_port, 2222);
    assert_int_equal(o.net[0].fwd[0].guest_addr, 0);
    assert_int_equal(o.net[0].fwd[0].guest_port, 22);
    assert_true(o.net[0].fwd[1].udp);
    assert_int_equal(o.net[0].fwd[1].host_addr, 0);
    assert_int_equal(o.net[0].fwd[1].guest_addr, 0x0a000214);
    assert_int_equal(o.nic[1].net, 1);
    assert_int_equal(o.nic[1].slot, 31);
    assert_string_equal(o.nic[1].romfile, "");
    assert_string_equal(o.nic[1].id, "card");
    assert_int_equal(o.net[1].net, 0xc0a80400);
    assert_int_equal(o.net[1].dhcp, 0xc0a8040f);
    assert_true(o.net[1].restricted);
    assert_string_equal(o.net[1].pcap, "n.pcap");
    assert_int_equal(o.net[1].pcap_max, 96);
    assert_int_equal(o.nic[2].net, 2);
    assert_string_equal(o.net[2].hostname, "x");
    assert_int_equal(o.nic[3].net, -1);
    assert_int_equal(o.nic[3].iobase, 0x320);
    options_free(&o);
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        uint64_t bytes;
    } t[] = {{"1", true, 1ull << 20},     {"1b", true, 1},        {"2k", true, 2048},
             {"1.5G", true, 3ull << 29},  {"0x10", true, 16ull << 20},
             {"3GB", true, 3ull << 30},   {"1GiB", true, 1ull << 30},
             {"-1", false, 0},            {"", false, 0},         {"1x", false, 0},
             {"18446744073709551616", false, 0},                  {"99999999T", false, 0}};
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        uint64_t v = 0;
        assert_int_equal(parse_size(t[i].text, 1 << 20, &v), t[i].ok);
        assert_int_equal(t[i].ok ? v : 0, t[i].bytes);
    }
}

static void test_distance(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance("cdorm", "cdrom", 9), 1); /* a transposition is one */
    assert_int_equal(suggest_distance("kitten", "sitting", 9), 3);
    assert_int_equal(suggest_distance("", "abc", 9), 3);
    assert_int_equal(suggest_distance("abc", "xyz", 1), 2); /* limit + 1 */
    static const char *const words[] = {"stop", "step", "cont", NULL};
    assert_null(suggest_in("zzzz", words));
    assert_string_equal(suggest_in("cnot", words), "cont");
}

static void firmware_words(void **state)
{
    struct options o;
    struct err err;
    char line[600], text[600];
    (void)state;
    assert_true(parse(&o, "-smbios type=1,serial=a~b,uuid=00112233-4455-6677-8899-aabbccddeeff "
                      "-smbios type=0,vendor=V,release=2.10,uefi=on -smbios type=4,sock_pfx=S "
                      "-fw_cfg opt/x,string=y -fw_cfg name=opt/f,file=/f -parallel none "
                      "-parallel file:p -drive file=d,bootindex=3 -machine pc,acpi=off,hpet=off "
                      "-boot strict=on,reboot-timeout=500 -smbios type=1,product=P",
                      line, &err));
    static const uint8_t uuid[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                   0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    assert_string_equal(o.smbios[1].serial, "a b");
    assert_string_equal(o.smbios[1].product, "P"); /* the second one adds */
    assert_true(o.smbios[1].has_uuid);
    assert_memory_equal(o.smbios[1].uuid, uuid, 16);
    assert_string_equal(o.smbios[0].vendor, "V");
    assert_int_equal(o.smbios[0].major << 8 | o.smbios[0].minor, 0x20a);
    assert_true(o.smbios[0].uefi && o.smbios[0].given && !o.smbios[2].given);
    assert_string_equal(o.smbios[4].sock_pfx, "S");
    assert_int_equal(o.fw_files, 2);
    assert_string_equal(o.fw_file[0].string, "y");
    assert_string_equal(o.fw_file[1].file, "/f");
    assert_int_equal(o.parallels, 2);
    assert_true(!o.parallel[0].present && o.parallel[1].present);
    assert_int_equal(o.drive[0].boot_rank, 4);
    assert_true(o.no_acpi && o.no_hpet && o.boot_strict);
    assert_int_equal(o.boot_retry_ms, 500);
    options_free(&o);
    /* a string of 255 characters fits, one of 256 gets a sentence */
    for (unsigned n = 255; n < 257; n++) {
        strcpy(text, "-smbios type=2,asset=");
        size_t at = strlen(text);
        memset(text + at, 'x', n);
        text[at + n] = 0;
        assert_int_equal(parse(&o, text, line, &err), n == 255);
        options_free(&o);
    }
    assert_string_equal(err.msg, "-smbios type=2,asset has 256 characters, at most 255 fit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_machine_words),
        cmocka_unit_test(test_smp),
        cmocka_unit_test(test_icount_alone),
        cmocka_unit_test(test_drives),
        cmocka_unit_test(test_device_drive),
        cmocka_unit_test(test_nographic),
        cmocka_unit_test(test_nographic_serial_elsewhere),
        cmocka_unit_test(test_nographic_serial_stdio_shares),
        cmocka_unit_test(test_sockets),
        cmocka_unit_test(test_chardev_mux),
        cmocka_unit_test(test_mon_stdio),
        cmocka_unit_test(test_nodefaults),
        cmocka_unit_test(test_actions_come_first),
        cmocka_unit_test(test_help_names_every_option),
        cmocka_unit_test(test_document_is_current),
        cmocka_unit_test(test_default_network),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(firmware_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
