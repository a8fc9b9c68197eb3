/* Guest memory as instructions see it: segment checks, paging, alignment, watchpoints, MMIO.
 * SDM Vol. 3A, "Limit Checking", "Alignment Check Exception (#AC)"; Vol. 3B, "Debug Registers".
 * The fast case is one look into the translation cache; all else goes through access_slow_*(),
 * which translates every page touched before it stores the first byte.
 * NOT IMPLEMENTED: data breakpoints on descriptor-table and TSS accesses (implementation-specific).
 */
#include "cpu/protect.h"

/* ---- watchpoints ---- */

/* DR7: L0 G0 .. L3 G3 in bits 0..7; from bit 16 R/W and LEN, two bits each, per breakpoint. */
static unsigned access_dr_len(uint64_t dr7, unsigned i)
{
    static const uint8_t len[4] = {1, 2, 8, 4};
    return len[dr7 >> (18 + i * 4) & 3];
}

static bool access_dr_on(uint64_t dr7, unsigned i, unsigned *rw)
{
    *rw = dr7 >> (16 + i * 4) & 3;
    return dr7 >> (i * 2) & 3;
}

bool access_watched(const struct cpu *c, uint64_t page)
{
    if (c->hooks && c->hooks->mem) {
        return true;
    }
    if (!(c->s.dr[7] & 0xff)) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        unsigned rw;
        if (access_dr_on(c->s.dr[7], i, &rw) && (rw & 1) &&
            ((c->s.dr[i] ^ page) & ~PAGE_MASK & (c->mode & MODE_LONG ? ~0ull : 0xffffffff)) == 0) {
            return true;
        }
    }
    return false;
}

/* After a successful access: matching data breakpoints become pending traps. */
static void access_watch(struct cpu *c, uint64_t lin, unsigned size, bool write)
{
    uint64_t hit = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned rw, len = access_dr_len(c->s.dr[7], i);
        if (!access_dr_on(c->s.dr[7], i, &rw) || !(rw == 3 || (rw == 1 && write))) {
            continue;
        }
        uint64_t a = c->s.dr[i] & ~(uint64_t)(len - 1);
        if (lin < a + len && a < lin + size) {
            hit |= (uint64_t)1 << i;
        }
    }
    if (hit) {
        c->s.pending_dr6 |= hit;
        c->exit_word |= EXIT_TRAP;
    }
}

/* ---- one page at a time ---- */

struct piece {
    uint8_t *host;    /* NULL: through the bus */
    struct ram *ram;  /* writes: report them here; NULL and host: cannot be */
    uint64_t ram_off, phys;
    unsigned len;
    struct walk w;
    bool walked; /* w and pg are there, for access_cache() */
    struct bus_page pg;
};

/* The entry has a host address: for a write, whose memory is it? */
static bool access_resolve_ram(struct cpu *c, uint64_t lin, enum mmu_access acc,
                               const struct tlb_entry *e, struct piece *p)
{
    uint8_t *host = (uint8_t *)(uintptr_t)(lin + e->addend);
    p->phys = p->w.phys;
    p->host = host;
    if (acc == MMU_READ) {
        return true;
    }
    for (unsigned i = 0; i < 2; i++) { /* the guest's RAM, the video card's */
        struct ram *ram = i ? c->aux_ram : c->env.ram;
        if (ram && host >= ram->host && host < ram->host + ram->size) {
            p->ram = ram;
            p->ram_off = (uint64_t)(host - ram->host);
            return true;
        }
    }
    return false; /* ROM, or RAM of somebody else: ask the bus */
}

/* Is there a translation for this access already? */
static const struct tlb_entry *access_cached(const struct cpu *c, uint64_t lin, enum mmu_access acc,
                                             unsigned view)
{
    unsigned i = lin >> PAGE_SHIFT & (TLB_SIZE - 1);
    const struct tlb_entry *e = &c->tlb[view][i];
    bool good = c->tlb_page[view][i] == (lin & ~PAGE_MASK) && !(e->phys & TLB_NODATA) &&
                (acc == MMU_READ || e->phys & TLB_WOK);
    return good ? e : NULL;
}

static bool access_resolve(struct cpu *c, uint64_t lin, unsigned len, enum mmu_access acc,
                           unsigned view, struct piece *p)
{
    const struct tlb_entry *e = access_cached(c, lin, acc, view), *other = NULL;
    p->len = len;
    p->walked = false;
    p->ram = NULL;
    if (!e && view == TLB_OPEN) { /* its own pages the supervisor has the same way without AC */
        other = access_cached(c, lin, acc, TLB_SUPER);
    }
    if (e || other) {
        uint64_t phys = (e ? e : other)->phys;
        p->w.phys = (phys & ~PAGE_MASK) | (lin & PAGE_MASK);
        p->w.flags = phys & (TLB_GLOBAL | TLB_LARGE | TLB_WOK | TLB_XOK);
        if (e && e->tag_r != ~0ull && access_resolve_ram(c, lin, acc, e, p)) {
            return true;
        }
    } else if (!mmu_walk(c, lin, acc, view, &p->w)) {
        return false;
    }
    p->phys = p->w.phys;
    p->walked = true;
    bus_page(c->env.mem, p->phys, &p->pg);
    p->host = acc == MMU_WRITE ? p->pg.host_w : p->pg.host_r;
    if (p->host) {
        p->host += lin & PAGE_MASK;
        p->ram = p->pg.ram;
        p->ram_off = p->pg.ram_off + (lin & PAGE_MASK);
    }
    return true;
}

static void access_get(struct cpu *c, const struct piece *p, uint8_t *buf)
{
    if (p->host) {
        memcpy(buf, p->host, p->len);
        return;
    }
    for (unsigned i = 0; i < p->len;) {
        unsigned n = p->len - i > 8 ? 8 : p->len - i;
        uint8_t b[8];
        store_le64(b, bus_read(c->env.mem, p->phys + i, n));
        memcpy(buf + i, b, n);
        i += n;
    }
}

static void access_put(struct cpu *c, const struct piece *p, const uint8_t *buf)
{
    if (p->host) {
        memcpy(p->host, buf, p->len);
        ram_wrote(p->ram, p->ram_off, p->len);
        return;
    }
    for (unsigned i = 0; i < p->len;) {
        unsigned n = p->len - i > 8 ? 8 : p->len - i;
        uint8_t b[8] = {0};
        memcpy(b, buf + i, n);
        bus_write(c->env.mem, p->phys + i, load_le64(b), n);
        i += n;
    }
}

/* Fast tags, now that the page is read, or dirty: later accesses need not come here. */
static void access_cache(struct cpu *c, uint64_t lin, unsigned view, const struct piece *p)
{
    if (p->walked) {
        mmu_fill(c, lin, view, &p->w, &p->pg);
    } else if (p->ram && ram_page_plain(p->ram, p->ram_off)) {
        struct tlb_entry *e = &c->tlb[view][lin >> PAGE_SHIFT & (TLB_SIZE - 1)];
        if (e->tag_r == (lin & ~PAGE_MASK) && e->phys & TLB_WOK) {
            e->tag_w = e->tag_r;
        }
    }
}

static void access_tell(struct cpu *c, uint64_t lin, const struct piece *p, const uint8_t *buf,
                        bool write)
{
    for (unsigned i = 0; i < p->len;) {
        unsigned n = p->len - i > 8 ? 8 : p->len - i;
        uint8_t b[8] = {0};
        memcpy(b, buf + i, n);
        c->hooks->mem(c->hooks_ctx, lin + i, p->phys + i, n, write, load_le64(b));
        i += n;
    }
}

/* Where the byte behind the first page is: 32-bit code wraps at 4 G, also in compatibility mode. */
static uint64_t access_next_page(const struct cpu *c, uint64_t lin)
{
    uint64_t next = (lin | PAGE_MASK) + 1;
    return c->mode & MODE_CODE64 || lin >> 32 ? next : next & 0xffffffff;
}

/* The pages of [lin, lin + len), len <= 512: one or two. */
static unsigned access_pieces(struct cpu *c, uint64_t lin, unsigned len, enum mmu_access acc,
                              unsigned view, struct piece p[2], uint64_t *lin2)
{
    uint64_t in_page = PAGE_SIZE - (lin & PAGE_MASK);
    unsigned first = len < in_page ? len : (unsigned)in_page;
    if (!access_resolve(c, lin, first, acc, view, &p[0])) {
        return 0;
    }
    if (first == len) {
        return 1;
    }
    *lin2 = access_next_page(c, lin);
    return access_resolve(c, *lin2, len - first, acc, view, &p[1]) ? 2 : 0;
}

/* What the data type asks for (SDM Vol. 3A, "Alignment Requirements by Data Type"). */
static unsigned access_alignment(unsigned len)
{
    switch (len) {
    case 1: case 2: case 4: case 8: case 16: return len;
    case 32: return 16; /* HW */
    case 6: return 4;  /* far pointer, pseudo-descriptor */
    case 10: return 8; /* extended real */
    default: return len > 256 ? 1 : len % 4 ? 2 : 4;
    }
}

static bool access_misaligned(struct cpu *c, uint64_t lin, unsigned len, unsigned view)
{
    return view == TLB_USER && c->ac_check && lin & (access_alignment(len) - 1);
}

static bool access_slow_read(struct cpu *c, uint64_t lin, uint8_t *buf, unsigned len,
                             unsigned view, enum mmu_access acc, bool explicit)
{
    struct piece p[2];
    uint64_t at[2] = {lin, 0};
    if (explicit && access_misaligned(c, lin, len, view)) {
        return cpu_fault_err(c, EXC_AC, 0);
    }
    unsigned n = access_pieces(c, lin, len, acc, view, p, &at[1]);
    if (!n) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        /* a read-modify-write resolves for writing, but reads may come from where writes cannot go
         */
        if (acc == MMU_WRITE && !p[i].host && p[i].walked && p[i].pg.host_r) {
            p[i].host = p[i].pg.host_r + (at[i] & PAGE_MASK);
        }
        access_get(c, &p[i], buf + (i ? p[0].len : 0));
        access_cache(c, at[i], view, &p[i]);
        if (c->hooks && c->hooks->mem) {
            access_tell(c, at[i], &p[i], buf + (i ? p[0].len : 0), false);
        }
    }
    if (explicit && c->s.dr[7] & 0xff) {
        access_watch(c, lin, len, false);
    }
    return true;
}

static bool access_slow_write(struct cpu *c, uint64_t lin, const uint8_t *buf, unsigned len,
                              unsigned view, bool explicit)
{
    struct piece p[2];
    uint64_t at[2] = {lin, 0};
    if (explicit && access_misaligned(c, lin, len, view)) {
        return cpu_fault_err(c, EXC_AC, 0);
    }
    unsigned n = access_pieces(c, lin, len, MMU_WRITE, view, p, &at[1]);
    if (!n) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (c->hooks && c->hooks->mem) {
            access_tell(c, at[i], &p[i], buf + (i ? p[0].len : 0), true);
        }
        uint32_t epoch = c->tlb_epoch;
        access_put(c, &p[i], buf + (i ? p[0].len : 0));
        if (epoch == c->tlb_epoch) { /* else the store changed the map: what we know is old */
            access_cache(c, at[i], view, &p[i]);
        }
    }
    if (explicit && c->s.dr[7] & 0xff) {
        access_watch(c, lin, len, true);
    }
    return true;
}

/* ---- segment:offset ---- */

static __attribute__((cold, noinline)) void access_seg_fault(struct cpu *c, unsigned seg,
                                                             uint64_t off)
{
    uint64_t where = c->s.seg[seg].base + off;
    if (seg == SEG_SS) {
        cpu_fault_why(c, EXC_SS, 0, WHY_STACK_LIMIT, where);
    } else {
        cpu_fault_why(c, EXC_GP, 0, WHY_OTHER, where);
    }
}

FORCE_INLINE bool access_lin(struct cpu *c, unsigned seg, uint64_t off, unsigned len, bool write,
                             uint64_t *lin)
{
    if (c->mode & MODE_CODE64) { /* canonical: asked behind a miss, only such pages are cached */
        *lin = off + (seg >= SEG_FS ? c->s.seg[seg].base : 0);
        return true;
    }
    const struct seg_range *r = &c->range[seg];
    uint64_t last = off + len - 1;
    if (write ? off < r->wr_lo || last > r->wr_hi : off < r->rd_lo || last > r->rd_hi) {
        access_seg_fault(c, seg, off);
        return false;
    }
    *lin = (c->s.seg[seg].base + off) & 0xffffffff;
    return true;
}

/* In 64-bit mode both ends must be canonical; then all between them is. */
static bool access_canonical(struct cpu *c, unsigned seg, uint64_t lin, unsigned len)
{
    if (c->mode & MODE_CODE64 && !(addr_canonical(lin) && addr_canonical(lin + len - 1))) {
        return cpu_fault_why(c, seg == SEG_SS ? EXC_SS : EXC_GP, 0, WHY_OTHER, lin);
    }
    return true;
}

FORCE_INLINE uint8_t *access_fast(const struct cpu *c, const struct tlb_entry *tlb, uint64_t lin,
                                  unsigned size, bool write)
{
    const struct tlb_entry *e = &tlb[lin >> PAGE_SHIFT & (TLB_SIZE - 1)];
    (void)c;
    if ((write ? e->tag_w : e->tag_r) == ((lin + size - 1) & ~PAGE_MASK)) {
        return (uint8_t *)(uintptr_t)(lin + e->addend);
    }
    return NULL;
}

bool mem_read(struct cpu *c, unsigned seg, uint64_t off, unsigned size, uint64_t *v)
{
    uint64_t lin;
    uint8_t buf[8];
    if (!access_lin(c, seg, off, size, false, &lin)) {
        return false;
    }
    const uint8_t *p = access_fast(c, c->tlb_cur, lin, size, false);
    if (!p) {
        if (!access_canonical(c, seg, lin, size) ||
            !access_slow_read(c, lin, buf, size, tlb_view(c), MMU_READ, true)) {
            return false;
        }
        p = buf;
    }
    *v = load_le(p, size);
    return true;
}

bool mem_read_rmw(struct cpu *c, unsigned seg, uint64_t off, unsigned size, uint64_t *v)
{
    uint64_t lin;
    uint8_t buf[8];
    if (!access_lin(c, seg, off, size, true, &lin)) {
        return false;
    }
    const uint8_t *p = access_fast(c, c->tlb_cur, lin, size, true);
    if (!p) {
        if (!access_canonical(c, seg, lin, size) ||
            !access_slow_read(c, lin, buf, size, tlb_view(c), MMU_WRITE, true)) {
            return false;
        }
        p = buf;
    }
    *v = load_le(p, size);
    return true;
}

bool mem_write(struct cpu *c, unsigned seg, uint64_t off, unsigned size, uint64_t v)
{
    uint64_t lin;
    uint8_t buf[8];
    if (!access_lin(c, seg, off, size, true, &lin)) {
        return false;
    }
    uint8_t *p = access_fast(c, c->tlb_cur, lin, size, true);
    if (p) {
        store_le(p, v, size);
        return true;
    }
    store_le(buf, v, size);
    return access_canonical(c, seg, lin, size) &&
           access_slow_write(c, lin, buf, size, tlb_view(c), true);
}

bool mem_read_bytes(struct cpu *c, unsigned seg, uint64_t off, void *buf, unsigned len)
{
    uint64_t lin;
    if (!access_lin(c, seg, off, len, false, &lin)) {
        return false;
    }
    const uint8_t *p = access_fast(c, c->tlb_cur, lin, len, false);
    if (p) {
        memcpy(buf, p, len);
        return true;
    }
    return access_canonical(c, seg, lin, len) &&
           access_slow_read(c, lin, buf, len, tlb_view(c), MMU_READ, true);
}

bool mem_write_bytes(struct cpu *c, unsigned seg, uint64_t off, const void *buf, unsigned len)
{
    uint64_t lin;
    if (!access_lin(c, seg, off, len, true, &lin)) {
        return false;
    }
    uint8_t *p = access_fast(c, c->tlb_cur, lin, len, true);
    if (p) {
        memcpy(p, buf, len);
        return true;
    }
    return access_canonical(c, seg, lin, len) &&
           access_slow_write(c, lin, buf, len, tlb_view(c), true);
}

static bool access_check_write(struct cpu *c, uint64_t lin, unsigned len, unsigned view)
{
    struct piece p[2];
    uint64_t lin2;
    return access_fast(c, c->tlb[view], lin, len, true) ||
           access_pieces(c, lin, len, MMU_WRITE, view, p, &lin2) != 0;
}

bool mem_check_write(struct cpu *c, unsigned seg, uint64_t off, unsigned size)
{
    uint64_t lin;
    if (!access_lin(c, seg, off, size, true, &lin)) {
        return false;
    }
    if (!access_canonical(c, seg, lin, size)) {
        return false;
    }
    if (access_misaligned(c, lin, size, tlb_view(c))) {
        return cpu_fault_err(c, EXC_AC, 0);
    }
    return access_check_write(c, lin, size, tlb_view(c));
}

void access_watch_port(struct cpu *c, unsigned port, unsigned size)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned rw, len = access_dr_len(c->s.dr[7], i);
        if (access_dr_on(c->s.dr[7], i, &rw) && rw == 2) {
            uint64_t a = c->s.dr[i] & ~(uint64_t)(len - 1);
            if (port < a + len && a < port + size) {
                c->s.pending_dr6 |= (uint64_t)1 << i;
                c->exit_word |= EXIT_TRAP;
            }
        }
    }
}

/* ---- linear ---- */

/* Long mode: a table near the end of the lower half may go on in the hole. */
static bool access_lin_ok(struct cpu *c, uint64_t *lin, unsigned size)
{
    if (!(c->mode & MODE_LONG)) {
        *lin &= 0xffffffff;
    } else if (!addr_canonical(*lin) || !addr_canonical(*lin + size - 1)) {
        return cpu_fault_why(c, EXC_GP, 0, WHY_OTHER, *lin);
    }
    return true;
}

bool lin_read(struct cpu *c, uint64_t lin, unsigned size, bool user, uint64_t *v)
{
    uint8_t buf[8];
    unsigned view = user ? TLB_USER : TLB_SUPER;
    if (!access_lin_ok(c, &lin, size)) {
        return false;
    }
    const uint8_t *p = access_fast(c, c->tlb[view], lin, size, false);
    if (!p) {
        if (!access_slow_read(c, lin, buf, size, view, MMU_READ, false)) {
            return false;
        }
        p = buf;
    }
    *v = load_le(p, size);
    return true;
}

bool lin_write(struct cpu *c, uint64_t lin, unsigned size, bool user, uint64_t v)
{
    uint8_t buf[8];
    unsigned view = user ? TLB_USER : TLB_SUPER;
    if (!access_lin_ok(c, &lin, size)) {
        return false;
    }
    uint8_t *p = access_fast(c, c->tlb[view], lin, size, true);
    if (p) {
        store_le(p, v, size);
        return true;
    }
    store_le(buf, v, size);
    return access_slow_write(c, lin, buf, size, view, false);
}

bool lin_check_write(struct cpu *c, uint64_t lin, unsigned len, bool user)
{
    return access_lin_ok(c, &lin, len) &&
           access_check_write(c, lin, len, user ? TLB_USER : TLB_SUPER);
}
