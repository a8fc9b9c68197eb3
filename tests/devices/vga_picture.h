/* Helpers of the tests that look at the VGA's pictures. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "tests/devices/vga_case.h"

static inline int setup(void **state)
{
    *state = contract_open(&vga_case);
    return 0;
}

static inline int teardown(void **state)
{
    contract_close(&vga_case, *state);
    return 0;
}

static struct rect last;

static inline const struct surface *scan(struct rig *r, uint32_t width, uint32_t height)
{
    const struct surface *s = vga_scan(r->priv, &last);
    assert_int_equal(s->width, width);
    assert_int_equal(s->height, height);
    return s;
}

static inline void expect(const struct surface *s, uint32_t x, uint32_t y, uint32_t want)
{
    uint32_t got = s->pixels[y * (s->stride / 4) + x];
    if (got != want) {
        fail_msg("pixel %u,%u is %06x, not %06x", x, y, got, want);
    }
}

static inline void expect_rect(int32_t x, int32_t y, int32_t w, int32_t h)
{
    if (last.x != x || last.y != y || last.w != w || last.h != h) {
        fail_msg("dirty %d,%d %dx%d, not %d,%d %dx%d", last.x, last.y, last.w, last.h, x, y, w, h);
    }
}

static inline uint8_t noise(uint32_t i)
{
    i = (i + 1) * 2654435761u;
    return (uint8_t)(i >> 13 ^ i >> 23);
}

static inline uint32_t pal(unsigned i) /* colors of mode 3: ATC then DAC */
{
    return vga_test_color(vga_mode_03.ar[i]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
