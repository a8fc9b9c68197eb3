/* Two 8237A DMA controllers and their page registers, as in every AT.
 *
 * Wiring by the board:
 *   i8237_init(&dma, "dma", bus_dma(mem));
 *   port bus: dma.low (00h-0Fh), dma.page (80h-8Fh), dma.high (C0h-DFh), bases preset, priority 1
 *   i8237_attach(&dma, 2, fdc82077_dack, &fdc);
 *   the device's DRQ wire: {.set = i8237_dreq_sink, .sink = &dma, .pin = channel}
 * A request is served at once, cycle by cycle, until the device drops DREQ or the count ends. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "devices/device.h"
#include "mem/bus.h"
#include "mem/dma.h"

enum i8237_cycle { I8237_VERIFY, I8237_TO_MEMORY, I8237_FROM_MEMORY };

/* DACK: one byte (channels 0-3) or word (5-7).  TO_MEMORY: fill *data; FROM_MEMORY: take it;
 * VERIFY: the device may do either, nothing reaches memory.  tc: the last cycle of the count. */
typedef void i8237_dack(void *dev, enum i8237_cycle cycle, uint16_t *data, bool tc);

struct i8237_channel {
    uint16_t base_addr, base_count, addr, count;
    uint8_t mode;
    bool dreq; /* level of the device's wire */
    i8237_dack *dack;
    void *dev;
};
struct i8237_chip {
    struct i8237_channel ch[4];
    uint8_t command, request, mask, tc; /* tc: status bits 0-3 */
    bool flip_flop;                     /* true: the high byte is next */
};
struct i8237 {
    struct device dev;
    struct region low, page, high;
    struct dma dma;
    struct i8237_chip chip[2];
    uint8_t pages[16]; /* as at 80h-8Fh */
    bool running;      /* inside a service: a device's wire must not start another */
};

void i8237_init(struct i8237 *d, const char *id, struct dma dma);
void i8237_attach(struct i8237 *d, unsigned channel, i8237_dack *dack, void *dev);
void i8237_dreq_sink(void *d, unsigned channel, bool level);
