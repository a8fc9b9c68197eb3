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
bool opt_finish_nets(struct options *o, struct err *err);
bool opt_finish_nics(struct options *o, struct err *err);
struct keyval;
/* A card by model=, mac= or macaddr= for the network of that id (NULL: none). */
bool opt_nic_add(struct options *o, const struct keyval *kv, const char *netdev, struct err *err);
/* -device ne2k_pci and ne2k_isa */
bool opt_device_nic(struct options *o, const struct keyval *kv, enum opt_nic_model model,
                    struct err *err);
struct opt_chardev *opt_char_find(struct options *o, const char *id);
