/* Bytes to a life of piix_ide (see tests/rig/fuzz_device.c).  Beside register accesses they choose
 * whole commands and packets: a right one is too rare by chance. */
#include "tests/devices/ide_drv.h"
#include "tests/rig/fuzz_device.h"

static void fuzz_ide_disk(struct pc_bench *b, uint32_t v)
{
    static const uint8_t op[] = {0x20, 0x30, 0xc4, 0xc5, 0xc8, 0xca, 0x25, 0x35,
                                 0xec, 0xef, 0xb0, 0xc6, 0x91, 0xe7, 0x42, 0x24};
    static const uint8_t sub[] = {0xd0, 0xd1, 0xd2, 0xd4, 0xd5, 0xd8, 0xd9, 0xda};
    uint8_t command = op[v >> 4 & 15], feature = (uint8_t)(v >> 8);
    uint32_t lba = v >> 16 & 0x1fff;
    if (command == 0xb0) {
        feature = sub[feature & 7];
        lba = 0xc24f00 | (lba & 0x83);
    } else if (command == 0xef && (feature & 1)) {
        feature = 0x03;
    }
    ide_regs(b, 0, v >> 29 & 1 ? 0x40 : 0, feature, (uint8_t)(v >> 8), lba);
    out(b, 0x1f7, command, 1);
}

static void fuzz_ide_packet(struct pc_bench *b, uint32_t v)
{
    static const uint8_t op[] = {0x00, 0x03, 0x12, 0x15, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x2b, 0x42,
                                 0x43, 0x46, 0x4a, 0x51, 0x52, 0x55, 0x5a, 0xa8, 0xb9, 0xbb, 0xbd,
                                 0xbe, 0x2f};
    static const uint8_t page[] = {0x3f, 0x01, 0x0d, 0x2a};
    uint8_t cdb[12] = {op[(v >> 4 & 31) % sizeof op], (uint8_t)(v >> 9 & 0x13),
                       (uint8_t)(v >> 11 & 3), 0, (uint8_t)(v >> 13 & 31), (uint8_t)(v >> 18 & 63),
                       0, 0, (uint8_t)(v >> 24 & 63), (uint8_t)(v & 0xf8), 0, 0};
    if (cdb[0] == 0x1a || cdb[0] == 0x5a) {
        cdb[2] = (uint8_t)(page[v >> 30] | (v >> 11 & 3) << 6);
    } else if (cdb[0] == 0x15 || cdb[0] == 0x55) {
        cdb[1] = 0x10;
    }
    ide_regs(b, 1, 0, v >> 12 & 1, 0, (v >> 14 & 0xfff) << 8);
    out(b, 0x177, 0xa0, 1);
    rig_advance(b->rig, 100 * VTIME_US);
    ide_put(b, 1, cdb, 12);
}

static void fuzz_ide_input(struct rig *r, uint32_t v)
{
    struct pc_bench *b = r->priv;
    unsigned ch = v & 1;
    switch (v >> 1 & 7) {
    case 0: ide_input(r, v); return;
    case 1: ide_enable(b); return;
    case 2: /* the host takes or gives a block */
        for (unsigned i = 0; i < 300; i++) {
            if (v & 0x10) {
                in(b, ide_base(ch), 4);
            } else {
                out(b, ide_base(ch), v, 2);
            }
        }
        return;
    case 3:
        ide_prd(b, 0, 0x10000, (v >> 8 & 0xffff) | (v & 0x10 ? PRD_LAST : 0));
        ide_prd(b, 1, 0x20000, 0x800 | PRD_LAST);
        bm_start(b, ch, v >> 5 & 1);
        return;
    default: break;
    }
    if (ch) {
        fuzz_ide_packet(b, v);
    } else {
        fuzz_ide_disk(b, v);
    }
    rig_advance(r, 200 * VTIME_US);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct contract_case c = ide_case;
    c.input = fuzz_ide_input;
    return fuzz_device(&c, data, size);
}
