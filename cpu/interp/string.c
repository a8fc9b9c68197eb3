/* REP string instructions: many iterations at once where nothing can go wrong, else one by one
 * through the generic executor.  Each iteration counts as an instruction; a budget, an event or a
 * fault finds the registers as they are between two iterations. In bulk: MOVS, STOS, LODS, CMPS,
 * SCAS forward, MOVS and STOS backward too, inside one page each. NOT IMPLEMENTED: INS and OUTS in
 * bulk. */
#include "cpu/interp/uop.h"

struct bulk {
    unsigned size;
    uint64_t mask; /* of SI, DI, CX */
    bool down;
    uint64_t n; /* iterations that fit */
};

/* How many elements at seg:off can be reached without leaving the page, the segment or the address
 * size; *p: the first one's host address.  0: none. */
static uint64_t bulk_span(const struct cpu *c, const struct bulk *b, unsigned seg, uint64_t off,
                          bool write, uint8_t **p)
{
    const struct seg_range *r = &c->range[seg];
    uint64_t lo = write ? r->wr_lo : r->rd_lo, hi = write ? r->wr_hi : r->rd_hi, n, lin;
    if (c->mode & MODE_CODE64) { /* an address that is not canonical has no entry below */
        lo = 0;
        hi = b->mask;
        lin = off + (seg >= SEG_FS ? c->s.seg[seg].base : 0);
    } else {
        lin = (uint32_t)(c->s.seg[seg].base + off);
    }
    if (off < lo || off > hi || hi - off < b->size - 1 || b->mask - off < b->size - 1) {
        return 0;
    }
    if (!lin_host(c, lin, b->size, write, p)) {
        return 0;
    }
    if (b->down) {
        uint64_t room = lin & PAGE_MASK;
        if (off - lo < room) {
            room = off - lo;
        }
        return room / b->size + 1;
    }
    n = PAGE_SIZE - (lin & PAGE_MASK);
    if (hi - off < n) {
        n = hi - off + 1;
    }
    if (b->mask - off < n) {
        n = b->mask - off + 1;
    }
    return n / b->size;
}

static void bulk_advance(struct cpu *c, const struct bulk *b, unsigned reg, uint64_t n)
{
    uint64_t v = c->s.gpr[reg];
    uint64_t d = b->down ? v - n * b->size : v + n * b->size;
    c->s.gpr[reg] = b->mask == 0xffff ? (v & ~(uint64_t)0xffff) | (d & 0xffff) : d & b->mask;
}

static void bulk_count(struct cpu *c, const struct bulk *b, uint64_t n)
{
    uint64_t v = c->s.gpr[REG_CX], d = v - n;
    c->s.gpr[REG_CX] = b->mask == 0xffff ? (v & ~(uint64_t)0xffff) | (d & 0xffff) : d & b->mask;
}

static void bulk_movs(uint8_t *d, const uint8_t *s, const struct bulk *b)
{
    uint64_t n = b->n, len = n * b->size;
    if (b->down) {
        for (uint64_t i = 0; i < n; i++) {
            store_le(d - i * b->size, load_le(s - i * b->size, b->size), b->size);
        }
    } else if (d + len <= s || s + len <= d) {
        memcpy(d, s, len);
    } else {
        /* overlapping: an element may read what an earlier one wrote */
        for (uint64_t i = 0; i < n; i++) {
            store_le(d + i * b->size, load_le(s + i * b->size, b->size), b->size);
        }
    }
}

static void bulk_stos(uint8_t *d, uint64_t v, const struct bulk *b)
{
    if (b->down) {
        d -= (b->n - 1) * b->size;
    }
    switch (b->size) {
    case 1: memset(d, (int)(v & 0xff), b->n); break;
    case 2:
        for (uint64_t i = 0; i < b->n; i++) {
            store_le16(d + i * 2, (uint16_t)v);
        }
        break;
    case 4:
        for (uint64_t i = 0; i < b->n; i++) {
            store_le32(d + i * 4, (uint32_t)v);
        }
        break;
    default:
        for (uint64_t i = 0; i < b->n; i++) {
            store_le64(d + i * 8, v);
        }
        break;
    }
}

/* Iterations done now, 0 if the next one needs the generic executor; *stop: a compare ended it. */
static uint64_t bulk_run(struct cpu *c, const struct insn *in, uint64_t budget, bool *stop)
{
    struct bulk b = {.size = in->o[0].size, .mask = bits_mask(in->asize * 8u),
                     .down = c->s.rflags & FL_DF};
    uint64_t n = c->s.gpr[REG_CX] & b.mask, span, a = 0, v = 0, i;
    bool until_equal = in->flags & INSN_REPNE;
    uint8_t *s = NULL, *d = NULL;
    if (n > budget) {
        n = budget;
    }
    if (!n || (b.down && in->op != OP_movs && in->op != OP_stos)) {
        return 0;
    }
    if (in->op == OP_movs || in->op == OP_lods || in->op == OP_cmps) {
        span = bulk_span(c, &b, in->seg, c->s.gpr[REG_SI] & b.mask, false, &s);
        n = span < n ? span : n;
    }
    if (n && in->op != OP_lods) {
        bool write = in->op == OP_movs || in->op == OP_stos;
        span = bulk_span(c, &b, SEG_ES, c->s.gpr[REG_DI] & b.mask, write, &d);
        n = span < n ? span : n;
    }
    if (!n) {
        return 0;
    }
    b.n = n;
    switch (in->op) {
    case OP_movs: bulk_movs(d, s, &b); break;
    case OP_stos: bulk_stos(d, c->s.gpr[REG_AX], &b); break;
    case OP_lods: reg_write(c, REG_AX, b.size, load_le(s + (n - 1) * b.size, b.size)); break;
    case OP_cmps:
    case OP_scas:
        a = reg_read(c, REG_AX, b.size);
        for (i = 0; i < n; i++) {
            v = load_le(d + i * b.size, b.size);
            if (in->op == OP_cmps) {
                a = load_le(s + i * b.size, b.size);
            }
            if ((a == v) == until_equal) {
                *stop = true;
                i++;
                break;
            }
        }
        b.n = n = i;
        alu_binary(c, ALU_CMP, a, v, b.size * 8, true);
        break;
    default: return 0;
    }
    if (s) {
        bulk_advance(c, &b, REG_SI, n);
    }
    if (d) {
        bulk_advance(c, &b, REG_DI, n);
    }
    bulk_count(c, &b, n);
    return n;
}

HANDLER(uop_rep)
{
    const struct block *b = uop_block(op);
    const struct binsn *bi = &b->insn[op->n];
    const struct insn *in = &bi->in;
    struct interp *e = c->engine;
    uint64_t start = c->s.rip, at = start + bi->off, next = at + in->len;
    if (!(b->mode & MODE_CODE64)) {
        next = (uint32_t)next;
    }
    c->retired--;
    c->s.rip = at;
    for (;;) {
        uint64_t limit = __atomic_load_n(&c->run_limit, __ATOMIC_RELAXED);
        if (c->retired >= limit) { /* the budget ends between iterations */
            e->ring[(e->ring_pos - 1) % RING_SIZE].n = op->n;
            LEAVE;
        }
        bool stop = false;
        uint64_t n = bulk_run(c, in, limit - c->retired, &stop);
        if (n) {
            c->retired += n;
            if (stop || !reg_read(c, REG_CX, in->asize)) {
                break;
            }
            continue;
        }
        c->next_rip = next;
        op_fn *fn = exec_table[in->op];
        if (UNLIKELY(!(fn ? fn(c, in) : FAULT_UD(c)))) {
            e->why = WHY_FAULT;
            e->ring[(e->ring_pos - 1) % RING_SIZE].n = op->n;
            LEAVE;
        }
        c->retired++;
        bool more = c->next_rip == at;
        if (UNLIKELY(c->exit_word)) {
            c->s.rip = c->next_rip;
            LEAVE;
        }
        if (!more) {
            break;
        }
    }
    c->s.rip = start;
    NEXT; /* the end of the block */
}
