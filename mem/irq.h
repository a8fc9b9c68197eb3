/* One interrupt wire.  Edge or level is the receiver's business. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct irq_line {
    void (*set)(void *sink, unsigned pin, bool level); /* NULL: not connected */
    void *sink;
    unsigned pin;
    bool level; /* last driven; saved by the source's snapshot */
};

static inline void irq_set(struct irq_line *line, bool level)
{
    if (line->level == level) {
        return;
    }
    line->level = level;
    if (line->set) {
        line->set(line->sink, line->pin, level);
    }
}
/* After reset or load: drive the wire even if it has not changed. */
static inline void irq_drive(struct irq_line *line)
{
    if (line->set) {
        line->set(line->sink, line->pin, line->level);
    }
}
