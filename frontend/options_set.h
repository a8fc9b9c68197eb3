/* The handlers behind options.def, and what they share. */
#pragma once
#include "frontend/options.h"

#define HEADING(text)
#define OPTION(name, handler, arg, help)                                                           \
    bool opt_##handler(struct options *o, const char *opt, const char *arg_, struct err *err);
#include "frontend/options.def"
#undef OPTION
#undef HEADING

/* A -serial style description; *id becomes the chardev's id, "" for none, "" and *with_monitor
 * for mon:. */
bool opt_char_spec(struct options *o, const char *opt, const char *spec, char id[OPT_NAME],
                   bool *with_monitor, struct err *err);
/* After the last word: defaults, references, conflicts. */
bool opt_finish_drives(struct options *o, struct err *err);
bool opt_finish_chars(struct options *o, struct err *err);
struct opt_chardev *opt_char_find(struct options *o, const char *id);
