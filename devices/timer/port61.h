/* Port 61h: the system control port that holds the speaker's and the third timer's bits. */
#pragma once
#include "devices/timer/i8254.h"

struct port61 {
    struct device dev;
    struct region regs; /* 1 byte: 61h */
    struct clock *clk;
    struct i8254 *pit; /* its GATE2 and OUT2 come here; wiring, not state */
    uint8_t control;   /* bits 3..0 as written */
};

void port61_init(struct port61 *p, const char *id, struct clock *clk, struct i8254 *pit);
/* The tone in Hz that the timer plays through the opened gate; 0: none (the speaker rests, or
 * software moves it by hand). */
uint32_t port61_tone(const struct port61 *p);
bool port61_speaker(struct port61 *p); /* what drives the speaker's amplifier now */
