/* Machine code in words.  disasm.c is the only user of capstone. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct disasm;
struct disasm *disasm_open(void); /* NULL: no memory */
void disasm_close(struct disasm *d);
/* One instruction of 16-, 32- or 64-bit code: its length (1 and "(bad)" when it is none), and text
 * like "mov eax, dword ptr [ebx]". */
unsigned disasm_one(struct disasm *d, int bits, uint64_t addr, const uint8_t *bytes, size_t len,
                    char *text, size_t cap);
