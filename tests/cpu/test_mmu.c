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

static const struct tlb_entry *entry(struct cpu *c, unsigned view, uint64_t lin)
{
    return &c->tlb[view][lin >> PAGE_SHIFT & (TLB_SIZE - 1)];
}

/* 4-level tables for LINL, in 64-bit mode. */
#define LINL 0x0000123456789000ull
enum { P4 = 0x130000, P3 = 0x131000, P2 = 0x132000, P1 = 0x133000 };

static void give(struct cpu *c, unsigned feature)
{
    c->feat.bits[feature >> 6] |= (uint64_t)1 << (feature & 63);
}

static struct cpu_rig *paged64(void)
{
    struct cpu_rig *r = paged();
    struct cpu *c = r->cpu;
    give(c, FEAT_LM);
    give(c, FEAT_PDPE1GB);
    c->s.cr4 |= CR4_PAE | CR4_PGE;
    c->s.efer |= EFER_LMA | EFER_LME | EFER_NXE;
    c->s.cr3 = P4;
    c->s.seg[SEG_CS].attr = (c->s.seg[SEG_CS].attr & ~ATTR_DB) | ATTR_L;
    prot_put(r, P4 + (LINL >> 39 & 511) * 8, 8, P3 | P | W | U);
    prot_put(r, P3 + (LINL >> 30 & 511) * 8, 8, P2 | P | W | U);
    prot_put(r, P2 + (LINL >> 21 & 511) * 8, 8, P1 | P | W | U);
    prot_put(r, P1 + (LINL >> 12 & 511) * 8, 8, DATA | P | W | U);
    cpu_mode_update(c);
    tlb_flush(c, false);
    return r;
}

/* Every combination of the leaf's U, W and NX, of WP, SMEP, SMAP and AC, of who and what: against
 * the tables of SDM Vol. 3A, "Determination of Access Rights". */
static void rights_with_smep_and_smap(void **state)
{
    struct cpu_rig *r = paged64();
    struct cpu *c = r->cpu;
    (void)state;
    for (unsigned i = 0; i < 3 * 3 << 6; i++) {
        unsigned view = i % 3, acc = i / 3 % 3, b = i / 9;
        bool u = b & 1, w = b & 2, nx = b & 4, wp = b & 8, smep = b & 16, smap = b & 32, ok;
        uint64_t phys;
        prot_put(r, P1 + (LINL >> 12 & 511) * 8, 8,
                 DATA | P | (u ? U : 0) | (w ? W : 0) | (uint64_t)nx << 63);
        c->s.cr0 = wp ? c->s.cr0 | CR0_WP : c->s.cr0 & ~(uint64_t)CR0_WP;
        c->s.cr4 = (c->s.cr4 & ~(uint64_t)(CR4_SMEP | CR4_SMAP)) | (smep ? CR4_SMEP : 0) |
                   (smap ? CR4_SMAP : 0);
        tlb_flush(c, false);
        if (acc == MMU_EXEC) {
            ok = !nx && (view == TLB_USER ? u : !(u && smep));
        } else if (view == TLB_USER) {
            ok = u && (w || acc == MMU_READ);
        } else {
            ok = !(u && smap && view == TLB_SUPER) && (w || !wp || acc == MMU_READ);
        }
        c->fault.pending = false;
        assert_int_equal(mmu_translate(c, LINL, acc, view, &phys), ok);
        if (!ok) {
            assert_int_equal(c->fault.error, 1 | (acc == MMU_WRITE ? 2 : 0) |
                                                 (view == TLB_USER ? 4 : 0) |
                                                 (acc == MMU_EXEC ? 16 : 0));
        }
    }
    cpu_rig_destroy(r);
}

static bool peek(struct cpu *c, uint64_t lin)
{
    uint64_t v;
    c->fault.pending = false;
    bool ok = mem_read(c, SEG_DS, lin, 4, &v);
    assert_int_equal(ok, !c->fault.pending);
    return ok;
}

static void set_ac(struct cpu *c, bool on)
{
    except_set_flags(c, on ? c->s.rflags | FL_AC : c->s.rflags & ~(uint64_t)FL_AC);
}

/* What a page's tags know must follow AC at once, whatever was cached in which order. */
static void smap_and_the_cache(void **state)
{
    struct cpu_rig *r = paged64();
    struct cpu *c = r->cpu;
    uint64_t v, own = LINL + 0x1000;
    struct bus_page pg;
    (void)state;
    prot_put(r, P1 + (own >> 12 & 511) * 8, 8, (DATA + 0x1000) | P | W);
    assert_true(peek(c, LINL)); /* cached before SMAP */
    c->s.cr4 |= CR4_SMAP;
    tlb_flush(c, false);
    cpu_mode_update(c);
    for (unsigned i = 0; i < 20; i++) {
        bool open = i * 7 / 3 % 2;
        set_ac(c, open);
        assert_ptr_equal(c->tlb_cur, c->tlb[open ? TLB_OPEN : TLB_SUPER]);
        assert_int_equal(peek(c, LINL), open);
        assert_int_equal(mem_write(c, SEG_DS, LINL + 8, 4, i), open);
        assert_true(peek(c, own));
        assert_true(mem_write(c, SEG_DS, own, 4, i));
        c->fault.pending = false;
        assert_false(lin_read(c, LINL, 4, false, &v)); /* implicit: AC does not count */
        assert_int_equal(c->fault.error, 1);
        assert_true(lin_read(c, LINL, 4, true, &v));
        assert_true(mmu_code_page(c, LINL, &pg, &v)); /* fetching is SMEP's */
        assert_int_equal(v, DATA);
    }
    set_ac(c, true);
    tlb_flush(c, false);
    assert_true(peek(c, own)); /* first without, then with AC: one walk, the same rights */
    set_ac(c, false);
    assert_true(peek(c, own));
    tlb_flush_page(c, own);
    assert_int_equal(entry(c, TLB_OPEN, own)->tag_r, ~0ull);
    assert_int_equal(entry(c, TLB_SUPER, own)->tag_r, ~0ull);
    c->s.cpl = 3; /* AC of ring 3 is alignment checking */
    set_ac(c, true);
    cpu_mode_update(c);
    assert_ptr_equal(c->tlb_cur, c->tlb[TLB_USER]);
    assert_true(peek(c, LINL));
    assert_false(peek(c, own));
    assert_int_equal(c->fault.error, 5);
    cpu_rig_destroy(r);
}

static void reserved_bits_of_long_mode(void **state)
{
    struct cpu_rig *r = paged64();
    struct cpu *c = r->cpu;
    static const unsigned at[4] = {P4, P3, P2, P1}, shift[4] = {39, 30, 21, 12};
    uint64_t phys;
    (void)state;
    for (unsigned level = 0; level < 4; level++) {
        uint64_t a = at[level] + (LINL >> shift[level] & 511) * 8, old = prot_get(r, a, 8);
        for (unsigned bit = 0; bit < 64; bit++) {
            bool rsvd = (bit >= 40 && bit < 52) || (bit == 7 && level == 0);
            if (bit < 3 || (bit >= 12 && bit < 40) || (bit == 7 && !rsvd)) {
                continue;
            }
            prot_put(r, a, 8, old | (uint64_t)1 << bit);
            assert_int_equal(walk(c, LINL, MMU_READ, false, &phys), !rsvd);
            if (rsvd) {
                assert_int_equal(c->fault.error, 9);
            }
        }
        for (unsigned bit = 12; bit < 30 && (level == 1 || level == 2); bit++) { /* large pages */
            bool rsvd = bit > 12 && bit < shift[level];
            prot_put(r, a, 8, P | W | U | PS | (uint64_t)1 << bit);
            assert_int_equal(walk(c, LINL, MMU_WRITE, true, &phys), !rsvd);
            if (rsvd) {
                assert_int_equal(c->fault.error, 15);
            } else {
                assert_int_equal(phys, ((uint64_t)1 << bit & ~bits_mask(shift[level])) |
                                           (LINL & bits_mask(shift[level])));
                assert_int_equal(prot_get(r, a, 8) & (A | D), A | D);
            }
        }
        prot_put(r, a, 8, old);
    }
    cpu_rig_destroy(r);
}

/* Memory at 60 G and more is walked to. */
static void physical_addresses_of_forty_bits(void **state)
{
    struct cpu_rig *r = paged64();
    uint64_t phys, page = (uint64_t)0xfff << 28;
    (void)state;
    prot_put(r, P1 + (LINL >> 12 & 511) * 8, 8, page | P | W | U);
    assert_true(walk(r->cpu, LINL + 0xabc, MMU_READ, true, &phys));
    assert_int_equal(phys, page + 0xabc);
    cpu_rig_destroy(r);
}

static void canonical_addresses(void **state)
{
    struct cpu_rig *r = paged64();
    struct cpu *c = r->cpu;
    static const struct {
        uint64_t lin;
        unsigned len;
        bool good; /* or not mapped, which is another fault */
    } rows[] = {
        {0x00007fffffffffff, 1, true},  {0x00007ffffffffff8, 8, true},
        {0x00007ffffffffff9, 8, false}, {0x0000800000000000, 1, false},
        {0xffff7fffffffffff, 1, false}, {0xffff7fffffffffff, 2, false},
        {0xffff800000000000, 8, true},  {~0ull, 1, true},
        {0x8000000000000000, 4, false}, {0x4000000000000000, 4, false},
    };
    uint8_t buf[8] = {0};
    uint64_t v;
    struct bus_page pg;
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned k = 0; k < 6; k++) {
            unsigned seg = k & 1 ? SEG_SS : SEG_DS;
            unsigned want = rows[i].good ? EXC_PF : k & 1 && k < 4 ? EXC_SS : EXC_GP;
            c->fault.pending = false;
            bool ok = k < 2   ? mem_read_bytes(c, seg, rows[i].lin, buf, rows[i].len)
                      : k < 4 ? mem_write_bytes(c, seg, rows[i].lin, buf, rows[i].len)
                      : k < 5 ? lin_check_write(c, rows[i].lin, rows[i].len, false)
                              : lin_read(c, rows[i].lin, 1, false, &v) ||
                                    lin_read(c, rows[i].lin + rows[i].len - 1, 1, false, &v);
            assert_false(ok);
            if (k < 5) {
                assert_int_equal(c->fault.vector, want);
                assert_int_equal(c->fault.error, want == EXC_PF && k > 1 ? 2 : 0);
            }
        }
    }
    assert_false(mmu_probe(c, 0x0000800000000000, &v));
    c->fault.pending = false;
    assert_false(mmu_code_page(c, 0x0000800000000000, &pg, &v));
    assert_int_equal(c->fault.vector, EXC_GP);
    c->s.seg[SEG_FS].base = 0x00007ffffffffff0; /* bases count, of FS and GS */
    c->fault.pending = false;
    assert_false(mem_read(c, SEG_FS, 0x10, 1, &v));
    assert_int_equal(c->fault.vector, EXC_GP);
    c->s.seg[SEG_DS].base = 0x00007ffffffffff0;
    c->fault.pending = false;
    assert_true(mem_read(c, SEG_DS, LINL, 1, &v));
    cpu_rig_destroy(r);
}

/* INVLPG drops a large page whole, and does not look at the rest of the cache without need. */
static void invlpg_and_gigabytes(void **state)
{
    struct cpu_rig *r = paged64();
    struct cpu *c = r->cpu;
    uint64_t gig = LINL & ~bits_mask(30);
    (void)state;
    prot_put(r, P3 + (LINL >> 30 & 511) * 8, 8, P | W | U | PS);
    tlb_flush(c, false);
    assert_true(peek(c, gig + 0x1000) && peek(c, gig + 0x700000));
    tlb_flush_page(c, gig + 0x40000000); /* the next one */
    assert_int_equal(entry(c, 0, gig + 0x1000)->tag_r, gig + 0x1000);
    tlb_flush_page(c, gig + 0x3ffff000);
    assert_int_equal(entry(c, 0, gig + 0x1000)->tag_r, ~0ull);
    assert_int_equal(entry(c, 0, gig + 0x700000)->tag_r, ~0ull);
    cpu_rig_destroy(r);
}

/* ---- the cache ---- */

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
        cmocka_unit_test(rights_with_smep_and_smap),
        cmocka_unit_test(smap_and_the_cache),
        cmocka_unit_test(reserved_bits_of_long_mode),
        cmocka_unit_test(physical_addresses_of_forty_bits),
        cmocka_unit_test(canonical_addresses),
        cmocka_unit_test(invlpg_and_gigabytes),
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
