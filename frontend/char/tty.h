/* The terminal Vitrine was started in: raw while we use it, restored on every way out. */
#pragma once
#include <stdbool.h>

/* Character at a time, no echo; signals: Ctrl-C stays a signal.  false: stdin is no terminal. */
bool tty_raw(bool signals);
/* Also the screen, if tty_screen() was called.  Safe in a signal handler, and twice. */
void tty_restore(void);
/* Switch to the alternate screen (and back in tty_restore()). */
void tty_screen(void);
