/* fw_cfg, the firmware configuration device of QEMU's machines.
 * QEMU documentation, "QEMU Firmware Configuration (fw_cfg) Device" (docs/specs/fw_cfg.rst).
 * NOT IMPLEMENTED: files that the guest may write (DMA write answers with the error bit). */
#include "devices/firmware/fw_cfg.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum { SEL_ARCH = 0x8000, SEL_WRITE = 0x4000 };
static const uint8_t fw_cfg_dma_signature[8] = {'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G'};

static uint32_t fw_cfg_be32(const uint8_t *p)
{
    return __builtin_bswap32(load_le32(p));
}

static void fw_cfg_put_be32(uint8_t *p, uint32_t v)
{
    store_le32(p, __builtin_bswap32(v));
}

/* The item behind a selector, NULL when there is none (T24). */
static struct fw_cfg_item *fw_cfg_item(struct fw_cfg *fw, uint16_t selector)
{
    unsigned key = selector & 0x3fff;
    if (selector & SEL_ARCH) {
        return key < ARRAY_LEN(fw->arch) ? &fw->arch[key] : NULL;
    }
    return key < ARRAY_LEN(fw->item) ? &fw->item[key] : NULL;
}

/* Up to len bytes of the selected item from the present offset; past its end come zeros. */
static void fw_cfg_take(struct fw_cfg *fw, uint8_t *buf, uint32_t len)
{
    const struct fw_cfg_item *it = fw_cfg_item(fw, fw->selector);
    uint32_t have = it && it->len > fw->offset ? it->len - fw->offset : 0;
    uint32_t n = len < have ? len : have;
    if (n && buf) {
        memcpy(buf, (it->data ? it->data : it->small) + fw->offset, n);
    }
    if (buf) {
        memset(buf + n, 0, len - n);
    }
    fw->offset += n; /* stays within the item */
}

static void fw_cfg_select(struct fw_cfg *fw, uint16_t selector)
{
    fw->selector = selector;
    fw->offset = 0;
    if (fw->watched && selector == fw->watched) {
        fw->selected(fw->selected_ctx);
    }
}

/* One descriptor: { be32 control, be32 length, be64 address }.  It is read once; the answer goes
 * into its control word.  A length beyond the item gives zeros until guest RAM ends. */
static void fw_cfg_dma_run(struct fw_cfg *fw)
{
    uint64_t at = (uint64_t)fw_cfg_be32(fw->dma_addr) << 32 | fw_cfg_be32(fw->dma_addr + 4);
    uint8_t desc[16], answer[4], buf[4096];
    uint32_t result = 0;
    memset(fw->dma_addr, 0, sizeof fw->dma_addr);
    if (!fw->dma.read(fw->dma.ctx, at, desc, sizeof desc)) {
        log_msg(LOG_GUEST, fw->dev.id, "DMA descriptor outside RAM");
        fw_cfg_put_be32(answer, DMA_ERROR);
        fw->dma.write(fw->dma.ctx, at, answer, sizeof answer);
        return;
    }
    uint32_t control = fw_cfg_be32(desc), len = fw_cfg_be32(desc + 4);
    uint64_t addr = (uint64_t)fw_cfg_be32(desc + 8) << 32 | fw_cfg_be32(desc + 12);
    if (control & DMA_SELECT) {
        fw_cfg_select(fw, (uint16_t)(control >> 16));
    }
    if (control & DMA_READ) {
        while (len) {
            uint32_t n = len < sizeof buf ? len : (uint32_t)sizeof buf;
            fw_cfg_take(fw, buf, n);
            if (!fw->dma.write(fw->dma.ctx, addr, buf, n)) {
                result = DMA_ERROR;
                break;
            }
            addr += n;
            len -= n;
        }
    } else if (control & DMA_WRITE) {
        result = DMA_ERROR; /* nothing here is writable */
    } else if (control & DMA_SKIP) {
        fw_cfg_take(fw, NULL, len);
    }
    fw_cfg_put_be32(answer, result);
    fw->dma.write(fw->dma.ctx, at, answer, sizeof answer);
}

static uint64_t fw_cfg_read(void *dev, uint64_t off, unsigned size)
{
    struct fw_cfg *fw = dev;
    uint8_t v = 0;
    if (off == 1 && size == 1) {
        fw_cfg_take(fw, &v, 1);
    }
    return v; /* the selector is write-only and reads as zero */
}

static void fw_cfg_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    if (off == 0 && size == 2) {
        fw_cfg_select(dev, (uint16_t)val);
    }
}

static uint64_t fw_cfg_dma_read(void *dev, uint64_t off, unsigned size)
{
    (void)dev;
    return off + size <= 8 ? load_le(fw_cfg_dma_signature + off, size) : 0;
}

static void fw_cfg_dma_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct fw_cfg *fw = dev;
    if (size != 4 || (off != 0 && off != 4)) {
        return;
    }
    store_le32(fw->dma_addr + off, (uint32_t)val);
    if (off == 4) {
        fw_cfg_dma_run(fw);
    }
}

static const struct region_ops fw_cfg_ops = {.read = fw_cfg_read, .write = fw_cfg_write,
                                             .min_size = 1, .max_size = 2};
static const struct region_ops fw_cfg_dma_ops = {.read = fw_cfg_dma_read,
                                                 .write = fw_cfg_dma_write, .min_size = 1,
                                                 .max_size = 4};

/* ---- set-up ---- */

bool fw_cfg_add_bytes(struct fw_cfg *fw, uint16_t selector, const void *data, uint32_t len)
{
    struct fw_cfg_item *it = fw_cfg_item(fw, selector);
    if (!it || (selector & SEL_WRITE) || (!data && len > sizeof it->small)) {
        return false;
    }
    it->data = data;
    it->len = len;
    return true;
}

static bool fw_cfg_add_small(struct fw_cfg *fw, uint16_t selector, uint64_t v, unsigned size)
{
    struct fw_cfg_item *it = fw_cfg_item(fw, selector);
    if (!fw_cfg_add_bytes(fw, selector, NULL, size)) {
        return false;
    }
    store_le64(it->small, v);
    return true;
}

bool fw_cfg_add_u16(struct fw_cfg *fw, uint16_t selector, uint16_t v)
{
    return fw_cfg_add_small(fw, selector, v, 2);
}

bool fw_cfg_add_u32(struct fw_cfg *fw, uint16_t selector, uint32_t v)
{
    return fw_cfg_add_small(fw, selector, v, 4);
}

bool fw_cfg_add_u64(struct fw_cfg *fw, uint16_t selector, uint64_t v)
{
    return fw_cfg_add_small(fw, selector, v, 8);
}

/* Index of a file, or of the first free entry. */
static uint32_t fw_cfg_index(const struct fw_cfg *fw, const char *name)
{
    uint32_t i = 0;
    while (i < fw->files && strcmp((const char *)fw->dir + 4 + i * 64 + 8, name) != 0) {
        i++;
    }
    return i;
}

bool fw_cfg_add_file(struct fw_cfg *fw, const char *name, const void *data, uint32_t len)
{
    size_t namelen = strlen(name);
    uint32_t i = fw_cfg_index(fw, name);
    if (namelen >= 56 || (!data && len) || i == FW_CFG_FILES) {
        return false;
    }
    uint8_t *e = fw->dir + 4 + i * 64;
    uint16_t selector = (uint16_t)(FW_CFG_FILE_FIRST + i);
    memset(e, 0, 64);
    fw_cfg_put_be32(e, len);
    e[4] = (uint8_t)(selector >> 8);
    e[5] = (uint8_t)selector;
    memcpy(e + 8, name, namelen);
    if (i == fw->files) {
        fw->files++;
        fw_cfg_put_be32(fw->dir, fw->files);
        fw_cfg_add_bytes(fw, FW_CFG_FILE_DIR, fw->dir, 4 + fw->files * 64);
    }
    free(fw->owned[i]);
    fw->owned[i] = NULL;
    return fw_cfg_add_bytes(fw, selector, data, len);
}

bool fw_cfg_add_file_copy(struct fw_cfg *fw, const char *name, const void *data, uint32_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy) {
        return false;
    }
    if (len) {
        memcpy(copy, data, len);
    }
    if (!fw_cfg_add_file(fw, name, copy, len)) {
        free(copy);
        return false;
    }
    fw->owned[fw_cfg_index(fw, name)] = copy;
    return true;
}

uint8_t *fw_cfg_file(struct fw_cfg *fw, const char *name)
{
    uint32_t i = fw_cfg_index(fw, name);
    return i < fw->files ? fw->owned[i] : NULL;
}

void fw_cfg_on_select(struct fw_cfg *fw, const char *name, void (*selected)(void *ctx), void *ctx)
{
    uint32_t i = fw_cfg_index(fw, name);
    fw->watched = i < fw->files ? (uint16_t)(FW_CFG_FILE_FIRST + i) : 0;
    fw->selected = selected;
    fw->selected_ctx = ctx;
}

static void fw_cfg_destroy(struct device *dev)
{
    struct fw_cfg *fw = device_of(dev, struct fw_cfg);
    for (unsigned i = 0; i < FW_CFG_FILES; i++) {
        free(fw->owned[i]);
        fw->owned[i] = NULL;
    }
}

static void fw_cfg_reset(struct device *dev, enum reset_kind kind)
{
    struct fw_cfg *fw = device_of(dev, struct fw_cfg);
    if (kind != RESET_CPU_ONLY) {
        fw_cfg_select(fw, 0);
        memset(fw->dma_addr, 0, sizeof fw->dma_addr);
    }
}

static void fw_cfg_snap(struct device *dev, struct snap *s)
{
    struct fw_cfg *fw = device_of(dev, struct fw_cfg);
    snap_u16(s, "selector", &fw->selector);
    snap_u32(s, "offset", &fw->offset);
    snap_bytes(s, "dma_addr", fw->dma_addr, sizeof fw->dma_addr);
}

static const struct device_class fw_cfg_class = {
    .name = "fw_cfg", .snap_version = 1, .reset = fw_cfg_reset, .snap = fw_cfg_snap,
    .destroy = fw_cfg_destroy};

void fw_cfg_init(struct fw_cfg *fw, const char *id, struct dma dma)
{
    memset(fw, 0, sizeof *fw);
    fw->dev = (struct device){&fw_cfg_class, id};
    fw->dma = dma;
    fw->regs = (struct region){.name = "fw_cfg.regs", .kind = REGION_IO, .base = 0x510, .len = 2,
                               .priority = 1, .ops = &fw_cfg_ops, .dev = fw};
    fw->dma_regs = (struct region){.name = "fw_cfg.dma", .kind = REGION_IO, .base = 0x514,
                                   .len = 8, .priority = 1, .ops = &fw_cfg_dma_ops, .dev = fw};
    fw_cfg_add_bytes(fw, FW_CFG_SIGNATURE, fw_cfg_dma_signature, 4);
    fw_cfg_add_u32(fw, FW_CFG_ID, 3); /* bit 0: traditional interface, bit 1: DMA */
    fw_cfg_put_be32(fw->dir, 0);
    fw_cfg_add_bytes(fw, FW_CFG_FILE_DIR, fw->dir, 4);
}
