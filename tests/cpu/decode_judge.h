/* Our decoder and capstone on the same bytes: agreement, a known difference with its reason, or a
 * failure.  Included by one test program. */
#pragma once
#include <capstone/capstone.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after the four above */
#include <cmocka.h>

#include "base/bits.h"
#include "cpu/cpuid.h"
#include "cpu/decode.h"
#include "cpu/state.h"

enum { M16 = 1, M32 = 2, M64 = 4, ALL = 7 };
enum {
    PANY = 0, P66 = 1, PF3 = 2, PF2 = 4, P67 = 8, PREXW = 16, PLOCK = 32, PREX = 64, PL = 128
};
enum { VEX1 = 0xc1, VEX2 = 0xc2, VEX3 = 0xc3 }; /* maps by VEX: pp as P66.., W as PREXW, L as PL */
/* the row holds only where capstone says the same with those prefixes and without */
enum {
    IGNORED = 1, /* capstone takes 66, F2, F3, F0 for nothing */
    IGN_VVVV,    /* VEX: capstone does not look at vvvv, L, W: with 1111, the other L, */
    IGN_L,       /* the other W both agree */
    IGN_W,
    BEFORE_VEX,  /* capstone takes 66, F2, F3, F0 and REX in front of VEX */
    GATHER       /* capstone takes equal registers, and a memory operand without SIB */
};

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
        A(popal, popa) A(popaw, popa) A(pushfd, pushf) A(pushfq, pushf) A(popfd, popf)
            A(popfq, popf) A(iretd, iret) A(iretq, iret) A(retf, ret_far) A(retfq, ret_far)
                A(lcall, call_far) A(ljmp, jmp_far) A(xlatb, xlat) A(movabs, mov) A(jecxz, jcxz) A(
                    jrcxz, jcxz) A(movsb, movs) A(movsw, movs) A(movsq, movs) A(cmpsb, cmps)
                    A(cmpsw, cmps) A(cmpsq, cmps) A(stosb, stos) A(stosw, stos) A(stosd, stos) A(
                        stosq, stos) A(lodsb, lods) A(lodsw, lods) A(lodsd, lods) A(lodsq, lods)
                        A(scasb, scas) A(scasw, scas) A(scasd, scas) A(scasq, scas) A(insb, ins)
                            A(insw, ins) A(insd, ins) A(outsb, outs) A(outsw, outs) A(outsd, outs)
                                A(lds, lseg) A(les, lseg) A(lfs, lseg) A(lgs, lseg) A(lss, lseg) A(
                                    ud2, ud) A(ud2b, ud) A(ud0, ud) A(ud1, ud) A(icebp, int1)
                                    A(wait, fwait) A(prefetchnta, prefetch) A(prefetcht0, prefetch)
                                        A(prefetcht1, prefetch) A(prefetcht2, prefetch) A(
                                            prefetchw, prefetch) A(fxsave64, fxsave) A(fxrstor64,
                                                                                       fxrstor)
                                            A(sysexitq, sysexit) A(sysretq, sysret) A(
                                                fcompi,
                                                fcomip) A(fucompi, fucomip) A(fdisi8087_nop, fdisi)
                                                A(feni8087_nop, feni) A(loopz, loope)
                                                    A(loopnz, loopne) A(clflushopt, clflush)
                                                        A(fstpnce, fstp) A(int3, int3) A(
                                                            cvtpd2dqx, cvtpd2dq) A(cvttpd2dqx,
                                                                                   cvttpd2dq)
                                                            A(cvtpd2psx, cvtpd2ps) A(
                                                                endbr32, nop) A(endbr64, nop)
                                                                A(clwb, clflush) A(xsave64, xsave)
                                                                    A(xrstor64, xrstor)
                                                                        A(xsaveopt64, xsaveopt)
                                                                            A(xsavec64, xsavec)
                                                                                A(pinsrq, pinsrd) A(
                                                                                    pextrq, pextrd)
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

/* What capstone knows and we do not have, and why; must be OP_ud with the right length. */
static struct later {
    const char *names, *why; /* words; a * at the end: what begins so */
    bool seen;
} later[] = {
#include "tests/cpu/decode_later.h"
};

static struct later *later_class(const char *cs)
{
    cs = skip_prefix_words(cs);
    for (unsigned i = 0; i < ARRAY_LEN(later); i++) {
        for (const char *w = later[i].names; *w != 0; w += strspn(w, " ")) {
            size_t len = strcspn(w, " ");
            bool open = w[len - 1] == '*';
            if (strncmp(cs, w, open ? len - 1 : len) == 0 && (open || cs[len] == 0)) {
                return &later[i];
            }
            w += len;
        }
    }
    return NULL;
}

struct shape {
    unsigned with, map, opcode, modrm, at; /* at: offset of the opcode's last byte */
    unsigned vex;                          /* offset of C4 or C5, 0xff: none */
};
static struct shape shape_of(const uint8_t *b, unsigned n, unsigned mode)
{
    struct shape s = {.vex = 0xff};
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
    if (i + 3 < n && (b[i] == 0xc4 || b[i] == 0xc5) && (mode == DECODE_64 || b[i + 1] >= 0xc0)) {
        static const uint8_t pp[4] = {0, P66, PF3, PF2};
        bool three = b[i] == 0xc4;
        unsigned last = b[i + (three ? 2 : 1)];
        s.vex = i;
        s.map = three ? 0xc0u + (b[i + 1] & 0x1f) : VEX1;
        s.with |= pp[last & 3] | (last & 4 ? PL : 0) | (three && (last & 0x80) ? PREXW : 0);
        i += three ? 3 : 2;
    } else if (i < n && b[i] == 0x0f && i + 1 < n) {
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

/* VEX: do both agree once vvvv is 1111, or L or W the other? */
static bool vex_field_ignored(struct judge *j, const uint8_t *b, unsigned n, unsigned mode,
                              unsigned rule, const char *said)
{
    struct shape s = shape_of(b, n, mode);
    uint8_t t[32];
    const uint8_t *p = t;
    uint64_t addr = 0x1000;
    size_t m = n;
    struct insn in;
    if (s.vex == 0xff) {
        return false;
    }
    memcpy(t, b, n);
    uint8_t *last = &t[s.at - 1];
    if (rule == IGN_VVVV) {
        *last |= 0x78;
    } else if (rule == IGN_L) {
        *last ^= 4;
    } else if (t[s.vex] == 0xc4) {
        *last ^= 0x80;
    }
    return memcmp(t, b, n) != 0 && decode(t, n, (enum decode_mode)mode, NULL, &in) == DECODE_OK &&
           cs_disasm_iter(j->cs[mode], &p, &m, &addr, j->slot) && in.len == j->slot->size &&
           strcmp(skip_prefix_words(said), skip_prefix_words(j->slot->mnemonic)) == 0 &&
           mnemonic_same(j->slot->mnemonic, &in);
}

static bool before_vex(const uint8_t *b, unsigned n, unsigned mode)
{
    struct shape s = shape_of(b, n, mode);
    bool bad = mode == DECODE_64 && s.vex != 0xff && s.vex > 0 && (b[s.vex - 1] & 0xf0) == 0x40;
    for (unsigned i = 0; s.vex != 0xff && i < s.vex; i++) {
        bad |= b[i] == 0x66 || b[i] == 0xf2 || b[i] == 0xf3 || b[i] == 0xf0;
    }
    return bad;
}

static bool bad_gather(const uint8_t *b, unsigned n, unsigned mode)
{
    struct shape s = shape_of(b, n, mode);
    bool addr16 = mode == DECODE_16 ? !(s.with & P67) : mode == DECODE_32 && (s.with & P67);
    if ((s.modrm & 7) != 4 || s.modrm >= 0xc0 || addr16) {
        return true;
    }
    unsigned inv = b[s.vex + 1], regs = mode == DECODE_64 ? 15 : 7, sib = b[s.at + 2];
    unsigned mask = ~(unsigned)b[s.at - 1] >> 3 & regs;
    unsigned reg = ((s.modrm >> 3 & 7) | (~inv >> 4 & 8)) & regs;
    unsigned index = ((sib >> 3 & 7) | (~inv >> 3 & 8)) & regs;
    return mask == reg || mask == index || reg == index;
}

static bool rule_holds(struct judge *j, unsigned rule, const uint8_t *b, unsigned n, unsigned mode,
                       const char *said)
{
    switch (rule) {
    case 0: return true;
    case IGNORED: return prefix_ignored(j, b, n, mode, said);
    case BEFORE_VEX: return before_vex(b, n, mode);
    case GATHER: return bad_gather(b, n, mode);
    default: return vex_field_ignored(j, b, n, mode, rule, said);
    }
}

static bool excused(struct judge *j, const uint8_t *b, unsigned n, unsigned mode, const char *said)
{
    struct shape s = shape_of(b, n, mode);
    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        const struct known *k = &known[i];
        if ((k->modes >> mode & 1) && (s.with & k->with) == k->with && s.map == k->map &&
            s.opcode >= k->lo && s.opcode <= k->hi && (s.modrm & k->mask) == k->val &&
            rule_holds(j, k->rule, b, n, mode, said)) {
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
        struct later *class = in.op == OP_ud ? later_class(j->slot->mnemonic) : NULL;
        if (class != NULL) {
            class->seen = true;
        }
        if (in.op == OP_ud ? class == NULL : !mnemonic_same(j->slot->mnemonic, &in)) {
            what = "we say undefined";
        } else if (in.len != j->slot->size) {
            what = "length";
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

