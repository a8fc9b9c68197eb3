/* The human monitor: a line in, text out.  Commands: hmp_cmds.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frontend/char/port.h"

struct runner;
struct drive;
struct disasm;
struct dlog;
struct net_port;

struct hmp {
    struct runner *runner;
    struct drive *drives;
    unsigned drive_count;
    struct net_port *nets;
    unsigned net_count;
    const char *name;
    /* output: complete pieces of text, "\n" ends lines */
    void (*write)(void *out, const char *text, size_t len);
    void *out;
    struct disasm *dis;
    unsigned cpu;       /* whose registers and memory are looked at */
    uint64_t next_addr; /* where "x" without an address goes on */
    char next_fmt;
    unsigned next_size;
    uint64_t insns_at_step;
};

bool hmp_init(struct hmp *h);
void hmp_fini(struct hmp *h);
void hmp_printf(struct hmp *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void hmp_line(struct hmp *h, const char *line);
/* Possible endings of the last word of `line`, through found(); the same list libedit shows. */
void hmp_complete(struct hmp *h, const char *line, void (*found)(void *ctx, const char *word),
                  void *ctx);

/* expr.c: numbers, $register, + - * / ( ); false with *why set. */
bool hmp_expr(struct hmp *h, const char **text, uint64_t *val, const char **why);
/* examine.c: x, xp, print, and the step display */
void hmp_examine(struct hmp *h, const char *args, bool phys);
void hmp_print(struct hmp *h, const char *args);
void hmp_show_insn(struct hmp *h);
/* hmp_net.c */
void hmp_info_network(struct hmp *h);
void hmp_info_usernet(struct hmp *h);
void hmp_hostfwd_add(struct hmp *h, char *args);
void hmp_hostfwd_remove(struct hmp *h, char *args);
void hmp_set_link(struct hmp *h, char *args);
