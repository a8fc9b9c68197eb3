/* DP8390D: register by register as the data sheet has it.  The chip sits on the ISA card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/devices/ne2k_case.h"

static const uint8_t all_ones[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static int setup(void **state)
{
    *state = contract_open(&isa_card_case);
    return 0;
}

static int teardown(void **state)
{
    contract_close(&isa_card_case, *state);
    return 0;
}

static void frame_to(uint8_t *f, const uint8_t *dest, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        f[i] = (uint8_t)(i * 7 + 3);
    }
    memcpy(f, dest, len < 6 ? len : 6);
}

static void receive(struct rig *r, const uint8_t *dest, unsigned len)
{
    uint8_t f[NETDEV_FRAME_MAX];
    frame_to(f, dest, len);
    r->net.client->receive(r->net.dev, f, len);
}

/* The same CRC, the other way around: shift left, polynomial as printed. */
static uint32_t crc_left(const uint8_t *p, size_t len)
{
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        for (unsigned b = 0; b < 8; b++) {
            uint32_t top = (c >> 31 ^ p[i] >> b) & 1;
            c = c << 1 ^ (top ? 0x04c11db7 : 0);
        }
    }
    return c;
}

/* ---- command register, reset, pages ---- */

static void reset_state_is_the_data_sheets(void **state)
{
    struct rig *r = *state;
    assert_int_equal(nic_in(r, 0), 0x21);
    assert_int_equal(nic_in(r, 7), 0x80);
    assert_int_equal(nic_page_in(r, 2, 13) & 6, 0);
    assert_int_equal(nic_page_in(r, 2, 14) & DCR_LAS, DCR_LAS);
    assert_int_equal(nic_page_in(r, 2, 15), 0x80);
    assert_false(rig_level(r, 9));
}

static void page_2_reads_what_page_0_was_written(void **state)
{
    static const struct {
        uint8_t reg, back, val, expect;
    } w[] = {{1, 1, 0x46, 0x46}, {2, 2, 0x80, 0x80}, {4, 4, 0x40, 0x40}, {12, 12, 0xff, 0xff},
             {12, 12, 0x04, 0xc4}, {13, 13, 0xff, 0xff}, {13, 13, 0x02, 0xe2}, {14, 14, 0x49, 0xc9},
             {15, 15, 0xff, 0xff}, {15, 15, 0x11, 0x91}};
    struct rig *r = *state;
    for (unsigned i = 0; i < sizeof w / sizeof w[0]; i++) {
        nic_out(r, w[i].reg, w[i].val);
        assert_int_equal(nic_page_in(r, 2, w[i].back), w[i].expect);
    }
    nic_out(r, 3, 0x4c);
    assert_int_equal(nic_in(r, 3), 0x4c);
    assert_int_equal(nic_in(r, 5), 0); /* NCR */
    assert_int_equal(nic_in(r, 10), 0xff);
    assert_int_equal(nic_in(r, 11), 0xff);
}

static void page_2_writes_are_for_diagnostics(void **state)
{
    struct rig *r = *state;
    nic_page_out(r, 2, 1, 0x34);
    nic_page_out(r, 2, 2, 0x12);
    assert_int_equal(nic_in(r, 1), 0x34); /* CLDA */
    assert_int_equal(nic_in(r, 2), 0x12);
    for (unsigned reg = 3; reg < 8; reg++) {
        nic_page_out(r, 2, reg, (uint8_t)(0x50 + reg));
        assert_int_equal(nic_page_in(r, 2, reg), reg == 4 ? 0 : 0x50 + reg);
    }
    for (unsigned reg = 8; reg < 12; reg++) {
        assert_int_equal(nic_page_in(r, 2, reg), 0xff);
    }
}

static void page_1_holds_address_current_page_and_hash(void **state)
{
    struct rig *r = *state;
    for (unsigned reg = 1; reg < 16; reg++) {
        nic_page_out(r, 1, reg, (uint8_t)(0xa0 + reg));
    }
    for (unsigned reg = 1; reg < 16; reg++) {
        assert_int_equal(nic_page_in(r, 1, reg), 0xa0 + reg);
    }
}

static void start_and_stop_drive_rst(void **state)
{
    struct rig *r = *state;
    nic_out(r, 7, 0xff); /* RST is no latch */
    assert_int_equal(nic_in(r, 7), 0x80);
    nic_out(r, 0, 0x22);
    assert_int_equal(nic_in(r, 7), 0);
    assert_int_equal(nic_in(r, 0), 0x22);
    nic_out(r, 0, 0x60); /* neither bit: page only */
    assert_int_equal(nic_in(r, 0), 0x62);
    nic_out(r, 0, 0x21);
    assert_int_equal(nic_in(r, 7), 0x80);
    nic_out(r, 0, 0x20);
    assert_int_equal(nic_in(r, 0), 0x21);
    nic_out(r, 15, 0xff); /* RST interrupts nobody */
    assert_false(rig_level(r, 9));
}

static void interrupt_is_the_level_of_isr_and_imr(void **state)
{
    struct rig *r = *state;
    nic_start(r);
    receive(r, r->net.mac, 60);
    assert_int_equal(nic_in(r, 7), ISR_PRX);
    assert_false(rig_level(r, 9));
    nic_out(r, 15, ISR_PRX);
    assert_true(rig_level(r, 9));
    nic_send(r, NIC_TPSR, 60);
    nic_out(r, 7, ISR_PTX);
    assert_true(rig_level(r, 9));
    nic_out(r, 7, ISR_PRX);
    assert_false(rig_level(r, 9));
    nic_send(r, NIC_TPSR, 60); /* PTX is masked */
    assert_false(rig_level(r, 9));
    nic_out(r, 15, ISR_PTX);
    assert_true(rig_level(r, 9));
    region_in(nic_regs(r), 0x1f, 1); /* a reset ends it */
    assert_false(rig_level(r, 9));
    assert_int_equal(nic_in(r, 7), 0x80);
}

/* ---- transmitter ---- */

static void transmit_sends_tbcr_bytes_from_tpsr(void **state)
{
    struct rig *r = *state;
    uint8_t f[1514];
    frame_to(f, all_ones, sizeof f);
    nic_start(r);
    nic_put(r, NIC_TPSR << 8, f, sizeof f);
    nic_out(r, 7, 0xff);
    nic_send(r, NIC_TPSR, sizeof f);
    assert_int_equal(r->wire.sent, 1);
    assert_int_equal(r->wire.len[0], sizeof f);
    assert_memory_equal(r->wire.frame[0], f, sizeof f);
    assert_int_equal(nic_in(r, 0), 0x22); /* TXP has cleared itself */
    assert_int_equal(nic_in(r, 4), 0x03);
    assert_int_equal(nic_in(r, 7), ISR_PTX);
    nic_out(r, 0, 0x21); /* stopped: TXP waits for the start */
    nic_out(r, 0, 0x25);
    assert_int_equal(r->wire.sent, 1);
    nic_out(r, 0, 0x22);
    assert_int_equal(r->wire.sent, 2);
}

static void transmit_with_crc_inhibited_needs_a_right_fcs(void **state)
{
    struct rig *r = *state;
    uint8_t f[64];
    frame_to(f, all_ones, 60);
    nic_start(r);
    store_le32(f + 60, dp8390_crc(f, 60));
    nic_put(r, NIC_TPSR << 8, f, 64);
    nic_out(r, 13, TCR_CRC);
    nic_send(r, NIC_TPSR, 64);
    assert_int_equal(r->wire.sent, 1);
    assert_int_equal(r->wire.len[0], 60);
    f[63] ^= 1;
    nic_put(r, NIC_TPSR << 8, f, 64);
    nic_send(r, NIC_TPSR, 64);
    nic_send(r, NIC_TPSR, 3);
    assert_int_equal(r->wire.sent, 1); /* whoever would get it drops it */
    assert_int_equal(nic_in(r, 4) & TSR_PTX, TSR_PTX);
}

static void transmit_without_a_cable_loses_carrier(void **state)
{
    struct rig *r = *state;
    nic_start(r);
    r->net.client->link(r->net.dev, false);
    nic_send(r, NIC_TPSR, 60);
    assert_int_equal(r->wire.sent, 0);
    assert_int_equal(nic_in(r, 4), TSR_PTX | TSR_ND | TSR_CRS);
    receive(r, r->net.mac, 60);
    assert_int_equal(nic_in(r, 7), ISR_PTX);
    r->net.client->link(r->net.dev, true);
    receive(r, r->net.mac, 60);
    assert_int_equal(nic_in(r, 7), ISR_PTX | ISR_PRX);
}

static void multicast_hash_62_and_63_switch_the_transmitter(void **state)
{
    struct rig *r = *state;
    uint8_t off[6] = {1, 0, 0, 0, 0, 0}, on[6] = {1, 0, 0, 0, 0, 0};
    while (crc_left(off, 6) >> 26 != 62) {
        off[5]++;
    }
    while (crc_left(on, 6) >> 26 != 63) {
        on[5]++;
    }
    nic_start(r);
    receive(r, off, 60); /* without ATD it does nothing */
    nic_send(r, NIC_TPSR, 60);
    assert_int_equal(r->wire.sent, 1);
    nic_out(r, 13, TCR_ATD);
    receive(r, off, 60);
    nic_send(r, NIC_TPSR, 60);
    assert_int_equal(r->wire.sent, 1);
    assert_int_equal(nic_in(r, 0) & CR_TXP, CR_TXP);
    receive(r, on, 60);
    assert_int_equal(r->wire.sent, 2);
    assert_int_equal(nic_in(r, 0) & CR_TXP, 0);
    receive(r, off, 60);
    nic_send(r, NIC_TPSR, 60);
    assert_int_equal(r->wire.sent, 2);
    nic_out(r, 13, 0); /* without ATD there is no switch */
    assert_int_equal(r->wire.sent, 3);
}

/* ---- receiver ---- */

static void receive_writes_header_frame_and_fcs(void **state)
{
    struct rig *r = *state;
    uint8_t f[300], got[308];
    nic_start(r);
    frame_to(f, r->net.mac, sizeof f);
    receive(r, r->net.mac, sizeof f);
    assert_int_equal(nic_in(r, 7), ISR_PRX);
    assert_int_equal(nic_in(r, 12), RSR_PRX);
    assert_int_equal(nic_page_in(r, 1, 7), 0x49); /* 308 bytes: two pages */
    assert_int_equal(nic_page_in(r, 2, 5), 0x49); /* local next packet pointer */
    nic_get(r, 0x4700, got, sizeof got);
    assert_int_equal(got[0], RSR_PRX);
    assert_int_equal(got[1], 0x49);
    assert_int_equal(load_le16(got + 2), 304); /* frame and FCS */
    assert_memory_equal(got + 4, f, sizeof f);
    assert_int_equal(load_le32(got + 304), dp8390_crc(f, sizeof f));
    receive(r, all_ones, 60);
    assert_int_equal(nic_in(r, 12), RSR_PRX | RSR_PHY);
    receive(r, got + 4 + 6, 60); /* for somebody else: RSR stays */
    assert_int_equal(nic_in(r, 12), RSR_PRX | RSR_PHY);
    nic_get(r, 0x4900, got, 4);
    assert_int_equal(got[0], RSR_PRX | RSR_PHY);
    assert_int_equal(load_le16(got + 2), 64);
}

static void receive_wraps_at_pstop_and_remote_dma_follows(void **state)
{
    struct rig *r = *state;
    uint8_t f[1000], got[1008];
    nic_start(r);
    nic_out(r, 3, 0x7c);
    nic_page_out(r, 1, 7, 0x7e);
    frame_to(f, r->net.mac, sizeof f);
    receive(r, r->net.mac, sizeof f);
    assert_int_equal(nic_page_in(r, 1, 7), 0x48);
    nic_get(r, 0x7e00, got, sizeof got);
    assert_memory_equal(got + 4, f, sizeof f);
    assert_int_equal(nic_in(r, 8) | nic_in(r, 9) << 8, 0x47f0); /* CRDA */
}

static void short_frames_from_the_host_are_padded(void **state)
{
    struct rig *r = *state;
    uint8_t got[68], zero[18] = {0};
    nic_start(r);
    receive(r, r->net.mac, 42);
    nic_get(r, 0x4700, got, sizeof got);
    assert_int_equal(load_le16(got + 2), 64);
    assert_memory_equal(got + 4 + 42, zero, sizeof zero);
}

static void filters_by_receive_configuration(void **state)
{
    static const uint8_t other[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x57};
    static const uint8_t group[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
    struct rig *r = *state;
    for (unsigned rcr = 0; rcr < 64; rcr++) {
        for (unsigned hash = 0; hash < 2; hash++) {
            unsigned h = crc_left(group, 6) >> 26;
            nic_start(r);
            nic_out(r, 12, (uint8_t)rcr);
            for (unsigned i = 0; i < 8; i++) {
                uint8_t bit = h / 8 == i ? (uint8_t)(1 << h % 8) : 0;
                nic_page_out(r, 1, 8 + i, hash ? bit : (uint8_t)~bit);
            }
            const uint8_t *dest[4] = {r->net.mac, all_ones, other, group};
            bool want[4] = {true, rcr & RCR_AB, rcr & RCR_PRO, hash && rcr & RCR_AM};
            for (unsigned d = 0; d < 4; d++) {
                nic_in(r, 15); /* the missed packets */
                nic_out(r, 7, 0xff);
                receive(r, dest[d], 60);
                bool mon = rcr & RCR_MON;
                assert_int_equal(nic_in(r, 7), want[d] && !mon ? ISR_PRX : 0);
                assert_int_equal(nic_in(r, 15), want[d] && mon ? 1 : 0);
                if (want[d] && mon) {
                    assert_int_equal(nic_in(r, 12) & RSR_DIS, RSR_DIS);
                }
            }
        }
    }
}

static void multicast_hash_is_the_crcs_top_six_bits(void **state)
{
    struct rig *r = *state;
    uint8_t dest[6] = {0x03, 0x11, 0x22, 0x33, 0x44, 0};
    bool seen[64] = {false};
    for (unsigned n = 0; n < 256; n++) {
        dest[5] = (uint8_t)n;
        unsigned h = crc_left(dest, 6) >> 26;
        seen[h] = true;
        nic_start(r);
        nic_out(r, 12, RCR_AM);
        for (unsigned i = 0; i < 8; i++) {
            nic_page_out(r, 1, 8 + i, h / 8 == i ? (uint8_t)(1 << h % 8) : 0);
        }
        receive(r, dest, 60);
        assert_int_equal(nic_in(r, 7), ISR_PRX);
    }
    for (unsigned h = 0; h < 64; h++) {
        assert_true(seen[h]);
    }
}

static void runts_and_damaged_frames_by_ar_and_sep(void **state)
{
    struct rig *r = *state;
    uint8_t f[60];
    frame_to(f, r->net.mac, sizeof f);
    nic_start(r);
    dp8390_wire(nic_of(r), f, 59, 0);
    assert_int_equal(nic_in(r, 7), 0);
    nic_out(r, 12, RCR_AR);
    dp8390_wire(nic_of(r), f, 7, 0); /* too short to be a runt: a collision's rest */
    assert_int_equal(nic_in(r, 7), 0);
    dp8390_wire(nic_of(r), f, 8, 0);
    assert_int_equal(nic_in(r, 7), ISR_PRX);
    assert_int_equal(nic_page_in(r, 1, 7), 0x48);
    nic_out(r, 7, 0xff);
    dp8390_wire(nic_of(r), f, 60, RSR_CRC);
    assert_int_equal(nic_in(r, 7), ISR_RXE);
    assert_int_equal(nic_in(r, 12), RSR_CRC);
    assert_int_equal(nic_page_in(r, 1, 7), 0x48); /* its buffer was taken back */
    assert_int_equal(nic_in(r, 14), 1);
    assert_int_equal(nic_in(r, 14), 0); /* cleared by reading */
    nic_out(r, 12, RCR_SEP);
    dp8390_wire(nic_of(r), f, 60, RSR_FAE);
    assert_int_equal(nic_in(r, 12), RSR_CRC | RSR_FAE);
    assert_int_equal(nic_page_in(r, 1, 7), 0x49);
    assert_int_equal(nic_in(r, 13), 1);
    assert_int_equal(nic_in(r, 14), 1);
    assert_int_equal(nic_in(r, 7), ISR_RXE);
}

static void tally_counters_interrupt_at_128_and_stop_at_192(void **state)
{
    struct rig *r = *state;
    uint8_t f[60];
    frame_to(f, r->net.mac, sizeof f);
    nic_start(r);
    for (unsigned i = 1; i <= 300; i++) {
        dp8390_wire(nic_of(r), f, 60, RSR_CRC);
        assert_int_equal(nic_in(r, 7) & ISR_CNT, i >= 128 ? ISR_CNT : 0);
    }
    assert_int_equal(nic_in(r, 14), 192);
}

static void a_stopped_chip_hears_nothing(void **state)
{
    struct rig *r = *state;
    nic_start(r);
    nic_out(r, 0, 0x21);
    assert_true(r->net.client->ready(r->net.dev));
    receive(r, r->net.mac, 60);
    assert_int_equal(nic_in(r, 7), 0x80);
    nic_out(r, 0, 0x22);
    assert_int_equal(nic_page_in(r, 1, 7), 0x47);
}

static void ready_keeps_room_for_a_long_frame(void **state)
{
    struct rig *r = *state;
    unsigned n = 0;
    nic_start(r); /* 58 pages, one of them between CURR and BNRY */
    while (r->net.client->ready(r->net.dev)) {
        receive(r, r->net.mac, NETDEV_FRAME_MAX);
        nic_out(r, 7, ISR_PRX);
        n++;
        assert_true(n < 20);
    }
    assert_int_equal(n, 9);
    assert_int_equal(nic_in(r, 7), ISR_PRX); /* frames wait, and the ring is not empty */
    nic_out(r, 7, ISR_PRX);
    assert_false(r->net.client->ready(r->net.dev));
    assert_int_equal(nic_in(r, 7), ISR_PRX);
    nic_out(r, 3, 0x47); /* one page is not enough, six are */
    assert_false(r->net.client->ready(r->net.dev));
    nic_out(r, 3, 0x4c);
    assert_true(r->net.client->ready(r->net.dev));
    nic_ring(r, 0x46, 0x49, 0x46, 0x47); /* a ring that never has six: take what comes */
    nic_out(r, 0, 0x22);
    assert_true(r->net.client->ready(r->net.dev));
}

/* Linux with the whole ring unread and its first page next: a download of 200 MB met this. */
static void a_boundary_before_the_ring_is_its_last_page(void **state)
{
    struct rig *r = *state;
    uint8_t first[256];
    unsigned n = 0;
    nic_start(r);
    nic_ring(r, 0x4c, 0x80, 0x4b, 0x4c);
    nic_out(r, 0, 0x22);
    receive(r, r->net.mac, 60);
    memcpy(first, nic_of(r)->ram + 0xc00, sizeof first);
    while (r->net.client->ready(r->net.dev)) {
        receive(r, all_ones, n & 1 ? NETDEV_FRAME_MAX : 200);
        nic_out(r, 7, ISR_PRX);
        assert_true(++n < 60);
    }
    assert_int_equal(nic_in(r, 7), ISR_PRX);
    assert_memory_equal(nic_of(r)->ram + 0xc00, first, sizeof first);
    for (unsigned i = 0; i < 20; i++) { /* and whoever does not ask is told */
        receive(r, all_ones, 1000);
    }
    assert_int_equal(nic_in(r, 7), ISR_PRX | ISR_OVW | ISR_RST);
    assert_memory_equal(nic_of(r)->ram + 0xc00, first, sizeof first);
}

/* A download stood still: more frames than Linux takes at one interrupt, and none to follow. */
static void at_most_eight_frames_until_prx_is_acknowledged(void **state)
{
    struct rig *r = *state;
    unsigned n;
    nic_start(r);
    nic_out(r, 15, ISR_PRX);
    for (unsigned round = 0; round < 2; round++) {
        for (n = 0; r->net.client->ready(r->net.dev); n++) {
            receive(r, r->net.mac, 60);
        }
        assert_int_equal(n, 8);
        nic_out(r, 3, nic_of(r)->curr - 1); /* reading alone does not do */
        assert_false(r->net.client->ready(r->net.dev));
        nic_out(r, 7, ISR_PRX);
    }
    nic_out(r, 15, 0); /* who polls may never look at ISR: an empty ring does */
    for (n = 0; r->net.client->ready(r->net.dev); n++) {
        receive(r, r->net.mac, 60);
    }
    assert_int_equal(n, 8);
    nic_out(r, 3, nic_of(r)->curr - 1);
    assert_true(r->net.client->ready(r->net.dev));
}

static void overflow_sets_ovw_and_rst_until_bnry_moves(void **state)
{
    struct rig *r = *state;
    nic_start(r);
    nic_ring(r, 0x46, 0x4a, 0x46, 0x47);
    nic_out(r, 0, 0x22);
    nic_out(r, 15, ISR_OVW);
    receive(r, r->net.mac, 1000); /* 47, 48, 49 and then 46 */
    assert_int_equal(nic_in(r, 7), ISR_OVW | ISR_RST);
    assert_true(rig_level(r, 9));
    assert_int_equal(nic_page_in(r, 1, 7), 0x47); /* taken back */
    assert_int_equal(nic_in(r, 12), RSR_MPA);
    assert_int_equal(nic_in(r, 15), 1);
    /* the procedure of the data sheet: stop, loopback, start, empty the ring, normal */
    nic_out(r, 0, 0x21);
    nic_out(r, 10, 0);
    nic_out(r, 11, 0);
    nic_out(r, 13, 0x02);
    nic_out(r, 0, 0x22);
    receive(r, r->net.mac, 60); /* not while in loopback */
    nic_out(r, 3, 0x46);
    nic_out(r, 7, ISR_OVW);
    nic_out(r, 13, 0);
    assert_int_equal(nic_in(r, 7), 0);
    receive(r, r->net.mac, 600);
    assert_int_equal(nic_in(r, 7), ISR_PRX);
    assert_int_equal(nic_page_in(r, 1, 7), 0x46); /* CURR met BNRY: full, not empty */
    receive(r, r->net.mac, 60);
    assert_int_equal(nic_in(r, 7), ISR_PRX | ISR_OVW | ISR_RST);
    nic_out(r, 3, 0x49);
    assert_int_equal(nic_in(r, 7), ISR_PRX | ISR_OVW);
    receive(r, r->net.mac, 60);
    assert_int_equal(nic_page_in(r, 1, 7), 0x47);
}

static void equal_pointers_that_software_wrote_mean_empty(void **state)
{
    struct rig *r = *state;
    nic_start(r);
    nic_ring(r, 0x46, 0x80, 0x46, 0x46);
    nic_out(r, 0, 0x22);
    assert_true(r->net.client->ready(r->net.dev));
    receive(r, r->net.mac, NETDEV_FRAME_MAX);
    assert_int_equal(nic_page_in(r, 1, 7), 0x4c);
}

/* ---- remote DMA ---- */

static void remote_dma_in_words_and_bytes(void **state)
{
    struct rig *r = *state;
    nic_start(r);
    nic_remote(r, 0x4000, 4, 0x12);
    region_out(nic_regs(r), 0x10, 0x2211, 2);
    assert_int_equal(nic_in(r, 7) & ISR_RDC, 0);
    assert_int_equal(nic_in(r, 0), 0x12);
    region_out(nic_regs(r), 0x12, 0x4433, 2); /* any of 10h-17h */
    assert_int_equal(nic_in(r, 7) & ISR_RDC, ISR_RDC);
    assert_int_equal(nic_in(r, 0), 0x22);
    region_out(nic_regs(r), 0x10, 0x6655, 2); /* beyond the count: nowhere */
    nic_out(r, 14, DCR_LS);                   /* bytes */
    nic_remote(r, 0x4001, 5, 0x0a);
    assert_int_equal(region_in(nic_regs(r), 0x10, 1), 0x22);
    assert_int_equal(region_in(nic_regs(r), 0x17, 1), 0x33);
    assert_int_equal(region_in(nic_regs(r), 0x10, 2), 0x0044);
    assert_int_equal(nic_in(r, 8) | nic_in(r, 9) << 8, 0x4005);
    nic_out(r, 7, 0xff);
    region_in(nic_regs(r), 0x10, 1);
    assert_int_equal(nic_in(r, 7), ISR_RDC);
    nic_out(r, 14, DCR_LS | DCR_WTS);
    nic_remote(r, 0x4000, 4, 0x0a); /* byte accesses in word mode take a word each */
    assert_int_equal(region_in(nic_regs(r), 0x10, 1), 0x11);
    assert_int_equal(region_in(nic_regs(r), 0x11, 1), 0x44);
    nic_out(r, 7, 0xff);
    nic_remote(r, 0x4000, 3, 0x0a); /* an odd count ends with the half word */
    region_in(nic_regs(r), 0x10, 2);
    assert_int_equal(nic_in(r, 7), 0);
    region_in(nic_regs(r), 0x10, 1);
    assert_int_equal(nic_in(r, 7), ISR_RDC);
    nic_out(r, 7, 0xff);
    nic_remote(r, 0x4000, 0, 0x0a); /* nothing to do is done */
    assert_int_equal(nic_in(r, 7), ISR_RDC);
}

static void remote_dma_needs_its_direction_and_can_be_aborted(void **state)
{
    struct rig *r = *state;
    nic_start(r);
    nic_of(r)->ram[0] = 0x99;
    nic_remote(r, 0x4000, 8, 0x0a);
    region_out(nic_regs(r), 0x10, 0x1234, 2); /* a write while it reads */
    assert_int_equal(nic_of(r)->ram[0], 0x99);
    assert_int_equal(region_in(nic_regs(r), 0x10, 1), 0x99);
    nic_out(r, 0, 0x22);
    assert_int_equal(nic_in(r, 7), 0); /* aborted: not complete */
    region_in(nic_regs(r), 0x10, 2);
    assert_int_equal(nic_in(r, 8), 2);
    nic_out(r, 0, 0x3a); /* RD2 wins over the other two bits */
    assert_int_equal(nic_in(r, 0), 0x22);
}

static void send_packet_takes_the_next_packet_from_the_ring(void **state)
{
    struct rig *r = *state;
    uint8_t f[100], got[104];
    nic_start(r);
    nic_ring(r, 0x46, 0x80, 0x46, 0x46);
    nic_out(r, 0, 0x22);
    frame_to(f, r->net.mac, sizeof f);
    receive(r, r->net.mac, sizeof f);
    nic_out(r, 0, 0x1a); /* without ARM it is not executed */
    assert_int_equal(nic_in(r, 0), 0x22);
    nic_out(r, 14, DCR_WTS | DCR_LS | DCR_ARM);
    nic_out(r, 11, 0x0f);
    nic_out(r, 0, 0x1a);
    for (unsigned i = 0; i < sizeof got; i += 2) {
        assert_int_equal(nic_in(r, 3), 0x46);
        store_le16(got + i, (uint16_t)region_in(nic_regs(r), 0x10, 2));
    }
    assert_int_equal(load_le16(got + 2), 104);
    assert_memory_equal(got + 4, f, sizeof f);
    assert_int_equal(nic_in(r, 3), 0x47); /* BNRY moved on */
    assert_int_equal(nic_page_in(r, 2, 3), 0x47);
    assert_int_equal(nic_in(r, 7) & ISR_RDC, ISR_RDC);
}

static void byte_order_select_turns_the_serial_sides_words(void **state)
{
    struct rig *r = *state;
    uint8_t got[8];
    nic_start(r);
    nic_out(r, 14, DCR_WTS | DCR_LS | DCR_BOS);
    receive(r, r->net.mac, 60);
    nic_get(r, 0x4700, got, sizeof got);
    assert_int_equal(got[1], RSR_PRX);
    assert_int_equal(got[0], 0x48);
    assert_int_equal(got[5], r->net.mac[0]);
    assert_int_equal(got[4], r->net.mac[1]);
    nic_send(r, 0x47, 60);
    assert_int_equal(r->wire.frame[0][0], RSR_PRX);
    assert_int_equal(r->wire.frame[0][1], 0x48);
}

/* ---- loopback: the tables of "Loopback Diagnostics" ---- */

static void loop(struct rig *r, uint8_t tcr, uint8_t dcr, const uint8_t *f, unsigned len,
                 unsigned count)
{
    nic_start(r);
    nic_put(r, NIC_TPSR << 8, f, len);
    nic_out(r, 14, dcr);
    nic_out(r, 12, 0x1f);
    nic_out(r, 13, tcr);
    nic_out(r, 7, 0xff);
    nic_send(r, NIC_TPSR, count);
}

static void loopback_modes_give_the_tables_results(void **state)
{
    static const uint8_t tsr[4] = {0, 0x53, 0x43, 0x03};
    struct rig *r = *state;
    uint8_t f[60];
    frame_to(f, r->net.mac, sizeof f);
    for (unsigned mode = 1; mode < 4; mode++) {
        unsigned sent = r->wire.sent;
        loop(r, (uint8_t)(mode << 1), 0, f, sizeof f, sizeof f);
        assert_int_equal(nic_in(r, 4), tsr[mode]);
        assert_int_equal(nic_in(r, 12), 0x02);
        assert_int_equal(nic_in(r, 7), ISR_PTX);
        assert_int_equal(nic_page_in(r, 1, 7), 0x47); /* nothing is written to memory */
        assert_int_equal(r->wire.sent, sent + (mode == 3));
    }
}

static void loopback_fifo_keeps_the_last_eight_bytes(void **state)
{
    struct rig *r = *state;
    uint8_t f[64], fifo[8];
    frame_to(f, r->net.mac, sizeof f);
    loop(r, 0x02, 0, f, 60, 60); /* 64 with the FCS: 8 * n */
    for (unsigned i = 0; i < 8; i++) {
        fifo[i] = nic_in(r, 6);
    }
    assert_int_equal(fifo[0], 64);
    assert_int_equal(fifo[1], 0);
    assert_int_equal(fifo[2], 0);
    assert_int_equal(fifo[3], f[59]);
    assert_int_equal(load_le32(fifo + 4), dp8390_crc(f, 60));
    assert_int_equal(nic_in(r, 6), 64); /* around again */
    loop(r, 0x02, 0, f, 64, 49 + 8 * 1); /* 61: 8 * n + 5 */
    for (unsigned i = 0; i < 8; i++) {
        fifo[i] = nic_in(r, 6);
    }
    assert_int_equal(fifo[0], f[56]);
    assert_int_equal(load_le32(fifo + 1), dp8390_crc(f, 57));
    assert_int_equal(fifo[5], 61);
    assert_int_equal(fifo[6] | fifo[7], 0);
    loop(r, 0x02, DCR_WTS, f, 64, 64); /* words: the even bytes only */
    for (unsigned i = 0; i < 8; i++) {
        fifo[i] = nic_in(r, 6);
    }
    uint8_t half[32];
    for (unsigned i = 0; i < 32; i++) {
        half[i] = f[2 * i];
    }
    assert_int_equal(fifo[7], half[31]); /* 36 bytes with the FCS: count at 4 to 6 */
    assert_int_equal(fifo[4], 36);
    assert_int_equal(fifo[0] | fifo[1] << 8 | fifo[2] << 16 | (uint32_t)fifo[3] << 24,
                     dp8390_crc(half, 32));
}

static void loopback_tests_crc_and_address(void **state)
{
    struct rig *r = *state;
    uint8_t f[64];
    frame_to(f, r->net.mac, 60);
    store_le32(f + 60, dp8390_crc(f, 60));
    loop(r, 0x03, 0, f, 64, 64);
    assert_int_equal(nic_in(r, 12), 0x01); /* test A: matching address, good CRC */
    f[60] ^= 0x10;
    loop(r, 0x03, 0, f, 64, 64);
    assert_int_equal(nic_in(r, 12), 0x02); /* B: bad CRC */
    f[5] ^= 1;
    loop(r, 0x03, 0, f, 64, 64); /* C: not for us, so nobody minds the CRC; with PRO it is */
    nic_out(r, 12, 0x0f);
    nic_send(r, NIC_TPSR, 64);
    assert_int_equal(nic_in(r, 12), 0x01);
    memcpy(f, all_ones, 6);
    store_le32(f + 60, dp8390_crc(f, 60));
    loop(r, 0x03, 0, f, 64, 64);
    assert_int_equal(nic_in(r, 12), 0x21);
    f[61] ^= 1;
    loop(r, 0x03, 0, f, 64, 64);
    assert_int_equal(nic_in(r, 12), 0x22);
}

/* ---- bugs that others had ---- */

/* CVE-2007-2893: TXCNT larger than the card's memory. */
static void T12_loopback_with_counts_to_64K(void **state)
{
    struct rig *r = *state;
    uint8_t before[DP8390_RAM];
    nic_start(r);
    memset(nic_of(r)->ram, 0x5a, DP8390_RAM);
    memcpy(before, nic_of(r)->ram, sizeof before);
    nic_out(r, 12, 0x1f);
    for (unsigned mode = 0; mode < 4; mode++) {
        nic_out(r, 13, (uint8_t)(mode << 1));
        /* each that a frame may have, and each that memory may have; further on by steps */
        for (unsigned n = 0; n < 0x10000; n += n < 2048 || n > 0xfff0 ? 1 : mode == 1 ? 13 : 311) {
            nic_out(r, 14, n & 1 ? 0 : DCR_WTS);
            nic_send(r, (uint8_t)(n * 37), n);
            if (nic_of(r)->cr & CR_TXP) {
                fail_msg("count %u is never sent", n);
            }
        }
    }
    for (unsigned i = 0; i < RIG_FRAMES; i++) {
        assert_true(r->wire.len[i] <= NETDEV_FRAME_MAX);
    }
    assert_memory_equal(nic_of(r)->ram, before, sizeof before);
}

/* One frame with these pointers: bounded work, and memory outside the ring untouched where there
 * is a ring. */
static void pointers(struct rig *r, unsigned ps, unsigned pe, unsigned bn, unsigned cu,
                     unsigned len, unsigned *stored)
{
    struct dp8390 *nic = nic_of(r);
    bool valid = ps >= 0x40 && pe <= 0x80 && ps < pe && bn >= ps && bn < pe && cu >= ps && cu < pe;
    nic_out(r, 0, 0x21);
    nic->pstart = (uint8_t)ps;
    nic->pstop = (uint8_t)pe;
    nic->bnry = (uint8_t)bn;
    nic->curr = (uint8_t)cu;
    nic->ring_full = false;
    nic_out(r, 0, 0x22);
    if (valid) {
        memset(nic->ram, 0xee, sizeof nic->ram);
    }
    uint8_t was = nic->curr;
    r->net.client->ready(r->net.dev);
    receive(r, r->net.mac, len);
    *stored += nic->curr != was;
    if (!valid) {
        return;
    }
    if (nic->curr < ps || nic->curr >= pe) {
        fail_msg("CURR %02x left the ring %02x-%02x", nic->curr, ps, pe);
    }
    for (unsigned page = 0x40; page < 0x80; page++) {
        const uint8_t *p = nic->ram + (page - 0x40) * 256;
        if ((page < ps || page >= pe) && (p[0] != 0xee || memcmp(p, p + 1, 255) != 0)) {
            fail_msg("page %02x written, ring %02x-%02x, BNRY %02x, CURR %02x", page, ps, pe, bn,
                     cu);
        }
    }
}

/* CVE-2015-5278, CVE-2016-2841, CVE-2015-5279. */
static void T13_every_start_stop_boundary_and_current(void **state)
{
    static const uint8_t edge[] = {0x00, 0x01, 0x3f, 0x40, 0x41, 0x45, 0x46, 0x47,
                                   0x7a, 0x7e, 0x7f, 0x80, 0x81, 0xbf, 0xfe, 0xff};
    static const unsigned lens[] = {60, 252, 253, NETDEV_FRAME_MAX};
    struct rig *r = *state;
    unsigned n = sizeof edge, stored = 0;
    nic_start(r);
    for (unsigned i = 0; i < n * n * n * n; i++) {
        pointers(r, edge[i % n], edge[i / n % n], edge[i / n / n % n], edge[i / n / n / n],
                 lens[(i ^ i >> 4 ^ i >> 8) & 3], &stored);
    }
    for (unsigned i = 0; i < 0x10000; i++) { /* every pair of PSTART and PSTOP */
        pointers(r, i & 0xff, i >> 8, i * 7 & 0xff, i * 13 & 0xff, NETDEV_FRAME_MAX, &stored);
    }
    assert_true(stored > 50000);
}

/* CVE-2015-8743. */
static void T14_remote_dma_at_every_edge(void **state)
{
    static const uint16_t at[] = {0x0000, 0x0001, 0x001f, 0x0020, 0x3ffe, 0x3fff, 0x4000, 0x4001,
                                  0x7ffd, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xbfff, 0xc000, 0xfffd,
                                  0xfffe, 0xffff};
    static const uint16_t count[] = {0, 1, 2, 3, 4, 5, 0x3fff, 0x4000, 0xfffe, 0xffff};
    struct rig *r = *state;
    struct dp8390 *nic = nic_of(r);
    uint8_t prom[DP8390_PROM];
    memcpy(prom, nic->prom, sizeof prom);
    for (unsigned i = 0; i < sizeof at / sizeof at[0] * 10 * 2 * 3 * 2; i++) {
        unsigned x = i, size = 1u << x % 3;
        uint16_t a = at[(x /= 3) % 18], c = count[(x /= 18) % 10];
        bool words = (x /= 10) & 1, write = x >> 1 & 1;
        nic_start(r);
        nic_out(r, 14, words ? DCR_WTS : 0);
        memset(nic->ram, 0x77, sizeof nic->ram);
        nic_remote(r, a, c, write ? 0x12 : 0x0a);
        for (unsigned k = 0; k < 20; k++) {
            if (write) {
                region_out(nic_regs(r), 0x10, 0xa1b2c3d4, size);
            } else {
                region_in(nic_regs(r), 0x10, size);
            }
        }
        /* each access moves: a byte of it each, or a word each */
        unsigned each = !words ? size : size == 4 ? 4 : 2, unit = words ? 2 : 1;
        unsigned moved = 20 * each;
        if (moved >= c) {
            moved = (c + unit - 1) / unit * unit;
            assert_int_equal(nic_in(r, 7) & ISR_RDC, ISR_RDC);
        } else {
            assert_int_equal(nic_in(r, 7) & ISR_RDC, 0);
        }
        unsigned end = (unsigned)(nic_in(r, 8) | nic_in(r, 9) << 8), want = (a + moved) & 0xffff;
        if (a < 0x8000 && a + moved >= 0x8000 && !(words && a & 1)) {
            want = (want - 0x8000 + 0x4600) & 0xffff; /* it wraps at PSTOP */
        }
        assert_int_equal(end, want);
        assert_memory_equal(prom, nic->prom, sizeof prom);
        if (write && moved == 1 && a == 0x7fff) {
            assert_int_equal(nic->ram[0x3fff], 0xd4);
            assert_int_equal(nic->ram[0x3ffe], 0x77);
        }
    }
}

/* CVE-2018-10839. */
static void T15_frames_of_every_length(void **state)
{
    struct rig *r = *state;
    const struct netdev_client *c = r->net.client;
    uint8_t f[NETDEV_FRAME_MAX + 2], got[4];
    frame_to(f, r->net.mac, NETDEV_FRAME_MAX);
    for (unsigned len = 0; len <= NETDEV_FRAME_MAX + 1; len++) {
        unsigned want = len < 60 ? 60 : len;
        nic_start(r);
        c->receive(r->net.dev, f, len);
        if (len < 6 || len > NETDEV_FRAME_MAX) { /* no address; too long */
            assert_int_equal(nic_in(r, 7), 0);
            continue;
        }
        assert_int_equal(nic_in(r, 7), ISR_PRX);
        nic_get(r, 0x4700, got, 4);
        assert_int_equal(load_le16(got + 2), want + 4);
        assert_int_equal(got[1], 0x47 + (want + 8 + 255) / 256);
    }
    static const size_t wrong[] = {65535, 65536, 65540, 0x7fffffff, 0x80000000, 0xffffffff,
                                   (size_t)-1, (size_t)-4, (size_t)-60};
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        c->receive(r->net.dev, f, wrong[i]); /* not one byte of it may be read */
        dp8390_wire(nic_of(r), f, wrong[i], 0);
    }
    assert_int_equal(nic_page_in(r, 1, 7), 0x47);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reset_state_is_the_data_sheets),
        TEST(page_2_reads_what_page_0_was_written),
        TEST(page_2_writes_are_for_diagnostics),
        TEST(page_1_holds_address_current_page_and_hash),
        TEST(start_and_stop_drive_rst),
        TEST(interrupt_is_the_level_of_isr_and_imr),
        TEST(transmit_sends_tbcr_bytes_from_tpsr),
        TEST(transmit_with_crc_inhibited_needs_a_right_fcs),
        TEST(transmit_without_a_cable_loses_carrier),
        TEST(multicast_hash_62_and_63_switch_the_transmitter),
        TEST(receive_writes_header_frame_and_fcs),
        TEST(receive_wraps_at_pstop_and_remote_dma_follows),
        TEST(short_frames_from_the_host_are_padded),
        TEST(filters_by_receive_configuration),
        TEST(multicast_hash_is_the_crcs_top_six_bits),
        TEST(runts_and_damaged_frames_by_ar_and_sep),
        TEST(tally_counters_interrupt_at_128_and_stop_at_192),
        TEST(a_stopped_chip_hears_nothing),
        TEST(ready_keeps_room_for_a_long_frame),
        TEST(a_boundary_before_the_ring_is_its_last_page),
        TEST(at_most_eight_frames_until_prx_is_acknowledged),
        TEST(overflow_sets_ovw_and_rst_until_bnry_moves),
        TEST(equal_pointers_that_software_wrote_mean_empty),
        TEST(remote_dma_in_words_and_bytes),
        TEST(remote_dma_needs_its_direction_and_can_be_aborted),
        TEST(send_packet_takes_the_next_packet_from_the_ring),
        TEST(byte_order_select_turns_the_serial_sides_words),
        TEST(loopback_modes_give_the_tables_results),
        TEST(loopback_fifo_keeps_the_last_eight_bytes),
        TEST(loopback_tests_crc_and_address),
        TEST(T12_loopback_with_counts_to_64K),
        TEST(T13_every_start_stop_boundary_and_current),
        TEST(T14_remote_dma_at_every_edge),
        TEST(T15_frames_of_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
