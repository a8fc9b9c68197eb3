/* The command line, parsed: what was asked for, before any file is touched. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "frontend/options_net.h"
#include "machine/config.h"

enum {
    OPT_DRIVES = 12,
    OPT_CHARDEVS = 16,
    OPT_LIBDIRS = 8,
    OPT_SERIALS = 4,
    OPT_DEBUGCONS = 4,
    OPT_PARALLELS = MACHINE_PARALLELS,
    OPT_FW_FILES = MACHINE_FW_FILES,
    OPT_NAME = 32
};
#define OPT_RAM_MIN (1ull << 20)
#define OPT_RAM_MAX (60ull << 30)
#define OPT_RAM_DEFAULT (512ull << 20)

enum opt_if { OPT_IF_IDE, OPT_IF_FLOPPY, OPT_IF_NONE };
struct opt_drive {
    const char *opt;  /* "-cdrom": for sentences */
    const char *file; /* NULL: an empty drive */
    enum opt_if iface;
    int index; /* -1: the next free */
    bool cd, readonly, snapshot;
    bool raw_said; /* format=raw was written: no second thoughts about the content */
    const char *id, *serial;
    uint32_t boot_rank; /* 1 + bootindex; 0: none */
};
struct opt_fw_file { /* -fw_cfg */
    const char *name, *string, *file;
};

enum opt_chr_kind { OPT_CHR_NULL, OPT_CHR_STDIO, OPT_CHR_FILE, OPT_CHR_SOCKET, OPT_CHR_PTY };
struct opt_chardev {
    char id[OPT_NAME];
    const char *opt; /* "-serial" */
    enum opt_chr_kind kind;
    bool mux;    /* escape keys, several users */
    bool signal; /* stdio: Ctrl-C ends Vitrine instead of reaching the guest */
    bool server, wait, append;
    const char *path;        /* file, unix socket */
    const char *host, *port; /* TCP */
};

struct opt_port {            /* a serial port or debug console */
    bool present;
    char chr[OPT_NAME]; /* chardev id; "": connected to nothing */
    uint16_t iobase;
    uint8_t irq;
};

enum opt_ui { OPT_UI_AUTO, OPT_UI_SDL, OPT_UI_TERM, OPT_UI_NONE };
enum opt_rtc { OPT_RTC_DEFAULT, OPT_RTC_UTC, OPT_RTC_LOCAL, OPT_RTC_DATE };
enum opt_action { OPT_RUN, OPT_HELP, OPT_HELP_MD, OPT_VERSION, OPT_CPU_HELP, OPT_TEXT };

struct options {
    enum opt_action action;
    const char *text; /* OPT_TEXT: print this and leave */
    const char *file; /* the plain FILE, recognized by content */

    struct opt_drive drive[OPT_DRIVES];
    unsigned drives;
    bool snapshot;
    char boot_order[8], boot_once[8];
    bool boot_given, boot_menu;
    uint32_t boot_menu_ms, boot_retry_ms;
    bool boot_strict;
    const char *kernel, *initrd, *append;

    uint64_t ram_size;
    const char *cpu_model, *cpu_flags;
    unsigned cpus, max_cpus, cores, threads; /* -smp; 0: one */
    bool icount;
    unsigned icount_shift;
    uint64_t seed;
    bool has_seed;
    enum opt_rtc rtc;
    int64_t rtc_date;
    const char *bios;
    const char *libdir[OPT_LIBDIRS];
    unsigned libdirs;
    bool vga_given, no_vga, nodefaults;
    uint16_t debug_exit_iobase, debug_exit_iosize;
    bool pc_testdev, pci_testdev;
    const char *name;
    bool no_acpi, no_hpet;
    struct smbios_fields smbios[SMBIOS_TYPES];
    struct opt_fw_file fw_file[OPT_FW_FILES];
    unsigned fw_files;

    enum opt_ui ui;
    bool nographic, fullscreen, aspect;
    const char *layout;
    struct opt_chardev chr[OPT_CHARDEVS];
    unsigned chrs;
    struct opt_port serial[OPT_SERIALS], debugcon[OPT_DEBUGCONS];
    unsigned serials, debugcons;
    struct opt_port parallel[OPT_PARALLELS];
    unsigned parallels;
    bool serial_given, monitor_given;
    char monitor[OPT_NAME]; /* chardev id; "": no monitor */

    struct opt_net net[OPT_NETS];
    unsigned nets;
    struct opt_nic nic[OPT_NICS];
    unsigned nics;
    struct {
        const char *netdev, *file;
        uint32_t max;
    } dump[OPT_NETS]; /* -object filter-dump, until opt_finish_nets() */
    unsigned dumps;
    bool net_given; /* any word about networks: no default card */

    bool freeze, no_reboot, no_shutdown, triple_reset;
    const char *input_script;
    unsigned log_items; /* enum dlog_item bits */
    const char *log_file, *log_filter;

    void **owned; /* strings to free */
    unsigned owned_count;
};

struct option_def {
    const char *name; /* NULL: a heading, in `help` */
    bool (*set)(struct options *o, const char *opt, const char *arg, struct err *err);
    const char *arg;
    const char *help;
};
extern const struct option_def option_defs[]; /* ends with name and help NULL */

/* err->msg: one sentence with the nearest right form. */
bool options_parse(struct options *o, int argc, char *const *argv, struct err *err);
void options_free(struct options *o);
void options_help(FILE *out, bool markdown);
const struct opt_chardev *options_chardev(const struct options *o, const char *id);
char *options_dup(struct options *o, const char *s);
