/* -d ITEMS -D FILE -dfilter RANGES: the machine's tracer, written down.
 * Item names are QEMU's where the meaning is (qemu(1), -d); in_asm shows each instruction when it
 * is met first, exec every time. */
#include "frontend/trace/dlog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "frontend/keyval.h"
#include "frontend/suggest.h"
#include "frontend/trace/disasm.h"
#include "machine/debug.h"

enum { DLOG_SEEN = 1 << 16, DLOG_BUFFER = 1 << 16 };

struct dlog {
    struct machine *m;
    FILE *f;
    unsigned items;
    struct dlog_range ranges[DLOG_RANGES];
    unsigned range_count;
    struct disasm *dis;
    struct { /* the last access with nobody there, and how often it came again */
        bool port, write;
        uint64_t addr;
        unsigned size, repeats;
    } nobody;
    uint64_t *seen; /* in_asm: linear address + 1 of what was shown, direct-mapped */
    char *buffer;
};

static const struct {
    const char *name, *help;
    unsigned bit;
} dlog_items[] = {
    {"in_asm", "each instruction when it is met first", DLOG_IN_ASM},
    {"exec", "each instruction executed", DLOG_EXEC},
    {"int", "exceptions and interrupts", DLOG_INT},
    {"cpu", "registers before each instruction", DLOG_CPU},
    {"pcall", "far calls, jumps and returns, and interrupts, in protected mode", DLOG_PCALL},
    {"io", "accesses to ports and to memory-mapped devices", DLOG_IO},
    {"mmu", "page faults, and writes to CR0, CR3, CR4 and INVLPG", DLOG_MMU},
    {"unimp", "uses of hardware that is not built, ports and memory with nobody there", DLOG_UNIMP},
    {"guest_errors", "what the guest does against a datasheet", DLOG_GUEST_ERRORS},
};

/* ---- parsing --------------------------------------------------------------------------- */

const char *dlog_help(void)
{
    return "in_asm        each instruction when it is met first\n"
           "exec          each instruction executed\n"
           "int           exceptions and interrupts\n"
           "cpu           registers before each instruction\n"
           "pcall         far transfers and interrupts in protected mode\n"
           "io            accesses to ports and to memory-mapped devices\n"
           "mmu           page faults, and writes to CR0, CR3, CR4 and INVLPG\n"
           "unimp         uses of hardware that is not built\n"
           "guest_errors  what the guest does against a datasheet\n"
           "-D FILE writes to FILE; -dfilter START..END limits the first five to addresses.\n";
}

static const char *dlog_name(void *ctx, unsigned i)
{
    (void)ctx;
    return i < sizeof dlog_items / sizeof dlog_items[0] ? dlog_items[i].name : NULL;
}

bool dlog_parse_items(const char *text, unsigned *items, struct err *err)
{
    for (const char *p = text; *p;) {
        char word[32];
        size_t n = strcspn(p, ",");
        snprintf(word, sizeof word, "%.*s", (int)(n < 31 ? n : 31), p);
        p += n + (p[n] == ',');
        unsigned i = 0;
        while (dlog_name(NULL, i) && strcmp(dlog_name(NULL, i), word) != 0) {
            i++;
        }
        if (!dlog_name(NULL, i)) {
            const char *near = suggest_nearest(word, dlog_name, NULL);
            return near ? err_set(err, EINVAL, "-d: there is no item \"%s\", did you mean %s?",
                                  word, near)
                        : err_set(err, EINVAL, "-d: there is no item \"%s\"; -d help lists them",
                                  word);
        }
        *items |= dlog_items[i].bit;
    }
    return *items || err_set(err, EINVAL, "-d needs items, as -d int,guest_errors");
}

bool dlog_parse_filter(const char *text, struct dlog_range *ranges, unsigned *count,
                       struct err *err)
{
    *count = 0;
    for (const char *p = text; *p;) {
        char word[80], *sep;
        size_t n = strcspn(p, ",");
        snprintf(word, sizeof word, "%.*s", (int)(n < 79 ? n : 79), p);
        p += n + (p[n] == ',');
        uint64_t a = 0, b = 0;
        char kind = 0;
        if ((sep = strstr(word, ".."))) {
            kind = '.';
        } else if ((sep = strpbrk(word, "+-"))) {
            kind = *sep;
        }
        bool ok = sep != NULL;
        if (ok) {
            *sep = 0;
            ok = parse_uint(word, UINT64_MAX, &a) &&
                 parse_uint(sep + (kind == '.' ? 2 : 1), UINT64_MAX, &b);
        }
        if (ok && kind != '.') {
            ok = b > 0 && (kind == '+' ? a + (b - 1) >= a : b - 1 <= a);
        }
        struct dlog_range r = kind == '.'   ? (struct dlog_range){a, b}
                              : kind == '+' ? (struct dlog_range){a, a + (b - 1)}
                                            : (struct dlog_range){a - (b - 1), a};
        if (!ok || r.first > r.last) {
            return err_set(err, EINVAL, "-dfilter %.80s is no address range: say "
                           "0x7c00..0x7dff or 0x7c00+0x200", text);
        }
        if (*count == DLOG_RANGES) {
            return err_set(err, EINVAL, "-dfilter: more than %d ranges", DLOG_RANGES);
        }
        ranges[(*count)++] = r;
    }
    return *count > 0 || err_set(err, EINVAL, "-dfilter needs a range, as 0x7c00..0x7dff");
}

/* ---- what is written ------------------------------------------------------------------- */

static bool dlog_wanted(const struct dlog *d, uint64_t lin)
{
    if (d->range_count == 0) {
        return true;
    }
    for (unsigned i = 0; i < d->range_count; i++) {
        if (lin >= d->ranges[i].first && lin <= d->ranges[i].last) {
            return true;
        }
    }
    return false;
}

static uint64_t dlog_reg(struct machine *m, const char *name)
{
    uint64_t v = 0;
    machine_reg_by_name(m, machine_turn(m), name, &v);
    return v;
}

static uint64_t dlog_sp(struct machine *m)
{
    uint64_t v = 0;
    if (!machine_reg_by_name(m, machine_turn(m), "rsp", &v)) {
        machine_reg_by_name(m, machine_turn(m), "esp", &v);
    }
    return v;
}

/* With several processors each line says whose it is. */
static void dlog_cpu(struct dlog *d)
{
    if (machine_cpus(d->m) > 1) {
        fprintf(d->f, "cpu%u ", machine_turn(d->m));
    }
}

/* A guest that probes a port, or prints to one that is not there, does it thousands of times. */
static void dlog_settle(struct dlog *d)
{
    if (d->nobody.repeats) {
        fprintf(d->f, "unimp: the same (repeated %u time%s)\n", d->nobody.repeats,
                d->nobody.repeats == 1 ? "" : "s");
    }
    d->nobody.repeats = d->nobody.size = 0;
}

static void dlog_print(void *ctx, const char *line)
{
    dlog_settle(ctx);
    fprintf(((struct dlog *)ctx)->f, "%s\n", line);
}

/* The opcode after prefixes: one byte, or 0x0f00 | second byte; *modrm is what follows. */
static unsigned dlog_opcode(const uint8_t *b, unsigned len, bool code64, uint8_t *modrm)
{
    unsigned i = 0;
    while (i < len && (b[i] == 0x66 || b[i] == 0x67 || b[i] == 0xf0 || b[i] == 0xf2 ||
                       b[i] == 0xf3 || b[i] == 0x2e || b[i] == 0x36 || b[i] == 0x3e ||
                       b[i] == 0x26 || b[i] == 0x64 || b[i] == 0x65 ||
                       (code64 && (b[i] & 0xf0) == 0x40))) {
        i++;
    }
    unsigned op = i < len ? b[i++] : 0;
    if (op == 0x0f) {
        op = 0x0f00 | (i < len ? b[i++] : 0);
    }
    *modrm = i < len ? b[i] : 0;
    return op;
}

static bool dlog_is_far(unsigned op, uint8_t modrm)
{
    unsigned reg = modrm >> 3 & 7;
    switch (op) {
    case 0x9a: case 0xea: case 0xca: case 0xcb: case 0xcf: case 0xcc: case 0xcd: case 0xce:
    case 0xf1: case 0x0f05: case 0x0f07: case 0x0f34: case 0x0f35: return true;
    case 0xff: return reg == 3 || reg == 5;
    default: return false;
    }
}

static bool dlog_is_mmu(unsigned op, uint8_t modrm)
{
    unsigned reg = modrm >> 3 & 7;
    return (op == 0x0f22 && reg != 2) || (op == 0x0f01 && reg == 7 && modrm < 0xc0) ||
           (op == 0x0f01 && reg == 6);
}

static bool dlog_insn(void *ctx, struct machine *m, uint64_t lin, const uint8_t *bytes,
                      unsigned len)
{
    struct dlog *d = ctx;
    if (!dlog_wanted(d, lin)) {
        return true;
    }
    int bits = machine_code_bits(m, machine_turn(m));
    uint8_t modrm;
    unsigned op = dlog_opcode(bytes, len, bits == 64, &modrm);
    const char *tag = NULL;
    if (d->items & DLOG_EXEC) {
        tag = "exec";
    }
    uint64_t *seen = &d->seen[(lin ^ lin >> 16) % DLOG_SEEN];
    if (d->items & DLOG_IN_ASM && *seen != lin + 1) {
        *seen = lin + 1;
        tag = "in";
    }
    if (d->items & DLOG_PCALL && dlog_is_far(op, modrm) && dlog_reg(m, "cr0") & 1) {
        tag = "pcall";
    }
    if (d->items & DLOG_MMU && dlog_is_mmu(op, modrm)) {
        tag = "mmu";
    }
    if (tag || d->items & DLOG_CPU) {
        char text[160];
        dlog_settle(d);
        disasm_one(d->dis, bits, lin, bytes, len, text, sizeof text);
        dlog_cpu(d);
        fprintf(d->f, "%s: 0x%08" PRIx64 ":  ", tag ? tag : "cpu", lin);
        for (unsigned i = 0; i < 11; i++) {
            if (i < len) {
                fprintf(d->f, "%02x", bytes[i]);
            } else {
                fputs("  ", d->f);
            }
        }
        fprintf(d->f, "  %s", text);
        if (tag && (tag[0] == 'p' || tag[0] == 'm')) {
            fprintf(d->f, "    [cs %04" PRIx64 " ss:sp %04" PRIx64 ":%08" PRIx64 " cr0 %08" PRIx64
                    " cr3 %08" PRIx64 "]", dlog_reg(m, "cs"), dlog_reg(m, "ss"),
                    dlog_sp(m), dlog_reg(m, "cr0"), dlog_reg(m, "cr3"));
        }
        fputc('\n', d->f);
    }
    if (d->items & DLOG_CPU) {
        machine_info(m, machine_turn(m), "registers", dlog_print, d);
    }
    return true;
}

static void dlog_exception(void *ctx, struct machine *m, unsigned vector, uint32_t error,
                           uint64_t rip)
{
    static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
                                        "#DF", "9", "#TS", "#NP", "#SS", "#GP", "#PF", "15",
                                        "#MF", "#AC", "#MC", "#XM"};
    struct dlog *d = ctx;
    if (!(d->items & DLOG_INT) && vector != 14) {
        return;
    }
    if (!dlog_wanted(d, dlog_reg(m, "cs_base") + rip)) {
        return;
    }
    dlog_settle(d);
    dlog_cpu(d);
    fprintf(d->f, "%s: exception %u %s error %04x at %04" PRIx64 ":%08" PRIx64,
            d->items & DLOG_INT ? "int" : "mmu", vector, vector < 20 ? names[vector] : "", error,
            dlog_reg(m, "cs"), rip);
    if (vector == 14) {
        fprintf(d->f, " address %08" PRIx64, dlog_reg(m, "cr2"));
    }
    fprintf(d->f, " ss:sp %04" PRIx64 ":%08" PRIx64 "\n", dlog_reg(m, "ss"), dlog_sp(m));
}

static void dlog_interrupt(void *ctx, struct machine *m, unsigned vector, uint64_t rip)
{
    struct dlog *d = ctx;
    if (dlog_wanted(d, dlog_reg(m, "cs_base") + rip)) {
        dlog_settle(d);
        dlog_cpu(d);
        fprintf(d->f, "int: interrupt %02x at %04" PRIx64 ":%08" PRIx64 " time %" PRIu64 " ns\n",
                vector, dlog_reg(m, "cs"), rip, (uint64_t)machine_now(m));
    }
}

static void dlog_port(void *ctx, uint16_t port, unsigned size, bool write, uint32_t val)
{
    struct dlog *d = ctx;
    dlog_settle(d);
    dlog_cpu(d);
    fprintf(d->f, "io: %s port %04x %s %0*x\n", write ? "write" : "read ", port,
            write ? "<-" : "->", (int)size * 2, val);
}

static void dlog_mmio(void *ctx, const char *region, uint64_t phys, unsigned size, bool write,
                      uint64_t val)
{
    struct dlog *d = ctx;
    dlog_settle(d);
    dlog_cpu(d);
    fprintf(d->f, "io: %s %s %08" PRIx64 " %s %0*" PRIx64 "\n", write ? "write" : "read ", region,
            phys, write ? "<-" : "->", (int)size * 2, val);
}

static void dlog_unmapped(void *ctx, bool port, uint64_t addr, unsigned size, bool write)
{
    struct dlog *d = ctx;
    if (d->nobody.size == size && d->nobody.addr == addr && d->nobody.port == port &&
        d->nobody.write == write) {
        d->nobody.repeats++;
        return;
    }
    dlog_settle(d);
    d->nobody.size = size;
    d->nobody.addr = addr;
    d->nobody.port = port;
    d->nobody.write = write;
    fprintf(d->f, "unimp: %s of %u bytes at %s %0*" PRIx64 ": nobody there\n",
            write ? "write" : "read", size, port ? "port" : "memory", port ? 4 : 8, addr);
}

void dlog_line(struct dlog *d, const char *line)
{
    dlog_settle(d);
    fprintf(d->f, "%s\n", line);
}

void dlog_flush(struct dlog *d)
{
    if (d) {
        dlog_settle(d);
        fflush(d->f);
    }
}

/* ---- life ------------------------------------------------------------------------------ */

struct dlog *dlog_open(struct machine *m, unsigned items, const char *filter, const char *file,
                       struct err *err)
{
    struct dlog *d = calloc(1, sizeof *d);
    if (!d || !(d->seen = calloc(DLOG_SEEN, sizeof *d->seen)) || !(d->dis = disasm_open())) {
        err_set(err, ENOMEM, "-d: out of memory");
        dlog_close(d);
        return NULL;
    }
    d->items = items;
    if (filter && !dlog_parse_filter(filter, d->ranges, &d->range_count, err)) {
        dlog_close(d);
        return NULL;
    }
    d->f = file ? fopen(file, "w") : stderr;
    if (!d->f) {
        err_set(err, errno, "-D %s: %s", file, strerror(errno));
        dlog_close(d);
        return NULL;
    }
    if (file && (d->buffer = malloc(DLOG_BUFFER))) {
        setvbuf(d->f, d->buffer, _IOFBF, DLOG_BUFFER);
    }
    d->m = m;
    struct machine_tracer t = {.ctx = d};
    if (items & (DLOG_IN_ASM | DLOG_EXEC | DLOG_CPU | DLOG_PCALL | DLOG_MMU)) {
        t.insn = dlog_insn;
    }
    if (items & (DLOG_INT | DLOG_MMU)) {
        t.exception = dlog_exception;
    }
    t.interrupt = items & DLOG_INT ? dlog_interrupt : NULL;
    t.port = items & DLOG_IO ? dlog_port : NULL;
    t.mmio = items & DLOG_IO ? dlog_mmio : NULL;
    machine_trace(m, &t);
    if (items & DLOG_UNIMP) {
        log_enable(LOG_UNIMP, true);
        machine_on_unmapped(m, dlog_unmapped, d);
    }
    if (items & DLOG_GUEST_ERRORS) {
        log_enable(LOG_GUEST, true);
    }
    return d;
}

void dlog_close(struct dlog *d)
{
    if (!d) {
        return;
    }
    if (d->m) {
        machine_trace(d->m, NULL);
        machine_on_unmapped(d->m, NULL, NULL);
        log_enable(LOG_UNIMP, false);
        log_enable(LOG_GUEST, false);
    }
    if (d->f) {
        dlog_settle(d);
    }
    if (d->f && d->f != stderr) {
        fclose(d->f);
    }
    free(d->buffer);
    disasm_close(d->dis);
    free(d->seen);
    free(d);
}
