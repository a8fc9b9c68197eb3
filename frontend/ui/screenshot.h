/* The screen as a file. */
#pragma once
#include <stdbool.h>

#include "base/err.h"
#include "base/plugs/display.h"

struct runner;
/* PNG, or PPM when the name ends in .ppm. */
bool screenshot_save(struct runner *r, const char *path, struct err *err);
bool screenshot_surface(const struct surface *s, const char *path, struct err *err);
/* "vitrine-20260131-235900.png", the first of that kind that does not exist. */
void screenshot_name(char *buf, unsigned cap);
