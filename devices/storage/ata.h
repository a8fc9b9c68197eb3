/* The disk behind an IDE channel: what ide.c calls. */
#pragma once
#include "devices/storage/ide.h"

void ata_command(struct ide_drive *d); /* the command register was written a moment ago */
vtime ata_delay(const struct ide_drive *d); /* how long that moment is */
void ata_fetch(struct ide_drive *d);   /* IDE_STEP_IN: next DRQ block from the medium */
void ata_store(struct ide_drive *d);   /* IDE_STEP_OUT: the DRQ block goes to the medium */
void ata_block_read(struct ide_drive *d); /* the host has read buf */
void ata_dma(struct ide_drive *d);     /* IDE_STEP_DMA */
bool ata_snap_ok(const struct ide_drive *d);

/* ata_info.c */
void ata_identify(struct ide_drive *d, uint8_t out[512]);
void ata_geometry(const struct ide_drive *d, uint32_t *cylinders);
void ata_smart(struct ide_drive *d);
bool ata_set_features(struct ide_drive *d); /* disks and CDs; false: abort */
void ata_string(uint8_t *out, const char *s, unsigned len);
void ata_selftest_log(struct ide_drive *d, uint8_t type);
void ata_log_command(struct ide_drive *d);
void ata_log_error(struct ide_drive *d, uint8_t status, uint8_t error);
