/* Bus-master IDE registers and physical region descriptors.
 * "Programming Interface for Bus Master IDE Controller", revision 1.0 (Intel, 1994); Intel
 * 82371SB (290550), "Bus Master IDE Registers".
 * NOT IMPLEMENTED: the direction bit is kept but the command decides; data aimed at something that
 * is not RAM is dropped without a target abort. */
#include "devices/storage/bmdma.h"

#include "base/bits.h"
#include "base/log.h"

enum { BMIC_START = 0x01, BMIC_TO_MEMORY = 0x08, BMIS_CAPABLE = 0x60, PRD_EOT = 0x80000000u };

bool bmdma_active(const struct bmdma *bm)
{
    return (bm->bmic & BMIC_START) && (bm->bmis & BMIS_ACTIVE);
}

/* {u32 address, bit 0 zero; u16 count, bit 0 zero, 0 = 64 KB; bit 31 of the second word: last} */
static bool bmdma_next(struct bmdma *bm)
{
    uint8_t d[8];
    if (bm->last) {
        return false;
    }
    if (!bm->dma.read(bm->dma.ctx, bm->next, d, sizeof d)) {
        log_msg(LOG_GUEST, bm->id, "PRD table at 0x%x is not in RAM", bm->next);
        bm->bmis |= BMIS_ERROR;
        bm->last = true;
        return false;
    }
    bm->next += 8;
    bm->addr = load_le32(d) & ~1u;
    bm->left = load_le16(d + 4) & 0xfffeu;
    if (bm->left == 0) {
        bm->left = 0x10000;
    }
    bm->last = load_le32(d + 4) & PRD_EOT;
    return true;
}

/* Every descriptor moves at least two bytes, so the loop ends after len / 2 descriptors (T6). */
uint32_t bmdma_copy(struct bmdma *bm, uint8_t *buf, uint32_t len, bool to_memory)
{
    uint32_t done = 0;
    while (done < len && bmdma_active(bm)) {
        if (bm->left == 0 && !bmdma_next(bm)) {
            break;
        }
        uint32_t n = len - done < bm->left ? len - done : bm->left;
        if (to_memory) {
            bm->dma.write(bm->dma.ctx, bm->addr, buf + done, n);
        } else {
            bm->dma.read(bm->dma.ctx, bm->addr, buf + done, n);
        }
        done += n;
        bm->addr += n;
        bm->left -= n;
    }
    if (done < len || (bm->last && bm->left == 0)) {
        bm->bmis &= (uint8_t)~BMIS_ACTIVE;
    }
    return done;
}

uint8_t bmdma_read(const struct bmdma *bm, unsigned off)
{
    switch (off & 7) {
    case 0: return bm->bmic;
    case 2: return bm->bmis;
    case 4: case 5: case 6: case 7: return (uint8_t)(bm->bmidtp >> (8 * (off & 3)));
    default: return 0xff; /* reserved */
    }
}

void bmdma_write(struct bmdma *bm, unsigned off, uint8_t v)
{
    unsigned sh = 8 * (off & 3);
    uint8_t was = bm->bmic;
    switch (off & 7) {
    case 0:
        bm->bmic = v & (BMIC_START | BMIC_TO_MEMORY);
        if ((v & BMIC_START) && !(was & BMIC_START)) {
            bm->bmis |= BMIS_ACTIVE;
            bm->next = bm->bmidtp;
            bm->left = 0;
            bm->last = false;
            bm->started(bm->owner);
        } else if (!(v & BMIC_START) && (was & BMIC_START)) {
            bm->bmis &= (uint8_t)~BMIS_ACTIVE;
            bm->stopped(bm->owner);
        }
        break;
    case 2:
        bm->bmis = (uint8_t)((bm->bmis & ~BMIS_CAPABLE) | (v & BMIS_CAPABLE));
        bm->bmis &= (uint8_t) ~(v & (BMIS_ERROR | BMIS_INTERRUPT));
        break;
    case 4: case 5: case 6: case 7:
        bm->bmidtp = ((bm->bmidtp & ~(0xffu << sh)) | (uint32_t)v << sh) & ~3u;
        break;
    default: break;
    }
}

void bmdma_reset(struct bmdma *bm)
{
    bm->bmic = bm->bmis = 0;
    bm->bmidtp = bm->next = bm->addr = bm->left = 0;
    bm->last = false;
}

void bmdma_snap(struct bmdma *bm, struct snap *s)
{
    snap_u8(s, "bmic", &bm->bmic);
    snap_u8(s, "bmis", &bm->bmis);
    snap_u32(s, "bmidtp", &bm->bmidtp);
    snap_u32(s, "next", &bm->next);
    snap_u32(s, "addr", &bm->addr);
    snap_u32(s, "left", &bm->left);
    snap_bool(s, "last", &bm->last);
    if (bm->left > 0x10000) {
        snap_fail(s, "PRD longer than 64 KB");
        bm->left = 0;
    }
}
