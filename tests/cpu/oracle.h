/* The host's processor as judge of single user-mode instructions in 16-, 32- and 64-bit code.
 *
 *   oracle_native.c  runs an instruction natively, in this process, behind a seccomp filter
 *   oracle_ours.c    runs it in ours: by exec_table[], and by the engine
 *   oracle_enc.c     makes the list of encodings by asking decode() about every opcode
 *   oracle_value.c   values and states with a liking for edges
 *   oracle_gen.c     random instances of an encoding; oracle_seq.c: several in a row
 *   oracle_cmp.c     compares, with oracle_loose.h as the list of what is excused
 *   oracle_vec.c     recorded vectors
 *
 * Both sides see the same address space: a page of code full of HLT (which is a #GP wherever the
 * instruction leads), two pages of data, a read-only one behind them and nothing around; in 64-bit
 * mode the data once more high up. GDT and LDT are those of a Linux process that called modify_ldt
 * with oracle_ldt[]. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cpu/cpuid.h"
#include "cpu/decode.h"

enum {
    ORACLE_CODE = 0x10000000,    /* one page, nothing behind it */
    ORACLE_INSN_OFF = 0x100,     /* where the instruction usually stands */
    ORACLE_TAKEN_OFF = 0x17c,    /* where branches of the generator lead */
    ORACLE_THUNK = 0x10010000,   /* native only: the way in and out */
    ORACLE_STATE = 0x10020000,   /* native only */
    ORACLE_DATA = 0x10030000,    /* what instructions read and write, stack included */
    ORACLE_RW_SIZE = 0x2000,     /* writable */
    ORACLE_DATA_SIZE = 0x3000,   /* with the read-only page */
    ORACLE_TABLES = 0x10100000,  /* ours only: GDT and LDT, a supervisor page */
    ORACLE_CS32 = 0x23, ORACLE_DS = 0x2b, ORACLE_CS64 = 0x33, /* Linux's */
    ORACLE_XSAVE = 832           /* legacy area, header, YMM upper halves: SDM Vol. 1, 13.4 */
};
#define ORACLE_HIGH 0x0000612345678000ull /* the data again, 64-bit mode only */
/* Compared: all but RF, VM, VIF, VIP, TF and the reserved bits. */
#define ORACLE_FLAGS 0x247ed5u

enum { /* selectors of oracle_ldt[], RPL 3 */
    LDT_CODE16 = 0x07, LDT_CODE32 = 0x0f, LDT_DATA16 = 0x17, LDT_WIDE16 = 0x1f, LDT_DATA32 = 0x27,
    LDT_DOWN16 = 0x2f, LDT_DOWN32 = 0x37, LDT_RO = 0x3f, LDT_XO = 0x47, LDT_NP = 0x4f,
    LDT_NPCODE = 0x57, LDT_FLAT = 0x5f, LDT_COUNT = 12
};
struct oracle_desc {
    uint32_t base, limit; /* limit as in the descriptor */
    uint16_t attr;        /* enum ATTR_* of cpu/state.h */
};
extern const struct oracle_desc oracle_ldt[LDT_COUNT];
/* The descriptor that a selector names, false: none that user code could load. */
bool oracle_desc(unsigned sel, struct oracle_desc *out);

struct oracle_regs {
    uint64_t gpr[16], rflags, rip, fsbase, gsbase;
    uint16_t sel[6]; /* SEG_* order */
    uint8_t xs[ORACLE_XSAVE] __attribute__((aligned(64)));
};
/* How it ended: every run ends with a fault, at the latest on a HLT in the code page. */
struct oracle_end {
    int vector;      /* ORACLE_NOFAULT: (exec_table only) went on at regs.rip */
    uint32_t error;
    uint64_t cr2;
};
enum { ORACLE_NOFAULT = -1, ORACLE_KERNEL = 256, ORACLE_RUNAWAY = 257 };

enum { ORACLE_SEQ_MAX = 0x70, ORACLE_CODE_MAX = ORACLE_SEQ_MAX + 16 };

/* ---- native ---- */
/* False: this host cannot; why says so. */
bool oracle_native_open(const char **why);
/* From here on code of the test cannot enter the kernel: false if it could not be forbidden. */
bool oracle_native_lock(void);
uint8_t *oracle_native_data(void); /* ORACLE_DATA_SIZE bytes, all writable for the test itself */
/* Run `len` bytes at code page offset `at`. */
struct oracle_end oracle_native_run(const uint8_t *code, unsigned len, unsigned at,
                                    const struct oracle_regs *in, struct oracle_regs *out);
bool oracle_native_has(unsigned feature); /* the host's CPUID; enum cpu_feature */

/* ---- cases ---- */
struct oracle_enc {
    uint8_t mode;    /* enum decode_mode */
    uint8_t pfx;     /* 0, 66h, F3h, F2h; VEX: pp the same way */
    uint8_t map;     /* 0: one byte, 1: 0F, 2: 0F38, 3: 0F3A, 5..7: VEX maps 1..3 */
    uint8_t opcode;
    uint8_t w, l;    /* REX.W or VEX.W, VEX.L */
    bool modrm, mem; /* has a ModRM byte; names memory by it */
    uint16_t op;
    uint8_t kind[4]; /* enum opnd_kind */
    uint8_t size[2];
    uint32_t modrms[8]; /* a bit for every ModRM byte of this class */
};
enum { MAP_VEX = 4 };
/* The list, made at the first call.  feat: of the processor under test. */
unsigned oracle_encodings(const struct cpu_features *feat, const struct oracle_enc **list);

struct oracle_case {
    uint8_t code[32];
    unsigned len, at; /* len: bytes, 15 or fewer; at: offset in the code page */
    unsigned mode;
    bool decoded;     /* `in` is good: exec_table[] can be asked */
    struct insn in;
    struct oracle_regs regs;
    unsigned pokes; /* stores into data memory before the run */
    struct {
        uint16_t off; /* in the data */
        uint8_t len, bytes[64];
    } poke[4];
};
/* Instance number `n` of an encoding.  false: no sensible one, try another n. */
bool oracle_gen_case(const struct oracle_enc *e, const struct cpu_features *feat, uint64_t n,
                     struct oracle_case *out);
/* Why this operation cannot be compared with the host's; NULL: it can. */
const char *oracle_left_out(unsigned op);

struct oracle_seq {
    uint8_t code[ORACLE_CODE_MAX];
    unsigned len, count, mode;
    struct oracle_regs regs;
};
void oracle_gen_seq(uint64_t number, const struct cpu_features *feat, struct oracle_seq *out);

/* ---- values (oracle_value.c) ---- */
uint64_t oracle_rnd(uint64_t *s);
unsigned oracle_below(uint64_t *s, unsigned n);
uint64_t oracle_int(uint64_t *s);      /* an integer, any width */
void oracle_vector(uint64_t *s, uint8_t *out, unsigned len); /* ints or floats; len % 16 == 0 */
void oracle_f80(uint64_t *s, uint8_t out[10]);
/* GPRs, flags, XSAVE image; x87, simd: make that part interesting. */
void oracle_state(uint64_t *s, struct oracle_regs *r, bool x87, bool simd);

/* ---- ours ---- */
struct oracle_side;
struct oracle_side *oracle_side_open(void);
const struct cpu_features *oracle_features(const struct oracle_side *s);
uint8_t *oracle_side_data(struct oracle_side *s);
void oracle_side_poke(struct oracle_side *s, unsigned off, const void *bytes, unsigned len);
struct oracle_end oracle_run_exec(struct oracle_side *s, const struct oracle_case *k,
                                  struct oracle_regs *out);
/* In runs of `piece` instructions. */
struct oracle_end oracle_run_engine(struct oracle_side *s, const uint8_t *code, unsigned len,
                                    unsigned at, const struct oracle_regs *in, unsigned piece,
                                    struct oracle_regs *out);

/* ---- comparison ---- */
/* NULL: equal but for what is excused; else what differs first.  exec: b was made by exec_table[].
 */
const char *oracle_compare(const struct oracle_case *k, const struct oracle_regs *a,
                           const struct oracle_end *ea, const struct oracle_regs *b,
                           const struct oracle_end *eb, bool exec);
/* May memory be anything after a fault? */
bool oracle_order_loose(const struct oracle_case *k);
/* Take over from the host what of memory is excused. */
void oracle_forgive_memory(struct oracle_side *s, const struct oracle_case *k, const uint8_t *host,
                           const struct oracle_regs *out);
void oracle_show(const struct oracle_case *k, const char *who, const char *what,
                 const struct oracle_regs *a, const struct oracle_end *ea,
                 const struct oracle_regs *b, const struct oracle_end *eb);
/* Did the instruction itself fault? */
static inline bool oracle_faulted(const struct oracle_case *k, const struct oracle_regs *r,
                                  const struct oracle_end *e)
{
    return e->vector != ORACLE_NOFAULT && r->rip == k->regs.rip;
}
unsigned oracle_op(const char *name); /* OP_COUNT: there is none */
