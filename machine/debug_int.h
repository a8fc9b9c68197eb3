/* What the parts of machine/debug*.c share. */
#pragma once
#include "machine/machine_int.h"

struct debug_out {
    machine_print_fn *print;
    void *ctx;
};
void debug_line(const struct debug_out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* debug_pages.c */
void debug_mem(struct machine *m, unsigned cpu, const struct debug_out *o);
void debug_tlb(struct machine *m, unsigned cpu, const struct debug_out *o);
