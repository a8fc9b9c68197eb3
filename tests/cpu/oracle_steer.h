/* Where memory operands of the host oracle point: the middle of the data, page ends, read-only and
 * unmapped pages, segment limits, addresses that are not canonical. */
#pragma once
#include "tests/cpu/oracle.h"

/* Selectors and bases for the case's mode. */
void oracle_steer_segments(struct oracle_case *c, uint64_t *s);
/* Does a memory operand have an address of its own (not SI, DI or the stack's)? */
bool oracle_addressed(const struct insn *in);
/* Point the operand somewhere by a register or the displacement (in code: decode again); *lin: its
 * linear address.  false: it cannot be done. */
bool oracle_steer(struct oracle_case *c, uint64_t *s, unsigned modrm_at, uint64_t *lin);
/* SP; returns the linear address of the top of the stack. */
uint64_t oracle_steer_stack(struct oracle_case *c, uint64_t *s);
/* A register to data offset `off` through segment `seg`, by stack or address size. */
void oracle_steer_reg(struct oracle_case *c, uint64_t *s, unsigned reg, unsigned seg, unsigned off);
bool oracle_steer_string(struct oracle_case *c, uint64_t *s);
/* A store into data memory before the run, by linear address; others are ignored. */
void oracle_poke(struct oracle_case *c, uint64_t lin, const void *bytes, unsigned len);
