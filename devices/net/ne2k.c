/* What the ISA and the PCI card share: decoding of the 32 ports, and the PROM.
 * National Semiconductor AN-729 "DP839EB Network Evaluation Board" family; Novell NE2000. */
#include "devices/net/ne2k.h"

#include <string.h>

/* Sixteen bytes: address, zeros, WW; the second half as an 8-bit slot would see it ends in `last`.
 */
void ne2k_prom(struct dp8390 *nic, const uint8_t mac[6], uint8_t last)
{
    memset(nic->prom, 0, sizeof nic->prom);
    for (unsigned half = 0; half < 2; half++) {
        uint8_t *p = nic->prom + 16 * half;
        memcpy(p, mac, 6);
        p[14] = p[15] = half ? last : 0x57;
    }
}

/* Registers are bytes, the data port takes an access whole, and the reset port acts once. */
static bool ne2k_is_data(unsigned off, unsigned size)
{
    return off >= NE2K_DATA && off + size <= NE2K_RESET;
}

uint64_t ne2k_read(struct dp8390 *nic, const struct ne2k_regs *regs, unsigned off, unsigned size)
{
    uint64_t v = 0;
    if (ne2k_is_data(off, size)) {
        return dp8390_port_in(nic, off, size);
    }
    for (unsigned i = 0; i < size; i++) {
        unsigned o = off + i;
        uint8_t b = 0;
        if (o < NE2K_DATA) {
            b = regs->in(regs->ctx, o);
        } else if (o < NE2K_RESET) {
            b = (uint8_t)dp8390_port_in(nic, o, 1);
        } else {
            dp8390_hard_reset(nic);
        }
        v |= (uint64_t)b << (i * 8);
    }
    return v;
}

void ne2k_write(struct dp8390 *nic, const struct ne2k_regs *regs, unsigned off, uint32_t val,
                unsigned size)
{
    if (ne2k_is_data(off, size)) {
        dp8390_port_out(nic, off, val, size);
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        unsigned o = off + i;
        uint8_t b = (uint8_t)(val >> (i * 8));
        if (o < NE2K_DATA) {
            regs->out(regs->ctx, o, b);
        } else if (o < NE2K_RESET) {
            dp8390_port_out(nic, o, b, 1);
        } /* else: a write to the reset port ends the pulse that a read began */
    }
}
