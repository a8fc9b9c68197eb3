/* -input-script: keys and actions at exact virtual times, so that two runs can be equal. */
#pragma once
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"

struct runner;
struct script;
struct keymap_layout;

struct script *script_open(const char *path, const struct keymap_layout *layout, struct err *err);
/* For tests: the text itself. */
struct script *script_parse(const char *name, const char *text, const struct keymap_layout *layout,
                            struct err *err);
void script_close(struct script *s);
/* On the machine's thread, between slices: does what is due; returns when it wants to be called
 * again (VTIME_NEVER: finished). */
vtime script_run(struct script *s, struct runner *r, vtime now);
