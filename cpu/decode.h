/* Machine code to struct insn: prefixes, opcode maps, ModRM/SIB, displacement, immediate.
 * No execution, no memory access.  SDM Vol. 2A, "Instruction Format"; Vol. 2D, "Opcode Map".
 *
 * What comes out is canonical: operand kinds and sizes are resolved, segment overrides applied,
 * implicit operands of the string and stack instructions are left to the operation. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN_MAX_LEN 15

/* One entry an operation: the meaning, whatever its encoding or operand form. */
enum op_id {
#define OP(name) OP_##name,
#include "cpu/ops.def"
#undef OP
    OP_COUNT
};

enum opnd_kind {
    OPND_NONE,
    OPND_GPR,   /* reg 0..15, low `size` bytes */
    OPND_GPR8H, /* reg 0..3: AH CH DH BH */
    OPND_MEM,   /* seg:base+index*scale+disp, `size` bytes (0: none, as LEA, INVLPG, FXSAVE) */
    OPND_IMM,   /* insn.imm, already sign- or zero-extended to the operation's need */
    OPND_SEG,   /* SEG_* */
    OPND_CR,
    OPND_DR,
    OPND_ST,  /* ST(reg) */
    OPND_MMX, /* reg 0..7, 8 bytes (size: bytes used) */
    OPND_XMM, /* reg 0..15, size: bytes used (1, 2, 4, 8, 16; 32: the YMM register) */
    OPND_REL, /* branch target: insn.imm is the signed displacement from the next instruction */
    OPND_FAR  /* ptr16:16 or ptr16:32: insn.imm offset, insn.imm2 selector */
};

struct opnd {
    uint8_t kind, reg, size;
};

enum {
    INSN_LOCK = 1,
    INSN_REP = 2,    /* F3 */
    INSN_REPNE = 4,  /* F2 */
    INSN_MODRM = 8,  /* had a ModRM byte, in insn.modrm */
    INSN_ENDS = 16,  /* ends a basic block: branch, far, system, IF/mode changing */
    INSN_66 = 32,    /* operand-size prefix was there */
    INSN_OSEG = 64,  /* an explicit segment override was there */
    INSN_VEX = 128   /* VEX encoding: one source more, upper register bits become zero */
};
#define INSN_NOREG 0xff
#define INSN_RIP 0x10 /* base: RIP-relative (64-bit mode) */

struct insn {
    uint16_t op;     /* enum op_id; OP_ud for what does not decode or a missing feature */
    uint8_t len;     /* bytes, 1..15 */
    uint8_t flags;   /* INSN_* */
    uint8_t osize;   /* effective operand size in bytes: 2, 4, 8 */
    uint8_t asize;   /* effective address size in bytes: 2, 4, 8 */
    uint8_t cc;      /* Jcc, SETcc, CMOVcc: condition 0..15 (SDM Vol. 1, "Condition Codes") */
    uint8_t modrm;
    uint8_t seg;     /* effective segment of the memory operand (also of MOVS etc.'s source) */
    uint8_t base, index, scale; /* INSN_NOREG: none; scale is a shift count 0..3 */
    struct opnd o[4]; /* destination first, SDM order; OPND_NONE ends the list */
    uint16_t imm2;   /* ENTER's level, a far pointer's selector, EXTRQ-like second immediates */
    int64_t disp;    /* sign-extended; 64-bit for MOV moffs in 64-bit mode */
    uint64_t imm;
};

/* Instruction modes: what D/L bits say. */
enum decode_mode { DECODE_16, DECODE_32, DECODE_64 };

enum decode_result {
    DECODE_OK,      /* also for undefined opcodes: op == OP_ud, len = bytes consumed */
    DECODE_MORE,    /* the instruction goes on behind `avail` bytes (avail < 15) */
    DECODE_TOO_LONG /* more than 15 bytes: #GP(0) */
};

struct cpu_features; /* cpu/cpuid.h: a missing feature decodes as OP_ud; NULL: everything is there
                      */

enum decode_result decode(const uint8_t *bytes, size_t avail, enum decode_mode mode,
                          const struct cpu_features *feat, struct insn *out);
const char *op_name(unsigned op); /* "add"; never NULL */
