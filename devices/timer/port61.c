/* NMI status and control register: 82371SB (PIIX3), "NMISC - NMI Status and Control Register".
 *
 *   7     6       5     4        3       2     1        0
 *  SERR# IOCHK#  OUT2  refresh  IOCHK#  SERR# speaker  GATE2      7-4 read only
 *                      toggle   disable dis.  data
 *
 * The refresh bit toggles with every refresh request: 18 clocks of the 1.193182 MHz input, some
 * 15.09 us; software measures short delays by it.
 * NOT IMPLEMENTED: SERR# and IOCHK# sources (no card here raises them): bits 7 and 6 read 0. */
#include "devices/timer/port61.h"

enum { GATE2 = 0x01, SPEAKER = 0x02, REFRESH = 0x10, OUT2 = 0x20, CONTROL = 0x0f };
enum { REFRESH_TICKS = 18 };

static uint64_t port61_read(void *dev, uint64_t off, unsigned size)
{
    struct port61 *p = dev;
    (void)off, (void)size;
    uint8_t v = p->control;
    if (i8254_ticks(p->clk) / REFRESH_TICKS & 1) {
        v |= REFRESH;
    }
    if (i8254_out(p->pit, 2)) {
        v |= OUT2;
    }
    return v;
}

static void port61_write(void *dev, uint64_t off, uint64_t val, unsigned size)
{
    struct port61 *p = dev;
    (void)off, (void)size;
    p->control = val & CONTROL;
    i8254_set_gate(p->pit, 2, val & GATE2);
}

bool port61_speaker(struct port61 *p)
{
    return (p->control & SPEAKER) && i8254_out(p->pit, 2);
}

uint32_t port61_tone(const struct port61 *p)
{
    const struct i8254_channel *c = &p->pit->ch[2];
    unsigned mode = c->control >> 1 & 7;
    bool periodic = mode == 2 || mode == 3 || mode == 6 || mode == 7; /* bit 2 is not decoded */
    if ((p->control & (GATE2 | SPEAKER)) != (GATE2 | SPEAKER) || !periodic || !c->loaded || !c->n) {
        return 0;
    }
    return I8254_HZ / c->n;
}

static void port61_reset(struct device *dev, enum reset_kind kind)
{
    if (kind != RESET_CPU_ONLY) {
        device_of(dev, struct port61)->control = 0;
    }
}

static void port61_drive(struct device *dev)
{
    struct port61 *p = device_of(dev, struct port61);
    i8254_set_gate(p->pit, 2, p->control & GATE2);
}

static void port61_snap(struct device *dev, struct snap *s)
{
    struct port61 *p = device_of(dev, struct port61);
    snap_u8(s, "control", &p->control);
    p->control &= CONTROL;
}

static const struct device_class port61_class = {
    .name = "port61",
    .snap_version = 1,
    .reset = port61_reset,
    .drive = port61_drive,
    .snap = port61_snap,
};
static const struct region_ops port61_ops = {port61_read, port61_write, 1, 1};

void port61_init(struct port61 *p, const char *id, struct clock *clk, struct i8254 *pit)
{
    *p = (struct port61){
        .dev = {&port61_class, id},
        .regs = {.name = "port61", .len = 1, .priority = 1, .ops = &port61_ops, .dev = p},
        .clk = clk,
        .pit = pit,
    };
}
