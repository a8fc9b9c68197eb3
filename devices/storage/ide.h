/* One IDE channel: two units behind ten ports.  ide.c has the registers and the data port, ata.c
 * the disk's commands, atapi.c and atapi_cmds.c the CD's.  Boards use piix_ide.h.
 *
 * A command is never finished inside the port write that started it: BSY goes on, a timer is armed
 * a short virtual time ahead, and data moves when it fires. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/plugs/blockdev.h"
#include "devices/storage/bmdma.h"
#include "mem/bus.h"
#include "mem/irq.h"

#define IDE_BUF 65536 /* 128 sectors, or 27 raw CD frames */
#define ATA_SECTOR 512u
#define ATA_MULTIPLE_MAX 16u
#define ATAPI_PAGES 5
#define ATAPI_PAGE 16
#define ATA_SELFTESTS 21
#define ATA_ERRORS 5u /* in the SMART summary error log */
#define ATA_LOGGED 5u /* commands with each of them */

enum { /* status */
    ATA_BSY = 0x80, ATA_DRDY = 0x40, ATA_DF = 0x20, ATA_DSC = 0x10, ATA_DRQ = 0x08, ATA_ERR = 0x01
};
enum { /* error */
    ATA_UNC = 0x40, ATA_WP = 0x40, ATA_IDNF = 0x10, ATA_ABRT = 0x04, ATA_NM = 0x02
};
enum { IDE_SRST = 0x04, IDE_NIEN = 0x02, IDE_HOB = 0x80 }; /* device control */

enum ide_kind { IDE_ABSENT, IDE_DISK, IDE_CD };
enum ide_step { /* what the drive's timer will do */
    IDE_STEP_IDLE, IDE_STEP_COMMAND, IDE_STEP_IN, IDE_STEP_OUT, IDE_STEP_DMA, IDE_STEP_PACKET,
    IDE_STEP_PACKET_IN, IDE_STEP_PACKET_OUT, IDE_STEP_PACKET_DONE, IDE_STEP_RESET, IDE_STEPS
};
enum ide_xfer { /* who is served when buf has been read or filled through the data port */
    IDE_XFER_NONE, IDE_XFER_IN, IDE_XFER_OUT, IDE_XFER_IN_ONCE, IDE_XFER_CDB,
    IDE_XFER_PACKET_IN, IDE_XFER_PACKET_OUT, IDE_XFERS
};
enum ide_dma { IDE_DMA_NONE, IDE_DMA_IN, IDE_DMA_OUT, IDE_DMA_PACKET_IN, IDE_DMA_PACKET_OUT,
               IDE_DMAS };

struct ide_taskfile { /* the command block as the host wrote it, and the one before (HOB) */
    uint8_t feature, count, lba0, lba1, lba2;
};

struct atapi {
    uint8_t cdb[12];
    uint8_t key, asc, ascq; /* what REQUEST SENSE reports */
    bool attention;         /* medium changed: tell the next command */
    uint8_t event;          /* media event code for GET EVENT STATUS NOTIFICATION, 0: none */
    bool tray_open;
    bool dma;               /* this packet's data goes by bus master */
    uint32_t limit;         /* bytes a DRQ block, even */
    uint32_t chunk_end;     /* end in buf of the block now offered */
    uint32_t lba, left;     /* frames still to be read into buf */
    uint8_t frame;          /* READ CD main channel bits; 0x10: 2048 bytes of user data */
    uint8_t mode[ATAPI_PAGES][ATAPI_PAGE]; /* mode pages 01, 0D, 0E, 1A, 1D */
    uint16_t speed;                        /* SET CD SPEED, KB/s */
};

struct ide_channel;
struct ide_drive {
    struct ide_channel *ch;
    enum ide_kind kind;
    struct blockdev *blk;
    char serial[21], model[41], firmware[9];
    struct vtimer timer;
    uint8_t step, xfer, dma; /* enums above */
    bool dma_wait;           /* BSY until the bus master starts */
    bool intrq, asleep;
    uint8_t status, error, command;
    struct ide_taskfile tf, hob;
    uint32_t pos, end; /* in buf */
    /* disk */
    uint64_t lba;
    uint32_t left;        /* sectors of this command not yet moved */
    uint32_t moving;      /* sectors in buf now */
    uint8_t block;        /* sectors a DRQ block in this command */
    bool ext;             /* the command is of the 48-bit set */
    uint8_t multiple;     /* SET MULTIPLE MODE; 0: off */
    uint8_t heads, spt;   /* INITIALIZE DEVICE PARAMETERS; never 0 */
    uint8_t xfer_mode;    /* SET FEATURES 03h */
    bool write_cache, look_ahead, keep_settings;
    uint8_t power;        /* CHECK POWER MODE: FFh active, 80h idle, 00h standby */
    bool smart, smart_autosave;
    uint8_t selftests, selftest[ATA_SELFTESTS]; /* newest last, as a ring of 21 */
    uint8_t selftest_next;
    uint16_t selftest_hours[ATA_SELFTESTS];
    bool smart_offline;                     /* off-line data collection has been run */
    uint16_t errors;                        /* of the medium, since power-on */
    uint8_t error_log[ATA_ERRORS][90];      /* as SMART READ LOG shows them, as a ring */
    uint8_t commands[ATA_LOGGED][12];       /* the last ones, the newest last */
    /* CD */
    struct atapi cd;
    uint8_t buf[IDE_BUF];
};

struct ide_channel {
    const char *id;
    struct region cmd; /* eight ports, 1F0h or 170h */
    struct region ctl; /* one port, 3F6h or 376h */
    struct irq_line irq;
    struct bmdma bm;
    bool (*may_dma)(void *owner); /* the function's bus-master enable */
    void *owner;
    uint8_t device;  /* device/head register: both units see it */
    uint8_t control; /* device control */
    struct ide_drive drive[2];
};

/* piix_ide.c's side */
void ide_init(struct ide_channel *ch, unsigned number, struct clock *clk, struct dma dma,
              struct irq_line irq);
void ide_attach(struct ide_channel *ch, unsigned unit, enum ide_kind kind, struct blockdev *blk,
                const char *serial);
void ide_reset(struct ide_channel *ch);
void ide_drive_irq(struct ide_channel *ch); /* from device drive() */
void ide_snap(struct ide_channel *ch, struct snap *s);
void ide_destroy(struct ide_channel *ch);

/* ata.c's and atapi.c's side */
void ide_arm(struct ide_drive *d, enum ide_step step, vtime delay);
void ide_raise(struct ide_drive *d);
void ide_finish(struct ide_drive *d, uint8_t status, uint8_t error); /* status, interrupt */
void ide_settle(struct ide_drive *d, uint8_t status, uint8_t error); /* status, no interrupt */
void ide_abort(struct ide_drive *d);                                 /* ERR, ABRT, interrupt */
void ide_offer(struct ide_drive *d, enum ide_xfer xfer, uint32_t len, bool interrupt);
void ide_signature(struct ide_drive *d);
void ide_defaults(struct ide_drive *d);
/* Go on with a DMA: now if the bus master runs, else when it is started. */
bool ide_dma_ready(struct ide_drive *d);
static inline struct bmdma *ide_bm(struct ide_drive *d)
{
    return &d->ch->bm;
}
