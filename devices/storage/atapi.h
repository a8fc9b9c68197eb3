/* The CD drive behind an IDE channel: transport (atapi.c) and commands (atapi_cmds.c). */
#pragma once
#include "devices/storage/ide.h"

#define CD_FRAME 2048u

void atapi_command(struct ide_drive *d);     /* an ATA command for a packet device */
void atapi_packet(struct ide_drive *d);      /* IDE_STEP_PACKET: a CDB has arrived */
void atapi_chunk(struct ide_drive *d);       /* IDE_STEP_PACKET_IN: offer the next block */
void atapi_chunk_read(struct ide_drive *d);  /* the host has read it */
void atapi_chunk_written(struct ide_drive *d);
void atapi_parameters(struct ide_drive *d);  /* IDE_STEP_PACKET_OUT */
void atapi_done(struct ide_drive *d);        /* IDE_STEP_PACKET_DONE */
void atapi_dma(struct ide_drive *d);         /* IDE_STEP_DMA */
void atapi_media_changed(void *drive);       /* blockdev callback */
void atapi_reset(struct ide_drive *d);
bool atapi_snap_ok(const struct ide_drive *d);

/* for atapi_cmds.c */
bool atapi_loaded(const struct ide_drive *d);
void atapi_fail(struct ide_drive *d, uint8_t key, uint8_t asc, uint8_t ascq);
void atapi_good(struct ide_drive *d);
void atapi_reply(struct ide_drive *d, uint32_t len, uint32_t alloc); /* buf[0..len) */
void atapi_read(struct ide_drive *d, uint32_t lba, uint32_t frames, uint8_t parts);
void atapi_accept(struct ide_drive *d, uint32_t len); /* MODE SELECT's list */
uint32_t atapi_frame_len(uint8_t parts);
void atapi_put_msf(uint8_t *out, uint32_t lba); /* absolute: 2 s lead-in added */

/* atapi_cmds.c */
void atapi_execute(struct ide_drive *d);
void atapi_mode_select(struct ide_drive *d, uint32_t len); /* the list is in buf */
void atapi_identify(struct ide_drive *d, uint8_t out[512]);
void atapi_mode_defaults(struct ide_drive *d);
