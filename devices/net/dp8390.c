/* National Semiconductor DP8390D/NS32490D NIC.
 * Data sheet TL/F/8582 (July 1995), "Internal Registers", "Packet Reception", "Packet
 * Transmission", "Remote DMA", "Loopback Diagnostics"; application note AN-874 for the overflow
 * procedure.
 *
 * Transmission takes no time: TXP is clear again, and PTX set, when the write of the command
 * register is over.  Drivers that set TXP expect the interrupt any time later, and at the wire's
 * 10 Mbit/s a download of 200 MB would keep a guest busy for three minutes.  There is one station
 * on this cable, so there are no collisions, deferrals or FIFO overruns either.
 *
 * Reception: ready() holds frames back in the machine's queue while the ring has no room for a long
 * one, so that a guest loses frames only where it must (stopped, loopback, no cable, a ring that
 * can never hold one).  It also lets through RX_BURST frames at most until the guest acknowledges
 * PRX: Linux's driver takes nine from the ring, acknowledges, and leaves the rest to the next
 * frame's interrupt, which would be too late when there is none.
 *
 * NOT IMPLEMENTED: collisions (NCR, COL, ABT, OWC stay 0), FIFO under- and overrun, FIFO threshold,
 * 32-bit addresses (LAS), back-off offset (OFST). */
#include "devices/net/dp8390.h"

#include <string.h>

#include "base/bits.h"

enum { PAGE_BYTES = 256, FRAME_MIN = 60, FCS_LEN = 4, HEADER_LEN = 4, CNTR_MAX = 192,
       RX_BURST = 8 };

/* Pages that the longest frame takes in the ring: header, frame, FCS. */
enum { LONG_PAGES = (HEADER_LEN + NETDEV_FRAME_MAX + FCS_LEN + PAGE_BYTES - 1) / PAGE_BYTES };

static void dp8390_update_irq(struct dp8390 *nic)
{
    irq_set(&nic->irq, nic->isr & nic->imr & 0x7f);
}

static void dp8390_raise(struct dp8390 *nic, uint8_t bits)
{
    nic->isr |= bits;
    dp8390_update_irq(nic);
}

static void dp8390_count(struct dp8390 *nic, unsigned n)
{
    if (nic->cntr[n] < CNTR_MAX) {
        nic->cntr[n]++;
    }
    if (nic->cntr[n] & 0x80) {
        nic->isr |= ISR_CNT;
    }
}

static bool dp8390_running(const struct dp8390 *nic)
{
    return (nic->cr & (CR_STA | CR_STP)) == CR_STA;
}

/* ---- the card's memory: 16 address lines ---- */

static uint8_t dp8390_mem_in(const struct dp8390 *nic, uint16_t addr)
{
    if (addr >= DP8390_RAM_BASE && addr < DP8390_RAM_BASE + DP8390_RAM) {
        return nic->ram[addr - DP8390_RAM_BASE];
    }
    return addr < DP8390_RAM_BASE ? nic->prom[addr >> 1 & (DP8390_PROM - 1)] : 0xff;
}

static void dp8390_mem_out(struct dp8390 *nic, uint16_t addr, uint8_t val)
{
    if (addr >= DP8390_RAM_BASE && addr < DP8390_RAM_BASE + DP8390_RAM) {
        nic->ram[addr - DP8390_RAM_BASE] = val;
    }
}

/* Byte order select: the serial side sees the two bytes of each word exchanged. */
static uint16_t dp8390_order(const struct dp8390 *nic)
{
    return (nic->dcr & (DCR_WTS | DCR_BOS)) == (DCR_WTS | DCR_BOS);
}

static void dp8390_local_in(struct dp8390 *nic, uint16_t addr, uint8_t *buf, unsigned len)
{
    uint16_t flip = dp8390_order(nic);
    for (unsigned i = 0; i < len; i++) {
        buf[i] = dp8390_mem_in(nic, (uint16_t)(addr + i) ^ flip);
    }
}

static void dp8390_local_out(struct dp8390 *nic, uint16_t addr, const uint8_t *buf, unsigned len)
{
    uint16_t flip = dp8390_order(nic);
    unsigned off = (unsigned)addr - DP8390_RAM_BASE;
    if (!flip && addr >= DP8390_RAM_BASE && off < DP8390_RAM && len <= DP8390_RAM - off) {
        memcpy(nic->ram + off, buf, len);
        return;
    }
    for (unsigned i = 0; i < len; i++) {
        dp8390_mem_out(nic, (uint16_t)(addr + i) ^ flip, buf[i]);
    }
}

/* ---- CRC ---- */

/* The register after all bits went in, least significant bit of each byte first, not inverted: the
 * multicast hash is its top six bits (in the order in which they are sent). */
static uint32_t dp8390_crc_register(const uint8_t *p, size_t len)
{
    static const uint32_t nibble[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        c = nibble[(c ^ p[i]) & 15] ^ c >> 4;
        c = nibble[(c ^ p[i] >> 4) & 15] ^ c >> 4;
    }
    return c;
}

uint32_t dp8390_crc(const uint8_t *p, size_t len)
{
    return ~dp8390_crc_register(p, len);
}

static unsigned dp8390_hash(const uint8_t *addr)
{
    uint32_t c = dp8390_crc_register(addr, 6);
    unsigned h = 0;
    for (unsigned i = 0; i < 6; i++) {
        h = h << 1 | (c >> i & 1);
    }
    return h;
}

/* ---- receiver ---- */

static uint8_t dp8390_ring_next(const struct dp8390 *nic, uint8_t page)
{
    page++;
    return page == nic->pstop ? nic->pstart : page;
}

/* Where reception must stop.  Linux's driver keeps BNRY one behind the next packet, also when that
 * is the ring's first page: then BNRY stands before the ring.  On a wire of 10 Mbit/s it moved on
 * before that mattered; here the whole ring would be overwritten, so it counts as the last page. */
static uint8_t dp8390_boundary(const struct dp8390 *nic)
{
    bool ring = nic->pstart < nic->pstop;
    bool inside = nic->bnry >= nic->pstart && nic->bnry < nic->pstop;
    return ring && !inside ? nic->pstop - 1 : nic->bnry;
}

/* "Packet Reception", overwrite warning: the rest of the frame is lost, RST tells so until the
 * guest has moved BNRY. */
static void dp8390_overflow(struct dp8390 *nic)
{
    nic->rsr = (uint8_t)((nic->rsr & RSR_PHY) | RSR_MPA);
    nic->isr |= ISR_OVW | ISR_RST;
    dp8390_count(nic, 2);
}

/* Store header, frame and FCS page by page.  Each step to a further page compares with PSTOP, then
 * with BNRY; at most len / 256 + 1 steps whatever the pointers are. */
static bool dp8390_store(struct dp8390 *nic, const uint8_t *data, unsigned len)
{
    uint8_t page = nic->curr, end = dp8390_boundary(nic), fcs[FCS_LEN];
    unsigned done = 0, in_page = HEADER_LEN, total = len + FCS_LEN;
    store_le32(fcs, dp8390_crc(data, len) ^ (nic->rsr & RSR_CRC ? 1 : 0));
    if (nic->ring_full) {
        return false;
    }
    for (;;) {
        while (done < total && in_page < PAGE_BYTES) {
            const uint8_t *from = done < len ? data + done : fcs + (done - len);
            unsigned n = done < len ? len - done : total - done;
            n = n < PAGE_BYTES - in_page ? n : PAGE_BYTES - in_page;
            nic->clda = (uint16_t)(page << 8 | in_page);
            dp8390_local_out(nic, nic->clda, from, n);
            done += n;
            in_page += n;
        }
        uint8_t next = dp8390_ring_next(nic, page);
        if (done == total) {
            uint8_t header[HEADER_LEN] = {nic->rsr, next, (uint8_t)total, (uint8_t)(total >> 8)};
            dp8390_local_out(nic, (uint16_t)(nic->curr << 8), header, sizeof header);
            nic->clda = (uint16_t)(next << 8);
            nic->curr = nic->lnpp = next;
            nic->ring_full = next == end;
            nic->burst += nic->burst < RX_BURST;
            return true;
        }
        if (next == end) {
            return false;
        }
        page = next;
        in_page = 0;
    }
}

static bool dp8390_accepts(struct dp8390 *nic, const uint8_t *dest)
{
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    if (memcmp(dest, all, 6) == 0) {
        return nic->rcr & RCR_AB;
    }
    if (dest[0] & 1) {
        unsigned h = dp8390_hash(dest);
        if (nic->tcr & TCR_ATD && h >= 62) {
            nic->tx_off = h == 62;
        }
        return nic->rcr & RCR_AM && nic->mar[h >> 3] >> (h & 7) & 1;
    }
    return nic->rcr & RCR_PRO || memcmp(dest, nic->par, 6) == 0;
}

static void dp8390_transmit(struct dp8390 *nic);

void dp8390_wire(struct dp8390 *nic, const uint8_t *frame, size_t len, uint8_t errors)
{
    errors &= RSR_CRC | RSR_FAE;
    if (!dp8390_running(nic) || nic->tcr & TCR_LB || !nic->link || len < 8 ||
        len > NETDEV_FRAME_MAX) {
        return;
    }
    bool take = dp8390_accepts(nic, frame);
    if (nic->cr & CR_TXP) {
        dp8390_transmit(nic); /* TCR.ATD held it, and this frame may have ended that */
        dp8390_update_irq(nic);
    }
    if (!take || (len < FRAME_MIN && !(nic->rcr & RCR_AR))) {
        return; /* RSR still tells of the last frame taken: iPXE polls it */
    }
    nic->rsr = frame[0] & 1 ? RSR_PHY : 0;
    if (errors & RSR_FAE) {
        errors |= RSR_CRC; /* the CRC was of whole bytes */
        dp8390_count(nic, 0);
    }
    if (errors & RSR_CRC) {
        dp8390_count(nic, 1);
    }
    nic->rsr |= errors ? errors : RSR_PRX;
    nic->isr |= errors ? ISR_RXE : 0;
    if (nic->rcr & RCR_MON) {
        nic->rsr |= RSR_DIS | RSR_MPA;
        dp8390_count(nic, 2);
    } else if (!errors || nic->rcr & RCR_SEP) {
        if (!dp8390_store(nic, frame, (unsigned)len)) {
            dp8390_overflow(nic);
        } else if (!errors) {
            nic->isr |= ISR_PRX;
        }
    }
    dp8390_update_irq(nic);
}

/* Nothing unread, by either custom: BNRY at the next packet, or one behind it. */
static bool dp8390_empty(const struct dp8390 *nic)
{
    uint8_t end = dp8390_boundary(nic);
    return !nic->ring_full && (nic->curr == end || nic->curr == dp8390_ring_next(nic, end));
}

/* For a long frame: the pages that follow CURR do not reach BNRY.  A ring of so few pages that it
 * never has room is left to its luck. */
static bool dp8390_room(const struct dp8390 *nic)
{
    uint8_t page = nic->curr, end = dp8390_boundary(nic);
    if (nic->ring_full) {
        return false;
    }
    for (unsigned i = 1; i < LONG_PAGES; i++) {
        page = dp8390_ring_next(nic, page);
        if (page == end) {
            return dp8390_empty(nic);
        }
    }
    return true;
}

static bool dp8390_ready(void *dev)
{
    struct dp8390 *nic = dev;
    if (!dp8390_running(nic) || nic->tcr & TCR_LB || !nic->link || nic->rcr & RCR_MON) {
        return true; /* nobody listens: frames pass by */
    }
    if (nic->burst == RX_BURST) {
        if (nic->imr & ISR_PRX || !dp8390_empty(nic)) {
            return false;
        }
        nic->burst = 0; /* a driver that polls, and has caught up */
    }
    if (dp8390_room(nic)) {
        return true;
    }
    /* HW: the frame would be lost now, and OVW would wake a driver that has left something in the
     * ring without looking back.  Since it is not lost, what is there is announced again. */
    dp8390_raise(nic, ISR_PRX);
    return false;
}

static void dp8390_receive(void *dev, const uint8_t *frame, size_t len)
{
    uint8_t padded[FRAME_MIN] = {0};
    if (!len || len > NETDEV_FRAME_MAX) {
        return;
    }
    if (len < FRAME_MIN) {
        memcpy(padded, frame, len);
        frame = padded;
        len = FRAME_MIN;
    }
    dp8390_wire(dev, frame, len, 0);
}

static void dp8390_link(void *dev, bool up)
{
    ((struct dp8390 *)dev)->link = up;
}

static const struct netdev_client dp8390_client = {dp8390_ready, dp8390_receive, dp8390_link};

/* ---- transmitter ---- */

static void dp8390_send(struct dp8390 *nic, const uint8_t *frame, unsigned len)
{
    const struct netdev *net = nic->net;
    if (nic->tcr & TCR_CRC) { /* the guest brought its own FCS: a wrong one, and nobody takes it */
        if (len <= FCS_LEN) {
            return;
        }
        len -= FCS_LEN;
        if (dp8390_crc(frame, len) != load_le32(frame + len)) {
            return;
        }
    }
    if (len && len <= NETDEV_FRAME_MAX && nic->link && net && net->ops && net->ops->send) {
        net->ops->send(net->backend, frame, len);
    }
}

/* "Loopback Diagnostics": the receiver sees the frame, its FIFO keeps the last eight bytes of
 * frame, FCS and byte count; nothing is written to memory.  An FCS that the transmitter makes
 * itself always counts as wrong there, since transmitter and receiver share the CRC logic. */
static void dp8390_loop(struct dp8390 *nic, uint16_t addr, unsigned len)
{
    uint8_t byte = 0, dest[6] = {0}, fcs[FCS_LEN];
    uint32_t crc = 0xffffffff, before[FCS_LEN] = {0};
    unsigned total = 0, wide = nic->dcr & DCR_WTS ? 2 : 1;
    len /= wide; /* only one half of a word passes the FIFO */
    for (unsigned i = 0; i < len; i++) {
        dp8390_local_in(nic, (uint16_t)(addr + i * wide), &byte, 1);
        if (i < sizeof dest) {
            dest[i] = byte;
        }
        before[i % FCS_LEN] = crc; /* of all but the last four, when the loop ends */
        for (unsigned b = 0; b < 8; b++) {
            crc = crc >> 1 ^ ((crc ^ byte >> b) & 1 ? 0xedb88320 : 0);
        }
        nic->fifo[total++ & 7] = byte;
    }
    store_le32(fcs, ~crc);
    if (!(nic->tcr & TCR_CRC)) {
        for (unsigned i = 0; i < FCS_LEN; i++) {
            nic->fifo[total++ & 7] = fcs[i];
        }
    }
    bool good = false;
    if (nic->tcr & TCR_CRC && len > FCS_LEN) {
        uint8_t tail[FCS_LEN];
        for (unsigned i = 0; i < FCS_LEN; i++) {
            tail[i] = nic->fifo[(total - FCS_LEN + i) & 7];
        }
        good = ~before[len % FCS_LEN] == load_le32(tail);
    }
    nic->fifo[total & 7] = (uint8_t)total;
    nic->fifo[(total + 1) & 7] = nic->fifo[(total + 2) & 7] = (uint8_t)(total >> 8);
    nic->fifo_at = 0;
    bool match = dp8390_accepts(nic, dest);
    nic->rsr = dest[0] & 1 ? RSR_PHY : 0;
    nic->rsr |= match && !good ? RSR_CRC : RSR_PRX; /* a frame for others is not told of */
}

static void dp8390_transmit(struct dp8390 *nic)
{
    uint8_t frame[NETDEV_FRAME_MAX + FCS_LEN];
    uint16_t addr = (uint16_t)(nic->tpsr << 8);
    unsigned lb = (nic->tcr & TCR_LB) >> 1;
    if (nic->tx_off) {
        return; /* TXP stays set */
    }
    nic->tsr = TSR_PTX | TSR_ND;
    nic->ncr = 0;
    if (lb) {
        dp8390_loop(nic, addr, nic->tbcr);
        nic->tsr |= lb == 1 ? TSR_CRS | TSR_CDH : lb == 2 ? TSR_CDH : 0;
    }
    if ((lb == 0 || lb == 3) && nic->tbcr <= sizeof frame) { /* longer ones no station takes */
        dp8390_local_in(nic, addr, frame, nic->tbcr);
        dp8390_send(nic, frame, nic->tbcr);
        nic->tsr |= nic->link ? 0 : TSR_CRS;
    }
    nic->clda = (uint16_t)(addr + nic->tbcr);
    nic->cr &= (uint8_t)~CR_TXP;
    nic->isr |= ISR_PTX;
}

/* ---- remote DMA: between the card's memory and the data port ---- */

static void dp8390_remote_done(struct dp8390 *nic)
{
    nic->rbcr = 0;
    if ((nic->cr & CR_RD) == CR_RD_SEND) {
        nic->bnry = nic->rnpp = nic->send_next;
        nic->ring_full = false;
        nic->isr &= (uint8_t)~ISR_RST;
    }
    nic->cr = (uint8_t)((nic->cr & ~CR_RD) | CR_RD_ABORT); /* GUESS: "abort/complete" */
    dp8390_raise(nic, ISR_RDC);
}

static void dp8390_remote_step(struct dp8390 *nic, unsigned n)
{
    nic->crda = (uint16_t)(nic->crda + n);
    if (nic->crda == nic->pstop << 8) {
        nic->crda = (uint16_t)(nic->pstart << 8);
    }
    if (nic->rbcr <= n) { /* an odd count ends with half a word */
        dp8390_remote_done(nic);
    } else {
        nic->rbcr = (uint16_t)(nic->rbcr - n);
    }
}

static bool dp8390_remote_reads(const struct dp8390 *nic)
{
    return nic->rbcr && ((nic->cr & CR_RD) == CR_RD_READ || (nic->cr & CR_RD) == CR_RD_SEND);
}

/* One word, or in byte mode one byte.  Without a transfer the latch keeps what it has. */
static uint16_t dp8390_remote_in(struct dp8390 *nic)
{
    if (!dp8390_remote_reads(nic)) {
        return nic->latch;
    }
    if (nic->dcr & DCR_WTS) {
        uint16_t a = nic->crda & 0xfffe;
        nic->latch = (uint16_t)(dp8390_mem_in(nic, a) | dp8390_mem_in(nic, a | 1) << 8);
        dp8390_remote_step(nic, 2);
    } else {
        nic->latch = (uint16_t)(dp8390_mem_in(nic, nic->crda) * 0x101);
        dp8390_remote_step(nic, 1);
    }
    return nic->latch;
}

static void dp8390_remote_out(struct dp8390 *nic, uint16_t val)
{
    nic->latch = val;
    if (!nic->rbcr || (nic->cr & CR_RD) != CR_RD_WRITE) {
        return;
    }
    if (nic->dcr & DCR_WTS) {
        uint16_t a = nic->crda & 0xfffe;
        dp8390_mem_out(nic, a, (uint8_t)val);
        dp8390_mem_out(nic, a | 1, (uint8_t)(val >> 8));
        dp8390_remote_step(nic, 2);
    } else {
        dp8390_mem_out(nic, nic->crda, (uint8_t)val);
        dp8390_remote_step(nic, 1);
    }
}

/* In word mode an access of any width up to two bytes moves a word, in byte mode each byte of it
 * moves one, as an 8-bit slot splits it. */
uint32_t dp8390_port_in(struct dp8390 *nic, unsigned lane, unsigned size)
{
    uint32_t v = 0;
    if (nic->dcr & DCR_WTS && size == 1) {
        return dp8390_remote_in(nic) >> (lane & 1 ? 8 : 0) & 0xff;
    }
    unsigned step = nic->dcr & DCR_WTS ? 2 : 1;
    for (unsigned i = 0; i < size; i += step) {
        v |= (dp8390_remote_in(nic) & (uint32_t)bits_mask(step * 8)) << (i * 8);
    }
    return v;
}

void dp8390_port_out(struct dp8390 *nic, unsigned lane, uint32_t val, unsigned size)
{
    if (nic->dcr & DCR_WTS && size == 1) {
        dp8390_remote_out(nic, (uint16_t)(lane & 1 ? (val & 0xff) << 8 : val & 0xff));
        return;
    }
    unsigned step = nic->dcr & DCR_WTS ? 2 : 1;
    for (unsigned i = 0; i < size; i += step) {
        dp8390_remote_out(nic, (uint16_t)(val >> (i * 8) & bits_mask(step * 8)));
    }
}

static void dp8390_remote_start(struct dp8390 *nic, uint8_t rd)
{
    if (rd == CR_RD_SEND) {
        if (!(nic->dcr & DCR_ARM)) { /* "Send command not executed" */
            nic->cr = (uint8_t)((nic->cr & ~CR_RD) | CR_RD_ABORT);
            return;
        }
        /* the header is the first part of what is read; its count (frame and FCS) leaves out as
         * much at the end: the FCS */
        uint8_t header[HEADER_LEN];
        nic->rsar = nic->crda = (uint16_t)(nic->bnry << 8);
        dp8390_local_in(nic, nic->crda, header, sizeof header);
        nic->send_next = header[1];
        nic->rbcr = load_le16(header + 2);
    }
    if (!nic->rbcr) {
        dp8390_remote_done(nic);
    }
}

/* ---- registers ---- */

static void dp8390_write_cr(struct dp8390 *nic, uint8_t val)
{
    uint8_t state = val & (CR_STA | CR_STP), rd = val & CR_RD;
    if (!state) {
        state = nic->cr & (CR_STA | CR_STP); /* neither start nor stop: goes on as it was */
    }
    if (rd & CR_RD_ABORT) {
        rd = CR_RD_ABORT;
    }
    nic->cr = (uint8_t)((nic->cr & CR_TXP) | (val & (CR_PS | CR_TXP)) | rd | state);
    if (state & CR_STP) {
        nic->isr |= ISR_RST;
        nic->burst = 0;
    } else {
        nic->isr &= (uint8_t)~ISR_RST;
    }
    if (rd == CR_RD_READ || rd == CR_RD_WRITE || rd == CR_RD_SEND) {
        dp8390_remote_start(nic, rd);
    }
    if (nic->cr & CR_TXP && dp8390_running(nic)) {
        dp8390_transmit(nic);
    }
}

static void dp8390_write_page0(struct dp8390 *nic, unsigned reg, uint8_t val)
{
    switch (reg) {
    case 1: nic->pstart = val; break;
    case 2: nic->pstop = val; break;
    case 3:
        nic->bnry = val;
        nic->ring_full = false;
        if (dp8390_running(nic)) {
            nic->isr &= (uint8_t)~ISR_RST; /* a packet was removed from the ring */
        }
        break;
    case 4: nic->tpsr = val; break;
    case 5: nic->tbcr = (uint16_t)((nic->tbcr & 0xff00) | val); break;
    case 6: nic->tbcr = (uint16_t)((nic->tbcr & 0xff) | val << 8); break;
    case 7:
        nic->isr &= (uint8_t)~(val & 0x7f);
        nic->burst = val & ISR_PRX ? 0 : nic->burst;
        break;
    case 8: nic->rsar = nic->crda = (uint16_t)((nic->rsar & 0xff00) | val); break;
    case 9: nic->rsar = nic->crda = (uint16_t)((nic->rsar & 0xff) | val << 8); break;
    case 10: nic->rbcr = (uint16_t)((nic->rbcr & 0xff00) | val); break;
    case 11: nic->rbcr = (uint16_t)((nic->rbcr & 0xff) | val << 8); break;
    case 12: nic->rcr = val & 0x3f; break;
    case 13:
        nic->tcr = val & 0x1f;
        nic->tx_off = nic->tx_off && val & TCR_ATD;
        if (nic->cr & CR_TXP && dp8390_running(nic)) {
            dp8390_transmit(nic);
        }
        break;
    case 14: nic->dcr = val & 0x7f; break;
    default: nic->imr = val & 0x7f; break;
    }
}

static void dp8390_write_page1(struct dp8390 *nic, unsigned reg, uint8_t val)
{
    if (reg < 7) {
        nic->par[reg - 1] = val;
    } else if (reg == 7) {
        nic->curr = val;
        nic->ring_full = false;
    } else {
        nic->mar[reg - 8] = val;
    }
}

/* "should only be accessed for diagnostic purposes" */
static void dp8390_write_page2(struct dp8390 *nic, unsigned reg, uint8_t val)
{
    switch (reg) {
    case 1: nic->clda = (uint16_t)((nic->clda & 0xff00) | val); break;
    case 2: nic->clda = (uint16_t)((nic->clda & 0xff) | val << 8); break;
    case 3: nic->rnpp = val; break;
    case 5: nic->lnpp = val; break;
    case 6: nic->ac = (uint16_t)((nic->ac & 0xff) | val << 8); break;
    case 7: nic->ac = (uint16_t)((nic->ac & 0xff00) | val); break;
    default: break;
    }
}

void dp8390_out(struct dp8390 *nic, unsigned reg, uint8_t val)
{
    reg &= 15;
    if (reg == 0) {
        dp8390_write_cr(nic, val);
    } else if ((nic->cr & CR_PS) == 0) {
        dp8390_write_page0(nic, reg, val);
    } else if ((nic->cr & CR_PS) == 0x40) {
        dp8390_write_page1(nic, reg, val);
    } else if ((nic->cr & CR_PS) == 0x80) {
        dp8390_write_page2(nic, reg, val);
    }
    dp8390_update_irq(nic);
}

static uint8_t dp8390_read_page0(struct dp8390 *nic, unsigned reg)
{
    uint8_t v;
    switch (reg) {
    case 1: return (uint8_t)nic->clda;
    case 2: return (uint8_t)(nic->clda >> 8);
    case 3: return nic->bnry;
    case 4: return nic->tsr;
    case 5: return nic->ncr;
    case 6: /* the FIFO may be read after a loopback only */
        v = nic->fifo[nic->fifo_at];
        nic->fifo_at = (nic->fifo_at + 1) & 7;
        return v;
    case 7: return nic->isr;
    case 8: return (uint8_t)nic->crda;
    case 9: return (uint8_t)(nic->crda >> 8);
    case 12: return nic->rsr;
    case 13: case 14: case 15:
        v = nic->cntr[reg - 13];
        nic->cntr[reg - 13] = 0;
        return v;
    default: return 0xff;
    }
}

static uint8_t dp8390_read_page2(struct dp8390 *nic, unsigned reg)
{
    switch (reg) {
    case 1: return nic->pstart;
    case 2: return nic->pstop;
    case 3: return nic->rnpp;
    case 4: return nic->tpsr;
    case 5: return nic->lnpp;
    case 6: return (uint8_t)(nic->ac >> 8);
    case 7: return (uint8_t)nic->ac;
    case 12: return nic->rcr | 0xc0;
    case 13: return nic->tcr | 0xe0;
    case 14: return nic->dcr | 0x80;
    case 15: return nic->imr | 0x80;
    default: return 0xff;
    }
}

uint8_t dp8390_in(struct dp8390 *nic, unsigned reg)
{
    reg &= 15;
    if (reg == 0) {
        return nic->cr;
    }
    switch (nic->cr & CR_PS) {
    case 0: return dp8390_read_page0(nic, reg);
    case 0x40: return reg < 7 ? nic->par[reg - 1] : reg == 7 ? nic->curr : nic->mar[reg - 8];
    case 0x80: return dp8390_read_page2(nic, reg);
    default: return 0xff;
    }
}

/* ---- life ---- */

/* "Initialization Procedures", what the RESET pin does; nothing else changes. */
void dp8390_hard_reset(struct dp8390 *nic)
{
    nic->cr = CR_RD_ABORT | CR_STP;
    nic->isr = ISR_RST;
    nic->imr = 0;
    nic->dcr |= DCR_LAS;
    nic->tcr &= (uint8_t)~TCR_LB;
    nic->tx_off = false;
    nic->burst = 0;
    dp8390_update_irq(nic);
}

void dp8390_power_on(struct dp8390 *nic)
{
    memset(nic->ram, 0, sizeof nic->ram);
    nic->tcr = nic->dcr = nic->rcr = nic->tsr = nic->rsr = nic->ncr = 0;
    nic->pstart = nic->pstop = nic->bnry = nic->curr = nic->tpsr = 0;
    memset(nic->cntr, 0, sizeof nic->cntr);
    memset(nic->par, 0, sizeof nic->par);
    memset(nic->mar, 0, sizeof nic->mar);
    memset(nic->fifo, 0, sizeof nic->fifo);
    nic->rnpp = nic->lnpp = nic->fifo_at = nic->send_next = 0;
    nic->tbcr = nic->rsar = nic->rbcr = nic->crda = nic->clda = nic->ac = nic->latch = 0;
    nic->ring_full = false;
    nic->irq.level = false;
    nic->imr = 0;
    dp8390_hard_reset(nic);
}

void dp8390_drive(struct dp8390 *nic)
{
    irq_drive(&nic->irq);
}

void dp8390_snap(struct dp8390 *nic, struct snap *s)
{
    snap_u8(s, "cr", &nic->cr);
    snap_u8(s, "isr", &nic->isr);
    snap_u8(s, "imr", &nic->imr);
    snap_u8(s, "dcr", &nic->dcr);
    snap_u8(s, "tcr", &nic->tcr);
    snap_u8(s, "rcr", &nic->rcr);
    snap_u8(s, "tsr", &nic->tsr);
    snap_u8(s, "rsr", &nic->rsr);
    snap_u8(s, "ncr", &nic->ncr);
    snap_u8(s, "pstart", &nic->pstart);
    snap_u8(s, "pstop", &nic->pstop);
    snap_u8(s, "bnry", &nic->bnry);
    snap_u8(s, "curr", &nic->curr);
    snap_u8(s, "tpsr", &nic->tpsr);
    snap_bytes(s, "cntr", nic->cntr, sizeof nic->cntr);
    snap_bytes(s, "par", nic->par, sizeof nic->par);
    snap_bytes(s, "mar", nic->mar, sizeof nic->mar);
    snap_u8(s, "rnpp", &nic->rnpp);
    snap_u8(s, "lnpp", &nic->lnpp);
    snap_bytes(s, "fifo", nic->fifo, sizeof nic->fifo);
    snap_u8(s, "fifo_at", &nic->fifo_at);
    snap_u16(s, "tbcr", &nic->tbcr);
    snap_u16(s, "rsar", &nic->rsar);
    snap_u16(s, "rbcr", &nic->rbcr);
    snap_u16(s, "crda", &nic->crda);
    snap_u16(s, "clda", &nic->clda);
    snap_u16(s, "ac", &nic->ac);
    snap_u16(s, "latch", &nic->latch);
    snap_u8(s, "send_next", &nic->send_next);
    snap_u8(s, "burst", &nic->burst);
    snap_bool(s, "ring_full", &nic->ring_full);
    snap_bool(s, "tx_off", &nic->tx_off);
    snap_bool(s, "link", &nic->link);
    snap_bool(s, "irq", &nic->irq.level);
    snap_bytes(s, "ram", nic->ram, sizeof nic->ram);
    if (snap_loading(s)) {
        if (nic->fifo_at > 7) {
            snap_fail(s, "dp8390: FIFO index");
        }
        nic->fifo_at &= 7;
        nic->burst = nic->burst > RX_BURST ? RX_BURST : nic->burst;
        nic->imr &= 0x7f;
        nic->dcr &= 0x7f;
        nic->tcr &= 0x1f;
        nic->rcr &= 0x3f;
    }
}

void dp8390_init(struct dp8390 *nic, const char *id, struct irq_line irq, struct netdev *net)
{
    *nic = (struct dp8390){.id = id, .irq = irq, .net = net, .link = true};
    if (net) {
        net->client = &dp8390_client;
        net->dev = nic;
    }
    dp8390_power_on(nic);
}
