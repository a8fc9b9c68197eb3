/* A face: shows the machine's screen and takes keys, on the main thread, until the run is over. */
#pragma once
#include <stdbool.h>

#include "base/err.h"

struct runner;
struct drive;
struct keymap_layout;

struct ui {
    struct runner *runner;
    const char *title; /* guest's name or file */
    const struct keymap_layout *layout;
    struct drive *drives; /* for the activity lights */
    unsigned drive_count;
    bool fullscreen, aspect;
    int done_fd; /* readable when the runner has finished */
    /* host-side requests of the face */
    void (*say)(void *ctx, const char *line);
    void *ctx;
};

/* Each returns when the runner has finished; false: it could not start, nothing was shown. */
bool ui_sdl_run(struct ui *ui, struct err *err);
bool ui_sdl_built(void);
bool ui_term_run(struct ui *ui, struct err *err);
bool ui_none_run(struct ui *ui);
