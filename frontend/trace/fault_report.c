/* The report after a triple fault or an error of our own: what happened in words, the registers,
 * and how the guest came there. */
#include "frontend/trace/fault_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "frontend/trace/disasm.h"
#include "machine/debug.h"

static void report_line(void *ctx, const char *line)
{
    fprintf(ctx, "  %s\n", line);
}

/* How long the instruction at lin is, taken as code of that width; 0: no memory there. */
static unsigned report_len(struct machine *m, struct disasm *dis, uint64_t lin, int bits)
{
    uint8_t b[16];
    char text[160];
    size_t have = machine_peek(m, machine_turn(m), lin, b, sizeof b);
    return have ? disasm_one(dis, bits, lin, b, have, text, sizeof text) : 0;
}

/* The width of each instruction.  Known only for the last one; going back, the width changes where
 * the distance to the next instruction fits the other width and not this one (a mode switch). */
static void report_bits(struct machine *m, struct disasm *dis, const uint64_t *lin, unsigned n,
                        int *bits)
{
    bits[n - 1] = machine_code_bits(m, machine_turn(m));
    for (unsigned i = n - 1; i-- > 0;) {
        bits[i] = bits[i + 1];
        uint64_t step = lin[i + 1] - lin[i];
        int other = bits[i] == 16 ? 32 : 16;
        if (step > 0 && step <= 15 && report_len(m, dis, lin[i], bits[i]) != step &&
            report_len(m, dis, lin[i], other) == step) {
            bits[i] = other;
        }
    }
}

static void report_insns(FILE *f, struct machine *m)
{
    uint64_t lin[32];
    unsigned n = machine_last_insns(m, machine_turn(m), lin);
    struct disasm *dis = disasm_open();
    if (!n || !dis) {
        fputs("  (not recorded)\n", f);
        disasm_close(dis);
        return;
    }
    int bits[32];
    report_bits(m, dis, lin, n, bits);
    for (unsigned i = 0; i < n; i++) {
        uint8_t b[16];
        char text[160];
        size_t have = machine_peek(m, machine_turn(m), lin[i], b, sizeof b);
        fprintf(f, "  0x%08" PRIx64 ":  ", lin[i]);
        if (have == 0) {
            fputs("(no memory there now)\n", f);
            continue;
        }
        unsigned len = disasm_one(dis, bits[i], lin[i], b, have, text, sizeof text);
        for (unsigned k = 0; k < 10; k++) {
            if (k < len) {
                fprintf(f, "%02x ", b[k]);
            } else {
                fputs("   ", f);
            }
        }
        fprintf(f, " %s\n", text);
    }
    disasm_close(dis);
}

char *fault_report(struct machine *m, bool triple)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f) {
        return NULL;
    }
    fprintf(f, "vitrine: %s%s\n", triple ? "" : "error inside Vitrine (not the guest's): ",
            machine_why(m));
    fputs("Registers:\n", f);
    machine_info(m, machine_turn(m), "registers", report_line, f);
    fputs("Last instructions, oldest first:\n", f);
    report_insns(f, m);
    if (triple) {
        fputs("(-triple-fault reset restarts the machine instead of stopping it.)\n", f);
    }
    fclose(f);
    return text;
}
