/* A small IDE driver for the tests: what a guest would do, over the channel's regions. */
#pragma once
#include "tests/devices/pc_bench.h"

static inline struct pc_bench *open_ide(void)
{
    struct pc_bench *b = contract_open(&ide_case)->priv;
    ide_enable(b);
    return b;
}
static inline void close_ide(struct pc_bench *b)
{
    contract_close(&ide_case, b->rig);
}
static inline unsigned ide_base(unsigned ch)
{
    return ch ? 0x170 : 0x1f0;
}
static inline uint8_t ide_status(struct pc_bench *b, unsigned ch) /* alternate: no side effect */
{
    return (uint8_t)in(b, ide_base(ch) + 0x206, 1);
}
/* Let time pass until BSY is clear; the status then. */
static inline uint8_t ide_wait(struct pc_bench *b, unsigned ch)
{
    for (unsigned i = 0; i < 20000 && (ide_status(b, ch) & ATA_BSY); i++) {
        rig_advance(b->rig, 5 * VTIME_US);
    }
    return ide_status(b, ch);
}
static inline void ide_regs(struct pc_bench *b, unsigned ch, uint8_t dev, uint8_t feature,
                            uint8_t count, uint32_t lba)
{
    unsigned p = ide_base(ch);
    out(b, p + 6, dev | (dev & 0x40 ? lba >> 24 & 15 : 0), 1);
    out(b, p + 1, feature, 1);
    out(b, p + 2, count, 1);
    out(b, p + 3, lba, 1);
    out(b, p + 4, lba >> 8, 1);
    out(b, p + 5, lba >> 16, 1);
}
static inline void ide_regs48(struct pc_bench *b, unsigned ch, uint16_t count, uint64_t lba)
{
    unsigned p = ide_base(ch);
    out(b, p + 6, 0x40, 1);
    out(b, p + 2, count >> 8, 1);
    out(b, p + 2, count, 1);
    out(b, p + 3, (uint32_t)(lba >> 24), 1);
    out(b, p + 3, (uint32_t)lba, 1);
    out(b, p + 4, (uint32_t)(lba >> 32), 1);
    out(b, p + 4, (uint32_t)(lba >> 8), 1);
    out(b, p + 5, (uint32_t)(lba >> 40), 1);
    out(b, p + 5, (uint32_t)(lba >> 16), 1);
}
static inline uint8_t ide_run(struct pc_bench *b, unsigned ch, uint8_t command)
{
    out(b, ide_base(ch) + 7, command, 1);
    return ide_wait(b, ch);
}
static inline uint8_t ide_cmd(struct pc_bench *b, unsigned ch, uint8_t command, uint8_t feature,
                              uint8_t count, uint32_t lba)
{
    ide_regs(b, ch, 0x40, feature, count, lba);
    return ide_run(b, ch, command);
}
static inline void ide_get(struct pc_bench *b, unsigned ch, void *buf, unsigned len)
{
    uint8_t *p = buf;
    for (unsigned i = 0; i < len; i += 2) {
        store_le16(p + i, (uint16_t)in(b, ide_base(ch), 2));
    }
}
static inline void ide_put(struct pc_bench *b, unsigned ch, const void *buf, unsigned len)
{
    const uint8_t *p = buf;
    for (unsigned i = 0; i < len; i += 2) {
        out(b, ide_base(ch), load_le16(p + i), 2);
    }
}
static inline uint8_t ide_error(struct pc_bench *b, unsigned ch)
{
    return (uint8_t)in(b, ide_base(ch) + 1, 1);
}
static inline void ide_ack(struct pc_bench *b, unsigned ch)
{
    in(b, ide_base(ch) + 7, 1);
}
/* One PRD entry at index i of the table at 1000h. */
static inline void ide_prd(struct pc_bench *b, unsigned i, uint32_t addr, uint32_t word)
{
    store_le32(b->rig->mem + 0x1000 + 8 * i, addr);
    store_le32(b->rig->mem + 0x1004 + 8 * i, word);
}
static inline void bm_start(struct pc_bench *b, unsigned ch, bool to_memory)
{
    unsigned p = 0xc000 + ch * 8;
    out(b, p + 4, 0x1000, 4);
    out(b, p + 2, 0x06, 1);
    out(b, p, to_memory ? 8 : 0, 1);
    out(b, p, to_memory ? 9 : 1, 1);
}
static inline uint8_t bm_status(struct pc_bench *b, unsigned ch)
{
    return (uint8_t)in(b, 0xc000 + ch * 8 + 2, 1);
}
static inline void bm_stop(struct pc_bench *b, unsigned ch)
{
    out(b, 0xc000 + ch * 8, 0, 1);
}
#define PRD_LAST 0x80000000u
