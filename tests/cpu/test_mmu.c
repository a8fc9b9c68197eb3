/* Page walks against an independent reading of the rules; the translation cache; access.c's pages.
 */
#include "tests/cpu/prot_case.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
#define LIN 0x400000u
#define PD PROT_PD
#define PT 0x110000u   /* for LIN */
#define DATA 0x120000u

static struct cpu_rig *paged(void)
{
    struct cpu_rig *r = prot_open(NULL);
    cpu_rig_paging(r, PD);
    prot_put(r, PD + 4, 4, PT | P | W | U);
    prot_put(r, PT, 4, DATA | P | W | U);
    tlb_flush(r->cpu, false);
    return r;
}

static bool walk(struct cpu *c, uint64_t lin, enum mmu_access acc, bool user, uint64_t *phys)
{
    c->fault.pending = false;
    bool ok = mmu_translate(c, lin, acc, user, phys);
    assert_int_equal(ok, !c->fault.pending);
    return ok;
}

/* All 64 pairs of P, W, U times access, level and WP. */
static void rights_of_two_levels(void **state)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    (void)state;
    for (unsigned i = 0; i < 512; i++) {
        unsigned pde = i & 7, pte = i >> 3 & 7;
        bool write = i >> 6 & 1, user = i >> 7 & 1, wp = i >> 8 & 1;
        uint64_t phys = 0;
        prot_put(r, PD + 4, 4, PT | pde);
        prot_put(r, PT, 4, DATA | pte);
        c->s.cr0 = wp ? c->s.cr0 | CR0_WP : c->s.cr0 & ~(uint64_t)CR0_WP;
        tlb_flush(c, false);
        bool present = pde & pte & P;
        bool allowed = (!user || (pde & pte & U)) && (!write || (pde & pte & W) || (!user && !wp));
        bool ok = walk(c, LIN + 0x123, write ? MMU_WRITE : MMU_READ, user, &phys);
        assert_int_equal(ok, present && allowed);
        if (ok) {
            assert_int_equal(phys, DATA + 0x123);
            assert_int_equal(prot_get(r, PT, 4), DATA | pte | A | (write ? D : 0));
            assert_int_equal(prot_get(r, PD + 4, 4), PT | pde | A);
        } else {
            assert_int_equal(c->fault.vector, EXC_PF);
            assert_int_equal(c->fault.error, (present ? 1 : 0) | write << 1 | user << 2);
            assert_int_equal(c->fault.cr2, LIN + 0x123);
            assert_int_equal(prot_get(r, PT, 4), DATA | pte);
        }
    }
    cpu_rig_destroy(r);
}

static void probing_leaves_no_trace(void **state)
{
    struct cpu_rig *r = paged();
    uint64_t phys;
    (void)state;
    assert_true(mmu_probe(r->cpu, LIN + 5, &phys));
    assert_int_equal(phys, DATA + 5);
    assert_int_equal(prot_get(r, PT, 4), DATA | P | W | U);
    assert_false(mmu_probe(r->cpu, LIN + 0x1000, &phys));
    assert_false(r->cpu->fault.pending);
    cpu_rig_destroy(r);
}

static void large_pages_and_pse36(void **state)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    uint64_t phys;
    (void)state;
    prot_put(r, PD + 8, 4, 0x00c00000 | 0x5u << 13 | P | W | U | PS); /* bits 36:32 = 5 */
    if (walk(c, 0x800000, MMU_READ, false, &phys)) { /* without CR4.PSE the bit means nothing */
        assert_true(phys < 0x100000000);
    }
    c->s.cr4 |= CR4_PSE;
    assert_true(walk(c, 0x812345, MMU_WRITE, true, &phys));
    assert_int_equal(phys, 0x500c12345);
    assert_int_equal(prot_get(r, PD + 8, 4) & 0xff, P | W | U | PS | A | D);
    prot_put(r, PD + 8, 4, 0x00c00000 | 1 << 21 | P | W | U | PS);
    assert_false(walk(c, 0x812345, MMU_WRITE, true, &phys));
    assert_int_equal(c->fault.error, 0xf);
    c->feat.bits[FEAT_PSE36 >> 6] &= ~((uint64_t)1 << (FEAT_PSE36 & 63));
    prot_put(r, PD + 8, 4, 0x00c00000 | 1 << 13 | P | W | U | PS);
    assert_false(walk(c, 0x812345, MMU_READ, false, &phys));
    assert_int_equal(c->fault.error, 9);
    cpu_rig_destroy(r);
}

static void pae_and_nx(void **state)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    uint64_t phys;
    (void)state;
    c->s.cr4 |= CR4_PAE;
    prot_put(r, 0x130000, 8, 0x131000 | P);
    prot_put(r, 0x131000 + 16, 8, 0x132000 | P | W | U);          /* 400000 */
    prot_put(r, 0x131000 + 24, 8, 0x3ull << 32 | P | W | U | PS); /* 600000: 2 MB at 12 G */
    prot_put(r, 0x132000, 8, DATA | P | W | U);
    prot_put(r, 0x132008, 8, DATA | P | W | U | 1ull << 63);
    prot_put(r, 0x132010, 8, DATA | P | W | U | 1ull << 45);
    assert_true(mmu_load_pdptes(c, 0x130000));
    c->s.cr3 = 0x130000;
    tlb_flush(c, false);
    assert_true(walk(c, LIN + 7, MMU_EXEC, true, &phys));
    assert_int_equal(phys, DATA + 7);
    assert_true(walk(c, 0x654321, MMU_WRITE, false, &phys));
    assert_int_equal(phys, 0x300054321);
    assert_false(walk(c, LIN + 0x1000, MMU_READ, false, &phys)); /* NX is reserved without NXE */
    assert_int_equal(c->fault.error, 9);
    assert_false(walk(c, LIN + 0x2000, MMU_READ, true, &phys)); /* above the physical addresses */
    assert_int_equal(c->fault.error, 13);
    assert_false(walk(c, 0x40000000, MMU_READ, true, &phys));
    assert_int_equal(c->fault.error, 4);
    c->s.efer |= EFER_NXE;
    tlb_flush(c, false);
    assert_true(walk(c, LIN + 0x1000, MMU_READ, false, &phys));
    assert_false(walk(c, LIN + 0x1000, MMU_EXEC, true, &phys));
    assert_int_equal(c->fault.error, 0x15);
    prot_put(r, 0x131000 + 24, 8, 0x2000 | P | PS); /* reserved low bits */
    assert_false(walk(c, 0x654321, MMU_READ, false, &phys));
    assert_int_equal(c->fault.error, 9);
    prot_put(r, 0x130008, 8, P | W);
    c->fault.pending = false;
    assert_false(mmu_load_pdptes(c, 0x130000));
    assert_int_equal(c->fault.vector, EXC_GP);
    cpu_rig_destroy(r);
}

static void four_levels(void **state)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    uint64_t phys, lin = 0xffff812345678123ull;
    (void)state;
    if (!feat_has(&c->feat, FEAT_LM)) {
        c->feat.bits[FEAT_LM >> 6] |= (uint64_t)1 << (FEAT_LM & 63);
    }
    c->s.cr4 |= CR4_PAE;
    c->s.efer |= EFER_LMA | EFER_LME;
    c->s.cr3 = 0x130000;
    tlb_flush(c, false);
    prot_put(r, 0x130000 + (lin >> 39 & 511) * 8, 8, 0x131000 | P | W | U);
    prot_put(r, 0x131000 + (lin >> 30 & 511) * 8, 8, 0x132000 | P | W | U);
    prot_put(r, 0x132000 + (lin >> 21 & 511) * 8, 8, 0x133000 | P | W);
    prot_put(r, 0x133000 + (lin >> 12 & 511) * 8, 8, DATA | P | W | U);
    assert_true(walk(c, lin, MMU_WRITE, false, &phys));
    assert_int_equal(phys, DATA + 0x123);
    assert_false(walk(c, lin, MMU_READ, true, &phys));
    assert_int_equal(c->fault.error, 5);
    prot_put(r, 0x132000 + (lin >> 21 & 511) * 8, 8, 0x600000 | P | W | PS);
    assert_true(walk(c, lin, MMU_READ, false, &phys));
    assert_int_equal(phys, 0x600000 + (lin & 0x1fffff));
    cpu_rig_destroy(r);
}

/* ---- the cache ---- */

static const struct tlb_entry *entry(struct cpu *c, bool user, uint64_t lin)
{
    return &c->tlb[user][lin >> PAGE_SHIFT & (TLB_SIZE - 1)];
}

static void fast_writes_only_to_plain_pages(void **state)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    uint64_t v;
    (void)state;
    r->ram.flags[DATA >> PAGE_SHIFT] = 0; /* clean */
    assert_true(mem_read(c, SEG_DS, LIN, 4, &v));
    assert_int_equal(entry(c, 0, LIN)->tag_r, LIN);
    assert_int_equal(entry(c, 0, LIN)->tag_w, ~0ull);
    assert_true(mem_write(c, SEG_DS, LIN, 4, 0x11223344));
    assert_int_equal(r->ram.flags[DATA >> PAGE_SHIFT], RAM_DIRTY);
    assert_int_equal(entry(c, 0, LIN)->tag_w, LIN);
    ram_mark_code(&r->ram, DATA);
    assert_int_equal(entry(c, 0, LIN)->tag_w, ~0ull);
    assert_true(mem_write(c, SEG_DS, LIN + 4, 4, 0x55667788)); /* the engine may drop the mark */
    assert_true(entry(c, 0, LIN)->tag_w == ~0ull || ram_page_plain(&r->ram, DATA));
    assert_int_equal(prot_get(r, DATA + 4, 4), 0x55667788);
    ram_clear_code(&r->ram, DATA);
    assert_true(mem_write(c, SEG_DS, LIN + 8, 1, 9));
    assert_int_equal(entry(c, 0, LIN)->tag_w, LIN);
    ram_clean(&r->ram);
    assert_int_equal(entry(c, 0, LIN)->tag_w, ~0ull);
    cpu_rig_destroy(r);
}

static void dirty_bit_before_fast_writes(void **state)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    uint64_t v;
    (void)state;
    r->ram.flags[DATA >> PAGE_SHIFT] = RAM_DIRTY; /* plain, but the guest's D is clear */
    assert_true(mem_read(c, SEG_DS, LIN, 4, &v));
    assert_int_equal(entry(c, 0, LIN)->tag_w, ~0ull);
    assert_int_equal(prot_get(r, PT, 4) & (A | D), A);
    assert_true(mem_write(c, SEG_DS, LIN, 4, 1));
    assert_int_equal(prot_get(r, PT, 4) & (A | D), A | D);
    cpu_rig_destroy(r);
}

static void levels_have_their_own_entries(void **state)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    uint64_t v;
    (void)state;
    prot_put(r, PT, 4, DATA | P | W);
    assert_true(lin_read(c, LIN, 4, false, &v));
    c->fault.pending = false;
    assert_false(lin_read(c, LIN, 4, true, &v));
    assert_int_equal(c->fault.error, 5);
    cpu_rig_destroy(r);
}

static bool has_large(const struct cpu *c)
{
    return c->tlb_large[0] | c->tlb_large[1] | c->tlb_large[2] | c->tlb_large[3];
}

static void flushes(void **state)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    uint64_t v;
    (void)state;
    c->s.cr4 |= CR4_PGE | CR4_PSE;
    prot_put(r, PT, 4, DATA | P | W | U | G);
    prot_put(r, PT + 4, 4, DATA | P | W | U);
    prot_put(r, PD + 8, 4, 0x400000 | P | W | U | PS);
    uint32_t epoch = c->tlb_epoch;
    assert_true(lin_read(c, LIN, 1, false, &v) && lin_read(c, LIN + 0x1000, 1, false, &v));
    assert_true(lin_read(c, 0x805000, 1, false, &v) && lin_read(c, 0x806000, 1, true, &v));
    assert_true(has_large(c));
    tlb_flush_page(c, 0xbff000); /* anywhere in the large page */
    assert_int_equal(entry(c, 0, 0x805000)->tag_r, ~0ull);
    assert_int_equal(entry(c, 1, 0x806000)->tag_r, ~0ull);
    assert_int_equal(entry(c, 0, LIN)->tag_r, LIN);
    tlb_flush(c, true);
    assert_int_equal(entry(c, 0, LIN)->tag_r, LIN);
    assert_int_equal(entry(c, 0, LIN + 0x1000)->tag_r, ~0ull);
    assert_false(has_large(c));
    tlb_flush_page(c, LIN);
    assert_int_equal(entry(c, 0, LIN)->tag_r, ~0ull);
    assert_true(lin_read(c, LIN, 1, false, &v));
    tlb_flush(c, false);
    assert_int_equal(entry(c, 0, LIN)->tag_r, ~0ull);
    assert_true(c->tlb_epoch > epoch);
    cpu_rig_destroy(r);
}

/* ---- devices in memory ---- */

struct seen {
    unsigned n;
    struct {
        uint64_t off, v;
        unsigned size;
        bool write;
    } a[16];
};

static uint64_t seen_read(void *dev, uint64_t off, unsigned size)
{
    struct seen *s = dev;
    s->a[s->n++ & 15].off = off;
    s->a[(s->n - 1) & 15].size = size;
    return 0x1122334455667788 >> (off & 7) * 8;
}

static void seen_write(void *dev, uint64_t off, uint64_t v, unsigned size)
{
    struct seen *s = dev;
    s->a[s->n & 15].off = off;
    s->a[s->n & 15].v = v;
    s->a[s->n & 15].write = true;
    s->a[s->n++ & 15].size = size;
}

static void devices_see_each_access_once(void **state)
{
    static const struct region_ops ops = {seen_read, seen_write, 1, 4};
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    struct seen s = {0};
    struct err err;
    struct region io = {.name = "io", .kind = REGION_IO, .base = PROT_RAM, .len = 0x1000,
                        .ops = &ops, .dev = &s, .priority = 1};
    uint64_t v;
    (void)state;
    assert_true(bus_map(r->mem, &io, &err));
    tlb_flush(c, false);
    assert_true(mem_read(c, SEG_DS, PROT_RAM, 4, &v));
    assert_int_equal(v, 0x55667788);
    assert_int_equal(s.n, 1);
    assert_int_equal(entry(c, 0, PROT_RAM)->tag_r, ~0ull);
    assert_true(mem_write(c, SEG_DS, PROT_RAM + 8, 2, 0xabcd));
    assert_int_equal(s.n, 2);
    assert_int_equal(s.a[1].v, 0xabcd);
    assert_int_equal(s.a[1].size, 2);
    /* half in RAM, half in the device */
    prot_put(r, PROT_RAM - 2, 2, 0x9988);
    assert_true(mem_read(c, SEG_DS, PROT_RAM - 2, 4, &v));
    assert_int_equal(v, 0x77889988);
    assert_true(mem_write(c, SEG_DS, PROT_RAM - 1, 4, 0x04030201));
    assert_int_equal(prot_get(r, PROT_RAM - 1, 1), 1);
    bus_unmap(r->mem, &io);
    cpu_rig_destroy(r);
}

static void rom_reads_fast_and_ignores_writes(void **state)
{
    static uint8_t image[0x1000] __attribute__((aligned(4096)));
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    struct err err;
    struct region rom = {.name = "rom", .kind = REGION_ROM, .base = PROT_RAM, .len = 0x1000,
                         .host = image, .priority = 1};
    uint64_t v;
    (void)state;
    image[5] = 0x5a;
    assert_true(bus_map(r->mem, &rom, &err));
    tlb_flush(c, false);
    assert_true(mem_read(c, SEG_DS, PROT_RAM + 5, 1, &v));
    assert_int_equal(v, 0x5a);
    assert_int_equal(entry(c, 0, PROT_RAM)->tag_r, PROT_RAM);
    assert_true(mem_write(c, SEG_DS, PROT_RAM + 5, 1, 1));
    assert_true(mem_read_rmw(c, SEG_DS, PROT_RAM + 5, 1, &v));
    assert_int_equal(v, 0x5a);
    assert_true(mem_write(c, SEG_DS, PROT_RAM + 5, 1, 1));
    assert_int_equal(image[5], 0x5a);
    assert_int_equal(entry(c, 0, PROT_RAM)->tag_w, ~0ull);
    bus_unmap(r->mem, &rom);
    cpu_rig_destroy(r);
}

/* Video memory is cleaned at every scan: writes must find their way back to the fast path. */
static void other_ram_gets_fast_again(void **state)
{
    struct cpu_rig *r = prot_open(NULL);
    struct cpu *c = r->cpu;
    struct ram video;
    struct err err;
    (void)state;
    assert_true(ram_init(&video, 0x2000, &err));
    struct region reg = {.name = "video", .kind = REGION_RAM, .base = PROT_RAM, .len = 0x2000,
                         .ram = &video, .priority = 1};
    assert_true(bus_map(r->mem, &reg, &err));
    cpu_watch_ram(c, &video);
    tlb_flush(c, false);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(mem_write(c, SEG_DS, PROT_RAM + 4, 4, 0xabc0 + i));
        assert_int_equal(load_le32(video.host + 4), 0xabc0 + i);
        assert_int_equal(entry(c, 0, PROT_RAM)->tag_w, PROT_RAM);
        ram_clean(&video);
        assert_int_equal(entry(c, 0, PROT_RAM)->tag_w, ~0ull);
        assert_int_equal(video.flags[0], 0);
    }
    bus_unmap(r->mem, &reg);
    cpu_rig_destroy(r);
    ram_fini(&video);
}

/* ---- slow reasons ---- */

static void alignment_check(void **state)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    uint64_t v;
    (void)state;
    c->s.cpl = 3;
    c->s.seg[SEG_DS].attr |= ATTR_DPL;
    cpu_mode_update(c);
    assert_true(mem_read(c, SEG_DS, LIN + 1, 4, &v)); /* fills a tag for the user */
    assert_int_equal(entry(c, 1, LIN)->tag_r, LIN);
    c->s.cr0 |= CR0_AM;
    except_set_flags(c, c->s.rflags | FL_AC);
    assert_true(c->ac_check);
    for (unsigned size = 1; size <= 8; size *= 2) {
        for (unsigned off = 0; off < 16; off++) {
            c->fault.pending = false;
            bool ok = mem_read(c, SEG_DS, LIN + off, size, &v);
            assert_int_equal(ok, off % size == 0);
            assert_int_equal(mem_write(c, SEG_DS, LIN + off, size, v), off % size == 0);
            if (!ok) {
                assert_int_equal(c->fault.vector, EXC_AC);
                assert_int_equal(c->fault.error, 0);
            }
        }
    }
    assert_true(lin_read(c, LIN + 1, 4, false, &v)); /* implicit supervisor accesses do not mind */
    c->s.cpl = 0;
    cpu_mode_update(c);
    assert_true(mem_read(c, SEG_DS, LIN + 1, 4, &v));
    cpu_rig_destroy(r);
}

static unsigned hook_n;
static uint64_t hook_lin, hook_phys, hook_val;
static void hook_mem(void *ctx, uint64_t lin, uint64_t phys, unsigned size, bool write,
                     uint64_t val)
{
    (void)ctx, (void)size, (void)write;
    hook_n++;
    hook_lin = lin;
    hook_phys = phys;
    hook_val = val;
}

static void hooks_see_every_access(void **state)
{
    static const struct cpu_hooks hooks = {.mem = hook_mem};
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    uint64_t v;
    (void)state;
    assert_true(mem_write(c, SEG_DS, LIN + 16, 4, 0)); /* fast by now */
    cpu_set_hooks(c, &hooks, NULL);
    hook_n = 0;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(mem_write(c, SEG_DS, LIN + 16, 4, 0xfeed0000 + i));
        assert_int_equal(hook_val, 0xfeed0000 + i);
    }
    assert_true(mem_read(c, SEG_DS, LIN + 16, 2, &v));
    assert_int_equal(hook_n, 4);
    assert_int_equal(hook_lin, LIN + 16);
    assert_int_equal(hook_phys, DATA + 16);
    assert_int_equal(hook_val, 2);
    cpu_rig_destroy(r);
}

/* Watching must not show the guest another memory: what is cached stays cached. */
static void stale_translations_survive_watching(void **state)
{
    static const struct cpu_hooks hooks = {.mem = hook_mem};
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    uint64_t v;
    (void)state;
    prot_put(r, DATA, 4, 0x11);
    prot_put(r, DATA + 0x1000, 4, 0x22);
    assert_true(mem_read(c, SEG_DS, LIN, 4, &v));
    prot_put(r, PT, 4, (DATA + 0x1000) | P | W | U); /* no INVLPG */
    cpu_set_hooks(c, &hooks, NULL);
    assert_true(mem_read(c, SEG_DS, LIN, 4, &v));
    assert_int_equal(v, 0x11);
    cpu_set_hooks(c, NULL, NULL);
    assert_true(mem_read(c, SEG_DS, LIN, 4, &v));
    assert_int_equal(v, 0x11);
    tlb_flush_page(c, LIN);
    assert_true(mem_read(c, SEG_DS, LIN, 4, &v));
    assert_int_equal(v, 0x22);
    cpu_rig_destroy(r);
}

static void watched_pages_have_no_tags(void **state)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    (void)state;
    c->s.dr[1] = LIN + 0x10;
    c->s.dr[7] = 0x400 | 1 << 2 | 0xd << 20; /* L1, write, 4 bytes */
    tlb_flush(c, false);
    assert_true(mem_write(c, SEG_DS, LIN, 4, 1));
    assert_int_equal(entry(c, 0, LIN)->tag_r, ~0ull);
    assert_int_equal(c->s.pending_dr6, 0);
    assert_true(mem_write(c, SEG_DS, LIN + 0xe, 4, 1));
    assert_int_equal(c->s.pending_dr6, 2);
    assert_true(c->exit_word & EXIT_TRAP);
    assert_true(mem_write(c, SEG_DS, LIN + 0x1000 - 0x1000 + 0x800, 4, 1));
    cpu_rig_destroy(r);
}

static void nothing_is_stored_when_the_second_page_faults(void **state)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    uint8_t buf[512];
    (void)state;
    prot_put(r, PT + 4, 4, DATA | W | U);
    tlb_flush(c, false);
    memset(buf, 0xee, sizeof buf);
    for (unsigned len = 2; len <= 512; len += 17) {
        c->fault.pending = false;
        prot_put(r, DATA + 0xfff, 1, 0x11);
        assert_false(mem_write_bytes(c, SEG_DS, LIN + 0x1000 - (len - 1), buf, len));
        assert_int_equal(c->fault.cr2, LIN + 0x1000);
        assert_int_equal(prot_get(r, DATA + 0xfff, 1), 0x11);
    }
    cpu_rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_of_two_levels),
        cmocka_unit_test(probing_leaves_no_trace),
        cmocka_unit_test(large_pages_and_pse36),
        cmocka_unit_test(pae_and_nx),
        cmocka_unit_test(four_levels),
        cmocka_unit_test(fast_writes_only_to_plain_pages),
        cmocka_unit_test(dirty_bit_before_fast_writes),
        cmocka_unit_test(levels_have_their_own_entries),
        cmocka_unit_test(flushes),
        cmocka_unit_test(devices_see_each_access_once),
        cmocka_unit_test(rom_reads_fast_and_ignores_writes),
        cmocka_unit_test(other_ram_gets_fast_again),
        cmocka_unit_test(alignment_check),
        cmocka_unit_test(hooks_see_every_access),
        cmocka_unit_test(stale_translations_survive_watching),
        cmocka_unit_test(watched_pages_have_no_tags),
        cmocka_unit_test(nothing_is_stored_when_the_second_page_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
