/* 8237A pair: registers, cycles, terminal count, page registers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "devices/dma/i8237.h"
#include "tests/common/contract.h"

struct fake { /* a device that wants `want` cycles */
    struct i8237 dma;
    unsigned want, cycles, tcs, channel;
    uint16_t next, got[64];
    enum i8237_cycle kind;
};

static void fake_dack(void *dev, enum i8237_cycle cycle, uint16_t *data, bool tc)
{
    struct fake *f = dev;
    f->kind = cycle;
    if (cycle == I8237_FROM_MEMORY) {
        f->got[f->cycles % 64] = *data;
    } else {
        *data = f->next++;
    }
    f->cycles++;
    f->tcs += tc;
    if (f->cycles >= f->want) {
        i8237_dreq_sink(&f->dma, f->channel, false);
    }
}

static void make(struct rig *r)
{
    struct fake *f = calloc(1, sizeof *f);
    if (!f) {
        abort();
    }
    rig_mem_alloc(r, 0x40000);
    i8237_init(&f->dma, "dma", rig_dma(r));
    rig_add_region(r, &f->dma.low);
    rig_add_region(r, &f->dma.page);
    rig_add_region(r, &f->dma.high);
    rig_add_device(r, &f->dma.dev);
    r->priv = f;
}

static void unmake(struct rig *r)
{
    free(r->priv);
}

static void input(struct rig *r, uint32_t v) /* a wire moves */
{
    struct fake *f = r->priv;
    i8237_dreq_sink(&f->dma, v & 7, v >> 3 & 1);
    i8237_dreq_sink(&f->dma, v & 7, false);
}

static const struct contract_case dma_case = {
    .name = "i8237", .make = make, .unmake = unmake, .input = input, .rounds = 1500};

static int setup(void **state)
{
    *state = contract_open(&dma_case);
    return 0;
}

static int teardown(void **state)
{
    contract_close(&dma_case, *state);
    return 0;
}

static void program(struct rig *r, unsigned n, uint8_t mode, uint16_t addr, uint16_t count,
                    uint8_t page)
{
    static const uint8_t page_at[8] = {7, 3, 1, 2, 15, 11, 9, 10};
    struct region *g = r->regs[n < 4 ? 0 : 2];
    unsigned sh = n < 4 ? 0 : 1, ch = n & 3;
    region_out(g, 10 << sh, 4 | ch, 1);
    region_out(g, 12 << sh, 0, 1);
    region_out(g, 11 << sh, mode | ch, 1);
    region_out(g, (ch * 2) << sh, addr & 0xff, 1);
    region_out(g, (ch * 2) << sh, addr >> 8, 1);
    region_out(g, (ch * 2 + 1) << sh, count & 0xff, 1);
    region_out(g, (ch * 2 + 1) << sh, count >> 8, 1);
    region_out(r->regs[1], page_at[n], page, 1);
}

static struct fake *attach(struct rig *r, unsigned n, unsigned want)
{
    struct fake *f = r->priv;
    f->want = want;
    f->channel = n;
    i8237_attach(&f->dma, n, fake_dack, f);
    return f;
}

static void bytes_to_memory_wrap_within_the_page(void **state)
{
    struct rig *r = *state;
    struct fake *f = attach(r, 1, 100);
    f->next = 1;
    program(r, 1, 0x44, 0xfffe, 3, 0x02);
    i8237_dreq_sink(&f->dma, 1, true);
    assert_int_equal(f->cycles, 0); /* masked */
    region_out(r->regs[0], 10, 1, 1);
    assert_int_equal(f->cycles, 4);
    assert_int_equal(f->tcs, 1);
    assert_int_equal(f->kind, I8237_TO_MEMORY);
    assert_int_equal(load_le16(r->mem + 0x2fffe), 0x0201);
    assert_int_equal(load_le16(r->mem + 0x20000), 0x0403);
    uint8_t st = (uint8_t)region_in(r->regs[0], 8, 1);
    assert_int_equal(st, 0x22); /* TC, and the device still asks */
    assert_int_equal(region_in(r->regs[0], 8, 1), 0x20);
    assert_int_equal(region_in(r->regs[0], 15, 1), 0xff); /* TC masks */
    region_out(r->regs[0], 12, 0, 1);
    assert_int_equal(region_in(r->regs[0], 3, 1), 0xff); /* count ran through zero */
    assert_int_equal(region_in(r->regs[0], 3, 1), 0xff);
    assert_int_equal(region_in(r->regs[0], 2, 1), 0x02);
    assert_int_equal(region_in(r->regs[0], 2, 1), 0x00);
}

static void words_by_the_second_chip_and_autoinit(void **state)
{
    struct rig *r = *state;
    struct fake *f = attach(r, 5, 5);
    for (unsigned i = 0; i < 16; i++) {
        r->mem[0x10100 + i] = (uint8_t)(i + 1);
    }
    program(r, 5, 0x58, 0x0080, 2, 0x01); /* from memory, autoinit; page bit 0 is not used */
    region_out(r->regs[1], 11, 0x01, 1);
    memcpy(r->mem + 0x100, r->mem + 0x10100, 16);
    region_out(r->regs[2], 10 << 1, 1, 1);
    i8237_dreq_sink(&f->dma, 5, true);
    assert_int_equal(f->cycles, 5);
    assert_int_equal(f->tcs, 1);
    static const uint16_t want[] = {0x0201, 0x0403, 0x0605, 0x0201, 0x0403};
    assert_memory_equal(f->got, want, sizeof want);
    assert_int_equal(region_in(r->regs[2], 0x10, 1), 0x02); /* TC of channel 1 of this chip */
}

static void decrement_disable_verify_and_cascade(void **state)
{
    struct rig *r = *state;
    struct fake *f = attach(r, 3, 4);
    program(r, 3, 0x64, 0x0103, 3, 0);
    region_out(r->regs[0], 8, 4, 1); /* controller off */
    region_out(r->regs[0], 14, 0, 1);
    i8237_dreq_sink(&f->dma, 3, true);
    assert_int_equal(f->cycles, 0);
    region_out(r->regs[0], 8, 0, 1);
    assert_int_equal(f->cycles, 4);
    assert_memory_equal(r->mem + 0x100, ((const uint8_t[]){3, 2, 1, 0}), 4);
    f->want = 8;
    program(r, 3, 0x40, 0x0200, 3, 0);
    region_out(r->regs[0], 10, 3, 1);
    i8237_dreq_sink(&f->dma, 3, true);
    assert_int_equal(f->kind, I8237_VERIFY);
    assert_int_equal(load_le32(r->mem + 0x200), 0);
    f->want = 100;
    program(r, 3, 0xc0, 0x0200, 3, 0);
    region_out(r->regs[0], 10, 3, 1);
    i8237_dreq_sink(&f->dma, 3, true);
    assert_int_equal(f->cycles, 8); /* a cascaded master does its own cycles */
}

static void software_request_runs_to_terminal_count(void **state)
{
    struct rig *r = *state;
    program(r, 0, 0x84, 0x0300, 9, 0);
    region_out(r->regs[0], 9, 4, 1);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(r->mem[0x300 + i], 0xff); /* nobody drives the bus */
    }
    assert_int_equal(r->mem[0x30a], 0);
    assert_int_equal(region_in(r->regs[0], 8, 1), 0x01);
    region_out(r->regs[0], 13, 0, 1); /* master clear */
    assert_int_equal(region_in(r->regs[0], 15, 1), 0xff);
}

/* Block mode: one request, and the transfer goes on to its terminal count; demand mode stops. */
static void a_block_needs_its_request_once(void **state)
{
    struct rig *r = *state;
    struct fake *f = attach(r, 1, 3); /* lets go of DREQ after three cycles */
    f->next = 1;
    program(r, 1, 0x04, 0x0400, 9, 0);
    region_out(r->regs[0], 10, 1, 1);
    i8237_dreq_sink(&f->dma, 1, true);
    assert_int_equal(r->mem[0x402], 3);
    assert_int_equal(r->mem[0x403], 0);
    assert_int_equal(region_in(r->regs[0], 8, 1), 0);
    f->cycles = 0;
    program(r, 1, 0x84, 0x0500, 9, 0);
    region_out(r->regs[0], 10, 1, 1);
    i8237_dreq_sink(&f->dma, 1, true);
    assert_int_equal(r->mem[0x502], 6);
    assert_int_equal(r->mem[0x503], 0xff); /* nobody drives the bus any more */
    assert_int_equal(r->mem[0x509], 0xff);
    assert_int_equal(r->mem[0x50a], 0);
    assert_int_equal(region_in(r->regs[0], 8, 1), 0x02);
    /* with autoinit it stops at the terminal count until asked again */
    f->cycles = 0;
    program(r, 1, 0x94, 0x0600, 9, 0);
    region_out(r->regs[0], 10, 1, 1);
    i8237_dreq_sink(&f->dma, 1, true);
    region_out(r->regs[0], 12, 0, 1);
    assert_int_equal(region_in(r->regs[0], 3, 1), 9);
    assert_int_equal(region_in(r->regs[0], 3, 1), 0);
    assert_int_equal(f->cycles, 3);
}

/* A device that never lets go of DREQ in autoinit mode cannot hold the machine. */
static void a_stuck_request_ends(void **state)
{
    struct rig *r = *state;
    struct fake *f = attach(r, 1, UINT32_MAX);
    program(r, 1, 0x54, 0, 0, 0);
    region_out(r->regs[0], 10, 1, 1);
    i8237_dreq_sink(&f->dma, 1, true);
    assert_true(f->cycles <= 0x10000);
}

static void page_registers_hold_bytes(void **state)
{
    struct rig *r = *state;
    for (unsigned i = 0; i < 16; i++) {
        region_out(r->regs[1], i, i * 17, 1);
    }
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(region_in(r->regs[1], i, 1), i * 17);
    }
}

static void contract(void **state)
{
    (void)state;
    contract_check(&dma_case);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(bytes_to_memory_wrap_within_the_page),
        T(words_by_the_second_chip_and_autoinit),
        T(decrement_disable_verify_and_cascade),
        T(software_request_runs_to_terminal_count),
        T(a_block_needs_its_request_once),
        T(a_stuck_request_ends),
        T(page_registers_hold_bytes),
        cmocka_unit_test(contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
