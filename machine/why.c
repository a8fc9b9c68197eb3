/* A triple fault in words: which exceptions, where, and which check could not be passed.
 * SDM Vol. 3A, "Interrupt 8 - Double Fault Exception (#DF)" and "Exception and Interrupt
 * Reference". */
#include "machine/machine_int.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"

static const char *const why_vector[32] = {"divide error",
                                           "debug exception",
                                           "NMI",
                                           "breakpoint",
                                           "overflow",
                                           "BOUND range exceeded",
                                           "invalid opcode",
                                           "device not available",
                                           "double fault",
                                           "coprocessor segment overrun",
                                           "invalid TSS",
                                           "segment not present",
                                           "stack fault",
                                           "general protection fault",
                                           "page fault",
                                           "reserved",
                                           "x87 floating-point error",
                                           "alignment check",
                                           "machine check",
                                           "SIMD floating-point error"};

static const char *why_check(enum cpu_why why)
{
    switch (why) {
    case WHY_IDT_LIMIT:
        return "its gate lies beyond the limit of the interrupt table (was LIDT done?)";
    case WHY_GATE_TYPE:
        return "its entry in the interrupt table is not an interrupt, trap or task gate";
    case WHY_GATE_DPL: return "its gate may not be used from this privilege level";
    case WHY_GATE_NOT_PRESENT: return "its gate is marked not present";
    case WHY_CS_NULL: return "the handler's code segment selector is null";
    case WHY_CS_LIMIT:
        return "the handler's code segment selector lies beyond the descriptor table";
    case WHY_CS_TYPE: return "the handler's selector does not name a code segment";
    case WHY_CS_DPL: return "the handler's code segment has the wrong privilege level";
    case WHY_CS_NOT_PRESENT: return "the handler's code segment is marked not present";
    case WHY_IP_LIMIT: return "the handler's address lies beyond its code segment";
    case WHY_TSS_LIMIT: return "the task state segment is too short to hold the handler's stack";
    case WHY_TSS_BAD: return "the task state segment cannot be used";
    case WHY_SS_NULL: return "the handler's stack selector is null";
    case WHY_SS_LIMIT: return "the handler's stack selector lies beyond the descriptor table";
    case WHY_SS_BAD: return "the handler's stack selector does not name a fitting writable segment";
    case WHY_SS_NOT_PRESENT: return "the handler's stack segment is marked not present";
    case WHY_STACK_LIMIT: return "the stack has no room for the handler's frame";
    case WHY_PAGE: return "the page is not mapped, or not in the way that was needed";
    default: return NULL;
    }
}

static size_t why_add(char *buf, size_t cap, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static size_t why_add(char *buf, size_t cap, size_t at, const char *fmt, ...)
{
    if (at >= cap) {
        return at;
    }
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buf + at, cap - at, fmt, ap);
    va_end(ap);
    return n > 0 ? at + (size_t)n : at;
}

/* The bytes of the descriptor or gate in question, where it can be read. */
static size_t why_bytes(struct machine *m, char *buf, size_t cap, size_t at, uint64_t lin)
{
    uint8_t b[8];
    if (machine_peek(m, m->turn, lin, b, 8) != 8) {
        return why_add(buf, cap, at, " (at linear %08" PRIx64 ", which cannot be read)", lin);
    }
    return why_add(buf, cap, at, " (at linear %08" PRIx64 ": %08x %08x)", lin, load_le32(b + 4),
                   load_le32(b));
}

void machine_explain_triple_fault(struct machine *m)
{
    static const char *const nth[] = {"first", "second", "third",   "fourth",
                                      "fifth", "sixth",  "seventh", "eighth"};
    struct cpu_fault_record f[8];
    unsigned n = cpu_last_faults(machine_cpu(m), f), first = 0;
    char *b = m->why;
    size_t cap = sizeof m->why, at = 0;
    /* the chain begins at the last exception that was not raised while delivering another */
    for (unsigned i = first; i < n; i++) {
        if (!f[i].during_delivery) {
            first = i;
        }
    }
    at = why_add(b, cap, at, "triple fault: the processor");
    if (m->cpus > 1) {
        at = why_add(b, cap, at, " %u", m->turn);
    }
    at = why_add(b, cap, at, " could not start any exception handler\n");
    for (unsigned i = first; i < n; i++) {
        const char *name = f[i].vector < 20 ? why_vector[f[i].vector] : "interrupt";
        at = why_add(b, cap, at, "  %s: %s (vector %u", nth[i - first], name ? name : "?",
                     f[i].vector);
        if (f[i].has_error) {
            at = why_add(b, cap, at, ", error code %04x", f[i].error);
        }
        at = why_add(b, cap, at, ") at %04x:%08" PRIx64, f[i].cs, f[i].rip);
        if (f[i].vector == 14) {
            at = why_add(b, cap, at, ", address %08" PRIx64, f[i].cr2);
        }
        if (f[i].during_delivery && i > first) {
            at = why_add(b, cap, at, ", while entering the handler of vector %u", f[i - 1].vector);
        }
        const char *why = why_check(f[i].why);
        if (why) {
            at = why_add(b, cap, at, "\n    because %s", why);
            if (f[i].where) {
                at = why_bytes(m, b, cap, at, f[i].where);
            }
        }
        at = why_add(b, cap, at, "\n");
    }
    if (at && at < cap && b[at - 1] == '\n') {
        b[at - 1] = 0;
    }
}
