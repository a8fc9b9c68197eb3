/* Terminal modes: termios(3) raw input with output processing kept, xterm's alternate screen
 * (ctlseqs, "Private Modes" 1049).
 * File-scope data: a process has one controlling terminal, and atexit() and signal handlers take no
 * argument. */
#include "frontend/char/tty.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static struct termios tty_saved;
static volatile sig_atomic_t tty_is_raw, tty_has_screen;

void tty_restore(void)
{
    if (tty_has_screen) {
        static const char off[] = "\033[0m\033[?25h\033[?1049l";
        tty_has_screen = 0;
        if (write(STDOUT_FILENO, off, sizeof off - 1) < 0) {
            return;
        }
    }
    if (tty_is_raw) {
        tty_is_raw = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &tty_saved);
    }
}

static void tty_crash(int sig)
{
    tty_restore();
    signal(sig, SIG_DFL);
    raise(sig);
}

static void tty_hook(void)
{
    static bool hooked;
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT,
                                SIGINT, SIGTERM, SIGHUP /* until app.c takes these */};
    if (hooked) {
        return;
    }
    hooked = true;
    atexit(tty_restore);
    for (unsigned i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
        struct sigaction old, act = {.sa_handler = tty_crash};
        /* a sanitizer's own handler stays */
        if (sigaction(fatal[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL &&
            !(old.sa_flags & SA_SIGINFO)) {
            sigaction(fatal[i], &act, NULL);
        }
    }
}

bool tty_raw(bool signals)
{
    struct termios t;
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &t) < 0) {
        return false;
    }
    tty_hook();
    if (!tty_is_raw) {
        tty_saved = t;
    }
    t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    t.c_oflag |= OPOST;
    t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals) {
        t.c_lflag &= ~(tcflag_t)ISIG;
    }
    t.c_cflag = (t.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    tty_is_raw = 1;
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
    return true;
}

void tty_screen(void)
{
    static const char on[] = "\033[?1049h\033[?25l\033[2J";
    tty_hook();
    tty_has_screen = 1;
    if (write(STDOUT_FILENO, on, sizeof on - 1) < 0) {
        tty_has_screen = 0;
    }
}
