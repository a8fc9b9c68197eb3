/* The NE2000 board around a DP8390: sixteen registers, data port, reset port, PROM. */
#pragma once
#include "devices/net/dp8390.h"

enum { NE2K_PORTS = 32, NE2K_DATA = 0x10, NE2K_RESET = 0x18 };

/* The PROM: station address, then the letters by which drivers know an NE2000. */
void ne2k_prom(struct dp8390 *nic, const uint8_t mac[6], uint8_t last);
/* One access to the 32 ports.  reg_in/reg_out: where registers other than the DP8390's live (may
 * be NULL); ctx is theirs. */
struct ne2k_regs {
    uint8_t (*in)(void *ctx, unsigned reg);
    void (*out)(void *ctx, unsigned reg, uint8_t val);
    void *ctx;
};
uint64_t ne2k_read(struct dp8390 *nic, const struct ne2k_regs *regs, unsigned off, unsigned size);
void ne2k_write(struct dp8390 *nic, const struct ne2k_regs *regs, unsigned off, uint32_t val,
                unsigned size);
