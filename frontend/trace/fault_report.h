/* What to tell when the guest fell over: machine_why(), registers, the last 32 instructions. */
#pragma once
#include <stdbool.h>

struct machine;
/* Lines for a human; the caller frees it.  NULL: no memory. */
char *fault_report(struct machine *m, bool triple);
