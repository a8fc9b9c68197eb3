/* The inside of a machine, shared by machine/ only. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "cpu/cpu.h"
#include "machine/debug.h"
#include "machine/machine.h"
#include "mem/bus.h"

/* How many instructions a processor runs before the next one's turn, when there are several.
 * docs/decisions/0010-smp.md has the measurement. */
#ifndef SMP_QUANTUM
#define SMP_QUANTUM 5000u
#endif

enum { EVENTS_MAX = 256, CHAR_RING = 4096, CHAR_PORTS = MACHINE_SERIALS, NET_QUEUE = 64 };

enum event_kind {
    EVENT_INPUT, EVENT_POWER_BUTTON, EVENT_SLEEP_BUTTON, EVENT_NMI, EVENT_BREAK, EVENT_LINK
};
struct event {
    enum event_kind kind;
    struct input_event input;
    struct chardev *chr;
    struct netdev *net;
    bool up; /* EVENT_LINK */
};

struct net_queue { /* frames on their way to a network card */
    struct netdev *net;
    struct {
        uint16_t len;
        uint8_t data[NETDEV_FRAME_MAX];
    } frame[NET_QUEUE];
    uint32_t head, count;
};

struct char_ring { /* host bytes on their way to a serial port */
    struct chardev *chr;
    uint8_t buf[CHAR_RING];
    uint32_t head, count;
};

struct board;

struct machine {
    struct machine_config cfg; /* the caller's, by value; pointers borrowed */
    struct clock clk;
    struct bus *mem, *ports;
    struct ram ram;
    struct cpu *cpu[MACHINE_CPUS]; /* 0: the bootstrap processor */
    unsigned cpus;
    /* Whose turn it is, and how many instructions of it are left; one processor: always its own. */
    unsigned turn;
    uint64_t quantum;
    struct board *board;

    pthread_mutex_t lock; /* protects everything here but the two below */
    atomic_int waiters;   /* others who want the lock: machine_run() lets them in between slices */
    atomic_bool kicked;

    bool deterministic;
    uint64_t insns;         /* retired since creation */
    /* paced mode: host time as posted, and how fast the guest has been running */
    bool have_host_time;
    uint64_t host_base, host_ns; /* virtual time = host_ns - host_base */
    uint64_t busy_insns;         /* retired since the last post */
    bool was_idle;               /* the CPU waited since the last post: no speed sample */
    uint64_t ns_per_insn_q32;

    /* asked for by devices while the CPU runs, taken at the next boundary */
    enum machine_stop request; /* MACHINE_DEADLINE: none */
    int exit_code;
    char why[1024];

    struct event events[EVENTS_MAX];
    unsigned event_head, event_count;
    struct char_ring chars[CHAR_PORTS];
    struct net_queue nets[MACHINE_NICS];

    void *linux_keep; /* patched setup code, command line and boot ROM: fw_cfg borrows them */
    struct machine_tracer tracer;
    bool tracing;
    struct cpu_hooks hooks;
    void (*unmapped)(void *ctx, bool port, uint64_t addr, unsigned size, bool write);
    void *unmapped_ctx;
};

static inline struct cpu *machine_cpu(struct machine *m) /* the one that runs */
{
    return m->cpu[m->turn];
}
void machine_reset_cpus(struct machine *m);
void machine_map_changed(void *machine); /* of the memory bus: all processors look again */

/* board_i440fx.c: which chip sits where, and nothing else */
struct board *board_create(struct machine *m, struct err *err);
void board_destroy(struct board *b);
void board_reset(struct board *b, bool power_on);
void board_snap(struct board *b, struct snap *s);
void board_event(struct board *b, const struct event *ev);
struct display_source *board_display(struct board *b); /* NULL: none */
uint8_t board_leds(struct board *b);
uint8_t board_apic_id(const struct machine_config *cfg, unsigned cpu);
uint64_t board_ram_below_4g(const struct machine *m); /* bytes in front of the PCI hole */
/* Print the state of the device called id, or of a table ("pic", "pci", "irq"); false: unknown. */
bool board_info(struct board *b, unsigned cpu, const char *what, machine_print_fn *print,
                void *ctx);
const char *board_info_name(struct board *b, unsigned i);

/* linux.c: the Linux boot protocol into fw_cfg items and a boot ROM */
struct fw_cfg;
bool linux_boot_setup(struct machine *m, struct fw_cfg *fw, struct err *err);
extern const uint8_t linuxboot_rom[];
extern const size_t linuxboot_rom_len;
void boot_rom_checksum(uint8_t *rom, size_t len); /* into the last byte */

/* multiboot.c: the same for a Multiboot kernel */
bool multiboot_setup(struct machine *m, struct fw_cfg *fw, struct err *err);
extern const uint8_t multiboot_rom[];
extern const size_t multiboot_rom_len;

/* why.c: the last triple fault in words, into m->why */
void machine_explain_triple_fault(struct machine *m);

/* events.c */
void events_deliver(struct machine *m); /* at a slice boundary, lock held */
void events_snap(struct machine *m, struct snap *s);
void events_forget(struct machine *m); /* whatever is under way */

/* A device asks the machine to stop at the next instruction boundary. */
void machine_request(struct machine *m, enum machine_stop what);

/* snapshot.c */
void machine_snap(struct machine *m, struct snap *s); /* all but RAM */
