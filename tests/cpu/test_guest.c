/* The self-checking guests of tests/guest, on a machine of nothing but a CPU, RAM, a ROM and two
 * ports.  Each is assembled here with nasm; its text says which test failed. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
// clang-format on

#include "base/os.h"
#include "cpu/cpu.h"

enum { RAM_SIZE = 32 << 20, ROM_SIZE = 65536, MAX_INSNS = 20000000 };

struct box {
    struct ram ram;
    struct bus *mem, *ports;
    struct region ram_low, ram_high, rom, rom_top, text, quit;
    struct clock clock;
    struct cpu *cpu;
    uint8_t *image;
    char out[512];
    size_t n;
    int exit; /* -1: none yet */
};

static char rom_dir[64];

static void box_text(void *ctx, uint64_t off, uint64_t v, unsigned size)
{
    struct box *b = ctx;
    (void)off, (void)size;
    if (b->n + 1 < sizeof b->out) {
        b->out[b->n++] = (char)v;
    }
}

static void box_quit(void *ctx, uint64_t off, uint64_t v, unsigned size)
{
    struct box *b = ctx;
    (void)off, (void)size;
    b->exit = (int)v;
    cpu_resched(b->cpu);
}

static const struct region_ops text_ops = {.write = box_text, .min_size = 1, .max_size = 1};
static const struct region_ops quit_ops = {.write = box_quit, .min_size = 1, .max_size = 2};

static void box_map(struct bus *bus, struct region *r)
{
    struct err err = {0};
    if (!bus_map(bus, r, &err)) {
        fail_msg("%s", err.msg);
    }
}

static void box_open(struct box *b, const char *name, const char *model,
                     const char *flags)
{
    char path[160];
    struct err err = {0};
    memset(b, 0, sizeof *b);
    b->exit = -1;
    b->image = os_pages_alloc(ROM_SIZE);
    snprintf(path, sizeof path, "%s/%s.rom", rom_dir, name);
    FILE *f = fopen(path, "rb");
    if (!f || fread(b->image, 1, ROM_SIZE, f) != ROM_SIZE) {
        fail_msg("%s is not there", path);
    }
    fclose(f);
    assert_true(ram_init(&b->ram, RAM_SIZE, &err));
    b->mem = bus_create("mem", 36);
    b->ports = bus_create("ports", 16);
    b->ram_low = (struct region){.name = "ram.low", .kind = REGION_RAM, .len = 0xa0000,
                                 .ram = &b->ram};
    b->ram_high = (struct region){.name = "ram.high", .kind = REGION_RAM, .base = 0x100000,
                                  .len = RAM_SIZE - 0x100000, .ram = &b->ram, .ram_off = 0x100000};
    b->rom = (struct region){.name = "rom", .kind = REGION_ROM, .base = 0xf0000, .len = ROM_SIZE,
                             .host = b->image};
    b->rom_top = (struct region){.name = "rom.top", .kind = REGION_ROM, .base = 0xffff0000,
                                 .len = ROM_SIZE, .host = b->image};
    b->text = (struct region){.name = "text", .kind = REGION_IO, .base = 0x402, .len = 1,
                              .ops = &text_ops, .dev = b};
    b->quit = (struct region){.name = "quit", .kind = REGION_IO, .base = 0x501, .len = 2,
                              .ops = &quit_ops, .dev = b};
    box_map(b->mem, &b->ram_low);
    box_map(b->mem, &b->ram_high);
    box_map(b->mem, &b->rom);
    box_map(b->mem, &b->rom_top);
    box_map(b->ports, &b->text);
    box_map(b->ports, &b->quit);
    clock_init(&b->clock);
    b->clock.ns_per_insn_q32 = (uint64_t)1 << 32;
    struct cpu_config cfg = {.model = model, .flags = flags};
    struct cpu_env env = {.mem = b->mem, .ports = b->ports, .ram = &b->ram, .clock = &b->clock};
    b->cpu = cpu_create(&cpu_accel_interp, &cfg, &env, &err);
    if (!b->cpu) {
        fail_msg("%s", err.msg);
    }
}

static void box_close(struct box *b)
{
    cpu_destroy(b->cpu);
    bus_destroy(b->mem);
    bus_destroy(b->ports);
    ram_fini(&b->ram);
    os_pages_free(b->image, ROM_SIZE);
}

static void box_explain(struct box *b)
{
    struct cpu_fault_record r[8];
    uint64_t last[32];
    unsigned n = cpu_last_faults(b->cpu, r);
    for (unsigned i = 0; i < n; i++) {
        print_message("  fault %02x%s err %04x at %04x:%08lx cr2 %08lx why %d where %08lx\n",
                      r[i].vector, r[i].during_delivery ? " (in delivery)" : "", r[i].error,
                      r[i].cs, (unsigned long)r[i].rip, (unsigned long)r[i].cr2, (int)r[i].why,
                      (unsigned long)r[i].where);
    }
    n = cpu_last_insns(b->cpu, last);
    for (unsigned i = n > 12 ? n - 12 : 0; i < n; i++) {
        print_message("  %08lx\n", (unsigned long)last[i]);
    }
}

static bool see_insn(void *ctx, const struct cpu_state *st, const uint8_t *bytes, unsigned len)
{
    (void)ctx, (void)st, (void)bytes, (void)len;
    return true;
}

static void see_mem(void *ctx, uint64_t lin, uint64_t phys, unsigned size, bool write, uint64_t val)
{
    (void)ctx, (void)lin, (void)phys, (void)size, (void)write, (void)val;
}

/* Observed, the engine goes instruction by instruction and memory always the slow way. */
static const struct cpu_hooks observer = {.before_insn = see_insn, .mem = see_mem};

static void run_guest(const char *name, const char *model, const char *flags,
                      bool observed)
{
    struct box b;
    uint64_t total = 0, done;
    enum cpu_stop stop = CPU_BUDGET;
    box_open(&b, name, model, flags);
    if (observed) {
        cpu_set_hooks(b.cpu, &observer, NULL);
    }
    while (b.exit < 0 && total < MAX_INSNS) {
        stop = cpu_run(b.cpu, 100000, &done);
        total += done;
        if (stop == CPU_TRIPLE_FAULT || stop == CPU_INTERNAL || (stop == CPU_HALTED && !done)) {
            break;
        }
    }
    if (b.exit != 0) {
        box_explain(&b);
        fail_msg("%s: stop %d after %lu, said \"%s\"", name, (int)stop, (unsigned long)total,
                 b.out);
    }
    assert_string_equal(b.out, "PASS\n");
    box_close(&b);
}

#define GUEST_RUN(name, model, flags)                                                              \
    static void guest_##name(void **state)                                                         \
    {                                                                                              \
        (void)state;                                                                               \
        run_guest(#name, model, flags, false);                                                     \
        run_guest(#name, model, flags, true);                                                      \
    }
#define GUEST(name) GUEST_RUN(name, NULL, NULL)
/* Once with what the system features bring, once without them. */
#define FEATURES64                                                                                \
    "+lm,+nx,+pdpe1gb,+pcid,+invpcid,+smep,+smap,+umip,+fsgsbase,+rdtscp,+rdpid,+monitor,"         \
    "+arch_capabilities,+spec_ctrl"
#define BARE64                                                                                    \
    "+lm,-nx,-pdpe1gb,-pcid,-invpcid,-smep,-smap,-umip,-fsgsbase,-rdtscp,-rdpid,-monitor,"         \
    "-arch_capabilities,-spec_ctrl"
#define GUEST64(name)                                                                             \
    GUEST_RUN(name, "max", FEATURES64)                                                             \
    static void guest_bare_##name(void **state)                                                    \
    {                                                                                              \
        (void)state;                                                                               \
        run_guest(#name, "max", BARE64, false);                                                    \
        run_guest(#name, "max", FEATURES64 ",vendor=AuthenticAMD", false);                         \
    }
#include "guest_list.h"
#undef GUEST
#undef GUEST64

static int assemble(void **state)
{
    char cmd[400];
    (void)state;
    strcpy(rom_dir, "/tmp/vitrine-guest-XXXXXX");
    if (!mkdtemp(rom_dir)) {
        return -1;
    }
    snprintf(cmd, sizeof cmd, "%s/guest/build.sh %s", TESTS_DIR, rom_dir);
    return system(cmd);
}

static int clean(void **state)
{
    char cmd[100];
    (void)state;
    snprintf(cmd, sizeof cmd, "rm -r %s", rom_dir);
    return system(cmd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define GUEST(name) cmocka_unit_test(guest_##name),
#define GUEST64(name) GUEST(name) cmocka_unit_test(guest_bare_##name),
#include "guest_list.h"
#undef GUEST
    };
    return cmocka_run_group_tests(tests, assemble, clean);
}
