/* A line editor for monitors on a socket or behind the Ctrl-A keys: editing, history, completion.
 */
#pragma once
#include "frontend/char/port.h"
#include "frontend/monitor/hmp.h"

enum { READER_LINE = 256, READER_HISTORY = 32 };
struct reader {
    struct hmp *hmp;
    size_t (*write)(void *out, const uint8_t *buf, size_t len); /* "\n" becomes "\r\n" */
    void *out;
    char line[READER_LINE];
    unsigned len, at;       /* at: the cursor */
    char history[READER_HISTORY][READER_LINE];
    unsigned entries, shown; /* shown: how far back; 0: the line being typed */
    unsigned escape;        /* state of an escape sequence */
    bool greeted, last_cr;
};

void reader_init(struct reader *r, struct hmp *h,
                 size_t (*write)(void *, const uint8_t *, size_t), void *out);
struct char_sink reader_sink(struct reader *r);
void reader_prompt(struct reader *r);
