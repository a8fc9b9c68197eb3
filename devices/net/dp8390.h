/* National Semiconductor DP8390D / NS32490D network interface controller: the core of every
 * NE2000.
 *
 * A card embeds one, gives it a memory (struct dp8390_mem: what its 16 address lines reach) and a
 * wire, and forwards: registers 0-15 to dp8390_in()/dp8390_out(), its data port to
 * dp8390_port_in()/dp8390_port_out(), its reset port to dp8390_hard_reset(). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/plugs/netdev.h"
#include "base/snap.h"
#include "mem/irq.h"

enum { DP8390_RAM = 0x4000, DP8390_RAM_BASE = 0x4000, DP8390_PROM = 32 };

enum { /* CR */
    CR_STP = 0x01, CR_STA = 0x02, CR_TXP = 0x04, CR_RD = 0x38, CR_RD_READ = 0x08,
    CR_RD_WRITE = 0x10, CR_RD_SEND = 0x18, CR_RD_ABORT = 0x20, CR_PS = 0xc0
};
enum { /* ISR and IMR */
    ISR_PRX = 0x01, ISR_PTX = 0x02, ISR_RXE = 0x04, ISR_TXE = 0x08, ISR_OVW = 0x10,
    ISR_CNT = 0x20, ISR_RDC = 0x40, ISR_RST = 0x80
};
enum { DCR_WTS = 0x01, DCR_BOS = 0x02, DCR_LAS = 0x04, DCR_LS = 0x08, DCR_ARM = 0x10 };
enum { TCR_CRC = 0x01, TCR_LB = 0x06, TCR_ATD = 0x08, TCR_OFST = 0x10 };
enum { TSR_PTX = 0x01, TSR_ND = 0x02, TSR_CRS = 0x10, TSR_CDH = 0x40 };
enum { RCR_SEP = 0x01, RCR_AR = 0x02, RCR_AB = 0x04, RCR_AM = 0x08, RCR_PRO = 0x10,
       RCR_MON = 0x20 };
enum { RSR_PRX = 0x01, RSR_CRC = 0x02, RSR_FAE = 0x04, RSR_FO = 0x08, RSR_MPA = 0x10,
       RSR_PHY = 0x20, RSR_DIS = 0x40, RSR_DFR = 0x80 };

struct dp8390 {
    const char *id;
    struct irq_line irq; /* INT: level, active while an unmasked ISR bit is set */
    struct netdev *net;  /* may be NULL: nothing is plugged in */
    uint8_t ram[DP8390_RAM];    /* at 4000h-7FFFh of the chip's address space */
    uint8_t prom[DP8390_PROM];  /* at 0-3FFFh, each byte doubled into a word; made by the card */

    uint8_t cr, isr, imr, dcr, tcr, rcr, tsr, rsr, ncr;
    uint8_t pstart, pstop, bnry, curr, tpsr;
    uint8_t cntr[3];      /* frame alignment, CRC, missed */
    uint8_t par[6], mar[8];
    uint8_t rnpp, lnpp;   /* remote and local next packet pointer: page 2, diagnostics */
    uint8_t fifo[8], fifo_at;
    uint16_t tbcr, rsar, rbcr;
    uint16_t crda, clda;  /* current remote and local DMA address */
    uint16_t ac;          /* address counter: page 2, diagnostics */
    uint16_t latch;       /* the last word that went through the data port */
    uint8_t send_next;    /* send packet: what BNRY becomes when all is read */
    uint8_t burst;        /* frames stored since the guest acknowledged PRX, up to RX_BURST */
    bool ring_full;       /* CURR has caught up with BNRY: equal pointers, but not empty */
    bool tx_off;          /* TCR.ATD: a multicast frame has switched the transmitter off */
    bool link;            /* the cable is plugged in */
};

/* Sets net->client; dev is what its calls get (nic itself). */
void dp8390_init(struct dp8390 *nic, const char *id, struct irq_line irq, struct netdev *net);
void dp8390_power_on(struct dp8390 *nic);   /* everything, RAM too */
void dp8390_hard_reset(struct dp8390 *nic); /* the RESET pin */
void dp8390_drive(struct dp8390 *nic);
void dp8390_snap(struct dp8390 *nic, struct snap *s);

uint8_t dp8390_in(struct dp8390 *nic, unsigned reg);
void dp8390_out(struct dp8390 *nic, unsigned reg, uint8_t val);
/* One access of 1, 2 or 4 bytes to the data port; lane: its offset within a word. */
uint32_t dp8390_port_in(struct dp8390 *nic, unsigned lane, unsigned size);
void dp8390_port_out(struct dp8390 *nic, unsigned lane, uint32_t val, unsigned size);

/* A frame as the wire delivers it: no FCS; errors: RSR_CRC, RSR_FAE to damage it.  Any length: what
 * a chip drops is dropped.  The plug's own receive pads to 60 bytes, as the sender's card would. */
void dp8390_wire(struct dp8390 *nic, const uint8_t *frame, size_t len, uint8_t errors);
uint32_t dp8390_crc(const uint8_t *p, size_t len); /* FCS as sent, low byte first */
