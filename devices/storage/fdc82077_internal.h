/* What the two files of the floppy controller share: fdc82077.c (registers, device) and
 * fdc82077_cmd.c (commands and their execution). */
#pragma once
#include "devices/storage/fdc82077.h"

#define FDC_RESET_NS (20 * VTIME_US)
#define FDC_LAST_TRACK 83 /* where the head meets the stop */

enum { DOR_SELECT = 0x03, DOR_NRESET = 0x04, DOR_DMAGATE = 0x08 };
enum { CFG_EIS = 0x40, CFG_EFIFO = 0x20, CFG_POLL = 0x10 };

/* How many bytes a command has, counted with this first one. */
uint8_t fdc_command_len(uint8_t first);
void fdc_execute(struct fdc82077 *f);
/* One byte of the execution phase, by DMA or through the FIFO. */
uint8_t fdc_byte(struct fdc82077 *f, uint8_t val, bool tc);
bool fdc_to_host(const struct fdc82077 *f);
bool fdc_dma_mode(const struct fdc82077 *f);
bool fdc_medium(const struct fdc_drive *d);
void fdc_idle(struct fdc82077 *f);   /* ready for a command */
void fdc_update(struct fdc82077 *f); /* drive INT and DRQ */
void fdc_step(void *owner, vtime now);
void fdc_seek_done(void *owner, vtime now);
