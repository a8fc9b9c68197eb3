/* Memory beside the guest's RAM that the processor writes through cached pointers. */
#include "cpu/core.h"

static bool watch_code_changed(void *ctx, uint64_t off, uint64_t len)
{
    (void)ctx; /* engines cache no code from there */
    (void)off;
    (void)len;
    return false;
}

static void watch_protect(void *ctx, uint64_t off)
{
    struct cpu *c = ctx;
    tlb_protect(c, off == UINT64_MAX ? 0 : (uint64_t)(uintptr_t)(c->aux_ram->host + off));
}

void cpu_watch_ram(struct cpu *c, struct ram *ram)
{
    c->aux_ram = ram;
    c->aux_watcher = (struct ram_watcher){
        .code_changed = watch_code_changed, .protect = watch_protect, .ctx = c};
    ram_watch(ram, &c->aux_watcher);
}
