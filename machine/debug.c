/* Looking inside: registers, memory, tables, tracing. */
#include "machine/debug_int.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"

/* One list for names, widths and values: offset and size within struct cpu_state. */
#define REG(name, field, bits)                                                                     \
    {                                                                                              \
        {name, bits}, offsetof(struct cpu_state, field), sizeof(((struct cpu_state *)0)->field)    \
    }
static const struct debug_reg {
    struct machine_reg reg;
    size_t off, size;
} debug_regs[] = {REG("eax", gpr[REG_AX], 32),
                  REG("ecx", gpr[REG_CX], 32),
                  REG("edx", gpr[REG_DX], 32),
                  REG("ebx", gpr[REG_BX], 32),
                  REG("esp", gpr[REG_SP], 32),
                  REG("ebp", gpr[REG_BP], 32),
                  REG("esi", gpr[REG_SI], 32),
                  REG("edi", gpr[REG_DI], 32),
                  REG("eip", rip, 32),
                  REG("eflags", rflags, 32),
                  REG("cs", seg[SEG_CS].sel, 16),
                  REG("ss", seg[SEG_SS].sel, 16),
                  REG("ds", seg[SEG_DS].sel, 16),
                  REG("es", seg[SEG_ES].sel, 16),
                  REG("fs", seg[SEG_FS].sel, 16),
                  REG("gs", seg[SEG_GS].sel, 16),
                  REG("cs_base", seg[SEG_CS].base, 32),
                  REG("ss_base", seg[SEG_SS].base, 32),
                  REG("ds_base", seg[SEG_DS].base, 32),
                  REG("es_base", seg[SEG_ES].base, 32),
                  REG("fs_base", seg[SEG_FS].base, 32),
                  REG("gs_base", seg[SEG_GS].base, 32),
                  REG("ldtr", ldtr.sel, 16),
                  REG("tr", tr.sel, 16),
                  REG("tr_base", tr.base, 32),
                  REG("gdt_base", gdt_base, 32),
                  REG("gdt_limit", gdt_limit, 16),
                  REG("idt_base", idt_base, 32),
                  REG("idt_limit", idt_limit, 16),
                  REG("cr0", cr0, 32),
                  REG("cr2", cr2, 32),
                  REG("cr3", cr3, 32),
                  REG("cr4", cr4, 32),
                  REG("dr0", dr[0], 32),
                  REG("dr1", dr[1], 32),
                  REG("dr2", dr[2], 32),
                  REG("dr3", dr[3], 32),
                  REG("dr6", dr[6], 32),
                  REG("dr7", dr[7], 32),
                  REG("efer", efer, 64),
                  REG("cpl", cpl, 8),
                  REG("fcw", fcw, 16),
                  REG("fsw", fsw, 16),
                  REG("mxcsr", mxcsr, 32)};
#undef REG
static struct machine_reg debug_names[ARRAY_LEN(debug_regs)];
static pthread_once_t debug_once = PTHREAD_ONCE_INIT;

static void debug_fill_names(void)
{
    for (size_t i = 0; i < ARRAY_LEN(debug_regs); i++) {
        debug_names[i] = debug_regs[i].reg;
    }
}

const struct machine_reg *machine_regs(struct machine *m, unsigned *count)
{
    (void)m;
    pthread_once(&debug_once, debug_fill_names);
    *count = ARRAY_LEN(debug_regs);
    return debug_names;
}

bool machine_reg_get(struct machine *m, unsigned cpu, unsigned index, uint64_t *val)
{
    if (cpu >= m->cpus || index >= ARRAY_LEN(debug_regs)) {
        return false;
    }
    machine_lock(m);
    const uint8_t *p = (const uint8_t *)cpu_state(m->cpu[cpu]) + debug_regs[index].off;
    uint64_t v = 0;
    memcpy(&v, p, debug_regs[index].size); /* little-endian hosts only differ in what stays 0 */
    *val = v & bits_mask(debug_regs[index].reg.bits);
    machine_unlock(m);
    return true;
}

bool machine_reg_by_name(struct machine *m, unsigned cpu, const char *name, uint64_t *val)
{
    for (unsigned i = 0; i < ARRAY_LEN(debug_regs); i++) {
        if (strcasecmp(debug_regs[i].reg.name, name) == 0) {
            return machine_reg_get(m, cpu, i, val);
        }
    }
    return false;
}

/* Copies what is RAM or ROM, stopping at the first byte that is not. */
static size_t debug_copy_out(struct machine *m, uint64_t phys, uint8_t *buf, size_t len)
{
    if (bus_copy_out(m->mem, phys, buf, len)) {
        return len;
    }
    size_t n = 0;
    while (n < len && bus_copy_out(m->mem, phys + n, buf + n, 1)) {
        n++;
    }
    return n;
}

size_t machine_peek_phys(struct machine *m, uint64_t phys, void *buf, size_t len)
{
    machine_lock(m);
    size_t n = debug_copy_out(m, phys, buf, len);
    machine_unlock(m);
    return n;
}

size_t machine_poke_phys(struct machine *m, uint64_t phys, const void *buf, size_t len)
{
    const uint8_t *p = buf;
    size_t n = 0;
    machine_lock(m);
    while (n < len && bus_copy_in(m->mem, phys + n, p + n, 1)) {
        n++;
    }
    machine_unlock(m);
    return n;
}

size_t machine_peek(struct machine *m, unsigned cpu, uint64_t lin, void *buf, size_t len)
{
    uint8_t *p = buf;
    size_t done = 0;
    machine_lock(m);
    while (done < len && cpu < m->cpus) {
        uint64_t phys, in_page = PAGE_SIZE - ((lin + done) & PAGE_MASK);
        size_t n = len - done < in_page ? len - done : (size_t)in_page;
        if (!cpu_lin_to_phys(m->cpu[cpu], lin + done, &phys)) {
            break;
        }
        size_t got = debug_copy_out(m, phys, p + done, n);
        done += got;
        if (got < n) {
            break;
        }
    }
    machine_unlock(m);
    return done;
}

bool machine_translate(struct machine *m, unsigned cpu, uint64_t lin, uint64_t *phys)
{
    machine_lock(m);
    bool ok = cpu < m->cpus && cpu_lin_to_phys(m->cpu[cpu], lin, phys);
    machine_unlock(m);
    return ok;
}

int machine_code_bits(struct machine *m, unsigned cpu)
{
    machine_lock(m);
    const struct cpu_state *s = cpu_state(m->cpu[cpu < m->cpus ? cpu : 0]);
    int bits = (s->efer & EFER_LMA) && (s->seg[SEG_CS].attr & ATTR_L) ? 64
               : s->seg[SEG_CS].attr & ATTR_DB                        ? 32
                                                                      : 16;
    machine_unlock(m);
    return bits;
}

unsigned machine_last_insns(struct machine *m, unsigned cpu, uint64_t lin[32])
{
    machine_lock(m);
    unsigned n = cpu < m->cpus ? cpu_last_insns(m->cpu[cpu], lin) : 0;
    machine_unlock(m);
    return n;
}

const char *machine_cpu_model(unsigned i, const char **what)
{
    return cpu_model_name(i, what);
}

/* ---- info ---- */

void debug_line(const struct debug_out *o, const char *fmt, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    o->print(o->ctx, line);
}

static void debug_seg(const struct debug_out *o, const char *name, const struct seg *s)
{
    static const char *const data[] = {"RO", "RW", "RO down", "RW down"};
    static const char *const code[] = {"X", "XR", "X conf", "XR conf"};
    const char *type = !(s->attr & ATTR_P)   ? "unusable"
                       : !(s->attr & ATTR_S) ? "system"
                       : s->attr & ATTR_X    ? code[s->attr >> 1 & 3]
                                             : data[s->attr >> 1 & 3];
    debug_line(o, "%-4s %04x base %08" PRIx64 " limit %08x attr %04x %s%s DPL %u", name, s->sel,
               s->base, s->limit, s->attr, type, s->attr & ATTR_DB ? " 32" : "",
               (s->attr & ATTR_DPL) >> ATTR_DPL_SHIFT);
}

static void debug_registers(struct machine *m, unsigned cpu, const struct debug_out *o)
{
    static const char *const seg[] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    static const struct {
        uint32_t bit;
        const char *name;
    } fl[] = {{FL_OF, "OF"}, {FL_DF, "DF"}, {FL_IF, "IF"}, {FL_TF, "TF"}, {FL_SF, "SF"},
              {FL_ZF, "ZF"}, {FL_AF, "AF"}, {FL_PF, "PF"}, {FL_CF, "CF"}, {FL_VM, "VM"},
              {FL_NT, "NT"}, {FL_RF, "RF"}, {FL_AC, "AC"}};
    const struct cpu_state *s = cpu_state(m->cpu[cpu]);
    const uint64_t *g = s->gpr;
    char f[64] = "";
    for (size_t i = 0; i < ARRAY_LEN(fl); i++) {
        if (s->rflags & fl[i].bit) {
            strcat(f, " ");
            strcat(f, fl[i].name);
        }
    }
    debug_line(o, "EAX=%08" PRIx64 " EBX=%08" PRIx64 " ECX=%08" PRIx64 " EDX=%08" PRIx64, g[0],
               g[3], g[1], g[2]);
    debug_line(o, "ESI=%08" PRIx64 " EDI=%08" PRIx64 " EBP=%08" PRIx64 " ESP=%08" PRIx64, g[6],
               g[7], g[5], g[4]);
    debug_line(o, "EIP=%08" PRIx64 " EFL=%08" PRIx64 " [%s ] CPL=%u IOPL=%u HLT=%d", s->rip,
               s->rflags, f, s->cpl, (unsigned)(s->rflags >> FL_IOPL_SHIFT & 3),
               s->activity == ACT_HALTED);
    for (unsigned i = 0; i < SEG_COUNT; i++) {
        debug_seg(o, seg[i], &s->seg[i]);
    }
    debug_seg(o, "LDT", &s->ldtr);
    debug_seg(o, "TR", &s->tr);
    debug_line(o, "GDT  base %08" PRIx64 " limit %04x", s->gdt_base, s->gdt_limit);
    debug_line(o, "IDT  base %08" PRIx64 " limit %04x", s->idt_base, s->idt_limit);
    debug_line(o, "CR0=%08" PRIx64 " CR2=%08" PRIx64 " CR3=%08" PRIx64 " CR4=%08" PRIx64, s->cr0,
               s->cr2, s->cr3, s->cr4);
    debug_line(o, "DR0=%08" PRIx64 " DR1=%08" PRIx64 " DR2=%08" PRIx64 " DR3=%08" PRIx64, s->dr[0],
               s->dr[1], s->dr[2], s->dr[3]);
    debug_line(o, "DR6=%08" PRIx64 " DR7=%08" PRIx64 " EFER=%016" PRIx64, s->dr[6], s->dr[7],
               s->efer);
    debug_line(o, "FCW=%04x FSW=%04x [ST=%u] FTAG=%02x MXCSR=%08x", s->fcw, s->fsw,
               s->fsw >> 11 & 7, s->ftag, s->mxcsr);
    for (unsigned i = 0; i < 8; i += 2) {
        debug_line(o, "FPR%u=%016" PRIx64 " %04x FPR%u=%016" PRIx64 " %04x", i, s->st[i].man,
                   s->st[i].se, i + 1, s->st[i + 1].man, s->st[i + 1].se);
    }
    for (unsigned i = 0; i < 8; i += 2) {
        debug_line(o, "XMM%02u=%016" PRIx64 "%016" PRIx64 " XMM%02u=%016" PRIx64 "%016" PRIx64, i,
                   s->ymm[i][1], s->ymm[i][0], i + 1, s->ymm[i + 1][1], s->ymm[i + 1][0]);
    }
}

static const char *debug_activity(struct machine *m, unsigned cpu)
{
    static const char *const act[] = {"running", "halted", "shut down", "waiting for SIPI"};
    return act[cpu_state(m->cpu[cpu])->activity & 3];
}

/* As QEMU's "info cpus", with what each does; the star: the one asked for. */
static void debug_cpus(struct machine *m, unsigned cpu, const struct debug_out *o)
{
    for (unsigned i = 0; i < m->cpus; i++) {
        const struct cpu_state *s = cpu_state(m->cpu[i]);
        debug_line(o, "%c CPU #%u: pc=0x%08" PRIx64 " APIC ID %u, %s%s", i == cpu ? '*' : ' ', i,
                   s->seg[SEG_CS].base + s->rip, board_apic_id(&m->cfg, i), debug_activity(m, i),
                   m->cpus > 1 && i == m->turn ? ", its turn" : "");
    }
}

static void debug_status(struct machine *m, const struct debug_out *o)
{
    vtime now = clock_now(&m->clk);
    for (unsigned i = 0; i < m->cpus; i++) {
        char which[16] = "";
        if (m->cpus > 1) {
            snprintf(which, sizeof which, " %u", i);
        }
        debug_line(o, "processor%s: %s", which, debug_activity(m, i));
    }
    debug_line(o, "%" PRIu64 " instructions retired", m->insns);
    debug_line(o, "virtual time: %" PRIu64 ".%09" PRIu64 " s (%s)", (uint64_t)(now / VTIME_SEC),
               (uint64_t)(now % VTIME_SEC),
               m->deterministic ? "deterministic" : "paced to the host");
    for (const struct vtimer *t = m->clk.head; t; t = t->next) {
        debug_line(o, "  timer %-20s in %" PRIu64 " us", t->name,
                   (t->when > now ? t->when - now : 0) / 1000);
    }
}

/* The text screen as the CRTC shows it, one line a row; trailing blanks cut. */
static void debug_screen(struct machine *m, const struct debug_out *o)
{
    char text[132 * 60 + 1];
    uint32_t cols, rows;
    if (!machine_text(m, text, sizeof text, &cols, &rows)) {
        debug_line(o, "the screen is not in a text mode");
        return;
    }
    for (uint32_t r = 0; r < rows; r++) {
        char line[133];
        uint32_t n = cols < 132 ? cols : 132;
        for (uint32_t i = 0; i < n; i++) {
            uint8_t ch = (uint8_t)text[r * cols + i];
            line[i] = ch >= 0x20 && ch < 0x7f ? (char)ch : ch == 0 ? ' ' : '.';
        }
        while (n && line[n - 1] == ' ') {
            n--;
        }
        line[n] = 0;
        o->print(o->ctx, line);
    }
}

static const char *const debug_tables[] = {"registers", "cpus",   "mem",    "tlb",
                                           "mtree",     "status", "screen", NULL};

static const char *debug_name(struct machine *m, unsigned i)
{
    unsigned n = ARRAY_LEN(debug_tables) - 1;
    return i < n ? debug_tables[i] : board_info_name(m->board, i - n);
}

const char *machine_info_name(struct machine *m, unsigned i)
{
    return debug_name(m, i);
}

bool machine_info(struct machine *m, unsigned cpu, const char *what, machine_print_fn *print,
                  void *ctx)
{
    struct debug_out o = {print, ctx};
    bool ok = true;
    machine_lock(m);
    cpu = cpu < m->cpus ? cpu : 0;
    if (strcmp(what, "registers") == 0) {
        debug_registers(m, cpu, &o);
    } else if (strcmp(what, "cpus") == 0) {
        debug_cpus(m, cpu, &o);
    } else if (strcmp(what, "mem") == 0) {
        debug_mem(m, cpu, &o);
    } else if (strcmp(what, "tlb") == 0) {
        debug_tlb(m, cpu, &o);
    } else if (strcmp(what, "mtree") == 0) {
        debug_line(&o, "memory:");
        bus_print(m->mem, print, ctx);
        debug_line(&o, "ports:");
        bus_print(m->ports, print, ctx);
    } else if (strcmp(what, "status") == 0) {
        debug_status(m, &o);
    } else if (strcmp(what, "screen") == 0) {
        debug_screen(m, &o);
    } else {
        ok = board_info(m->board, cpu, what, print, ctx);
    }
    machine_unlock(m);
    return ok;
}

/* ---- tracing ---- */

static bool debug_before_insn(void *ctx, const struct cpu_state *st, const uint8_t *bytes,
                              unsigned len)
{
    struct machine *m = ctx;
    uint64_t lin = st->seg[SEG_CS].base + st->rip;
    return m->tracer.insn(m->tracer.ctx, m, lin, bytes, len);
}

static void debug_hook_mem(void *ctx, uint64_t lin, uint64_t phys, unsigned size, bool write,
                           uint64_t val)
{
    struct machine *m = ctx;
    m->tracer.mem(m->tracer.ctx, lin, phys, size, write, val);
}

static void debug_hook_port(void *ctx, uint16_t port, unsigned size, bool write, uint32_t val)
{
    struct machine *m = ctx;
    m->tracer.port(m->tracer.ctx, port, size, write, val);
}

static void debug_hook_exception(void *ctx, unsigned vector, uint32_t error, uint64_t rip)
{
    struct machine *m = ctx;
    m->tracer.exception(m->tracer.ctx, m, vector, error, rip);
}

static void debug_hook_interrupt(void *ctx, unsigned vector, uint64_t rip)
{
    struct machine *m = ctx;
    m->tracer.interrupt(m->tracer.ctx, m, vector, rip);
}

static void debug_observe_access(void *ctx, const struct region *r, uint64_t addr, unsigned size,
                                 bool write, uint64_t val)
{
    struct machine *m = ctx;
    if (m->tracing && m->tracer.mmio) {
        m->tracer.mmio(m->tracer.ctx, r->name, addr, size, write, val);
    }
}

static void debug_unmapped_mem(void *ctx, uint64_t addr, unsigned size, bool write)
{
    struct machine *m = ctx;
    if (m->unmapped) {
        m->unmapped(m->unmapped_ctx, false, addr, size, write);
    }
}

static void debug_unmapped_port(void *ctx, uint64_t addr, unsigned size, bool write)
{
    struct machine *m = ctx;
    if (m->unmapped) {
        m->unmapped(m->unmapped_ctx, true, addr, size, write);
    }
}

static void debug_observers(struct machine *m)
{
    struct bus_observer mem = {m->unmapped ? debug_unmapped_mem : NULL,
                               m->tracing && m->tracer.mmio ? debug_observe_access : NULL, m};
    struct bus_observer ports = {m->unmapped ? debug_unmapped_port : NULL, NULL, m};
    bus_observe(m->mem, &mem);
    bus_observe(m->ports, &ports);
}

void machine_trace(struct machine *m, const struct machine_tracer *t)
{
    machine_lock(m);
    m->tracing = t != NULL;
    m->tracer = t ? *t : (struct machine_tracer){0};
    m->hooks = (struct cpu_hooks){0};
    if (t) {
        m->hooks.before_insn = t->insn ? debug_before_insn : NULL;
        m->hooks.mem = t->mem ? debug_hook_mem : NULL;
        m->hooks.port = t->port ? debug_hook_port : NULL;
        m->hooks.exception = t->exception ? debug_hook_exception : NULL;
        m->hooks.interrupt = t->interrupt ? debug_hook_interrupt : NULL;
    }
    for (unsigned i = 0; i < m->cpus; i++) {
        cpu_set_hooks(m->cpu[i], t ? &m->hooks : NULL, m);
    }
    debug_observers(m);
    machine_unlock(m);
}

void machine_on_unmapped(struct machine *m,
                         void (*f)(void *ctx, bool port, uint64_t addr, unsigned size, bool write),
                         void *ctx)
{
    machine_lock(m);
    m->unmapped = f;
    m->unmapped_ctx = ctx;
    debug_observers(m);
    machine_unlock(m);
}
