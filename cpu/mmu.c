/* Linear to physical: page walks and the translation cache.
 * SDM Vol. 3A, "Paging": 32-bit, PAE and 4-level paging, "Access Rights", "Accessed and Dirty
 * Flags", "Page-Fault Exceptions", "Caching Translation Information".
 * Entries are marked accessed and dirty by compare and exchange: several processors may walk.
 * PCIDs are kept as registers; a load of CR3 empties the cache but for global pages whatever its
 * PCID and bit 63 (a processor may forget translations at any time).
 * NOT IMPLEMENTED: 5-level paging, protection keys, shadow-stack pages. */
#include "cpu/protect.h"

enum {
    PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80, PTE_G = 0x100
};
#define PTE_NX ((uint64_t)1 << 63)
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };

unsigned mmu_phys_bits(const struct cpu *c)
{
    return feat_has(&c->feat, FEAT_LM) ? 40 : 36;
}

/* ---- page tables in memory ---- */

static struct mmu_table *mmu_table(struct cpu *c, uint64_t page)
{
    struct mmu_table *t = &c->mmu_tables[page >> PAGE_SHIFT & (MMU_TABLES - 1)];
    if (t->phys != page || !t->host) {
        struct bus_page pg;
        bus_page(c->env.mem, page, &pg);
        *t = (struct mmu_table){page, pg.host_w, pg.ram, pg.ram_off};
    }
    return t;
}

static uint64_t mmu_read_entry(struct cpu *c, uint64_t phys, unsigned size)
{
    const struct mmu_table *t = mmu_table(c, phys & ~PAGE_MASK);
    if (t->host) {
        const void *p = t->host + (phys & PAGE_MASK);
        return size == 4 ? __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED)
                         : __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED);
    }
    return bus_read(c->env.mem, phys, size);
}

/* The entry becomes `v` if it still is `old`.  false: somebody else changed it meanwhile. */
static bool mmu_update_entry(struct cpu *c, uint64_t phys, unsigned size, uint64_t old, uint64_t v)
{
    const struct mmu_table *t = mmu_table(c, phys & ~PAGE_MASK);
    if (!t->host) {
        bus_write(c->env.mem, phys, v, size);
        return true;
    }
    uint64_t at = phys & PAGE_MASK, off = t->ram_off;
    void *p = t->host + at;
    struct ram *ram = t->ram;
    bool same;
    if (size == 4) {
        uint32_t was = (uint32_t)old;
        same = __atomic_compare_exchange_n((uint32_t *)p, &was, (uint32_t)v, false,
                                           __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    } else {
        same = __atomic_compare_exchange_n((uint64_t *)p, &old, v, false, __ATOMIC_ACQ_REL,
                                           __ATOMIC_RELAXED);
    }
    if (same) {
        ram_wrote(ram, off + at, size); /* may call back and empty the table cache */
    }
    return same;
}

/* ---- the walk ---- */

static bool mmu_page_fault(struct cpu *c, uint64_t lin, enum mmu_access acc, bool user,
                           uint32_t code)
{
    if (acc == MMU_WRITE) {
        code |= PF_W;
    }
    if (user) {
        code |= PF_U;
    }
    if (acc == MMU_EXEC && ((c->s.efer & EFER_NXE && c->s.cr4 & CR4_PAE) || c->s.cr4 & CR4_SMEP)) {
        code |= PF_I;
    }
    cpu_fault_why(c, EXC_PF, code, WHY_PAGE, lin);
    c->fault.cr2 = lin;
    return false;
}

struct mmu_entry {
    uint64_t addr, v;
};

/* The entries used, leaf last.  Returns how many, or 0 with *code = the page fault's P and RSVD
 * bits.  *rights: the AND of the entries' W and U, *nx: the OR of their NX. */
static unsigned mmu_lookup(struct cpu *c, uint64_t lin, struct mmu_entry ent[4], uint64_t *phys,
                           bool *large, uint32_t *code, unsigned *rights, bool *nx)
{
    bool pae = c->s.cr4 & CR4_PAE, lma = c->s.efer & EFER_LMA;
    unsigned size = pae ? 8 : 4, bits = pae ? 9 : 10, level = lma ? 4 : 2, n = 0;
    uint64_t addr_mask = pae ? bits_mask(mmu_phys_bits(c)) & ~PAGE_MASK : 0xfffff000;
    uint64_t rsvd = pae ? bits_mask(52) & ~bits_mask(mmu_phys_bits(c)) : 0, table;

    if (pae && !(c->s.efer & EFER_NXE)) {
        rsvd |= PTE_NX;
    }
    if (pae && !lma) {
        rsvd |= (uint64_t)0x7ff << 52; /* ignored in 4-level entries, reserved in PAE's */
        uint64_t e = c->s.pdpte[lin >> 30 & 3];
        if (!(e & PTE_P)) {
            *code = 0;
            return 0;
        }
        table = e & addr_mask;
    } else {
        table = c->s.cr3 & addr_mask;
    }
    *rights = PTE_W | PTE_U;
    *nx = false;
    for (;; level--) {
        unsigned shift = PAGE_SHIFT + (level - 1) * bits;
        uint64_t addr = table + (lin >> shift & bits_mask(bits)) * size;
        uint64_t e = mmu_read_entry(c, addr, size), no = rsvd, base = addr_mask;
        if (!(e & PTE_P)) {
            *code = 0;
            return 0;
        }
        bool leaf = level == 1;
        if (level > 1 && e & PTE_PS && (pae || c->s.cr4 & CR4_PSE)) {
            if (level == 4 || (level == 3 && !feat_has(&c->feat, FEAT_PDPE1GB))) {
                no |= PTE_PS;
            } else {
                leaf = true;
                if (pae) {
                    no |= bits_mask(shift) & ~bits_mask(13); /* bit 12 is PAT */
                } else { /* PSE-36: bits 13 and up are bits 32 and up of the address */
                    unsigned m = feat_has(&c->feat, FEAT_PSE36) ? mmu_phys_bits(c) : 32;
                    no |= bits_mask(22) & ~bits_mask(m - 19);
                }
                base = ~bits_mask(shift) & addr_mask;
            }
        }
        if (e & no) {
            *code = PF_P | PF_RSVD;
            return 0;
        }
        *rights &= (unsigned)e;
        *nx |= e >> 63;
        ent[n++] = (struct mmu_entry){addr, e};
        table = e & base;
        if (leaf) {
            *large = level > 1;
            if (*large && !pae) {
                table |= (e >> 13 & 0xff) << 32; /* PSE-36 */
            }
            *phys = table | (lin & bits_mask(shift));
            return n;
        }
    }
}

enum walk_end { WALK_DONE, WALK_FAULT, WALK_AGAIN };

static enum walk_end mmu_walk_once(struct cpu *c, uint64_t lin, enum mmu_access acc, unsigned view,
                                   struct walk *w)
{
    struct mmu_entry ent[4];
    uint32_t code = PF_P;
    unsigned rights, n;
    bool nx, large = false, user = view == TLB_USER;

    n = mmu_lookup(c, lin, ent, &w->phys, &large, &code, &rights, &nx);
    if (!n) {
        mmu_page_fault(c, lin, acc, user, code);
        return WALK_FAULT;
    }
    bool theirs = !user && rights & PTE_U; /* a user page, seen by the supervisor */
    bool data = !(theirs && view == TLB_SUPER && c->s.cr4 & CR4_SMAP) && (!user || rights & PTE_U);
    bool writable = rights & PTE_W || (!user && !(c->s.cr0 & CR0_WP));
    bool fetchable = !nx && !(theirs && c->s.cr4 & CR4_SMEP) && (!user || rights & PTE_U);
    if (acc == MMU_EXEC ? !fetchable : !data || (acc == MMU_WRITE && !writable)) {
        mmu_page_fault(c, lin, acc, user, PF_P);
        return WALK_FAULT;
    }
    for (unsigned i = 0; i < n; i++) {
        uint64_t want = i + 1 == n && acc == MMU_WRITE ? PTE_A | PTE_D : PTE_A;
        if ((ent[i].v & want) != want) {
            if (!mmu_update_entry(c, ent[i].addr, c->s.cr4 & CR4_PAE ? 8 : 4, ent[i].v,
                                  ent[i].v | want)) {
                return WALK_AGAIN;
            }
            ent[i].v |= want;
        }
    }
    uint64_t leaf = ent[n - 1].v;
    w->flags = (uint8_t)((large ? TLB_LARGE : 0) | (fetchable ? TLB_XOK : 0) |
                         (writable && leaf & PTE_D ? TLB_WOK : 0) | (data ? 0 : TLB_NODATA) |
                         (leaf & PTE_G && c->s.cr4 & CR4_PGE ? TLB_GLOBAL : 0));
    return WALK_DONE;
}

bool mmu_walk(struct cpu *c, uint64_t lin, enum mmu_access acc, unsigned view, struct walk *w)
{
    enum walk_end end;
    if (!(c->s.cr0 & CR0_PG)) {
        w->phys = lin;
        w->flags = TLB_WOK | TLB_XOK;
        return true;
    }
    do { /* again only when another processor went on meanwhile */
        end = mmu_walk_once(c, lin, acc, view, w);
    } while (end == WALK_AGAIN);
    return end == WALK_DONE;
}

bool mmu_translate(struct cpu *c, uint64_t lin, enum mmu_access acc, unsigned view, uint64_t *phys)
{
    struct walk w;
    if (!mmu_walk(c, lin, acc, view, &w)) {
        return false;
    }
    *phys = w.phys;
    return true;
}

bool mmu_probe(struct cpu *c, uint64_t lin, uint64_t *phys)
{
    struct mmu_entry ent[4];
    uint32_t code;
    unsigned rights;
    bool nx, large;
    if (!(c->s.cr0 & CR0_PG)) {
        *phys = lin;
        return true;
    }
    if (c->s.efer & EFER_LMA && !addr_canonical(lin)) {
        return false;
    }
    return mmu_lookup(c, lin, ent, phys, &large, &code, &rights, &nx) != 0;
}

bool mmu_load_pdptes(struct cpu *c, uint64_t cr3)
{
    uint64_t e[4];
    uint64_t rsvd = ~bits_mask(mmu_phys_bits(c)) | 0x1e6;
    for (unsigned i = 0; i < 4; i++) {
        e[i] = mmu_read_entry(c, (cr3 & 0xffffffe0) + i * 8, 8);
        if (e[i] & PTE_P && e[i] & rsvd) {
            return FAULT_GP0(c);
        }
    }
    memcpy(c->s.pdpte, e, sizeof e);
    return true;
}

/* ---- the cache ---- */

/* Large pages are cached in pieces of 4 KB, and INVLPG anywhere in one drops all of it.  Which
 * gigabytes may have such pieces is remembered, so that INVLPG elsewhere need not look for them. */
static uint64_t *tlb_large_word(struct cpu *c, uint64_t lin, uint64_t *bit)
{
    *bit = (uint64_t)1 << (lin >> 30 & 63);
    return &c->tlb_large[lin >> 36 & 3];
}

void mmu_fill(struct cpu *c, uint64_t lin, unsigned view, const struct walk *w,
              const struct bus_page *pg)
{
    unsigned i = lin >> PAGE_SHIFT & (TLB_SIZE - 1);
    uint64_t page = lin & ~PAGE_MASK;
    bool slow = !pg->host_r || w->flags & TLB_NODATA || (view == TLB_USER && c->ac_check) ||
                access_watched(c, page);
    bool plain = w->flags & TLB_WOK && pg->host_w && ram_page_plain(pg->ram, pg->ram_off);
    struct tlb_entry *e = &c->tlb[view][i];
    e->tag_r = slow ? ~0ull : page;
    e->tag_w = slow || !plain ? ~0ull : page;
    e->addend = (uint64_t)(uintptr_t)pg->host_r - page;
    e->phys = (w->phys & ~PAGE_MASK) | w->flags;
    c->tlb_page[view][i] = page;
    c->tlb_used[view][i / 64] |= (uint64_t)1 << (i % 64);
    c->tlb_words[view] |= (uint64_t)1 << (i / 64);
    if (w->flags & TLB_LARGE) {
        uint64_t bit;
        *tlb_large_word(c, lin, &bit) |= bit;
    }
}

static void tlb_drop(struct cpu *c, unsigned view, unsigned i)
{
    c->tlb[view][i].tag_r = c->tlb[view][i].tag_w = c->tlb_page[view][i] = ~0ull;
    if (!(c->tlb_used[view][i / 64] &= ~((uint64_t)1 << (i % 64)))) {
        c->tlb_words[view] &= ~((uint64_t)1 << (i / 64));
    }
}

/* Visit the filled entries: `i` of table `u`. */
_Static_assert(TLB_SIZE / 64 == 64, "tlb_words has a bit a word");
#define TLB_FOR_USED(c, u, i)                                                                     \
    for (unsigned u = 0; u < TLB_VIEWS; u++)                                                       \
        for (uint64_t words_ = (c)->tlb_words[u], at_;                                             \
             words_ && (at_ = (uint64_t)__builtin_ctzll(words_), true); words_ &= words_ - 1)      \
            for (uint64_t left_ = (c)->tlb_used[u][at_], i;                                        \
                 left_ && (i = at_ * 64 + (uint64_t)__builtin_ctzll(left_), true);                 \
                 left_ &= left_ - 1)

void tlb_flush(struct cpu *c, bool keep_global)
{
    if (c->tlb_epoch++ == 0) { /* a new CPU: nothing in the cache is true, not even its emptiness */
        memset(c->tlb, 0xff, sizeof c->tlb);
        memset(c->tlb_page, 0xff, sizeof c->tlb_page);
        memset(c->tlb_used, 0, sizeof c->tlb_used);
        memset(c->tlb_words, 0, sizeof c->tlb_words);
        keep_global = false;
    }
    uint64_t bit;
    memset(c->tlb_large, 0, sizeof c->tlb_large);
    TLB_FOR_USED(c, u, i) {
        if (!(keep_global && c->tlb[u][i].phys & TLB_GLOBAL)) {
            tlb_drop(c, u, (unsigned)i);
        } else if (c->tlb[u][i].phys & TLB_LARGE) {
            *tlb_large_word(c, c->tlb_page[u][i], &bit) |= bit;
        }
    }
    if (!keep_global) { /* the bus map or A20 may be what changed */
        for (unsigned i = 0; i < MMU_TABLES; i++) {
            c->mmu_tables[i].host = NULL;
        }
    }
    c->exit_word |= EXIT_MODE;
}

void tlb_flush_page(struct cpu *c, uint64_t lin)
{
    unsigned i = lin >> PAGE_SHIFT & (TLB_SIZE - 1);
    uint64_t page = lin & ~PAGE_MASK, bit;
    for (unsigned u = 0; u < TLB_VIEWS; u++) {
        if (c->tlb_page[u][i] == page) {
            tlb_drop(c, u, i);
        }
    }
    if (*tlb_large_word(c, lin, &bit) & bit) {
        unsigned shift = c->s.efer & EFER_LMA ? 30 : 22;
        TLB_FOR_USED(c, v, k) {
            if (c->tlb[v][k].phys & TLB_LARGE && c->tlb_page[v][k] >> shift == lin >> shift) {
                tlb_drop(c, v, (unsigned)k);
            }
        }
    }
    c->tlb_epoch++;
    c->exit_word |= EXIT_MODE;
}

void tlb_protect(struct cpu *c, uint64_t ram_host_page)
{
    TLB_FOR_USED(c, u, i) {
        struct tlb_entry *e = &c->tlb[u][i];
        if (!ram_host_page || e->tag_r + e->addend == ram_host_page) {
            e->tag_w = ~0ull;
        }
    }
}

void tlb_untag(struct cpu *c)
{
    TLB_FOR_USED(c, u, i) {
        c->tlb[u][i].tag_r = c->tlb[u][i].tag_w = ~0ull;
    }
}

bool mmu_code_page(struct cpu *c, uint64_t lin, struct bus_page *out, uint64_t *phys)
{
    unsigned view = c->s.cpl == 3 ? TLB_USER : TLB_SUPER; /* AC does not matter */
    unsigned i = lin >> PAGE_SHIFT & (TLB_SIZE - 1);
    const struct tlb_entry *e = &c->tlb[view][i];
    struct walk w;
    if (c->tlb_page[view][i] == (lin & ~PAGE_MASK) && e->phys & TLB_XOK) {
        *phys = (e->phys & ~PAGE_MASK) | (lin & PAGE_MASK);
        bus_page(c->env.mem, *phys, out);
        return true;
    }
    if (c->mode & MODE_CODE64 && !addr_canonical(lin)) { /* ran over the end of the lower half */
        return FAULT_GP0(c);
    }
    if (!mmu_walk(c, lin, MMU_EXEC, view, &w)) {
        return false;
    }
    *phys = w.phys;
    bus_page(c->env.mem, w.phys, out);
    mmu_fill(c, lin, view, &w, out);
    return true;
}

void mmu_ac_update(struct cpu *c)
{
    bool on = c->s.cr0 & CR0_AM && c->s.rflags & FL_AC && c->s.cpl == 3;
    if (on && !c->ac_check) { /* user accesses must all come through access_slow_*() */
        tlb_untag(c);
    }
    c->ac_check = on;
    c->tlb_cur = c->tlb[tlb_view(c)];
}
