/* x, xp and print: qemu(1), "Commands", /FMT = count, format (x d u o c i s), size (b h w g). */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "frontend/monitor/hmp.h"
#include "frontend/runner.h"
#include "frontend/trace/disasm.h"
#include "machine/debug.h"

enum { EXAMINE_MAX = 65536 };

static bool examine_format(struct hmp *h, const char **p, unsigned *count, char *fmt,
                           unsigned *size)
{
    *count = 1;
    *fmt = h->next_fmt ? h->next_fmt : 'x';
    *size = h->next_size ? h->next_size : 4;
    if (**p != '/') {
        return true;
    }
    (*p)++;
    if (isdigit((unsigned char)**p)) {
        for (*count = 0; isdigit((unsigned char)**p); (*p)++) {
            *count = *count * 10 + (unsigned)(**p - '0');
            if (*count > EXAMINE_MAX) {
                hmp_printf(h, "At most %d items.\n", EXAMINE_MAX);
                return false;
            }
        }
    }
    for (; **p && !isspace((unsigned char)**p); (*p)++) {
        switch (**p) {
        case 'x': case 'd': case 'u': case 'o': case 'c': case 'i': case 's': *fmt = **p; break;
        case 'b': *size = 1; break;
        case 'h': *size = 2; break;
        case 'w': *size = 4; break;
        case 'g': *size = 8; break;
        default:
            hmp_printf(h, "Unknown format letter '%c': formats x d u o c i s, sizes b h w g.\n",
                       **p);
            return false;
        }
    }
    return true;
}

static void examine_value(struct hmp *h, uint64_t v, char fmt, unsigned size)
{
    int64_t s = bits_sext(v, size * 8);
    switch (fmt) {
    case 'd': hmp_printf(h, " %" PRId64, s); break;
    case 'u': hmp_printf(h, " %" PRIu64, v); break;
    case 'o': hmp_printf(h, " %#" PRIo64, v); break;
    case 'c': hmp_printf(h, v >= 32 && v < 127 ? " '%c'" : " '\\x%02x'", (int)(v & 255)); break;
    default: hmp_printf(h, " 0x%0*" PRIx64, (int)size * 2, v); break;
    }
}

static size_t examine_peek(struct hmp *h, bool phys, uint64_t addr, void *buf, size_t len)
{
    struct machine *m = runner_machine(h->runner);
    return phys ? machine_peek_phys(m, addr, buf, len) : machine_peek(m, h->cpu, addr, buf, len);
}

static uint64_t examine_insns(struct hmp *h, bool phys, uint64_t addr, unsigned count)
{
    int bits = machine_code_bits(runner_machine(h->runner), h->cpu);
    while (count--) {
        uint8_t b[16];
        char text[128];
        size_t n = examine_peek(h, phys, addr, b, sizeof b);
        if (n == 0) {
            hmp_printf(h, "0x%08" PRIx64 ": no memory here\n", addr);
            break;
        }
        unsigned len = disasm_one(h->dis, bits, addr, b, n, text, sizeof text);
        hmp_printf(h, "0x%08" PRIx64 ":  ", addr);
        for (unsigned i = 0; i < 8; i++) {
            if (i < len) {
                hmp_printf(h, "%02x ", b[i]);
            } else {
                hmp_printf(h, "   ");
            }
        }
        hmp_printf(h, " %s\n", text);
        addr += len;
    }
    return addr;
}

static uint64_t examine_string(struct hmp *h, bool phys, uint64_t addr)
{
    char out[300];
    unsigned n = 0;
    uint8_t c = 0;
    uint64_t a = addr;
    while (n < 256 && examine_peek(h, phys, a, &c, 1) == 1 && c) {
        out[n++] = c >= 32 && c < 127 ? (char)c : '.';
        a++;
    }
    out[n] = 0;
    hmp_printf(h, "0x%08" PRIx64 ": \"%s\"\n", addr, out);
    return a + 1;
}

void hmp_examine(struct hmp *h, const char *args, bool phys)
{
    unsigned count, size;
    char fmt;
    const char *why, *p = args;
    uint64_t addr = h->next_addr;
    if (!examine_format(h, &p, &count, &fmt, &size)) {
        return;
    }
    p += strspn(p, " \t");
    if (*p && !hmp_expr(h, &p, &addr, &why)) {
        hmp_printf(h, "%s: %s\n", args, why);
        return;
    }
    if (*p) {
        hmp_printf(h, "What is \"%s\"? Say x/8xw ADDRESS or x/10i $pc.\n", p);
        return;
    }
    h->next_fmt = fmt;
    h->next_size = size;
    if (fmt == 'i') {
        h->next_addr = examine_insns(h, phys, addr, count);
        return;
    }
    if (fmt == 's') {
        while (count--) {
            addr = examine_string(h, phys, addr);
        }
        h->next_addr = addr;
        return;
    }
    if (fmt == 'c') {
        size = 1;
    }
    unsigned per_line = fmt == 'c' ? 8 : size == 1 ? 8 : size == 2 ? 8 : size == 4 ? 4 : 2;
    for (unsigned i = 0; i < count; i++) {
        uint8_t b[8];
        if (i % per_line == 0) {
            hmp_printf(h, "%s0x%08" PRIx64 ":", i ? "\n" : "", addr);
        }
        if (examine_peek(h, phys, addr, b, size) < size) {
            hmp_printf(h, " no memory here");
            break;
        }
        examine_value(h, load_le(b, size), fmt, size);
        addr += size;
    }
    hmp_printf(h, "\n");
    h->next_addr = addr;
}

void hmp_print(struct hmp *h, const char *args)
{
    unsigned count, size;
    char fmt;
    uint64_t v;
    const char *why, *p = args;
    char keep_fmt = h->next_fmt;
    unsigned keep_size = h->next_size;
    h->next_fmt = 'x';
    h->next_size = 8;
    bool ok = examine_format(h, &p, &count, &fmt, &size);
    h->next_fmt = keep_fmt;
    h->next_size = keep_size;
    if (!ok) {
        return;
    }
    if (!hmp_expr(h, &p, &v, &why) || *p) {
        hmp_printf(h, "%s: %s\n", args, why ? why : "what comes after the number?");
        return;
    }
    if (fmt == 'x') {
        hmp_printf(h, "%#" PRIx64 "\n", v);
    } else {
        examine_value(h, v, fmt, 8);
        hmp_printf(h, "\n");
    }
}

void hmp_show_insn(struct hmp *h)
{
    uint64_t pc;
    const char *p = "$pc", *why;
    if (machine_cpus(runner_machine(h->runner)) > 1) {
        hmp_printf(h, "CPU %u: ", h->cpu);
    }
    if (hmp_expr(h, &p, &pc, &why)) {
        examine_insns(h, false, pc, 1);
    }
}
