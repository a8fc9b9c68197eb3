/* The board's memory map: RAM around the hole for PCI, and the BIOS. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "machine/board_int.h"

/* As QEMU's pc does: up to 3.5 GB lie in one piece, of more the first 3 GB below the PCI hole. */
#define BELOW_4G_MAX 0xe0000000u
#define BELOW_4G_SPLIT 0xc0000000u

uint64_t board_ram_below_4g(const struct machine *m)
{
    return m->ram.size < BELOW_4G_MAX ? m->ram.size : BELOW_4G_SPLIT;
}

bool board_memory(struct board *b, struct err *err)
{
    struct machine *m = b->m;
    size_t len = m->cfg.bios.len;
    if (len < 65536 || len > (4u << 20) || (len & 0xffff)) {
        return err_set(err, EINVAL,
                       "the BIOS image has %zu bytes, not a multiple of 64 KB up to 4 MB", len);
    }
    b->bios = malloc(len);
    if (!b->bios) {
        return err_set(err, ENOMEM, "out of memory");
    }
    memcpy(b->bios, m->cfg.bios.data, len);
    size_t low = len < 0x20000 ? len : 0x20000;
    b->below_4g = board_ram_below_4g(m);
    b->above_4g = m->ram.size - b->below_4g;
    b->ram_low =
        (struct region){.name = "ram.low", .kind = REGION_RAM, .len = 0xa0000, .ram = &m->ram};
    b->ram_high = (struct region){.name = "ram.high",
                                  .kind = REGION_RAM,
                                  .base = 0x100000,
                                  .len = b->below_4g - 0x100000,
                                  .ram = &m->ram,
                                  .ram_off = 0x100000};
    b->ram_above_4g = (struct region){.name = "ram.above4g",
                                      .kind = REGION_RAM,
                                      .base = (uint64_t)1 << 32,
                                      .len = b->above_4g,
                                      .ram = &m->ram,
                                      .ram_off = b->below_4g};
    b->bios_high = (struct region){.name = "bios",
                                   .kind = REGION_ROM,
                                   .host = b->bios,
                                   .len = len,
                                   .base = ((uint64_t)1 << 32) - len,
                                   .priority = 1};
    b->bios_low = (struct region){.name = "bios.isa",
                                  .kind = REGION_ROM,
                                  .len = low,
                                  .priority = 1,
                                  .base = 0x100000 - low,
                                  .host = b->bios + len - low};
    return bus_map(m->mem, &b->ram_low, err) &&
           (!b->ram_high.len || bus_map(m->mem, &b->ram_high, err)) &&
           (!b->above_4g || bus_map(m->mem, &b->ram_above_4g, err)) &&
           bus_map(m->mem, &b->bios_high, err) && bus_map(m->mem, &b->bios_low, err);
}
