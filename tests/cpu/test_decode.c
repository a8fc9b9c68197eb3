/* The decoder against capstone 4.0.2: every opcode of every map with every ModRM under several
 * prefixes, and 200,000 pseudo-random byte strings, in 16-, 32- and 64-bit code.  Compared are
 * length and mnemonic.  Where capstone is wrong or follows another processor, a row of `known` says
 * so with the reason (judge: SDM Vol. 2, and binutils' objdump).  Then: properties that hold for
 * every byte string, and operand details that a mnemonic does not show. */
#include <capstone/capstone.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* after the four above */
#include <cmocka.h>

#include "base/bits.h"
#include "cpu/cpuid.h"
#include "cpu/decode.h"
#include "cpu/state.h"

enum { M16 = 1, M32 = 2, M64 = 4, ALL = 7 };
enum { P66 = 1, PF3 = 2, PF2 = 4, P67 = 8, PREXW = 16, PLOCK = 32, PREX = 64, PANY = 0 };
/* the row holds only where capstone says the same with those prefixes and without */
enum { IGNORED = 1 };

/* Where the two differ, and why.  map: 0 one byte, 0x0f, 0x38, 0x3a; opcodes lo..hi; a ModRM
 * condition; all bits of `with` must be among the prefixes. */
static const struct known {
    uint8_t modes, with, map, lo, hi, mask, val, rule;
    const char *why;
} known[] = {
#include "tests/cpu/decode_known.h"
};
static unsigned known_hits[ARRAY_LEN(known)];

/* Capstone's mnemonic and ours; cc families by rule. */
static const struct alias {
    const char *cs, *op;
} aliases[] = {
#define A(cs, op) {#cs, #op},
    A(cwde, cbw) A(cdqe, cbw) A(cdq, cwd) A(cqo, cwd) A(sal, shl) A(pushal, pusha) A(pushaw, pusha)
    A(popal, popa) A(popaw, popa) A(pushfd, pushf) A(pushfq, pushf) A(popfd, popf) A(popfq, popf)
    A(iretd, iret) A(iretq, iret) A(retf, ret_far) A(retfq, ret_far) A(lcall, call_far)
    A(ljmp, jmp_far) A(xlatb, xlat) A(movabs, mov) A(jecxz, jcxz) A(jrcxz, jcxz)
    A(movsb, movs) A(movsw, movs) A(movsq, movs) A(cmpsb, cmps) A(cmpsw, cmps) A(cmpsq, cmps)
    A(stosb, stos) A(stosw, stos) A(stosd, stos) A(stosq, stos) A(lodsb, lods) A(lodsw, lods)
    A(lodsd, lods) A(lodsq, lods) A(scasb, scas) A(scasw, scas) A(scasd, scas) A(scasq, scas)
    A(insb, ins) A(insw, ins) A(insd, ins) A(outsb, outs) A(outsw, outs) A(outsd, outs)
    A(lds, lseg) A(les, lseg) A(lfs, lseg) A(lgs, lseg) A(lss, lseg) A(ud2, ud) A(ud2b, ud)
    A(ud0, ud) A(ud1, ud) A(icebp, int1) A(wait, fwait) A(prefetchnta, prefetch)
    A(prefetcht0, prefetch) A(prefetcht1, prefetch) A(prefetcht2, prefetch)
    A(prefetchw, prefetch) A(fxsave64, fxsave) A(fxrstor64, fxrstor) 
    A(sysexitq, sysexit) A(sysretq, sysret) A(fcompi, fcomip)
    A(fucompi, fucomip) A(fdisi8087_nop, fdisi) A(feni8087_nop, feni) A(loopz, loope)
    A(loopnz, loopne) A(clflushopt, clflush) A(fstpnce, fstp) A(int3, int3)
    A(endbr32, nop) A(endbr64, nop) A(clwb, clflush) A(xsave64, xsave) A(xrstor64, xrstor)
    A(xsaveopt64, xsaveopt) A(xsavec64, xsavec) A(pinsrq, pinsrd) A(pextrq, pextrd)
#undef A
};

static bool starts(const char *s, const char *p)
{
    return strncmp(s, p, strlen(p)) == 0;
}

/* Capstone prints prefixes as words in front. */
static const char *skip_prefix_words(const char *cs)
{
    static const char *const prefixes[] = {"lock ", "repne ", "repe ", "rep ", "xacquire ",
                                           "xrelease ", "notrack ", "bnd "};
    for (unsigned i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (starts(cs, prefixes[i])) {
            cs += strlen(prefixes[i]);
            i = (unsigned)-1;
        }
    }
    return cs;
}

static bool mnemonic_same(const char *cs, const struct insn *in)
{
    const char *op = op_name(in->op);
    cs = skip_prefix_words(cs);
    if ((in->flags & INSN_VEX) && cs[0] == 'v' && op[0] != 'v') {
        cs++;
    }
    if (strcmp(cs, op) == 0) {
        return true;
    }
    for (unsigned i = 0; i < ARRAY_LEN(aliases); i++) {
        if (strcmp(cs, aliases[i].cs) == 0 && strcmp(op, aliases[i].op) == 0) {
            return true;
        }
    }
    switch (in->op) {
    case OP_jcc: return cs[0] == 'j' && strcmp(cs, "jmp") != 0;
    case OP_setcc: return starts(cs, "set");
    case OP_cmovcc: return starts(cs, "cmov");
    case OP_movs: return strcmp(cs, "movsd") == 0;
    case OP_cmps: return strcmp(cs, "cmpsd") == 0;
    case OP_movsd_x: return strcmp(cs, "movsd") == 0;
    case OP_cmpsd_x: return starts(cs, "cmp") && strstr(cs, "sd") != NULL;
    case OP_cmpps: return starts(cs, "cmp") && strstr(cs, "ps") != NULL;
    case OP_cmppd: return starts(cs, "cmp") && strstr(cs, "pd") != NULL;
    case OP_cmpss: return starts(cs, "cmp") && strstr(cs, "ss") != NULL;
    case OP_mov_cr: case OP_mov_from_cr: case OP_mov_dr: case OP_mov_from_dr:
    case OP_mov_seg: case OP_mov_from_seg: return strcmp(cs, "mov") == 0;
    case OP_push_seg: return strcmp(cs, "push") == 0;
    case OP_pop_seg: return strcmp(cs, "pop") == 0;
    case OP_imul1: return strcmp(cs, "imul") == 0;
    case OP_movd: return strcmp(cs, "movq") == 0;
    case OP_xchg: return strcmp(cs, "nop") == 0;
    default: return false;
    }
}

/* Is capstone's mnemonic one of our operations (so that OP_ud is a disagreement)?  Else it is an
 * extension that comes later, and only its length counts. */
static bool is_ours(const char *cs)
{
    struct insn in = {0};
    for (unsigned op = 1; op < OP_COUNT; op++) {
        in.op = (uint16_t)op;
        if (mnemonic_same(cs, &in)) {
            return true;
        }
    }
    return false;
}

struct shape {
    unsigned with, map, opcode, modrm, at; /* at: offset of the opcode's last byte */
};
static struct shape shape_of(const uint8_t *b, unsigned n, unsigned mode)
{
    struct shape s = {0};
    unsigned i = 0;
    for (; i < n; i++) {
        unsigned v = b[i];
        if (v == 0x66) {
            s.with |= P66;
        } else if (v == 0xf3) {
            s.with |= PF3;
        } else if (v == 0xf2) {
            s.with |= PF2;
        } else if (v == 0x67) {
            s.with |= P67;
        } else if (v == 0xf0) {
            s.with |= PLOCK;
        } else if (mode == DECODE_64 && (v & 0xf0) == 0x40) {
            s.with |= PREX | (v & 8 ? PREXW : 0);
        } else if (v != 0x26 && v != 0x2e && v != 0x36 && v != 0x3e && v != 0x64 && v != 0x65) {
            break;
        }
    }
    if (i < n && b[i] == 0x0f && i + 1 < n) {
        s.map = 0x0f;
        i++;
        if ((b[i] == 0x38 || b[i] == 0x3a) && i + 1 < n) {
            s.map = b[i++];
        }
    }
    if (i < n) {
        s.opcode = b[i];
    }
    s.at = i;
    s.modrm = i + 1 < n ? b[i + 1] : 0;
    return s;
}

struct judge {
    csh cs[3];
    cs_insn *slot;
    unsigned long compared, excused, failed;
    bool list; /* VITRINE_DECODE_LIST: print every kind of disagreement */
    unsigned listed;
};

/* Does capstone call b the same when some of 66, F2, F3 are taken away?  said: its mnemonic, ""
 * when it says undefined. */
static bool prefix_ignored(struct judge *j, const uint8_t *b, unsigned n, unsigned mode,
                           const char *said)
{
    struct shape s = shape_of(b, n, mode);
    unsigned opcode = s.at - (s.map != 0 ? 1 : 0);
    for (unsigned which = 1; which < 4; which++) {
        uint8_t t[32];
        const uint8_t *p = t;
        uint64_t addr = 0x1000;
        size_t m = 0;
        for (unsigned i = 0; i < n; i++) {
            bool drop = i < opcode && (b[i] == 0xf0 || ((which & 1) && b[i] == 0x66) ||
                                       ((which & 2) && (b[i] == 0xf2 || b[i] == 0xf3)));
            if (!drop) {
                t[m++] = b[i];
            }
        }
        if (m == n) {
            continue;
        }
        bool cs = cs_disasm_iter(j->cs[mode], &p, &m, &addr, j->slot);
        const char *now = cs ? skip_prefix_words(j->slot->mnemonic) : "";
        if (strcmp(skip_prefix_words(said), now) == 0) {
            return true;
        }
    }
    return false;
}

static bool excused(struct judge *j, const uint8_t *b, unsigned n, unsigned mode, const char *said)
{
    struct shape s = shape_of(b, n, mode);
    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        const struct known *k = &known[i];
        if ((k->modes >> mode & 1) && (s.with & k->with) == k->with && s.map == k->map &&
            s.opcode >= k->lo && s.opcode <= k->hi && (s.modrm & k->mask) == k->val &&
            (k->rule != IGNORED || prefix_ignored(j, b, n, mode, said))) {
            known_hits[i]++;
            return true;
        }
    }
    return false;
}

static void judge_one(struct judge *j, const uint8_t *b, unsigned n, unsigned mode)
{
    struct insn in;
    const uint8_t *p = b;
    size_t left = n;
    uint64_t addr = 0x1000;
    const char *what = NULL;
    enum decode_result r = decode(b, n, (enum decode_mode)mode, NULL, &in);
    bool cs = cs_disasm_iter(j->cs[mode], &p, &left, &addr, j->slot);

    j->compared++;
    if (r == DECODE_TOO_LONG || r == DECODE_MORE) {
        what = cs ? "we say too long" : NULL;
    } else if (in.op == OP_ud) {
        if (!cs) {
            return;
        }
        struct shape s = shape_of(b, n, mode);
        if (s.with & PLOCK) {
            /* capstone takes LOCK anywhere: judge the rest without it */
            uint8_t t[32];
            unsigned m = 0, locks = 0;
            for (unsigned i = 0; i < n; i++) {
                if (i < s.at && b[i] == 0xf0) {
                    locks++;
                } else {
                    t[m++] = b[i];
                }
            }
            if (decode(t, m, (enum decode_mode)mode, NULL, &in) == DECODE_OK) {
                in.len = (uint8_t)(in.len + locks);
            }
        }
        if (in.len != j->slot->size) {
            what = "length";
        } else if (in.op == OP_ud ? is_ours(j->slot->mnemonic) &&
                                        strcmp(j->slot->mnemonic, "ud2") != 0
                                  : !mnemonic_same(j->slot->mnemonic, &in)) {
            what = "we say undefined";
        }
    } else if (!cs) {
        what = "capstone says undefined";
    } else if (in.len != j->slot->size) {
        what = "length";
    } else if (!mnemonic_same(j->slot->mnemonic, &in)) {
        what = "mnemonic";
    }
    if (what == NULL) {
        return;
    }
    char said[32];
    unsigned said_len = cs ? j->slot->size : 0;
    snprintf(said, sizeof said, "%s", cs ? j->slot->mnemonic : "");
    if (excused(j, b, n, mode, said)) {
        j->excused++;
        return;
    }
    j->failed++;
    if (j->failed <= 20 || j->list) {
        struct shape s = shape_of(b, n, mode);
        printf("%s: %u-bit, with %02x map %02x opcode %02x modrm %02x: we %s/%u, capstone %s/%u:",
               what, 16u << mode, s.with, s.map, s.opcode, s.modrm, op_name(in.op), in.len,
               said, said_len);
        for (unsigned i = 0; i < n && i < 15; i++) {
            printf(" %02x", b[i]);
        }
        printf("\n");
    }
}

static void judge_open(struct judge *j)
{
    static const cs_mode modes[] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};
    memset(j, 0, sizeof *j);
    for (unsigned m = 0; m < 3; m++) {
        assert_int_equal(cs_open(CS_ARCH_X86, modes[m], &j->cs[m]), CS_ERR_OK);
    }
    j->slot = cs_malloc(j->cs[0]);
    j->list = getenv("VITRINE_DECODE_LIST") != NULL;
}

static void judge_close(struct judge *j)
{
    printf("%lu compared, %lu known differences, %lu disagreements\n", j->compared, j->excused,
           j->failed);
    cs_free(j->slot, 1);
    for (unsigned m = 0; m < 3; m++) {
        cs_close(&j->cs[m]);
    }
    assert_int_equal(j->failed, 0);
}

static void test_walk(void **state)
{
    static const struct {
        uint8_t modes, len, b[3];
    } prefixes[] = {{ALL, 0, {0}},          {ALL, 1, {0x66}},       {ALL, 1, {0xf3}},
                    {ALL, 1, {0xf2}},       {ALL, 1, {0x67}},       {M64, 1, {0x48}},
                    {M64, 1, {0x45}},       {M64, 2, {0x66, 0x4f}}, {M16 | M32, 2, {0x67, 0x66}},
                    {ALL, 2, {0x66, 0xf2}}, {M32, 1, {0xf0}}};
    static const uint8_t sibs[] = {0x24, 0x8d, 0x65};
    struct judge j;
    (void)state;
    judge_open(&j);
    for (unsigned mode = 0; mode < 3; mode++) {
        for (unsigned p = 0; p < ARRAY_LEN(prefixes); p++) {
            if (!(prefixes[p].modes >> mode & 1)) {
                continue;
            }
            for (unsigned map = 0; map < 4; map++) {
                for (unsigned op = 0; op < 256; op++) {
                    for (unsigned modrm = 0; modrm < 256; modrm += map >= 2 ? 13 : 1) {
                        bool sib = (modrm & 7) == 4 && modrm < 0xc0;
                        for (unsigned s = 0; s < (sib ? ARRAY_LEN(sibs) : 1); s++) {
                            uint8_t b[24] = {0};
                            unsigned n = prefixes[p].len;
                            memcpy(b, prefixes[p].b, n);
                            if (map != 0) {
                                b[n++] = 0x0f;
                            }
                            if (map >= 2) {
                                b[n++] = map == 2 ? 0x38 : 0x3a;
                            }
                            b[n++] = (uint8_t)op;
                            b[n++] = (uint8_t)modrm;
                            b[n++] = sibs[s];
                            for (unsigned i = n; i < sizeof b; i++) {
                                b[i] = (uint8_t)(0x11 * (i - n + 1));
                            }
                            judge_one(&j, b, 15, mode);
                        }
                    }
                }
            }
        }
    }
    judge_close(&j);
}

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void random_bytes(uint64_t *seed, uint8_t *b, unsigned n)
{
    static const uint8_t often[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e,
                                    0x64, 0x48, 0x41, 0x4c, 0x0f};
    unsigned i = 0, np = next_random(seed) % 4;
    for (; i < np; i++) {
        b[i] = often[next_random(seed) % ARRAY_LEN(often)];
    }
    for (; i < n; i++) {
        b[i] = (uint8_t)(next_random(seed) >> 24);
    }
}

static void test_random(void **state)
{
    struct judge j;
    uint64_t seed = 0x5eed0001;
    (void)state;
    judge_open(&j);
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t b[15];
        random_bytes(&seed, b, sizeof b);
        judge_one(&j, b, sizeof b, i % 3);
    }
    judge_close(&j);
}

/* A row that excuses nothing any more is to be removed. */
static void test_known_rows_are_needed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        if (known_hits[i] == 0) {
            printf("unused row %u: map %02x opcode %02x: %s\n", i, known[i].map, known[i].lo,
                   known[i].why);
        }
        assert_true(known_hits[i] > 0);
    }
}

/* Cut anywhere: MORE; whole: the same answer with and without bytes behind; result well formed. */
static void test_properties(void **state)
{
    uint64_t seed = 0x5eed0002;
    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t b[64];
        struct insn in, again;
        unsigned mode = i % 3;
        random_bytes(&seed, b, sizeof b);
        enum decode_result r = decode(b, 64, (enum decode_mode)mode, NULL, &in);
        assert_int_equal(decode(b, 15, (enum decode_mode)mode, NULL, &again), r);
        if (r == DECODE_TOO_LONG) {
            assert_int_equal(decode(b, 14, (enum decode_mode)mode, NULL, &again), DECODE_MORE);
            continue;
        }
        assert_int_equal(r, DECODE_OK);
        assert_memory_equal(&in, &again, sizeof in);
        assert_in_range(in.len, 1, 15);
        assert_true(in.op < OP_COUNT);
        assert_true(in.osize == 2 || in.osize == 4 || in.osize == 8);
        assert_true(in.asize == 2 || in.asize == 4 || in.asize == 8);
        assert_true(in.seg < SEG_COUNT && in.scale <= 3 && in.cc < 16);
        assert_true(in.base < 16 || in.base == INSN_NOREG || in.base == INSN_RIP);
        assert_true(in.index < 16 || in.index == INSN_NOREG);
        for (unsigned k = 0; k < 4; k++) {
            unsigned limit = in.o[k].kind == OPND_GPR || in.o[k].kind == OPND_XMM ? 16 :
                             in.o[k].kind == OPND_GPR8H ? 4 : in.o[k].kind == OPND_SEG ? 6 :
                             in.o[k].kind == OPND_CR ? 9 : 8;
            assert_true(in.o[k].kind <= OPND_FAR && in.o[k].reg < limit);
            assert_true(mode == DECODE_64 || in.o[k].reg < 8);
        }
        for (unsigned cut = 0; cut < in.len; cut++) {
            assert_int_equal(decode(b, cut, (enum decode_mode)mode, NULL, &again), DECODE_MORE);
        }
        assert_int_equal(decode(b, in.len, (enum decode_mode)mode, NULL, &again), DECODE_OK);
        assert_memory_equal(&in, &again, sizeof in);
    }
}

static struct insn get(enum decode_mode mode, const char *hex, const struct cpu_features *f)
{
    uint8_t b[32];
    unsigned n = 0;
    struct insn in;
    for (const char *p = hex; *p != 0; p += p[2] == ' ' ? 3 : 2) {
        b[n++] = (uint8_t)strtoul((char[3]){p[0], p[1], 0}, NULL, 16);
    }
    enum decode_result r = decode(b, n, mode, f, &in);
    assert_int_equal(r, DECODE_OK);
    assert_int_equal(in.len, n);
    return in;
}

static void assert_opnd(const struct insn *in, unsigned i, unsigned kind, unsigned reg,
                        unsigned size)
{
    assert_int_equal(in->o[i].kind, kind);
    assert_int_equal(in->o[i].reg, reg);
    assert_int_equal(in->o[i].size, size);
}

static void test_addressing(void **state)
{
    struct insn in;
    (void)state;
    in = get(DECODE_16, "8b 42 fe", NULL); /* mov ax, [bp+si-2] */
    assert_int_equal(in.base, REG_BP);
    assert_int_equal(in.index, REG_SI);
    assert_int_equal(in.seg, SEG_SS);
    assert_int_equal(in.disp, -2);
    in = get(DECODE_16, "8b 06 34 92", NULL); /* mov ax, [9234h] */
    assert_int_equal(in.base, INSN_NOREG);
    assert_int_equal(in.seg, SEG_DS);
    in = get(DECODE_32, "8b 44 24 08", NULL); /* mov eax, [esp+8] */
    assert_int_equal(in.base, REG_SP);
    assert_int_equal(in.index, INSN_NOREG);
    assert_int_equal(in.seg, SEG_SS);
    in = get(DECODE_32, "3e 8b 45 00", NULL); /* mov eax, ds:[ebp] */
    assert_int_equal(in.seg, SEG_DS);
    assert_true(in.flags & INSN_OSEG);
    in = get(DECODE_32, "8b 04 8d 44 33 22 11", NULL); /* mov eax, [ecx*4+11223344h] */
    assert_int_equal(in.base, INSN_NOREG);
    assert_int_equal(in.index, REG_CX);
    assert_int_equal(in.scale, 2);
    assert_int_equal(in.disp, 0x11223344);
    in = get(DECODE_64, "8b 05 00 00 00 80", NULL); /* mov eax, [rip-80000000h] */
    assert_int_equal(in.base, INSN_RIP);
    assert_int_equal(in.disp, -0x80000000ll);
    in = get(DECODE_64, "8b 04 25 00 00 00 80", NULL); /* mov eax, [ffffffff80000000h] */
    assert_int_equal(in.base, INSN_NOREG);
    in = get(DECODE_64, "43 8b 44 a5 00", NULL); /* mov eax, [r13+r12*4] */
    assert_int_equal(in.base, 13);
    assert_int_equal(in.index, 12);
    assert_int_equal(in.seg, SEG_DS);
    in = get(DECODE_64, "36 2e 8b 00", NULL); /* overrides but FS, GS are ignored */
    assert_int_equal(in.seg, SEG_DS);
    in = get(DECODE_64, "64 8b 00", NULL);
    assert_int_equal(in.seg, SEG_FS);
    in = get(DECODE_64, "48 a1 88 77 66 55 44 33 22 11", NULL); /* mov rax, moffs64 */
    assert_true(in.disp == 0x1122334455667788ll);
    in = get(DECODE_64, "48 66 b8 34 12", NULL); /* REX not in front of the opcode: no effect */
    assert_opnd(&in, 0, OPND_GPR, REG_AX, 2);
}

static void test_operands(void **state)
{
    struct insn in;
    (void)state;
    in = get(DECODE_32, "83 c0 ff", NULL); /* add eax, -1 */
    assert_true(in.imm == 0xffffffff);
    assert_opnd(&in, 1, OPND_IMM, 0, 4);
    in = get(DECODE_64, "48 05 00 00 00 80", NULL); /* add rax, -80000000h */
    assert_true(in.imm == 0xffffffff80000000ull);
    in = get(DECODE_16, "6a 80", NULL); /* push -128 */
    assert_true(in.imm == 0xff80);
    in = get(DECODE_32, "b4 80", NULL); /* mov ah, 80h */
    assert_opnd(&in, 0, OPND_GPR8H, 0, 1);
    in = get(DECODE_64, "40 b4 80", NULL); /* mov spl, 80h */
    assert_opnd(&in, 0, OPND_GPR, REG_SP, 1);
    in = get(DECODE_64, "41 50", NULL); /* push r8 */
    assert_opnd(&in, 0, OPND_GPR, 8, 8);
    assert_int_equal(in.osize, 8);
    in = get(DECODE_64, "66 e8 11 22 33 44", NULL); /* Intel: 66 does nothing here */
    assert_opnd(&in, 0, OPND_REL, 0, 8);
    in = get(DECODE_16, "66 e9 fe ff ff ff", NULL);
    assert_true((int64_t)in.imm == -2);
    in = get(DECODE_32, "d3 e0", NULL); /* shl eax, cl */
    assert_opnd(&in, 1, OPND_GPR, REG_CX, 1);
    in = get(DECODE_32, "d1 e0", NULL);
    assert_opnd(&in, 1, OPND_IMM, 0, 1);
    assert_true(in.imm == 1);
    in = get(DECODE_32, "c8 34 12 1f", NULL); /* enter 1234h, 31 */
    assert_true(in.imm == 0x1234);
    assert_int_equal(in.imm2, 31);
    in = get(DECODE_16, "9a 78 56 34 12", NULL);
    assert_opnd(&in, 0, OPND_FAR, 0, 2);
    assert_true(in.imm == 0x5678);
    assert_int_equal(in.imm2, 0x1234);
    in = get(DECODE_32, "8c d8", NULL); /* mov eax, ds */
    assert_opnd(&in, 0, OPND_GPR, REG_AX, 4);
    in = get(DECODE_32, "8c 18", NULL);
    assert_opnd(&in, 0, OPND_MEM, 0, 2);
    in = get(DECODE_32, "e4 80", NULL); /* in al, 80h */
    assert_opnd(&in, 1, OPND_IMM, 0, 1);
    assert_true(in.imm == 0x80);
    in = get(DECODE_64, "48 ef", NULL); /* out dx, eax: never 64 bits */
    assert_opnd(&in, 0, OPND_GPR, REG_DX, 2);
    assert_opnd(&in, 1, OPND_GPR, REG_AX, 4);
    in = get(DECODE_32, "26 f3 a5", NULL); /* rep movsd es:[esi] */
    assert_int_equal(in.seg, SEG_ES);
    assert_opnd(&in, 0, OPND_MEM, 0, 4);
    assert_true(in.flags & INSN_REP);
    in = get(DECODE_32, "26 ab", NULL);
    assert_int_equal(in.seg, SEG_ES);
    in = get(DECODE_32, "f2 a6", NULL);
    assert_true((in.flags & INSN_REPNE) && !(in.flags & INSN_REP));
    in = get(DECODE_32, "0f 85 00 00 00 00", NULL);
    assert_int_equal(in.cc, 5);
    assert_true(in.flags & INSN_ENDS);
    in = get(DECODE_32, "c4 38", NULL); /* les edi, [eax] */
    assert_opnd(&in, 0, OPND_GPR, REG_DI, 4);
    assert_opnd(&in, 1, OPND_MEM, 0, 4);
    assert_opnd(&in, 2, OPND_SEG, SEG_ES, 2);
    in = get(DECODE_32, "dc e1", NULL); /* fsubr st(1), st */
    assert_int_equal(in.op, OP_fsubr);
    assert_opnd(&in, 0, OPND_ST, 1, 10);
    assert_opnd(&in, 1, OPND_ST, 0, 10);
    assert_true(in.imm == 0x4e1);
    in = get(DECODE_32, "f2 0f 2a 00", NULL); /* cvtsi2sd xmm0, [eax] */
    assert_opnd(&in, 0, OPND_XMM, 0, 8);
    assert_opnd(&in, 1, OPND_MEM, 0, 4);
    in = get(DECODE_64, "f2 4c 0f 2a c0", NULL); /* cvtsi2sd xmm8, rax */
    assert_opnd(&in, 0, OPND_XMM, 8, 8);
    assert_opnd(&in, 1, OPND_GPR, 0, 8);
    in = get(DECODE_32, "66 0f c4 00 03", NULL); /* pinsrw xmm0, word [eax], 3 */
    assert_opnd(&in, 1, OPND_MEM, 0, 2);
    assert_opnd(&in, 2, OPND_IMM, 0, 1);
    in = get(DECODE_32, "0f f7 ca", NULL); /* maskmovq mm1, mm2 to DS:EDI */
    assert_int_equal(in.base, REG_DI);
    in = get(DECODE_64, "44 0f 20 c0", NULL); /* mov rax, cr8 */
    assert_opnd(&in, 1, OPND_CR, 8, 8);
}

static void test_lock_and_features(void **state)
{
    static const char *const legal[] = {"f0 01 03", "f0 80 08 01", "f0 ff 03", "f0 f7 13",
                                        "f0 87 03", "f0 0f b1 0b", "f0 0f c1 0b", "f0 0f ba 28 01",
                                        "f0 0f c7 08", "f0 0f b3 03"};
    static const char *const illegal[] = {"f0 01 c3", "f0 39 03", "f0 03 03", "f0 8b 03", "f0 90",
                                          "f0 0f ba 20 01", "f0 0f a3 03", "f0 d1 23", "f0 85 03",
                                          "f0 ff 33"};
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(legal); i++) {
        struct insn in = get(DECODE_32, legal[i], NULL);
        assert_int_not_equal(in.op, OP_ud);
        assert_true(in.flags & INSN_LOCK);
    }
    for (unsigned i = 0; i < ARRAY_LEN(illegal); i++) {
        assert_int_equal(get(DECODE_32, illegal[i], NULL).op, OP_ud);
    }
    const struct {
        const char *hex, *first; /* the first model of the row that has it */
        unsigned op;
    } gates[] = {{"0f c8", "486", OP_bswap},         {"0f b1 0b", "486", OP_cmpxchg},
                 {"0f a2", "pentium", OP_cpuid},     {"0f 31", "pentium", OP_rdtsc},
                 {"0f 32", "pentium", OP_rdmsr},     {"0f c7 08", "pentium", OP_cmpxchg8b},
                 {"0f 40 c1", "pentium3", OP_cmovcc}, {"0f 58 c1", "pentium3", OP_addps},
                 {"0f fc c1", "pentium3", OP_paddb}, {"0f ae 00", "pentium3", OP_fxsave},
                 {"0f 34", "pentium3", OP_sysenter}, {"66 0f 58 c1", "vitrine32", OP_addpd},
                 {"0f ae 38", "vitrine32", OP_clflush}};
    static const char *const row[] = {"386", "486", "pentium", "pentium3", "vitrine32", "max"};
    for (unsigned g = 0; g < ARRAY_LEN(gates); g++) {
        bool has = false;
        for (unsigned m = 0; m < ARRAY_LEN(row); m++) {
            const struct cpu_model *model = cpuid_model(row[m]);
            assert_non_null(model);
            has |= strcmp(row[m], gates[g].first) == 0;
            assert_int_equal(get(DECODE_32, gates[g].hex, &model->feat).op,
                             has ? gates[g].op : OP_ud);
        }
    }
    assert_int_equal(get(DECODE_32, "0f 24 f0", &cpuid_model("486")->feat).op, OP_mov_tr);
    assert_int_equal(get(DECODE_32, "0f 24 f0", &cpuid_model("pentium")->feat).op, OP_ud);
}

/* Every operation can be reached from some encoding, or the table has a hole. */
static void test_every_op_is_mapped(void **state)
{
    bool seen[OP_COUNT] = {false};
    static const uint8_t prefix[] = {0x90, 0x66, 0xf3, 0xf2};
    struct insn in;
    (void)state;
    for (unsigned mode = 0; mode < 3; mode++) {
        for (unsigned p = 0; p < 4; p++) {
            for (unsigned map = 0; map < 2; map++) {
                for (unsigned v = 0; v < 65536; v++) {
                    uint8_t b[15] = {0}, *q = b;
                    if (p > 0) {
                        *q++ = prefix[p];
                    }
                    if (map) {
                        *q++ = 0x0f;
                    }
                    *q++ = (uint8_t)(v >> 8);
                    *q = (uint8_t)v;
                    if (decode(b, 15, (enum decode_mode)mode, NULL, &in) == DECODE_OK) {
                        seen[in.op] = true;
                    }
                }
            }
        }
    }
    for (unsigned op = OP_cmpxchg16b; op < OP_COUNT; op++) {
        seen[op] = true;
    }
    seen[OP_mov_tr] = true; /* in test_lock_and_features: not with every feature there */
    for (unsigned op = 0; op < OP_COUNT; op++) {
        if (!seen[op]) {
            printf("not mapped: %s\n", op_name(op));
        }
        assert_true(seen[op]);
    }
}

static void test_speed(void **state)
{
    enum { N = 1 << 20 };
    uint8_t *code = malloc(N + 16);
    uint64_t seed = 7, sum = 0;
    struct timespec a, b;
    struct insn in;
    unsigned count = 0;
    (void)state;
    for (unsigned i = 0; i < N + 16; i++) {
        code[i] = (uint8_t)(next_random(&seed) >> 24);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    for (unsigned i = 0; i < N; count++) {
        i += decode(code + i, N + 16 - i, DECODE_32, NULL, &in) == DECODE_OK ? in.len : 1;
        sum += in.op;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    double ns = ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / count;
    printf("%u instructions, %.1f ns each (%llu)\n", count, ns, (unsigned long long)sum);
    free(code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_known_rows_are_needed),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_addressing),
        cmocka_unit_test(test_operands),
        cmocka_unit_test(test_lock_and_features),
        cmocka_unit_test(test_every_op_is_mapped),
        cmocka_unit_test(test_speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
