/* What app.c and app_setup.c share: everything one run of Vitrine owns. */
#pragma once
#include <pthread.h>
#include <stdbool.h>

#include "frontend/char/guest.h"
#include "frontend/char/mux.h"
#include "frontend/disk/drive.h"
#include "frontend/loader.h"
#include "frontend/monitor/hmp.h"
#include "frontend/monitor/reader.h"
#include "frontend/net/net.h"
#include "frontend/options.h"
#include "machine/config.h"

enum { APP_IDE = MACHINE_IDE, APP_DRIVES = MACHINE_IDE + MACHINE_FLOPPIES };

struct edit;
struct app {
    struct options opts;
    struct drive drives[APP_DRIVES]; /* four IDE places, two floppies */
    struct blob bios, vga_bios, kernel, initrd;
    bool multiboot; /* the kernel is one, and -initrd lists its modules */
    struct blob module[MACHINE_MODULES];
    char *module_line[MACHINE_MODULES];
    unsigned modules;
    struct net_port nets[OPT_NICS];
    struct blob nic_rom[OPT_NICS];
    struct machine_config cfg;
    char title[200];

    struct char_loop *loop;
    struct char_port *ports[OPT_CHARDEVS];
    struct mux *muxes[OPT_CHARDEVS];
    struct char_guest serial[OPT_SERIALS], debugcon[OPT_DEBUGCONS], parallel[OPT_PARALLELS];
    struct blob fw_file[OPT_FW_FILES];
    struct char_guest *mux_guest[OPT_CHARDEVS][MUX_USERS]; /* for Ctrl-A b */

    struct machine *machine;
    struct runner *runner;
    struct script *script;
    struct dlog *dlog;
    struct hmp hmp;
    struct reader reader;
    bool monitor, monitor_edit; /* there is one; on a terminal of its own */
    struct edit *edit;
    int done_fd;
    pthread_t signal_thread;
    bool signal_running;
    int signal_taken; /* atomic */

    /* Lines for stderr while the terminal shows the guest's screen: printed at the end. */
    bool screen_on; /* atomic */
    pthread_mutex_t said_lock;
    char *said;
    size_t said_len;
};

/* app_setup.c: from options to a machine_config, in an order that touches nothing before all
 * mistakes are found. */
bool app_recognize(struct app *a, struct err *err);
bool app_load_files(struct app *a, struct err *err);
bool app_load_kernel(struct app *a, struct err *err); /* app_kernel.c */
void app_config_kernel(struct app *a);
void app_free_kernel(struct app *a);
bool app_open_drives(struct app *a, struct err *err);
bool app_config(struct app *a, struct err *err);
bool app_open_chars(struct app *a, struct err *err);
void app_close_chars(struct app *a);
/* app_net.c */
bool app_load_roms(struct app *a, struct err *err);
void app_net_config(struct app *a);
bool app_open_nets(struct app *a, struct err *err);
void app_close_nets(struct app *a);
vtime app_tick(void *ctx, vtime now, bool *waiting);
bool app_flush_disks(struct app *a);
void app_say(struct app *a, const char *text);
