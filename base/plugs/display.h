/* Where a video card meets a viewer.  Pulled by the frontend, so headless costs nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct rect {
    int32_t x, y, w, h;
};
struct surface {              /* owned by the card; valid until its next scan */
    uint32_t width, height;   /* pixels */
    uint32_t stride;          /* bytes */
    const uint32_t *pixels;   /* XRGB8888 always: cards convert, frontends do not */
    uint64_t generation;      /* changes when size or mode changes */
};
struct display_source { /* implemented by a video card */
    /* *dirty gets the bounding box of what changed since the last scan; w == 0: nothing. */
    const struct surface *(*scan)(void *card, struct rect *dirty);
    /* Text mode: the page the CRTC shows as cols*rows bytes (code page 437 codes, no newlines).
     * Gives the size through *cols, *rows; false in graphics modes or if cap is too small. */
    bool (*text)(void *card, char *buf, uint32_t cap, uint32_t *cols, uint32_t *rows);
    void *card;
};
