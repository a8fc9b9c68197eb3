/* The host's processor as judge of single 32-bit user-mode instructions.
 *
 * oracle_native.c runs an instruction natively: this 64-bit process jumps to the kernel's 32-bit
 * code segment (23h), with code and data mapped below 4 GB, and back; a fault comes back as a
 * vector. oracle_gen.c makes random instances of every encoding in the opcode maps.  test_oracle.c
 * runs each on the host, with exec_table[] and with the engine, and compares everything. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cpu/decode.h"

enum {
    ORACLE_CODE = 0x10000000,  /* one page: the instruction and where it may go */
    ORACLE_INSN = ORACLE_CODE + 0x100,
    ORACLE_TAKEN = ORACLE_INSN + 0x7c, /* where branches of the generator lead */
    ORACLE_THUNK = 0x10010000, /* native only: the way in and out */
    ORACLE_STATE = 0x10020000, /* native only */
    ORACLE_DATA = 0x10030000,  /* what instructions read and write, stack included */
    ORACLE_DATA_SIZE = 0x2000,
    ORACLE_CS = 0x23, ORACLE_DS = 0x2b, /* Linux: __USER32_CS, __USER_DS */
    ORACLE_FLAGS = 0x200cd5 /* ID, OF, DF, SF, ZF, AF, PF, CF */
};

struct oracle_regs {
    uint32_t gpr[8];
    uint32_t eflags;
    uint32_t where;  /* after: 0 the next instruction, 1 ORACLE_TAKEN */
    uint8_t fx[512] __attribute__((aligned(16))); /* FXSAVE image */
};
struct oracle_fault {
    int vector; /* -1: none */
    uint32_t error, cr2;
};

/* False: this host cannot (not x86-64 Linux, no 32-bit segment); why says so. */
bool oracle_native_open(const char **why);
/* Run `code` (len bytes) from *in; memory is at ORACLE_DATA. */
struct oracle_fault oracle_native_run(const uint8_t *code, unsigned len,
                                      const struct oracle_regs *in, struct oracle_regs *out);

struct oracle_case {
    uint8_t code[16];
    unsigned len;
    struct insn in;
    struct oracle_regs regs;
    /* stores into data memory before the run */
    unsigned pokes;
    struct {
        uint32_t at;
        uint8_t len, bytes[32];
    } poke[4];
};
/* Several integer instructions in a row: what an engine fuses, drops and specialises. */
enum { ORACLE_SEQ_MAX = 0x60 };
struct oracle_seq {
    uint8_t code[ORACLE_SEQ_MAX + 16];
    unsigned len, count;
    bool af_unknown; /* a shift left AF undefined */
    struct oracle_regs regs;
};
void oracle_gen_seq(uint64_t number, struct oracle_seq *out);

/* How many encodings the maps have for this test; case number n of encoding e (n seeds it).
 * false: no sensible instance, try another n. */
unsigned oracle_gen_count(void);
bool oracle_gen_case(unsigned e, uint64_t n, struct oracle_case *out);
