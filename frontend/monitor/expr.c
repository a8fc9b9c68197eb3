/* Numbers in the monitor: 10, 0x10, $eip, $pc, $sp, + - * / %, brackets, unary minus. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/monitor/hmp.h"
#include "frontend/runner.h"
#include "machine/debug.h"

enum { EXPR_DEPTH = 32 };
struct expr {
    struct hmp *h;
    const char *p;
    const char *why;
    unsigned depth;
};

static uint64_t expr_sum(struct expr *e);

static void expr_skip(struct expr *e)
{
    while (isspace((unsigned char)*e->p)) {
        e->p++;
    }
}

static uint64_t expr_register(struct expr *e)
{
    struct machine *m = runner_machine(e->h->runner);
    char name[24];
    size_t n = 0;
    while ((isalnum((unsigned char)*e->p) || *e->p == '_') && n < sizeof name - 1) {
        name[n++] = (char)tolower((unsigned char)*e->p++);
    }
    name[n] = 0;
    uint64_t v = 0;
    static const char *const pc[] = {"rip", "eip", NULL}, *const sp[] = {"rsp", "esp", NULL};
    const char *const *alias = strcmp(name, "pc") == 0   ? pc
                               : strcmp(name, "sp") == 0 ? sp
                                                         : NULL;
    for (unsigned i = 0; alias && alias[i]; i++) {
        if (machine_reg_by_name(m, e->h->cpu, alias[i], &v)) {
            uint64_t base = 0; /* as QEMU: pc is linear */
            if (alias == pc && machine_reg_by_name(m, e->h->cpu, "cs_base", &base)) {
                v += base;
            }
            return v;
        }
    }
    if (machine_reg_by_name(m, e->h->cpu, name, &v)) {
        return v;
    }
    /* 32-bit names of a machine that knows 64-bit ones, and the other way round */
    if ((name[0] == 'e' || name[0] == 'r') && n < sizeof name - 1) {
        name[0] = name[0] == 'e' ? 'r' : 'e';
        if (machine_reg_by_name(m, e->h->cpu, name, &v)) {
            return name[0] == 'r' ? (uint32_t)v : v;
        }
    }
    e->why = "unknown register";
    return 0;
}

static uint64_t expr_unit(struct expr *e)
{
    if (++e->depth > EXPR_DEPTH) {
        e->why = "too many brackets";
        return 0;
    }
    expr_skip(e);
    uint64_t v = 0;
    if (*e->p == '(') {
        e->p++;
        v = expr_sum(e);
        expr_skip(e);
        if (*e->p == ')') {
            e->p++;
        } else {
            e->why = "a bracket is not closed";
        }
    } else if (*e->p == '-') {
        e->p++;
        v = 0 - expr_unit(e);
    } else if (*e->p == '$') {
        e->p++;
        v = expr_register(e);
    } else if (isdigit((unsigned char)*e->p)) {
        char *end;
        v = strtoull(e->p, &end, 0);
        e->p = end;
    } else {
        e->why = "a number or $register is missing";
    }
    e->depth--;
    return v;
}

static uint64_t expr_product(struct expr *e)
{
    uint64_t v = expr_unit(e);
    for (expr_skip(e); *e->p && strchr("*/%", *e->p) && !e->why; expr_skip(e)) {
        char op = *e->p++;
        uint64_t w = expr_unit(e);
        if (op == '*') {
            v *= w;
        } else if (w == 0) {
            e->why = "division by zero";
        } else {
            v = op == '/' ? v / w : v % w;
        }
    }
    return v;
}

static uint64_t expr_sum(struct expr *e)
{
    uint64_t v = expr_product(e);
    for (expr_skip(e); (*e->p == '+' || *e->p == '-') && !e->why; expr_skip(e)) {
        char op = *e->p++;
        uint64_t w = expr_product(e);
        v = op == '+' ? v + w : v - w;
    }
    return v;
}

bool hmp_expr(struct hmp *h, const char **text, uint64_t *val, const char **why)
{
    struct expr e = {.h = h, .p = *text};
    *val = expr_sum(&e);
    expr_skip(&e);
    *text = e.p;
    *why = e.why;
    return !e.why;
}
