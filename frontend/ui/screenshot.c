/* Screenshots: PNG (libpng) and PPM (netpbm's P6).  8 bits each of red, green, blue. */
#include "frontend/ui/screenshot.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "frontend/runner.h"
#include "machine/machine.h"

static uint8_t *screenshot_rgb(const struct surface *s)
{
    uint8_t *rgb = malloc((size_t)s->width * s->height * 3), *p = rgb;
    for (uint32_t y = 0; rgb && y < s->height; y++) {
        const uint32_t *row = (const uint32_t *)((const char *)s->pixels + (size_t)y * s->stride);
        for (uint32_t x = 0; x < s->width; x++) {
            *p++ = (uint8_t)(row[x] >> 16);
            *p++ = (uint8_t)(row[x] >> 8);
            *p++ = (uint8_t)row[x];
        }
    }
    return rgb;
}

static bool screenshot_write(FILE *f, const uint8_t *rgb, uint32_t w, uint32_t h, bool ppm)
{
    if (ppm) {
        fprintf(f, "P6\n%u %u\n255\n", w, h);
        return fwrite(rgb, 3, (size_t)w * h, f) == (size_t)w * h;
    }
    png_image img = {.version = PNG_IMAGE_VERSION, .width = w, .height = h,
                     .format = PNG_FORMAT_RGB};
    return png_image_write_to_stdio(&img, f, 0, rgb, (png_int_32)(w * 3), NULL);
}

static bool screenshot_file(const uint8_t *rgb, uint32_t w, uint32_t h, const char *path,
                            struct err *err)
{
    size_t len = strlen(path);
    bool ppm = len > 4 && strcmp(path + len - 4, ".ppm") == 0;
    FILE *f = fopen(path, "wb");
    if (!f) {
        return err_set(err, errno, "screenshot %s: %s", path, strerror(errno));
    }
    bool ok = screenshot_write(f, rgb, w, h, ppm);
    if (fclose(f) != 0 || !ok) {
        return err_set(err, errno ? errno : EIO, "screenshot %s: cannot be written: %s", path,
                       strerror(errno ? errno : EIO));
    }
    return true;
}

bool screenshot_surface(const struct surface *s, const char *path, struct err *err)
{
    uint8_t *rgb = screenshot_rgb(s);
    bool ok = rgb ? screenshot_file(rgb, s->width, s->height, path, err)
                  : err_set(err, ENOMEM, "screenshot %s: out of memory", path);
    free(rgb);
    return ok;
}

bool screenshot_save(struct runner *r, const char *path, struct err *err)
{
    struct machine *m = runner_machine(r);
    struct rect dirty;
    uint8_t *rgb = NULL;
    uint32_t w = 0, h = 0;
    machine_lock(m); /* only while the pixels are read, not while the file is written */
    const struct surface *s = machine_scan(m, &dirty);
    if (s && s->width && s->height && s->pixels) {
        w = s->width;
        h = s->height;
        rgb = screenshot_rgb(s);
    }
    machine_unlock(m);
    runner_scanned(r);
    if (!rgb) {
        return err_set(err, ENODEV, "screenshot %s: there is no picture", path);
    }
    bool ok = screenshot_file(rgb, w, h, path, err);
    free(rgb);
    return ok;
}

void screenshot_name(char *buf, unsigned cap)
{
    char stamp[32];
    time_t t = time(NULL);
    struct tm tm;
    localtime_r(&t, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &tm);
    snprintf(buf, cap, "vitrine-%s.png", stamp);
    for (unsigned i = 2; access(buf, F_OK) == 0 && i < 1000; i++) {
        snprintf(buf, cap, "vitrine-%s-%u.png", stamp, i);
    }
}
