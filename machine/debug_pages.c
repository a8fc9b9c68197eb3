/* The page tables as they stand in guest memory, for "info mem" and "info tlb": every mapping with
 * the rights that all its levels leave.  SDM Vol. 3A, "32-Bit Paging", "PAE Paging", "4-Level
 * Paging", "Access Rights".  Nothing is changed: no accessed or dirty bits.
 * NOT IMPLEMENTED: protection keys, 5-level paging. */
#include "machine/debug_int.h"

#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/state.h"

enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_PWT = 8, PTE_PCD = 16, PTE_A = 32, PTE_D = 64,
       PTE_PS = 128, PTE_G = 256 };
#define PTE_NX ((uint64_t)1 << 63)
#define LEVEL_BITS_PAE 9
#define PAGES_MAX 4000000u /* lines at most: a table that maps itself on every level has no end */

struct page_map { /* one leaf */
    uint64_t lin, phys, len;
    uint64_t flags; /* of the leaf's entry; W, U and NX as all levels together have them */
};
struct pages {
    struct machine *m;
    const struct cpu_state *s;
    void (*leaf)(struct pages *p, const struct page_map *map);
    const struct debug_out *out;
    unsigned count;
    /* of "info mem": the run so far */
    struct page_map run;
};

static void pages_leaf(struct pages *p, uint64_t lin, uint64_t phys, uint64_t len, uint64_t flags)
{
    struct page_map map = {.lin = lin, .phys = phys & ~(len - 1), .len = len, .flags = flags};
    if (p->count++ < PAGES_MAX) {
        p->leaf(p, &map);
    }
}

/* One table of the PAE or 4-level kind: level 3 PML4, 2 PDPT, 1 PD, 0 PT. */
static void pages_table64(struct pages *p, uint64_t at, unsigned level, uint64_t lin,
                          uint64_t rights)
{
    uint8_t table[4096];
    unsigned shift = 12 + level * LEVEL_BITS_PAE, n = 512;
    bool pae_top = level == 2 && !(p->s->efer & EFER_LMA);
    if (pae_top) {
        n = 4;
        at &= ~(uint64_t)0x1f;
    }
    if (!bus_copy_out(p->m->mem, at, table, n * 8)) {
        return;
    }
    for (unsigned i = 0; i < n && p->count < PAGES_MAX; i++) {
        uint64_t e = load_le64(table + i * 8);
        if (!(e & PTE_P)) {
            continue;
        }
        uint64_t here = lin + ((uint64_t)i << shift);
        if (level == 3 && i >= 256) {
            here |= (uint64_t)0xffff << 48; /* canonical */
        }
        /* PAE: the four pointers have no rights of their own */
        uint64_t r = pae_top ? rights
                             : (rights & e & (PTE_W | PTE_U)) | ((rights | e) & PTE_NX);
        uint64_t next = e & 0x000ffffffffff000;
        if (level == 0 || ((e & PTE_PS) && level < 3 && !pae_top)) {
            uint64_t keep = e & (PTE_PWT | PTE_PCD | PTE_A | PTE_D | PTE_G | PTE_P);
            pages_leaf(p, here, next, (uint64_t)1 << shift,
                       keep | r | (level ? PTE_PS : 0));
        } else {
            pages_table64(p, next, level - 1, here, r);
        }
    }
}

static void pages_table32(struct pages *p, uint64_t cr3)
{
    uint8_t dir[4096], table[4096];
    if (!bus_copy_out(p->m->mem, cr3 & 0xfffff000, dir, sizeof dir)) {
        return;
    }
    for (uint32_t i = 0; i < 1024; i++) {
        uint32_t d = load_le32(dir + i * 4);
        if (!(d & PTE_P)) {
            continue;
        }
        if ((d & PTE_PS) && (p->s->cr4 & CR4_PSE)) {
            uint64_t phys = (d & 0xffc00000) | (uint64_t)(d >> 13 & 0xff) << 32; /* PSE-36 */
            pages_leaf(p, (uint64_t)i << 22, phys, 1u << 22, d & 0x1ff);
            continue;
        }
        if (!bus_copy_out(p->m->mem, d & 0xfffff000, table, sizeof table)) {
            continue;
        }
        for (uint32_t k = 0; k < 1024; k++) {
            uint32_t e = load_le32(table + k * 4);
            if (e & PTE_P) {
                uint64_t flags = (e & 0x179) | (e & d & (PTE_W | PTE_U));
                pages_leaf(p, (uint64_t)i << 22 | k << 12, e & 0xfffff000, 4096, flags);
            }
        }
    }
}

static void pages_walk(struct pages *p)
{
    const struct cpu_state *s = p->s;
    if (!(s->cr0 & CR0_PG)) {
        debug_line(p->out, "paging is off");
        return;
    }
    if (s->efer & EFER_LMA) {
        pages_table64(p, s->cr3 & 0x000ffffffffff000, 3, 0, PTE_W | PTE_U);
    } else if (s->cr4 & CR4_PAE) {
        pages_table64(p, s->cr3 & 0xffffffe0, 2, 0, PTE_W | PTE_U);
    } else {
        pages_table32(p, s->cr3);
    }
    if (p->count >= PAGES_MAX) {
        debug_line(p->out, "... and more");
    }
}

/* ---- info tlb: a line a mapping, flags as QEMU shows them ---- */

static void pages_print(struct pages *p, const struct page_map *m)
{
    static const struct {
        uint64_t bit;
        char letter;
    } flags[] = {{PTE_NX, 'X'}, {PTE_G, 'G'},   {PTE_PS, 'P'},  {PTE_D, 'D'}, {PTE_A, 'A'},
                 {PTE_PCD, 'C'}, {PTE_PWT, 'T'}, {PTE_U, 'U'}, {PTE_W, 'W'}};
    char text[ARRAY_LEN(flags) + 1] = {0};
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        text[i] = m->flags & flags[i].bit ? flags[i].letter : '-';
    }
    int digits = p->s->efer & EFER_LMA ? 16 : 8;
    debug_line(p->out, "%0*" PRIx64 ": %0*" PRIx64 " %s", digits, m->lin, digits, m->phys, text);
}

void debug_tlb(struct machine *m, unsigned cpu, const struct debug_out *o)
{
    struct pages p = {.m = m, .s = cpu_state(m->cpu[cpu]), .leaf = pages_print, .out = o};
    pages_walk(&p);
}

/* ---- info mem: runs that map on without a gap, with the same rights ---- */

static void pages_run_print(struct pages *p)
{
    const struct page_map *r = &p->run;
    int digits = p->s->efer & EFER_LMA ? 16 : 8;
    if (r->len) {
        debug_line(p->out, "%0*" PRIx64 "-%0*" PRIx64 " -> %09" PRIx64 " %c%c%c (%" PRIu64 " KB)",
                   digits, r->lin, digits, r->lin + r->len - 1, r->phys,
                   r->flags & PTE_U ? 'u' : '-', r->flags & PTE_W ? 'w' : 'r',
                   r->flags & PTE_NX ? '-' : 'x', r->len >> 10);
    }
}

static void pages_run(struct pages *p, const struct page_map *m)
{
    struct page_map *r = &p->run;
    const uint64_t rights = PTE_U | PTE_W | PTE_NX;
    if (r->len && m->lin == r->lin + r->len && m->phys == r->phys + r->len &&
        !((m->flags ^ r->flags) & rights)) {
        r->len += m->len;
        return;
    }
    pages_run_print(p);
    *r = *m;
}

void debug_mem(struct machine *m, unsigned cpu, const struct debug_out *o)
{
    struct pages p = {.m = m, .s = cpu_state(m->cpu[cpu]), .leaf = pages_run, .out = o};
    pages_walk(&p);
    pages_run_print(&p);
}
