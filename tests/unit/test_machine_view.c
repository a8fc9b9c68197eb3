/* What the guest of a whole machine can see and reach.
 * T37: two processes whose heaps are filled with different bytes must show a guest the same in
 *      every port, register and reply; uninitialized memory of the host would differ.
 * T25: bus-master IDE, floppy and fw_cfg DMA are aimed at registers, at the VGA windows and at
 *      nothing; no device is touched by them.
 * "test_machine_view dump" prints what T37 compares (for valgrind, say). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "machine/board_int.h"

enum { ROM_LEN = 65536, FLOPPY = 1474560 };

struct host {
    uint8_t rom[ROM_LEN];
    uint8_t disk[1 << 20], floppy[FLOPPY], cd[1 << 20];
    struct blockdev hd, fd, od;
    struct chardev serial;
    struct netdev net;
    struct machine *m;
    unsigned bm; /* ports of the bus master, after map_pci() */
};

static enum blk_result host_read(void *be, uint64_t sector, uint32_t count, void *buf)
{
    memcpy(buf, (uint8_t *)be + sector * 512, (size_t)count * 512);
    return BLK_OK;
}
static enum blk_result host_read_cd(void *be, uint64_t sector, uint32_t count, void *buf)
{
    memcpy(buf, (uint8_t *)be + sector * 2048, (size_t)count * 2048);
    return BLK_OK;
}
static enum blk_result host_write(void *be, uint64_t sector, uint32_t count, const void *buf)
{
    memcpy((uint8_t *)be + sector * 512, buf, (size_t)count * 512);
    return BLK_OK;
}
static enum blk_result host_flush(void *be)
{
    (void)be;
    return BLK_OK;
}
static const struct blockdev_ops hd_ops = {host_read, host_write, host_flush, NULL};
static const struct blockdev_ops od_ops = {host_read_cd, host_write, host_flush, NULL};

/* A machine with everything in it, whose processor is halted for good. */
static struct host *host_new(void)
{
    struct host *h = calloc(1, sizeof *h);
    struct err err = {0};
    assert_non_null(h);
    memset(h->rom, 0xf4, ROM_LEN);
    for (size_t i = 0; i < sizeof h->disk; i++) {
        h->disk[i] = h->cd[i] = (uint8_t)(i * 5 + (i >> 9));
    }
    memset(h->floppy, 0x3c, FLOPPY);
    h->hd = (struct blockdev){.ops = &hd_ops, .backend = h->disk, .sectors = 2048,
                              .sector_size = 512};
    h->fd = (struct blockdev){.ops = &hd_ops, .backend = h->floppy, .sectors = FLOPPY / 512,
                              .sector_size = 512};
    h->od = (struct blockdev){.ops = &od_ops, .backend = h->cd, .sectors = 512,
                              .sector_size = 2048, .read_only = true, .removable = true};
    memcpy(h->net.mac, "\x52\x54\x00\x12\x34\x56", 6);
    struct machine_config cfg = {.ram_size = 2 << 20, .deterministic = true, .icount_shift = 2,
                                 .bios = {h->rom, ROM_LEN}};
    cfg.ide[0] = &h->hd;
    cfg.ide[2] = &h->od;
    cfg.ide_is_cd[2] = true;
    cfg.floppy[0] = &h->fd;
    cfg.has_floppy[0] = true;
    cfg.serial[0].chr = &h->serial;
    cfg.nic[0] = (struct machine_nic){.model = MACHINE_NIC_NE2K_PCI, .net = &h->net};
    cfg.debug_exit_iobase = 0; /* would end the machine */
    h->m = machine_create(&cfg, &err);
    if (!h->m) {
        fail_msg("%s", err.msg);
    }
    return h;
}

static void host_free(struct host *h)
{
    machine_destroy(h->m);
    free(h);
}

static void out(struct host *h, unsigned port, uint32_t v, unsigned size)
{
    bus_write(h->m->ports, port, v, size);
}
static uint32_t in(struct host *h, unsigned port, unsigned size)
{
    return (uint32_t)bus_read(h->m->ports, port, size);
}
static void pass(struct host *h, vtime ns)
{
    machine_run(h->m, machine_now(h->m) + ns);
}
static void cfg_out(struct host *h, unsigned devfn, unsigned off, uint32_t v)
{
    out(h, 0xcf8, 0x80000000u | devfn << 8 | off, 4);
    out(h, 0xcfc, v, 4);
}

/* BARs where a BIOS would put them, all functions decode. */
static void map_pci(struct host *h)
{
    uint32_t mem = 0xfd000000u, io = 0xc000;
    for (unsigned f = 0; f < 256; f++) {
        out(h, 0xcf8, 0x80000000u | f << 8, 4);
        if (in(h, 0xcfc, 4) == 0xffffffffu) {
            continue;
        }
        for (unsigned bar = 0x10; bar <= 0x24; bar += 4) {
            cfg_out(h, f, bar, 0xffffffffu);
            out(h, 0xcf8, 0x80000000u | f << 8 | bar, 4);
            uint32_t got = in(h, 0xcfc, 4);
            if (got & 1) {
                cfg_out(h, f, bar, io);
                io += 0x100;
            } else if (got) {
                uint32_t len = ~(got & ~15u) + 1;
                mem = (mem + len - 1) & ~(len - 1);
                cfg_out(h, f, bar, mem);
                mem += len;
            }
        }
        cfg_out(h, f, 4, 7);
    }
    cfg_out(h, 9, 0x40, 0x80008000); /* IDETIM: both channels decode */
    out(h, 0xcf8, 0x80000000u | 9 << 8 | 0x20, 4);
    h->bm = in(h, 0xcfc, 4) & ~15u;
}

/* ---- T37 ---- */

static void show(const char *what, unsigned index, uint64_t v)
{
    printf("%s %x = %llx\n", what, index, (unsigned long long)v);
}

static void dump_indexed(struct host *h, const char *what, unsigned index_port, unsigned data_port,
                         unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        out(h, index_port, i, 1);
        show(what, i, in(h, data_port, 1));
    }
}

static void dump_ide(struct host *h, unsigned base, unsigned drive, unsigned cmd)
{
    out(h, base + 6, 0xa0 | drive << 4, 1);
    out(h, base + 1, cmd == 0xb0 ? 0xd0 : 0, 1);
    out(h, base + 4, cmd == 0xb0 ? 0x4f : 0, 1);
    out(h, base + 5, cmd == 0xb0 ? 0xc2 : 0x08, 1);
    out(h, base + 7, cmd, 1);
    pass(h, 20 * VTIME_MS);
    if (cmd == 0xa0) { /* a packet: INQUIRY of 64 bytes */
        static const uint8_t packet[12] = {0x12, 0, 0, 0, 64};
        for (unsigned i = 0; i < 12; i += 2) {
            out(h, base, packet[i] | packet[i + 1] << 8, 2);
        }
        pass(h, 20 * VTIME_MS);
    }
    for (unsigned i = 0; i < 264; i++) { /* beyond the end too */
        show("ide data", cmd << 16 | i, in(h, base, 2));
    }
    for (unsigned i = 1; i < 8; i++) {
        show("ide", cmd << 16 | i, in(h, base + i, 1));
    }
}

static void dump_fw_cfg(struct host *h)
{
    for (unsigned sel = 0; sel < 0x60; sel++) {
        out(h, 0x510, sel, 2);
        for (unsigned i = 0; i < 256; i++) {
            show("fw_cfg", sel << 16 | i, in(h, 0x511, 1));
        }
    }
    for (unsigned sel = 0x8000; sel < 0x8010; sel++) {
        out(h, 0x510, sel, 2);
        show("fw_cfg arch", sel, in(h, 0x511, 1));
    }
}

/* The card's PROM and memory by remote DMA: all 64 KB of its address space. */
static void dump_ne2000(struct host *h)
{
    unsigned base = 0;
    for (unsigned f = 16; f < 256 && !base; f += 8) {
        out(h, 0xcf8, 0x80000000u | f << 8, 4);
        if (in(h, 0xcfc, 4) == 0x802910ec) {
            out(h, 0xcf8, 0x80000000u | f << 8 | 0x10, 4);
            base = in(h, 0xcfc, 4) & ~3u;
        }
    }
    assert_true(base != 0);
    out(h, base, 0x21, 1);
    out(h, base + 14, 0x49, 1);
    out(h, base + 8, 0, 2);
    out(h, base + 9, 0, 1);
    out(h, base + 10, 0xff, 1);
    out(h, base + 11, 0xff, 1);
    out(h, base, 0x0a, 1);
    for (unsigned i = 0; i < 32768; i++) {
        show("ne2000 memory", i * 2, in(h, base + 16, 2));
    }
}

static void dump_floppy(struct host *h)
{
    static const uint8_t cmd[] = {0x0e, 0x10, 0x14, 0x08, 0x33, 0x18}; /* DUMPREG, VERSION ... */
    out(h, 0x3f2, 0x1c, 1);
    pass(h, 20 * VTIME_MS);
    for (unsigned c = 0; c < sizeof cmd; c++) {
        out(h, 0x3f5, cmd[c], 1);
        pass(h, VTIME_MS);
        for (unsigned i = 0; i < 16; i++) {
            show("floppy result", cmd[c] << 8 | i, in(h, 0x3f5, 1));
        }
    }
}

static int dump(void)
{
    struct host *h = host_new();
    char *buf = NULL;
    size_t len = 0;
    struct err err = {0};
    for (unsigned port = 0; port < 0x10000; port++) { /* as they are after power-on */
        show("port", port, in(h, port, 1));
    }
    map_pci(h);
    for (unsigned f = 0; f < 256; f++) {
        for (unsigned off = 0; off < 256; off += 4) {
            out(h, 0xcf8, 0x80000000u | f << 8 | off, 4);
            show("pci", f << 8 | off, in(h, 0xcfc, 4));
        }
    }
    for (unsigned size = 1; size <= 4; size *= 2) { /* and wider, the BARs mapped */
        for (unsigned port = 0; port < 0x10000; port += size) {
            show("port", size << 16 | port, in(h, port, size));
        }
    }
    dump_indexed(h, "cmos", 0x70, 0x71, 128);
    dump_indexed(h, "cmos2", 0x72, 0x73, 128);
    dump_indexed(h, "sequencer", 0x3c4, 0x3c5, 256);
    dump_indexed(h, "graphics", 0x3ce, 0x3cf, 256);
    dump_indexed(h, "crtc", 0x3d4, 0x3d5, 256);
    dump_indexed(h, "crtc mono", 0x3b4, 0x3b5, 256);
    for (unsigned i = 0; i < 0x40; i++) {
        in(h, 0x3da, 1);
        out(h, 0x3c0, i, 1);
        show("attribute", i, in(h, 0x3c1, 1));
    }
    out(h, 0x3c7, 0, 1);
    for (unsigned i = 0; i < 768; i++) {
        show("dac", i, in(h, 0x3c9, 1));
    }
    for (unsigned i = 0; i < 16; i++) {
        out(h, 0x1ce, i, 2);
        show("dispi", i, in(h, 0x1cf, 2));
    }
    dump_fw_cfg(h);
    dump_ide(h, 0x1f0, 0, 0xec);
    dump_ide(h, 0x1f0, 0, 0xb0);
    dump_ide(h, 0x1f0, 0, 0x20);
    dump_ide(h, 0x1f0, 1, 0xec);
    dump_ide(h, 0x170, 0, 0xa1);
    dump_ide(h, 0x170, 0, 0xa0);
    dump_ide(h, 0x170, 0, 0xec);
    dump_ide(h, 0x170, 1, 0xa1);
    dump_floppy(h);
    dump_ne2000(h);
    for (unsigned i = 0; i < 4; i++) { /* VGA memory through each read mode and plane */
        out(h, 0x3ce, 4 | i << 8, 2);
        for (uint64_t at = 0xa0000; at < 0xc0000; at += 256) {
            show("vga", (unsigned)at, bus_read(h->m->mem, at, 4));
        }
    }
    for (uint64_t at = 0; at < (uint64_t)1 << 32; at += 0x3ffc) { /* memory here and there */
        uint64_t v = bus_read(h->m->mem, at, 4);
        if (v != 0xffffffffu) {
            show("memory", (unsigned)at, v);
        }
    }
    for (uint64_t at = 0xfd000000u; at < 0xff100000u; at += 0x404) {
        show("mmio", (unsigned)at, bus_read(h->m->mem, at, 4));
    }
    pass(h, 50 * VTIME_MS);
    FILE *f = open_memstream(&buf, &len); /* and all that will be seen later */
    assert_non_null(f);
    assert_true(machine_save(h->m, f, &err));
    fclose(f);
    for (size_t i = 0; i + 8 <= len; i += 8) {
        show("state", (unsigned)i, load_le64((uint8_t *)buf + i));
    }
    free(buf);
    host_free(h);
    return 0;
}

static FILE *dump_of_child(unsigned fill)
{
    char self[400], cmd[800];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = 0;
    snprintf(cmd, sizeof cmd,
             "MALLOC_PERTURB_=%u ASAN_OPTIONS=max_malloc_fill_size=100000000:malloc_fill_byte=%u "
             "'%s' dump",
             fill, fill, self);
    FILE *f = popen(cmd, "r");
    assert_non_null(f);
    return f;
}

static void T37_no_uninitialized_memory_is_shown(void **state)
{
    (void)state;
    FILE *a = dump_of_child(0x55), *b = dump_of_child(0xa9);
    char la[200], lb[200];
    unsigned lines = 0;
    for (;;) {
        char *ga = fgets(la, sizeof la, a), *gb = fgets(lb, sizeof lb, b);
        assert_int_equal(ga != NULL, gb != NULL);
        if (!ga) {
            break;
        }
        lines++;
        if (strcmp(la, lb) != 0) {
            fail_msg("depends on what lay in memory: %s", la);
        }
    }
    assert_int_equal(pclose(a), 0);
    assert_int_equal(pclose(b), 0);
    assert_true(lines > 250000);
    print_message("  %u values\n", lines);
}

/* ---- T25 ---- */

static void seen(void *ctx, const struct region *r, uint64_t addr, unsigned size, bool write,
                 uint64_t val)
{
    (void)size, (void)write, (void)val;
    fprintf(stderr, "DMA reached %s at %llx\n", r->name, (unsigned long long)addr);
    ++*(unsigned *)ctx;
}

/* Everything but the chips that move the data, take their interrupts, or count time by themselves
 * must stay as it is.  (What reaches one of those as a register access, seen() sees.) */
static uint64_t others(struct host *h)
{
    struct snap s;
    struct board *b = h->m->board;
    snap_init_hash(&s);
    for (unsigned i = 0; i < b->device_count; i++) {
        const char *id = b->devices[i]->id;
        if (strncmp(id, "ide", 3) != 0 && strncmp(id, "fdc", 3) != 0 &&
            strncmp(id, "dma", 3) != 0 && strncmp(id, "fw_cfg", 6) != 0 &&
            strncmp(id, "pic", 3) != 0 && strncmp(id, "piix3", 5) != 0 &&
            strncmp(id, "ioapic", 6) != 0 && strncmp(id, "pit", 3) != 0 &&
            strncmp(id, "rtc", 3) != 0) {
            device_snap(b->devices[i], &s);
        }
    }
    return s.hash;
}

static const uint32_t targets[] = {
    0xa0000, 0xaff00, 0xb0000, 0xb8000, 0xbff00, 0xc0000, 0xe0000, 0xfff00, 0x1fff00, 0x200000,
    0x7ffffffe, 0xfe000000, 0xfe001000, 0xfeb00000, 0xfec00000, 0xfec00010, 0xfed00000,
    0xfed000f0, 0xfee00000, 0xfee00300, 0xfee000b0, 0xffff0000, 0xfffffffc,
};

static void aim_ide(struct host *h, uint32_t prdt, bool to_memory)
{
    unsigned bm = h->bm;
    out(h, bm + 2, 6, 1);
    out(h, bm + 4, prdt & ~3u, 4);
    out(h, bm, to_memory ? 8 : 0, 1);
    out(h, 0x1f6, 0xe0, 1);
    out(h, 0x1f2, 8, 1);
    out(h, 0x1f3, 16, 1);
    out(h, 0x1f4, 0, 1);
    out(h, 0x1f5, 0, 1);
    out(h, 0x1f7, to_memory ? 0xc8 : 0xca, 1);
    out(h, bm, to_memory ? 9 : 1, 1);
    pass(h, 30 * VTIME_MS);
    out(h, bm, 0, 1);
    in(h, 0x1f7, 1);
}

static void aim_floppy(struct host *h, uint32_t at, bool to_memory)
{
    uint8_t cmd[9] = {to_memory ? 0x46 : 0x45, 0, 0, 0, 1, 2, 18, 0x1b, 0xff};
    out(h, 0x0c, 0, 1);
    out(h, 0x0b, to_memory ? 0x46 : 0x4a, 1);
    out(h, 0x04, at & 0xff, 1);
    out(h, 0x04, at >> 8 & 0xff, 1);
    out(h, 0x81, at >> 16 & 0xff, 1);
    out(h, 0x05, 0xff, 1);
    out(h, 0x05, 0x03, 1);
    out(h, 0x0a, 2, 1);
    out(h, 0xd6, 0xc0, 1); /* the second 8237 passes the first one's requests on */
    out(h, 0xd4, 0, 1);
    out(h, 0x3f2, 0x18, 1);
    out(h, 0x3f2, 0x1c, 1);
    out(h, 0x3f7, 0, 1); /* 500 kb/s */
    pass(h, 5 * VTIME_MS);
    for (unsigned i = 0; i < 4; i++) { /* the four drives' "ready" after reset */
        out(h, 0x3f5, 8, 1);
        in(h, 0x3f5, 1);
        in(h, 0x3f5, 1);
    }
    out(h, 0x3f5, 3, 1); /* SPECIFY: DMA mode */
    out(h, 0x3f5, 0xaf, 1);
    out(h, 0x3f5, 2, 1);
    for (unsigned i = 0; i < 9; i++) {
        out(h, 0x3f5, cmd[i], 1);
    }
    pass(h, 500 * VTIME_MS);
    for (unsigned i = 0; i < 7; i++) {
        in(h, 0x3f5, 1);
    }
}

static void aim_fw_cfg(struct host *h, uint32_t descriptor, uint32_t at, uint32_t control)
{
    uint8_t d[16] = {(uint8_t)(control >> 24), (uint8_t)(control >> 16), (uint8_t)(control >> 8),
                     (uint8_t)control, 0, 0, 1, 0, 0, 0, 0, 0, (uint8_t)(at >> 24),
                     (uint8_t)(at >> 16), (uint8_t)(at >> 8), (uint8_t)at};
    bus_copy_in(h->m->mem, descriptor, d, 16);
    out(h, 0x514, 0, 4);
    uint8_t be[4] = {(uint8_t)(descriptor >> 24), (uint8_t)(descriptor >> 16),
                     (uint8_t)(descriptor >> 8), (uint8_t)descriptor};
    out(h, 0x518, load_le32(be), 4);
}

static void T25_dma_of_the_board_stays_out_of_registers(void **state)
{
    (void)state;
    struct host *h = host_new();
    unsigned hits = 0;
    out(h, 0x92, 2, 1); /* A20 */
    map_pci(h);
    pass(h, 2 * VTIME_SEC); /* self-tests are over */
    bus_observe(h->m->mem, &(struct bus_observer){.access = seen, .ctx = &hits});
    uint64_t before = others(h);
    for (unsigned i = 0; i < ARRAY_LEN(targets); i++) {
        uint8_t prd[8];
        for (unsigned dir = 0; dir < 2; dir++) {
            /* data there, table there, and a table that crosses into there */
            store_le32(prd, targets[i] & ~1u);
            store_le32(prd + 4, 0x80001000);
            bus_copy_in(h->m->mem, 0x5000, prd, 8);
            aim_ide(h, 0x5000, dir);
            aim_ide(h, targets[i], dir);
            aim_ide(h, targets[i] - 4, dir);
            aim_floppy(h, targets[i], dir);
            aim_fw_cfg(h, 0x5100, targets[i], dir ? 0x0019000a : 0x00190018);
            aim_fw_cfg(h, targets[i], targets[i], 0x0019000a);
        }
        if (hits || others(h) != before) {
            fail_msg("DMA at %x changed a device", targets[i]);
        }
    }
    /* the same ways do work where memory is */
    store_le32((uint8_t *)h->m->ram.host + 0x5000, 0x8000);
    store_le32((uint8_t *)h->m->ram.host + 0x5004, 0x80001000);
    aim_ide(h, 0x5000, true);
    assert_memory_equal(h->m->ram.host + 0x8000, h->disk + 16 * 512, 4096);
    aim_floppy(h, 0x9000, true);
    assert_memory_equal(h->m->ram.host + 0x9000, h->floppy + 512, 512);
    aim_fw_cfg(h, 0x5100, 0xa000, 0x0000000a);
    assert_memory_equal(h->m->ram.host + 0xa000, "QEMU", 4);
    bus_observe(h->m->mem, NULL);
    host_free(h);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T37_no_uninitialized_memory_is_shown),
        cmocka_unit_test(T25_dma_of_the_board_stays_out_of_registers),
    };
    if (argc > 1 && strcmp(argv[1], "dump") == 0) {
        return dump();
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
