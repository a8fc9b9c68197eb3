/* One instruction at a time: fetch, decode, execute, and all that belongs to an instruction
 * boundary. The slow way and the reference; blocks must leave the same state. SDM Vol. 3B, "Debug,
 * Branch Profile": instruction breakpoints, TF, RF. */
#include <string.h>

#include "base/log.h"
#include "cpu/interp/engine.h"

enum { DR6_BS = 1 << 14, DR6_B = 15 };

const struct ct_entry *interp_code(struct cpu *c, uint64_t lin)
{
    struct interp *e = c->engine;
    uint64_t page = lin & ~PAGE_MASK, phys;
    bool user = c->mode & MODE_USER;
    struct ct_entry *t = &e->ct[(lin >> PAGE_SHIFT) % CT_SIZE];
    if (t->valid && t->lin == page && t->epoch == c->tlb_epoch && t->user == user) {
        return t;
    }
    t->valid = false;
    if (!mmu_code_page(c, lin, &t->page, &phys)) {
        return NULL;
    }
    t->lin = page;
    t->epoch = c->tlb_epoch;
    t->user = user;
    /* bytes in MMIO are read anew each time: keep the physical page for that */
    if (!t->page.host_r) {
        t->page.ram = NULL;
        t->page.ram_off = phys & ~PAGE_MASK;
    }
    t->valid = true;
    return t;
}

/* Up to `want` bytes at lin, not beyond its page. */
static bool step_bytes(struct cpu *c, uint64_t lin, unsigned want, uint8_t *out, unsigned *got)
{
    const struct ct_entry *t = interp_code(c, lin);
    if (!t) {
        return false;
    }
    unsigned off = lin & PAGE_MASK, room = (unsigned)PAGE_SIZE - off;
    unsigned n = want < room ? want : room;
    if (t->page.host_r) {
        memcpy(out, t->page.host_r + off, n);
    } else {
        for (unsigned i = 0; i < n; i++) {
            out[i] = (uint8_t)bus_read(c->env.mem, t->page.ram_off + off + i, 1);
        }
    }
    *got = n;
    return true;
}

/* The instruction at s.rip.  *len: bytes fetched, for the hook.  false: fault recorded. */
static bool step_fetch(struct cpu *c, struct insn *in, uint8_t buf[INSN_MAX_LEN], unsigned *len)
{
    unsigned mode = c->mode & MODE_CODE64   ? DECODE_64
                    : c->mode & MODE_CODE32 ? DECODE_32
                                            : DECODE_16;
    unsigned limit = INSN_MAX_LEN, got;
    uint64_t lin = interp_lin(c, c->s.rip);
    *len = 0;
    if (!(c->mode & MODE_CODE64)) {
        uint64_t top = c->s.seg[SEG_CS].limit;
        if (c->s.rip > top) {
            return FAULT_GP0(c);
        }
        if (top - c->s.rip + 1 < limit) {
            limit = (unsigned)(top - c->s.rip + 1);
        }
    } else if ((uint64_t)bits_sext(c->s.rip, 48) != c->s.rip) {
        return FAULT_GP0(c);
    }
    if (!step_bytes(c, lin, limit, buf, &got)) {
        return false;
    }
    enum decode_result r = decode(buf, got, mode, &c->feat, in);
    if (r == DECODE_MORE && got < limit) {
        unsigned more;
        uint64_t next = lin + got;
        if (!(c->mode & MODE_CODE64)) {
            next = (uint32_t)next;
        }
        if (!step_bytes(c, next, limit - got, buf + got, &more)) {
            return false;
        }
        got += more;
        r = decode(buf, got, mode, &c->feat, in);
    }
    if (r != DECODE_OK) { /* longer than 15 bytes, or goes on behind the segment limit */
        *len = got;
        return FAULT_GP0(c);
    }
    *len = in->len;
    return true;
}

/* Instruction breakpoints that match here: DR7 enables, R/W = 00.  Bits as in DR6. */
static unsigned step_breakpoints(const struct cpu *c)
{
    uint64_t dr7 = c->s.dr[7], lin = interp_lin(c, c->s.rip);
    unsigned hit = 0;
    for (unsigned i = 0; i < 4; i++) {
        if ((dr7 >> (2 * i) & 3) && !(dr7 >> (16 + 4 * i) & 15) && c->s.dr[i] == lin) {
            hit |= 1u << i;
        }
    }
    return hit;
}

static bool step_exec(struct cpu *c, const struct insn *in)
{
    op_fn *fn = exec_table[in->op];
    if (!fn) {
        log_msg(LOG_UNIMP, "cpu", "%s is not implemented", op_name(in->op));
        return FAULT_UD(c);
    }
    return fn(c, in);
}

static bool step_enters_handler(unsigned op)
{
    return op == OP_int || op == OP_int3 || op == OP_into || op == OP_int1;
}

/* They look at the TF that they load (ops_syscall.c). */
static bool step_traps_itself(unsigned op)
{
    return op == OP_syscall || op == OP_sysret;
}

enum step interp_step(struct cpu *c)
{
    struct insn in;
    uint8_t buf[INSN_MAX_LEN];
    unsigned len = 0, hit;
    bool ok, had_rf = c->s.rflags & FL_RF, had_tf = c->s.rflags & FL_TF;
    uint64_t at = c->s.rip;
    ring_push(c->engine, interp_lin(c, at), 0, c->mode);
    if ((c->s.dr[7] & 0xff) && !had_rf && (hit = step_breakpoints(c)) != 0) {
        c->s.dr[6] = (c->s.dr[6] & ~(uint64_t)DR6_B) | hit;
        cpu_fault(c, EXC_DB);
        return STEP_FAULT;
    }
    ok = step_fetch(c, &in, buf, &len);
    if (c->hooks && c->hooks->before_insn) {
        flags_sync(c);
        if (!c->hooks->before_insn(c->hooks_ctx, &c->s, buf, len)) {
            c->fault.pending = false;
            return STEP_BREAK;
        }
    }
    if (!ok) {
        return STEP_FAULT;
    }
    c->next_rip = at + in.len;
    if (!(c->mode & MODE_CODE64)) {
        c->next_rip = (uint32_t)c->next_rip;
    }
    c->inhibit_next = 0;
    if (!step_exec(c, &in)) {
        return STEP_FAULT;
    }
    struct interp *e = c->engine;
    e->ring[(e->ring_pos - 1) % RING_SIZE].n = 1;
    c->retired++;
    c->s.inhibit = c->inhibit_next;
    c->inhibit_next = 0;
    bool again = c->next_rip == at && (in.flags & (INSN_REP | INSN_REPNE)); /* iterations left */
    c->s.rip = c->next_rip;
    if (had_rf && in.op != OP_iret && !again) {
        c->s.rflags &= ~(uint64_t)FL_RF;
    }
    if (had_tf && !step_traps_itself(in.op) &&
        !(step_enters_handler(in.op) && !(c->s.rflags & FL_TF))) {
        c->s.pending_dr6 |= DR6_BS;
        c->exit_word |= EXIT_TRAP;
    }
    return STEP_OK;
}
