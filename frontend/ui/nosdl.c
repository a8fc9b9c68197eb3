/* In place of sdl.c in a build without SDL2 (cmake -DVITRINE_SDL=OFF). */
#include <errno.h>

#include "frontend/ui/ui.h"

bool ui_sdl_built(void)
{
    return false;
}

bool ui_sdl_run(struct ui *ui, struct err *err)
{
    (void)ui;
    return err_set(err, ENOTSUP, "-display sdl: this Vitrine was built without SDL; say -display "
                   "term or -nographic");
}
