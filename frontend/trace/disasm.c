/* Disassembly through capstone 4 (Intel syntax). */
#include "frontend/trace/disasm.h"

#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>

struct disasm {
    csh handle[3]; /* 16, 32, 64 bits */
    cs_insn *insn;
};

struct disasm *disasm_open(void)
{
    static const cs_mode modes[3] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};
    struct disasm *d = calloc(1, sizeof *d);
    for (unsigned i = 0; d && i < 3; i++) {
        if (cs_open(CS_ARCH_X86, modes[i], &d->handle[i]) != CS_ERR_OK) {
            disasm_close(d);
            return NULL;
        }
    }
    if (d && !(d->insn = cs_malloc(d->handle[0]))) {
        disasm_close(d);
        return NULL;
    }
    return d;
}

void disasm_close(struct disasm *d)
{
    if (d) {
        if (d->insn) {
            cs_free(d->insn, 1);
        }
        for (unsigned i = 0; i < 3; i++) {
            if (d->handle[i]) {
                cs_close(&d->handle[i]);
            }
        }
        free(d);
    }
}

unsigned disasm_one(struct disasm *d, int bits, uint64_t addr, const uint8_t *bytes, size_t len,
                    char *text, size_t cap)
{
    csh h = d->handle[bits == 64 ? 2 : bits == 32 ? 1 : 0];
    const uint8_t *p = bytes;
    uint64_t a = addr;
    if (len && cs_disasm_iter(h, &p, &len, &a, d->insn)) {
        snprintf(text, cap, "%s%s%s", d->insn->mnemonic, d->insn->op_str[0] ? " " : "",
                 d->insn->op_str);
        return d->insn->size;
    }
    snprintf(text, cap, "(bad)");
    return 1;
}
