/* The line under the window's picture, drawn into pixels so that any face can show it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { STATUSBAR_HEIGHT = 15, STATUSBAR_LIGHTS = 2 };
struct statusbar {
    char left[96], right[96];
    const char *light_name[STATUSBAR_LIGHTS];
    bool light[STATUSBAR_LIGHTS];
    bool alert; /* paused: another color */
};

/* width x STATUSBAR_HEIGHT pixels, XRGB8888 */
void statusbar_draw(const struct statusbar *s, uint32_t *pixels, uint32_t width);
