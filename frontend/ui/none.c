/* No face: wait. */
#include <poll.h>

#include "frontend/ui/ui.h"

bool ui_none_run(struct ui *ui)
{
    struct pollfd pfd = {.fd = ui->done_fd, .events = POLLIN};
    while (poll(&pfd, 1, -1) <= 0) {
    }
    return true;
}
