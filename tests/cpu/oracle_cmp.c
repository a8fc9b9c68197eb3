/* Comparison of the host's end state with ours, what is excused (oracle_loose.h), and the report of
 * a difference. */
#include <stdio.h>
#include <string.h>

#include "cpu/core.h"
#include "tests/cpu/oracle.h"

/* What is not compared, or compared loosely, and why.  flags: EFLAGS bits; what: a set of W_*. */
enum {
    W_FLAGS = 1,  /* EFLAGS bits in `flags` */
    W_C1 = 2,     /* FSW.C1 */
    W_ULP = 4,    /* the last bits of ST */
    W_IMAGE = 8,  /* the last-instruction pointers in a stored FPU image */
    W_TOP = 16,   /* TOP (and so what is ST(0)) */
    W_APPROX = 32, /* XMM floats within 2^-11 */
    W_UPPER = 64, /* upper half of a pushed selector */
    W_GP = 128,   /* ours faults */
    W_XM_FPU = 256, /* x87 state when #XM was raised */
    W_HOST_FAULTS = 512, /* #GP, #SS or #PF on the host only */
    W_ORDER = 1024, /* several accesses: which of the faults, where in the page, what was written */
};
static const struct loose {
    uint16_t op, what;
    uint32_t flags;
    const char *why;
} loose[] = {
#include "tests/cpu/oracle_loose.h"
};

static const struct loose *find_loose(unsigned op, unsigned what)
{
    for (unsigned i = 0; i < ARRAY_LEN(loose); i++) {
        if (loose[i].op == op && (loose[i].what & what)) {
            return &loose[i];
        }
    }
    return NULL;
}

static bool f80_near(const uint8_t *a, const uint8_t *b)
{
    uint64_t ma = load_le64(a), mb = load_le64(b), d = ma > mb ? ma - mb : mb - ma;
    int ea = load_le16(a + 8), eb = load_le16(b + 8);
    if (ea == eb) {
        return d <= 16;
    }
    /* across a power of two */
    return (ea == eb + 1 && ma == (uint64_t)1 << 63 && ~mb <= 16) ||
           (eb == ea + 1 && mb == (uint64_t)1 << 63 && ~ma <= 16);
}

static bool f32_near(uint32_t a, uint32_t b)
{
    float x, y;
    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    if (((a | b) & 0x7fffffff) < 0x01000000) {
        return true; /* results that are denormal, or are flushed */
    }
    return a == b || (x / y > 1 - 1.0f / 2048 && x / y < 1 + 1.0f / 2048);
}

static bool is_access(int vector)
{
    return vector == EXC_SS || vector == EXC_GP || vector == EXC_PF || vector == EXC_AC;
}

static bool many_prefixes(const struct oracle_case *k)
{
    static const uint8_t prefix[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66,
                                     0x67, 0xf0, 0xf2, 0xf3, 0x41, 0x48};
    unsigned n = 0;
    while (n < 15 && memchr(prefix, k->code[n], sizeof prefix) != NULL) {
        n++;
    }
    return n >= 6;
}

static const char *compare_end(const struct oracle_case *k, const struct oracle_regs *a,
                               const struct oracle_end *ea, const struct oracle_regs *b,
                               const struct oracle_end *eb, bool exec)
{
    bool fa = oracle_faulted(k, a, ea), fb = oracle_faulted(k, b, eb);
    bool trap = ea->vector == 1 || ea->vector == 3 || ea->vector == 4;
    if (trap && !fa) { /* our IDT is empty: #GP with the gate's number */
        return (eb->vector == EXC_GP && (int)eb->error >> 3 == ea->vector) ||
                       eb->vector == ea->vector
                   ? NULL
                   : "trap";
    }
    if (exec && !fb) {
        return fa || a->rip != b->rip ? "vector or rip" : NULL;
    }
    if (ea->vector != eb->vector) {
        return "vector";
    }
    if (a->rip != b->rip) {
        return "rip";
    }
    uint32_t mask = ~0u;
    if (ea->vector == EXC_PF) {
        if (ea->cr2 != eb->cr2) {
            return "cr2";
        }
        /* of addresses above the user's half Linux always says that a page is there */
        mask = ea->cr2 >> 47 ? ~1u : ~0u;
    }
    return (ea->error ^ eb->error) & mask ? "error code" : NULL;
}

/* A gather that faulted: SDM says that elements still to come have a mask of all ones; AMD leaves
 * the mask as it was given.  Both as the former. */
static void widen_mask(const struct oracle_case *k, uint8_t *xs)
{
    unsigned size = k->in.o[1].size, reg = k->in.o[2].reg;
    for (unsigned i = 0; i < 32; i += size) {
        uint8_t *at = xs + (i < 16 ? 160 : 560) + 16 * reg + i;
        store_le(at, at[size - 1] & 0x80 ? ~(uint64_t)0 : 0, size);
    }
}

static const char *compare_fpu(const struct oracle_case *k, const struct oracle_end *ea,
                               const uint8_t *a, const uint8_t *b)
{
    unsigned op = k->in.op;
    if (load_le16(a) != load_le16(b)) {
        return "fcw";
    }
    bool xm = ea->vector == EXC_XM && find_loose(op, W_XM_FPU) != NULL;
    if (a[4] != b[4] && !xm) {
        return "ftag";
    }
    uint32_t ma = load_le32(a + 24), mb = load_le32(b + 24);
    /* With #XM raised by one element AMD leaves out masked flags of the others; SDM Vol. 1,
     * "Interaction of SIMD and x87 Floating-Point Exceptions": all are reported. */
    if (ea->vector == EXC_XM ? (ma | mb) != mb : ma != mb) {
        return "mxcsr";
    }
    uint16_t fsw = (load_le16(a + 2) ^ load_le16(b + 2)) & 0xffff;
    if (find_loose(op, W_C1) != NULL) {
        fsw &= ~0x200u;
    }
    if (find_loose(op, W_TOP) != NULL || xm) {
        fsw &= ~0x3800u;
    }
    if (fsw) {
        return "fsw";
    }
    bool ulp = find_loose(op, W_ULP) != NULL;
    for (unsigned i = 0; i < 8; i++) { /* by physical register */
        unsigned ia = (i - (load_le16(a + 2) >> 11)) & 7, ib = (i - (load_le16(b + 2) >> 11)) & 7;
        const uint8_t *x = a + 32 + 16 * ia, *y = b + 32 + 16 * ib;
        if (memcmp(x, y, 10) != 0 && !(ulp && f80_near(x, y))) {
            return "st";
        }
    }
    if (find_loose(op, W_APPROX) != NULL) {
        for (unsigned i = 0; i < 128; i++) {
            unsigned at = (i < 64 ? 160 : 320) + 4 * i;
            if (!f32_near(load_le32(a + at), load_le32(b + at))) {
                return "xmm";
            }
        }
        return NULL;
    }
    return memcmp(a + 160, b + 160, 256) != 0   ? "xmm"
           : memcmp(a + 576, b + 576, 256) != 0 ? "ymm upper half"
                                                : NULL;
}

const char *oracle_compare(const struct oracle_case *k, const struct oracle_regs *a,
                           const struct oracle_end *ea, const struct oracle_regs *b,
                           const struct oracle_end *eb, bool exec)
{
    const struct loose *l;
    bool fa = oracle_faulted(k, a, ea), fb = oracle_faulted(k, b, eb);
    if ((!fa && fb && eb->vector == EXC_GP && find_loose(k->in.op, W_GP) != NULL) ||
        (fa && !fb && is_access(ea->vector) && find_loose(k->in.op, W_HOST_FAULTS) != NULL)) {
        return NULL;
    }
    if (fa && fb && is_access(ea->vector) && is_access(eb->vector) &&
        find_loose(k->in.op, W_ORDER) != NULL) {
        return NULL;
    }
    /* a row of prefixes: is it too long or undefined? */
    if (fa && fb && k->in.op == OP_ud && many_prefixes(k) && ea->vector != eb->vector) {
        return (ea->vector == EXC_UD || ea->vector == EXC_GP) &&
                       (eb->vector == EXC_UD || eb->vector == EXC_GP)
                   ? NULL
                   : "vector";
    }
    const char *what = compare_end(k, a, ea, b, eb, exec);
    if (what != NULL) {
        return what;
    }
    uint32_t flags = ORACLE_FLAGS;
    if (!fa && (l = find_loose(k->in.op, W_FLAGS)) != NULL) {
        flags &= ~l->flags;
    }
    if ((a->rflags ^ b->rflags) & flags) {
        return "rflags";
    }
    for (unsigned r = 0; r < (k->mode == DECODE_64 ? 16u : 8u); r++) {
        /* out of 64-bit mode RSP is cut when the host's fault is delivered */
        bool cut = k->mode != DECODE_64 || (r == REG_SP && a->sel[SEG_CS] != ORACLE_CS64);
        if ((a->gpr[r] ^ b->gpr[r]) & (cut ? 0xffffffff : ~(uint64_t)0)) {
            return "registers";
        }
    }
    for (unsigned i = 0; i < 6; i++) { /* the kernel's IRET makes null selectors 0 */
        if (a->sel[i] != b->sel[i] && ((a->sel[i] | b->sel[i]) & 0xfffc) != 0) {
            return "selectors";
        }
    }
    if (a->fsbase != b->fsbase || a->gsbase != b->gsbase) {
        return "FS or GS base";
    }
    if (fa && fb && strstr(op_name(k->in.op), "gather") != NULL) {
        struct oracle_regs wa = *a, wb = *b;
        widen_mask(k, wa.xs);
        widen_mask(k, wb.xs);
        return compare_fpu(k, ea, wa.xs, wb.xs);
    }
    return compare_fpu(k, ea, a->xs, b->xs);
}

/* ---- report ---- */

static void show_hex(const char *what, const uint8_t *p, unsigned n)
{
    printf("  %s", what);
    for (unsigned i = 0; i < n; i++) {
        printf("%s%02x", i % 4 == 0 ? " " : "", p[n - 1 - i]);
    }
    printf("\n");
}

static bool names(const struct oracle_case *k, unsigned kind, unsigned reg)
{
    for (unsigned i = 0; i < 4; i++) {
        if (k->in.o[i].kind == kind && k->in.o[i].reg == reg) {
            return true;
        }
    }
    return false;
}

static void show_fpu(const struct oracle_case *k, const uint8_t *in, const uint8_t *a,
                     const uint8_t *b)
{
    printf("  fcw %04x fsw %04x ftag %02x mxcsr %04x -> fsw %04x %04x ftag %02x %02x mxcsr %04x "
           "%04x\n",
           load_le16(in), load_le16(in + 2), in[4], load_le32(in + 24), load_le16(a + 2),
           load_le16(b + 2), a[4], b[4], load_le32(a + 24), load_le32(b + 24));
    for (unsigned i = 0; i < 24; i++) {
        bool st = i < 8;
        unsigned r = st ? i : i - 8, at = st ? 32 + 16 * r : 160 + 16 * r, n = st ? 10 : 16;
        bool diff = memcmp(a + at, b + at, n) != 0;
        bool upper = !st && memcmp(a + 576 + 16 * r, b + 576 + 16 * r, 16) != 0;
        bool used = st ? names(k, OPND_ST, r) || names(k, OPND_MMX, r) ||
                             (k->in.op >= OP_fadd && k->in.op <= OP_fwait && r < 2)
                       : names(k, OPND_XMM, r);
        if (diff || upper || used) {
            printf("  %s%u", st ? "st" : "xmm", r);
            show_hex("before", in + at, n);
            show_hex("      host ", a + at, n);
            show_hex("      ours ", b + at, n);
            if (!st && (upper || (k->in.flags & INSN_VEX))) {
                show_hex("upper before", in + 576 + 16 * r, n);
                show_hex("        host", a + 576 + 16 * r, n);
                show_hex("        ours", b + 576 + 16 * r, n);
            }
        }
    }
}

void oracle_show(const struct oracle_case *k, const char *who, const char *what,
                 const struct oracle_regs *a, const struct oracle_end *ea,
                 const struct oracle_regs *b, const struct oracle_end *eb)
{
    static const unsigned bits[] = {16, 32, 64};
    printf("%s, %u-bit, of %s: %s differs; code", op_name(k->in.op), bits[k->mode], who, what);
    for (unsigned i = 0; i < k->len; i++) {
        printf(" %02x", k->code[i]);
    }
    printf("\n  end host %d/%x cr2 %llx, ours %d/%x cr2 %llx; rip %llx -> %llx %llx; "
           "rflags %llx -> %llx %llx\n",
           ea->vector, ea->error, (unsigned long long)ea->cr2, eb->vector, eb->error,
           (unsigned long long)eb->cr2, (unsigned long long)k->regs.rip,
           (unsigned long long)a->rip, (unsigned long long)b->rip,
           (unsigned long long)k->regs.rflags, (unsigned long long)a->rflags & ORACLE_FLAGS,
           (unsigned long long)b->rflags & ORACLE_FLAGS);
    for (unsigned r = 0; r < (k->mode == DECODE_64 ? 16u : 8u); r++) {
        printf("  r%u %llx", r, (unsigned long long)k->regs.gpr[r]);
        if (a->gpr[r] != k->regs.gpr[r] || b->gpr[r] != k->regs.gpr[r]) {
            printf(" -> %llx %llx%s", (unsigned long long)a->gpr[r],
                   (unsigned long long)b->gpr[r], a->gpr[r] != b->gpr[r] ? " !" : "");
        }
        printf("%s", r % 4 == 3 ? "\n" : "");
    }
    printf("  es cs ss ds fs gs");
    for (unsigned i = 0; i < 6; i++) {
        printf(" %x", k->regs.sel[i]);
        if (a->sel[i] != k->regs.sel[i] || b->sel[i] != k->regs.sel[i]) {
            printf("->%x,%x", a->sel[i], b->sel[i]);
        }
    }
    printf("; fs base %llx -> %llx %llx, gs base %llx -> %llx %llx\n",
           (unsigned long long)k->regs.fsbase, (unsigned long long)a->fsbase,
           (unsigned long long)b->fsbase, (unsigned long long)k->regs.gsbase,
           (unsigned long long)a->gsbase, (unsigned long long)b->gsbase);
    for (unsigned i = 0; i < k->pokes; i++) {
        printf("  poke data+%04x", k->poke[i].off);
        show_hex("", k->poke[i].bytes, k->poke[i].len);
    }
    if (k->in.op >= OP_fadd || memcmp(a->xs, b->xs, ORACLE_XSAVE) != 0) {
        show_fpu(k, k->regs.xs, a->xs, b->xs);
    }
}

/* ---- memory ---- */

static uint64_t data_offset(const struct oracle_case *k)
{
    struct oracle_desc d = {0, 0, 0};
    const struct insn *in = &k->in;
    uint64_t ea = (uint64_t)in->disp;
    ea += in->base < 16 ? k->regs.gpr[in->base] : 0;
    ea += in->base == INSN_RIP ? k->regs.rip + k->len : 0;
    ea += in->index < 16 ? k->regs.gpr[in->index] << in->scale : 0;
    ea &= bits_mask(in->asize * 8u);
    if (k->mode == DECODE_64) {
        ea += in->seg == SEG_FS ? k->regs.fsbase : in->seg == SEG_GS ? k->regs.gsbase : 0;
    } else {
        oracle_desc(k->regs.sel[in->seg], &d);
        ea = (uint32_t)(ea + d.base);
    }
    uint64_t off = ea - ORACLE_DATA;
    return off < ORACLE_DATA_SIZE ? off : ea - ORACLE_HIGH;
}

static void forgive(struct oracle_side *s, const uint8_t *host, uint64_t at, unsigned len)
{
    if (at < ORACLE_DATA_SIZE && at + len <= ORACLE_DATA_SIZE) {
        oracle_side_poke(s, (unsigned)at, host + at, len);
    }
}

bool oracle_order_loose(const struct oracle_case *k)
{
    return find_loose(k->in.op, W_ORDER) != NULL;
}

/* FIP, FDP, FOP: this host (AMD) gives them only while an exception waits; FXSAVE's reserved bytes.
 */
void oracle_forgive_memory(struct oracle_side *s, const struct oracle_case *k, const uint8_t *host,
                           const struct oracle_regs *out)
{
    static const struct {
        uint16_t op, at16, len16, at32, len32;
    } images[] = {{OP_fnstenv, 6, 8, 12, 16}, {OP_fnsave, 6, 8, 12, 16}, {OP_fxsave, 6, 18, 6, 18}};
    if (find_loose(k->in.op, W_UPPER) != NULL && k->in.osize > 2) {
        struct oracle_desc d = {0, 0, 0};
        uint64_t mask = ~(uint64_t)0;
        if (k->mode != DECODE_64) {
            oracle_desc(k->regs.sel[SEG_SS], &d);
            mask = d.attr & ATTR_DB ? 0xffffffff : 0xffff;
        }
        uint64_t sp = (out->gpr[REG_SP] & mask) + d.base, off = sp - ORACLE_DATA;
        forgive(s, host, (off < ORACLE_DATA_SIZE ? off : sp - ORACLE_HIGH) + 2, k->in.osize - 2);
    }
    uint64_t ea = data_offset(k);
    if (strncmp(op_name(k->in.op), "xsave", 5) == 0) {
        forgive(s, host, ea + 6, 18);
        forgive(s, host, ea + 28, 4);
        for (unsigned r = 0; r < 8; r++) {
            forgive(s, host, ea + 42 + 16 * r, 6);
        }
        forgive(s, host, ea + (k->mode == DECODE_64 ? 416 : 288), k->mode == DECODE_64 ? 96 : 224);
    }
    for (unsigned i = 0; i < ARRAY_LEN(images); i++) {
        if (images[i].op != k->in.op) {
            continue;
        }
        unsigned at = k->in.osize == 2 ? images[i].at16 : images[i].at32;
        forgive(s, host, ea + at, k->in.osize == 2 ? images[i].len16 : images[i].len32);
        if (k->in.op == OP_fxsave) {
            forgive(s, host, ea + 28, 4); /* MXCSR_MASK */
            for (unsigned r = 0; r < 8; r++) {
                forgive(s, host, ea + 42 + 16 * r, 6);
            }
            forgive(s, host, ea + (k->mode == DECODE_64 ? 416 : 288),
                    k->mode == DECODE_64 ? 96 : 224);
        }
    }
}
