/* The window (SDL 2).  Runs on the main thread; the machine has its own.
 *
 * Picture: whole multiples of the guest's pixels where they fit (nearest neighbor, so every pixel
 * is exact), otherwise the largest size that keeps the shape.  Ctrl-Alt-A shows the low modes as a
 * monitor did, 4:3.  The screen is looked at 60 times a second while it changes, less when it does
 * not; nothing is drawn when nothing changed.
 * Keys are positions: an SDL scancode is the HID usage id.
 * NOT IMPLEMENTED: clipboard, absolute pointers, several screens. */
#include <SDL.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/disk/drive.h"
#include "frontend/runner.h"
#include "frontend/ui/keymap.h"
#include "frontend/ui/screenshot.h"
#include "frontend/ui/statusbar.h"
#include "frontend/ui/ui.h"
#include "machine/machine.h"

enum { SDL_FAST_MS = 16, SDL_SLOW_MS = 60, SDL_HIDDEN_MS = 250, SDL_CALM_MS = 700,
       SDL_STATUS_MS = 500, SDL_NOTE_MS = 4000 };

struct win {
    struct ui *ui;
    struct machine *m;
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *screen, *bar;
    uint32_t width, height;  /* of the guest */
    uint64_t generation;
    int bar_width;           /* of the bar texture, pixels */
    unsigned scale;          /* window size in multiples; 0: chosen by the screen's size */
    bool grabbed, fullscreen, aspect, hidden, redraw, have_screen, user_sized;
    unsigned scans;
    bool down[256];
    uint8_t buttons;
    uint32_t status_at, changed_at, note_until;
    uint64_t disk_count, cd_count;
    struct statusbar status;
    char note[96];
};

bool ui_sdl_built(void)
{
    return true;
}

/* ---- size and shape --------------------------------------------------------------------- */

static float win_density(struct win *w)
{
    int pw = 0, ph = 0, ww = 1, wh = 1;
    SDL_GetRendererOutputSize(w->renderer, &pw, &ph);
    SDL_GetWindowSize(w->window, &ww, &wh);
    return ww > 0 && pw > 0 ? (float)pw / (float)ww : 1.0f;
}

static int win_bar_height(struct win *w)
{
    float d = win_density(w);
    return STATUSBAR_HEIGHT * (d >= 1.75f ? 2 : 1);
}

/* Modes whose pixels were not square on a 4:3 monitor. */
static bool win_is_low(const struct win *w)
{
    return w->height == 200 || w->height == 350 || w->height == 400 ||
           (w->width == 320 && w->height != 240) || w->width == 360;
}

static void win_shape(struct win *w, uint32_t *width, uint32_t *height)
{
    *width = w->width;
    *height = w->aspect && win_is_low(w) ? w->width * 3 / 4 : w->height;
    if (w->width == 320 && w->height == 200 && w->aspect) {
        *height = 240;
    }
}

/* Where the picture goes, in pixels. */
static SDL_Rect win_place(struct win *w, bool *exact)
{
    int pw = 0, ph = 0;
    uint32_t sw, sh;
    SDL_GetRendererOutputSize(w->renderer, &pw, &ph);
    ph -= win_bar_height(w);
    ph = ph > 0 ? ph : 1;
    win_shape(w, &sw, &sh);
    int k = pw / (int)sw < ph / (int)sh ? pw / (int)sw : ph / (int)sh;
    SDL_Rect r = {0};
    if (k >= 1) {
        r.w = (int)sw * k;
        r.h = (int)sh * k;
        /* far from filling the space, as in full screen: keep the shape, give up exactness only
         * when more than a quarter would stay black */
        if (w->fullscreen && r.w * 4 < pw * 3 && r.h * 4 < ph * 3) {
            k = 0;
        }
    }
    if (k < 1) {
        r.w = pw;
        r.h = (int)((int64_t)pw * sh / sw);
        if (r.h > ph) {
            r.h = ph;
            r.w = (int)((int64_t)ph * sw / sh);
        }
    }
    r.x = (pw - r.w) / 2;
    r.y = (ph - r.h) / 2;
    *exact = k >= 1 && sh == w->height;
    return r;
}

static void win_fit(struct win *w)
{
    uint32_t sw, sh;
    if (w->fullscreen || w->user_sized || !w->width) {
        return;
    }
    win_shape(w, &sw, &sh);
    unsigned k = w->scale;
    float d = win_density(w);
    if (!k) {
        SDL_Rect usable = {0, 0, 1024, 768};
        int display = SDL_GetWindowDisplayIndex(w->window);
        SDL_GetDisplayUsableBounds(display < 0 ? 0 : display, &usable);
        k = 1;
        while (k < 8 && (float)(sw * (k + 1)) / d < (float)usable.w * 0.85f &&
               (float)(sh * (k + 1)) / d < (float)usable.h * 0.85f) {
            k++;
        }
    }
    SDL_SetWindowSize(w->window, (int)((float)(sw * k) / d),
                      (int)((float)(sh * k + (unsigned)win_bar_height(w)) / d));
    w->redraw = true;
}

static void win_title(struct win *w)
{
    char t[320];
    snprintf(t, sizeof t, "%s - Vitrine%s%s", w->ui->title,
             runner_paused(w->ui->runner) ? " [paused]" : "",
             w->grabbed ? " - Ctrl-Alt-G releases the mouse" : "");
    SDL_SetWindowTitle(w->window, t);
}

static void win_note(struct win *w, const char *text)
{
    snprintf(w->note, sizeof w->note, "%.90s", text);
    w->note_until = SDL_GetTicks() + SDL_NOTE_MS;
    w->status_at = 0;
}

/* ---- picture ---------------------------------------------------------------------------- */

static bool win_new_texture(struct win *w, const struct surface *s)
{
    if (w->screen) {
        SDL_DestroyTexture(w->screen);
    }
    w->screen = SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING,
                                  (int)s->width, (int)s->height);
    bool resized = w->width != s->width || w->height != s->height;
    w->width = s->width;
    w->height = s->height;
    w->generation = s->generation;
    return w->screen && resized;
}

/* Take what changed from the machine.  true: there is something to draw. */
static bool win_scan(struct win *w)
{
    struct rect dirty = {0};
    bool resized = false, changed = false;
    unsigned scans = runner_scans(w->ui->runner);
    machine_lock(w->m);
    const struct surface *s = machine_scan(w->m, &dirty);
    if (s && s->pixels && s->width && s->height && s->width <= 16384 && s->height <= 16384) {
        bool all = !w->screen || s->generation != w->generation || s->width != w->width ||
                   s->height != w->height;
        if (all) {
            resized = win_new_texture(w, s);
        }
        if (all || scans != w->scans) {
            dirty = (struct rect){0, 0, (int32_t)s->width, (int32_t)s->height};
        }
        w->scans = scans;
        if (w->screen && dirty.w > 0 && dirty.h > 0 && dirty.x >= 0 && dirty.y >= 0 &&
            dirty.x + dirty.w <= (int32_t)s->width && dirty.y + dirty.h <= (int32_t)s->height) {
            SDL_Rect r = {dirty.x, dirty.y, dirty.w, dirty.h};
            const char *from = (const char *)s->pixels + (size_t)dirty.y * s->stride +
                               (size_t)dirty.x * 4;
            SDL_UpdateTexture(w->screen, &r, from, (int)s->stride);
            changed = true;
        }
    }
    machine_unlock(w->m);
    if (resized) {
        win_fit(w);
        w->have_screen = true;
    }
    return changed;
}

static void win_draw_bar(struct win *w)
{
    int pw = 0, ph = 0, h = win_bar_height(w), k = h / STATUSBAR_HEIGHT;
    SDL_GetRendererOutputSize(w->renderer, &pw, &ph);
    int bw = pw / k > 0 ? pw / k : 1;
    if (!w->bar || w->bar_width != bw) {
        if (w->bar) {
            SDL_DestroyTexture(w->bar);
        }
        w->bar = SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_RGB888,
                                   SDL_TEXTUREACCESS_STREAMING, bw, STATUSBAR_HEIGHT);
        w->bar_width = bw;
    }
    uint32_t *px = w->bar ? malloc((size_t)bw * STATUSBAR_HEIGHT * 4) : NULL;
    if (px) {
        statusbar_draw(&w->status, px, (uint32_t)bw);
        SDL_UpdateTexture(w->bar, NULL, px, bw * 4);
        free(px);
        SDL_Rect to = {0, ph - h, pw, h};
        SDL_RenderCopy(w->renderer, w->bar, NULL, &to);
    }
}

static void win_present(struct win *w)
{
    SDL_SetRenderDrawColor(w->renderer, 0, 0, 0, 255);
    SDL_RenderClear(w->renderer);
    if (w->screen) {
        bool exact;
        SDL_Rect to = win_place(w, &exact);
        SDL_SetTextureScaleMode(w->screen, exact ? SDL_ScaleModeNearest : SDL_ScaleModeLinear);
        SDL_RenderCopy(w->renderer, w->screen, NULL, &to);
    }
    win_draw_bar(w);
    SDL_RenderPresent(w->renderer);
    w->redraw = false;
}

/* ---- status line ------------------------------------------------------------------------ */

static void win_status(struct win *w)
{
    struct statusbar s = {.light_name = {"disk", "CD"}};
    struct runner_stats st;
    uint64_t disk = 0, cd = 0;
    runner_get_stats(w->ui->runner, &st);
    machine_lock(w->m);
    for (unsigned i = 0; i < w->ui->drive_count; i++) {
        const struct blockdev *b = &w->ui->drives[i].blk;
        *(w->ui->drives[i].cd ? &cd : &disk) += b->reads + b->writes;
    }
    machine_unlock(w->m);
    if (st.paused) {
        const char *why = runner_why_paused(w->ui->runner);
        snprintf(s.left, sizeof s.left, "paused%s%s", why && strcmp(why, "paused") ? ": " : "",
                 why && strcmp(why, "paused") ? why : "");
        s.alert = true;
    } else {
        snprintf(s.left, sizeof s.left, "%.0f MIPS  %.0f %% of real time", st.mips, st.percent);
    }
    s.light[0] = disk != w->disk_count;
    s.light[1] = cd != w->cd_count;
    w->disk_count = disk;
    w->cd_count = cd;
    snprintf(s.right, sizeof s.right, "%s",
             SDL_GetTicks() < w->note_until ? w->note
             : w->grabbed ? "Ctrl-Alt-G releases the mouse" : "click takes the mouse");
    if (memcmp(&s, &w->status, sizeof s) != 0) {
        if (s.alert != w->status.alert) {
            win_title(w);
        }
        w->status = s;
        w->redraw = true;
    }
}

/* ---- input ------------------------------------------------------------------------------ */

static void win_release_keys(struct win *w)
{
    for (unsigned i = 0; i < 256; i++) {
        if (w->down[i]) {
            w->down[i] = false;
            runner_key(w->ui->runner, (uint8_t)i, false);
        }
    }
    if (w->buttons) {
        w->buttons = 0;
        runner_pointer(w->ui->runner, 0, 0, 0, 0);
    }
}

static void win_grab(struct win *w, bool on)
{
    w->grabbed = on;
    SDL_SetRelativeMouseMode(on ? SDL_TRUE : SDL_FALSE);
    SDL_SetWindowGrab(w->window, on ? SDL_TRUE : SDL_FALSE);
    win_title(w);
    w->status_at = 0;
}

static void win_screenshot(struct win *w)
{
    char name[64], text[300];
    struct err err = {0};
    screenshot_name(name, sizeof name);
    bool ok = screenshot_save(w->ui->runner, name, &err);
    snprintf(text, sizeof text, "%s%s", ok ? "saved " : "", ok ? name : err.msg);
    win_note(w, text);
}

static void win_fullscreen(struct win *w)
{
    w->fullscreen = !w->fullscreen;
    SDL_SetWindowFullscreen(w->window, w->fullscreen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
    w->redraw = true;
}

/* Ctrl-Alt-KEY.  true: it was one of ours. */
static bool win_hotkey(struct win *w, SDL_Keycode key)
{
    static const uint8_t cad[] = {HID_CTRL_L, HID_ALT_L, 0x4c};
    struct runner *r = w->ui->runner;
    switch (key) {
    case SDLK_g: win_grab(w, !w->grabbed); break;
    case SDLK_f: win_fullscreen(w); break;
    case SDLK_p:
        if (runner_paused(r)) {
            runner_cont(r);
        } else {
            runner_pause(r);
        }
        w->status_at = 0;
        break;
    case SDLK_r:
        runner_reset(r);
        win_note(w, "reset");
        break;
    case SDLK_d:
    case SDLK_END:
        win_release_keys(w);
        (void)runner_chord(r, cad, 3, 100);
        break;
    case SDLK_s: win_screenshot(w); break;
    case SDLK_a:
        w->aspect = !w->aspect;
        win_note(w, w->aspect ? "4:3 as on a monitor" : "square pixels");
        win_fit(w);
        w->redraw = true;
        break;
    case SDLK_q: runner_quit(r, 0); break;
    case SDLK_u: /* fall through: QEMU's key for the natural size */
    case SDLK_1: case SDLK_2: case SDLK_3: case SDLK_4:
        w->scale = key == SDLK_u ? 1 : (unsigned)(key - SDLK_0);
        w->user_sized = false;
        win_fit(w);
        break;
    default: return false;
    }
    win_release_keys(w); /* the guest saw Ctrl and Alt go down */
    return true;
}

static void win_key(struct win *w, const SDL_KeyboardEvent *e)
{
    unsigned hid = e->keysym.scancode;
    bool down = e->type == SDL_KEYDOWN;
    if (hid < 4 || hid > 0xe7) {
        return; /* multimedia keys are SDL's own numbers */
    }
    if (down && !e->repeat && (e->keysym.mod & KMOD_CTRL) && (e->keysym.mod & KMOD_ALT) &&
        win_hotkey(w, e->keysym.sym)) {
        return;
    }
    if (down == w->down[hid] && !(down && e->repeat)) {
        return;
    }
    if (down && e->repeat) {
        return; /* the guest's keyboard repeats by itself */
    }
    w->down[hid] = down;
    runner_key(w->ui->runner, (uint8_t)hid, down);
}

static void win_button(struct win *w, const SDL_MouseButtonEvent *e)
{
    uint8_t bit = e->button == SDL_BUTTON_LEFT ? 1 : e->button == SDL_BUTTON_RIGHT ? 2
                  : e->button == SDL_BUTTON_MIDDLE ? 4 : 0;
    if (!w->grabbed) {
        if (e->type == SDL_MOUSEBUTTONDOWN && e->button == SDL_BUTTON_LEFT) {
            win_grab(w, true);
        }
        return;
    }
    w->buttons = e->type == SDL_MOUSEBUTTONDOWN ? w->buttons | bit : w->buttons & (uint8_t)~bit;
    runner_pointer(w->ui->runner, 0, 0, 0, w->buttons);
}

static void win_window_event(struct win *w, const SDL_WindowEvent *e)
{
    switch (e->event) {
    case SDL_WINDOWEVENT_HIDDEN:
    case SDL_WINDOWEVENT_MINIMIZED: w->hidden = true; break;
    case SDL_WINDOWEVENT_SHOWN:
    case SDL_WINDOWEVENT_RESTORED:
    case SDL_WINDOWEVENT_EXPOSED:
        w->hidden = false;
        w->redraw = true;
        break;
    case SDL_WINDOWEVENT_SIZE_CHANGED: w->redraw = true; break;
    case SDL_WINDOWEVENT_RESIZED: /* by the user: keep it through the guest's mode changes */
        w->redraw = true;
        break;
    case SDL_WINDOWEVENT_MAXIMIZED:
        w->user_sized = true;
        w->redraw = true;
        break;
    case SDL_WINDOWEVENT_FOCUS_LOST:
        win_release_keys(w);
        if (w->grabbed) {
            win_grab(w, false);
        }
        break;
    default: break;
    }
}

static void win_event(struct win *w, const SDL_Event *e)
{
    switch (e->type) {
    case SDL_QUIT: runner_quit(w->ui->runner, 0); break;
    case SDL_KEYDOWN:
    case SDL_KEYUP: win_key(w, &e->key); break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP: win_button(w, &e->button); break;
    case SDL_MOUSEMOTION:
        if (w->grabbed && (e->motion.xrel || e->motion.yrel)) {
            runner_pointer(w->ui->runner, e->motion.xrel, e->motion.yrel, 0, w->buttons);
        }
        break;
    case SDL_MOUSEWHEEL:
        if (w->grabbed) {
            runner_pointer(w->ui->runner, 0, 0, e->wheel.y, w->buttons);
        }
        break;
    case SDL_WINDOWEVENT: win_window_event(w, &e->window); break;
    case SDL_RENDER_TARGETS_RESET:
    case SDL_RENDER_DEVICE_RESET:
        if (w->screen) {
            SDL_DestroyTexture(w->screen);
            w->screen = NULL;
        }
        if (w->bar) {
            SDL_DestroyTexture(w->bar);
            w->bar = NULL;
        }
        w->redraw = true;
        break;
    default: break;
    }
}

/* ---- life ------------------------------------------------------------------------------- */

static bool win_open(struct win *w, struct err *err)
{
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_GRAB_KEYBOARD, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    if (SDL_Init(SDL_INIT_VIDEO) < 0) {
        return err_set(err, ENODEV, "-display sdl: no window: %s; say -display term or -nographic",
                       SDL_GetError());
    }
    w->window = SDL_CreateWindow("Vitrine", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, 720,
                                 400 + STATUSBAR_HEIGHT,
                                 SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI);
    w->renderer = w->window ? SDL_CreateRenderer(w->window, -1, 0) : NULL;
    if (!w->renderer) {
        err_set(err, ENODEV, "-display sdl: no window: %s; say -display term or -nographic",
                SDL_GetError());
        SDL_Quit();
        return false;
    }
    SDL_SetWindowMinimumSize(w->window, 160, 120);
    if (w->ui->fullscreen) {
        win_fullscreen(w);
    }
    win_title(w);
    return true;
}

bool ui_sdl_run(struct ui *ui, struct err *err)
{
    struct win w = {.ui = ui, .m = runner_machine(ui->runner), .aspect = ui->aspect,
                    .redraw = true};
    if (!win_open(&w, err)) {
        return false;
    }
    while (!runner_finished(ui->runner)) {
        uint32_t now = SDL_GetTicks();
        int wait = w.hidden ? SDL_HIDDEN_MS
                   : now - w.changed_at < SDL_CALM_MS ? SDL_FAST_MS : SDL_SLOW_MS;
        SDL_Event e;
        if (SDL_WaitEventTimeout(&e, wait)) {
            do {
                win_event(&w, &e);
            } while (SDL_PollEvent(&e));
            w.changed_at = SDL_GetTicks(); /* keys will show something soon */
        }
        if (w.hidden) {
            continue;
        }
        if (win_scan(&w)) {
            w.redraw = true;
            w.changed_at = SDL_GetTicks();
        }
        now = SDL_GetTicks();
        if (w.status_at == 0 || now - w.status_at >= SDL_STATUS_MS) {
            w.status_at = now | 1;
            win_status(&w);
        }
        if (w.redraw) {
            win_present(&w);
        }
    }
    win_grab(&w, false);
    SDL_DestroyRenderer(w.renderer);
    SDL_DestroyWindow(w.window);
    SDL_Quit();
    return true;
}
