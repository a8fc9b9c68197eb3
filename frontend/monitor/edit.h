/* The monitor on the terminal Vitrine was started in, alone: libedit does the line editing. */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "frontend/monitor/hmp.h"

struct edit;
/* Runs in a thread of its own, which reads until end of file or until the process ends. */
struct edit *edit_start(struct hmp *h, struct err *err);
void edit_stop(struct edit *e);
