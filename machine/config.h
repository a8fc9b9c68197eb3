/* What a machine is made of, as a frontend describes it.  Everything pointed to is borrowed and
 * must outlive the machine. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/plugs/blockdev.h"
#include "base/plugs/chardev.h"
#include "base/plugs/netdev.h"
#include "devices/firmware/smbios.h"

struct machine_blob {
    const void *data;
    size_t len;
};

enum { MACHINE_SERIALS = 4, MACHINE_IDE = 4, MACHINE_FLOPPIES = 2, MACHINE_DEBUGCONS = 4,
       MACHINE_NICS = 4, MACHINE_PARALLELS = 3, MACHINE_FW_FILES = 16,
       MACHINE_MODULES = 32, MACHINE_CPUS = 8 };

struct machine_serial {
    struct chardev *chr; /* NULL: no such port */
    uint16_t iobase;     /* 0: the standard one (3F8, 2F8, 3E8, 2E8) */
    uint8_t irq;         /* 0: the standard one (4, 3, 4, 3) */
};
struct machine_debugcon {
    struct chardev *chr;
    uint16_t iobase; /* 0xe9, 0x402 */
};

struct machine_module {
    struct machine_blob data;
    const char *cmdline;
};
struct machine_parallel {
    struct chardev *chr; /* NULL: no such port */
    uint16_t iobase;     /* 0: the standard one (378, 278, 3BC) */
    uint8_t irq;         /* 0: the standard one (7, 5, 7) */
};
enum machine_nic_model { MACHINE_NIC_NONE, MACHINE_NIC_NE2K_PCI, MACHINE_NIC_NE2K_ISA };
struct machine_nic {
    enum machine_nic_model model;
    struct netdev *net;      /* its mac is the card's address; ops NULL: nothing on the wire */
    uint16_t iobase;         /* ISA: 0: 300h */
    uint8_t irq;             /* ISA: 0: 9 */
    uint8_t slot;            /* PCI: 0: the next free one from 3 on */
    struct machine_blob rom; /* PCI option ROM; empty: none */
    uint32_t boot_rank;      /* 1 + QEMU's bootindex; 0: no rank */
};
/* A file for the firmware or the guest to read through fw_cfg. */
struct machine_fw_file {
    const char *name; /* "opt/..." */
    const void *data;
    size_t len;
};

struct machine_config {
    const char *name;      /* guest name, may be NULL */
    uint64_t ram_size;     /* bytes, 1 MB .. 60 GB, a multiple of 4 KB */
    const char *cpu_model; /* NULL: default */
    const char *cpu_flags; /* "+x,-y" or NULL */
    /* Processors, 1 to MACHINE_CPUS (0: 1); in the tables also those that are not there: max_cpus.
     * Cores of a socket and threads of a core are what CPUID and the tables say. */
    unsigned cpus, max_cpus, cores, threads;
    const char *accel;     /* "interp"; NULL: default */
    bool deterministic;    /* -icount: time is counted instructions */
    unsigned icount_shift; /* ns per instruction = 1 << shift (0..10); only when deterministic */
    uint64_t seed;     /* of RDRAND and RDSEED */
    uint64_t rtc_base; /* seconds since 1970 UTC that the RTC starts with (local time: shifted) */
    struct machine_blob bios;     /* 64 KB .. 4 MB */
    struct machine_blob vga_bios; /* empty: no VGA BIOS */
    bool no_vga;
    bool nographic; /* the BIOS shows its screen on the first serial port too */
    struct blockdev *ide[MACHINE_IDE]; /* primary master, primary slave, secondary ... */
    bool ide_is_cd[MACHINE_IDE];
    const char *ide_serial[MACHINE_IDE]; /* NULL: one made from the slot */
    uint32_t ide_boot_rank[MACHINE_IDE]; /* 1 + QEMU's bootindex; 0: as boot_order says */
    struct blockdev *floppy[MACHINE_FLOPPIES];
    uint32_t floppy_boot_rank[MACHINE_FLOPPIES];
    bool has_floppy[MACHINE_FLOPPIES]; /* a drive, perhaps empty */
    struct machine_serial serial[MACHINE_SERIALS];
    struct machine_debugcon debugcon[MACHINE_DEBUGCONS];
    struct machine_parallel parallel[MACHINE_PARALLELS];
    struct machine_nic nic[MACHINE_NICS];
    struct smbios_fields smbios[SMBIOS_TYPES]; /* by type */
    struct machine_fw_file fw_file[MACHINE_FW_FILES];
    unsigned fw_files;
    bool no_hpet, no_acpi;
    uint16_t debug_exit_iobase; /* 0: no isa-debug-exit */
    uint16_t debug_exit_iosize;
    bool pc_testdev, pci_testdev;
    char boot_order[8]; /* letters of QEMU: a floppy, c disk, d CD, n network; "": "cad" */
    char boot_once[8];
    bool boot_menu;
    uint32_t boot_menu_ms; /* how long the menu waits; 0: SeaBIOS's own */
    bool boot_strict;      /* nothing is tried that has no rank */
    uint32_t boot_retry_ms; /* when nothing boots: try again after this; 0: never */
    /* a Linux bzImage or a Multiboot kernel, unpacked */
    struct machine_blob kernel, initrd; /* initrd: Linux only */
    const char *append;
    const char *kernel_path; /* Multiboot: in front of -append on its command line */
    struct machine_module module[MACHINE_MODULES]; /* Multiboot only */
    unsigned modules;
};
