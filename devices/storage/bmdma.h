/* Bus-master IDE: one channel's eight registers and its walk over the PRD table.  A part of
 * piix_ide.  Copies only; a table can neither loop for ever nor make anything allocate. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/snap.h"
#include "mem/dma.h"

struct bmdma {
    const char *id;
    struct dma dma;
    void (*started)(void *owner); /* START went from 0 to 1 */
    void (*stopped)(void *owner); /* START went from 1 to 0 */
    void *owner;
    uint8_t bmic;   /* command */
    uint8_t bmis;   /* status */
    uint32_t bmidtp; /* table pointer */
    uint32_t next;  /* where the next descriptor is read */
    uint32_t addr;  /* rest of the present one */
    uint32_t left;
    bool last;      /* the present descriptor had EOT */
};

enum { BMIS_ACTIVE = 0x01, BMIS_ERROR = 0x02, BMIS_INTERRUPT = 0x04 };

uint8_t bmdma_read(const struct bmdma *bm, unsigned off);
void bmdma_write(struct bmdma *bm, unsigned off, uint8_t v);
bool bmdma_active(const struct bmdma *bm);
/* Move len bytes between buf and the memory the table describes; returns how many the table had
 * room for.  Short or exactly used up: ACTIVE goes off. */
uint32_t bmdma_copy(struct bmdma *bm, uint8_t *buf, uint32_t len, bool to_memory);
void bmdma_reset(struct bmdma *bm);
void bmdma_snap(struct bmdma *bm, struct snap *s);
