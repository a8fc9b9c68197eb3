/* -d: a log of what the guest does, through the machine's tracer. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct machine;
struct dlog;

enum dlog_item {
    DLOG_IN_ASM = 1 << 0,       /* each instruction when first met */
    DLOG_EXEC = 1 << 1,         /* each instruction executed */
    DLOG_INT = 1 << 2,          /* exceptions and interrupts */
    DLOG_CPU = 1 << 3,          /* registers before each instruction */
    DLOG_PCALL = 1 << 4,        /* far transfers and interrupts in protected mode */
    DLOG_IO = 1 << 5,           /* port and MMIO accesses */
    DLOG_MMU = 1 << 6,          /* page faults, writes to CR0, CR3, CR4, INVLPG */
    DLOG_UNIMP = 1 << 7,        /* hardware that is not built */
    DLOG_GUEST_ERRORS = 1 << 8, /* what datasheets forbid */
};
enum { DLOG_RANGES = 8 };
struct dlog_range {
    uint64_t first, last;
};

bool dlog_parse_items(const char *text, unsigned *items, struct err *err);
/* START..END, START+LEN, START-LEN (the LEN bytes before and START), comma-separated */
bool dlog_parse_filter(const char *text, struct dlog_range *ranges, unsigned *count,
                       struct err *err);
const char *dlog_help(void);

/* file NULL: stderr.  Log classes unimp and guest_errors are switched on too. */
struct dlog *dlog_open(struct machine *m, unsigned items, const char *filter, const char *file,
                       struct err *err);
void dlog_close(struct dlog *d);
/* A ready line, from the log classes. */
void dlog_line(struct dlog *d, const char *line);
void dlog_flush(struct dlog *d);
