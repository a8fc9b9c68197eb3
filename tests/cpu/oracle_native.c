/* Native execution of one 32-bit instruction in a 64-bit process, by a far jump to the kernel's
 * 32-bit code segment.  The way in and out is machine code put together here, since it must lie
 * below 4 GB.  See oracle.h. */
#include "tests/cpu/oracle.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

struct shared { /* at ORACLE_STATE; addresses go into the code below */
    struct oracle_regs in, out;
    uint64_t saved_rsp;
    uint32_t far_off;
    uint16_t far_sel;
    uint32_t mxcsr;
};
#define SHARED ((struct shared *)(uintptr_t)ORACLE_STATE)
#define ADDR(field) (ORACLE_STATE + (uint32_t)offsetof(struct shared, field))

static struct native { /* one per process, as signal handlers are */
    uint32_t enter64, exit64, exit32[2];
    struct oracle_fault fault;
} native;

struct emit {
    uint8_t *p;
};
static void put(struct emit *e, unsigned n, const char *bytes)
{
    memcpy(e->p, bytes, n);
    e->p += n;
}
static void put32(struct emit *e, uint32_t v)
{
    memcpy(e->p, &v, 4);
    e->p += 4;
}
static uint32_t here(const struct emit *e)
{
    return (uint32_t)(uintptr_t)e->p;
}
static void put_jmp(struct emit *e, uint32_t to)
{
    put(e, 1, "\xe9");
    put32(e, to - (here(e) + 4));
}

static void build(void)
{
    struct emit e = {(uint8_t *)(uintptr_t)ORACLE_THUNK};
    native.exit64 = here(&e);
    put(&e, 4, "\x0f\xae\x04\x25"); /* fxsave [out.fx] */
    put32(&e, ADDR(out.fx));
    put(&e, 4, "\x48\x8b\x24\x25"); /* mov rsp, [saved_rsp] */
    put32(&e, ADDR(saved_rsp));
    put(&e, 6, "\x68\x02\x02\x00\x00\x9d"); /* push 202h; popfq */
    put(&e, 2, "\xdb\xe3");                 /* fninit */
    put(&e, 4, "\x0f\xae\x14\x25");         /* ldmxcsr [mxcsr] */
    put32(&e, ADDR(mxcsr));
    put(&e, 11, "\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3"); /* pop r15..r12 rbp rbx; ret */
    for (unsigned i = 0; i < 2; i++) {
        native.exit32[i] = here(&e);
        for (unsigned r = 0; r < 8; r++) { /* mov [out.gpr[r]], r */
            put(&e, 2, (char[2]){(char)0x89, (char)(0x05 | r << 3)});
            put32(&e, ADDR(out.gpr) + 4 * r);
        }
        put(&e, 2, "\xc7\x05"); /* mov dword [out.where], i */
        put32(&e, ADDR(out.where));
        put32(&e, i);
        put(&e, 1, "\xbc"); /* mov esp, behind out.eflags; pushfd */
        put32(&e, ADDR(out.eflags) + 4);
        put(&e, 2, "\x9c\xea"); /* jmp 33h:exit64 */
        put32(&e, native.exit64);
        put(&e, 2, "\x33\x00");
    }
    uint32_t enter32 = here(&e);
    put(&e, 1, "\xbc"); /* mov esp, in.eflags; popfd */
    put32(&e, ADDR(in.eflags));
    put(&e, 1, "\x9d");
    for (unsigned i = 0; i < 8; i++) {
        unsigned r = i == 7 ? 4 : i < 4 ? i : i + 1; /* esp last */
        put(&e, 2, (char[2]){(char)0x8b, (char)(0x05 | r << 3)});
        put32(&e, ADDR(in.gpr) + 4 * r);
    }
    put_jmp(&e, ORACLE_INSN);
    native.enter64 = here(&e);
    put(&e, 10, "\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57"); /* push rbx rbp r12..r15 */
    put(&e, 4, "\x48\x89\x24\x25");                         /* mov [saved_rsp], rsp */
    put32(&e, ADDR(saved_rsp));
    put(&e, 4, "\x0f\xae\x0c\x25"); /* fxrstor [in.fx] */
    put32(&e, ADDR(in.fx));
    put(&e, 5, "\xb8\x2b\x00\x00\x00"); /* mov eax, 2bh; mov ds, eax; mov es, eax */
    put(&e, 4, "\x8e\xd8\x8e\xc0");
    put(&e, 3, "\xff\x2c\x25"); /* jmp far [far_off] */
    put32(&e, ADDR(far_off));
    SHARED->far_off = enter32;
    SHARED->far_sel = ORACLE_CS;
    SHARED->mxcsr = 0x1f80;
    memset((void *)(uintptr_t)ORACLE_CODE, 0x90, 4096);
    e.p = (uint8_t *)(uintptr_t)ORACLE_TAKEN;
    put_jmp(&e, native.exit32[1]);
}

/* A fault in 32-bit code: note registers and vector, go on at the way out. */
static void on_signal(int sig, siginfo_t *info, void *ctx)
{
    ucontext_t *uc = ctx;
    greg_t *g = uc->uc_mcontext.gregs;
    static const uint8_t order[8] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX,
                                     REG_RSP, REG_RBP, REG_RSI, REG_RDI};
    (void)info;
    if ((g[REG_CSGSFS] & 0xffff) != ORACLE_CS) {
        signal(sig, SIG_DFL); /* our own mistake */
        return;
    }
    for (unsigned r = 0; r < 8; r++) {
        SHARED->out.gpr[r] = (uint32_t)g[order[r]];
    }
    SHARED->out.eflags = (uint32_t)g[REG_EFL];
    SHARED->out.where = (uint32_t)g[REG_RIP];
    native.fault.vector = (int)g[REG_TRAPNO];
    native.fault.error = (uint32_t)g[REG_ERR];
    native.fault.cr2 = (uint32_t)g[REG_CR2];
    g[REG_RIP] = native.exit64;
    g[REG_EFL] = 0x202;
    g[REG_CSGSFS] = (g[REG_CSGSFS] & ~(greg_t)0xffff) | 0x33;
}

bool oracle_native_open(const char **why)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    struct sigaction sa = {.sa_sigaction = on_signal,
                           .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    stack_t alt = {.ss_size = 1 << 17};
    struct {
        uintptr_t at, len;
    } maps[] = {{ORACLE_CODE, 0x1000}, {ORACLE_THUNK, 0x1000}, {ORACLE_STATE, 0x2000},
                {ORACLE_DATA, ORACLE_DATA_SIZE}};
    for (unsigned i = 0; i < 4; i++) {
        void *p =
            mmap((void *)maps[i].at, maps[i].len, PROT_READ | PROT_WRITE | (i < 2 ? PROT_EXEC : 0),
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (p != (void *)maps[i].at) {
            *why = "cannot map memory below 4 GB";
            return false;
        }
    }
    alt.ss_sp = malloc(alt.ss_size);
    if (alt.ss_sp == NULL || sigaltstack(&alt, NULL) != 0) {
        *why = "no signal stack";
        return false;
    }
    for (unsigned i = 0; i < 5; i++) {
        sigaction(signals[i], &sa, NULL);
    }
    build();
    return true;
}

struct oracle_fault oracle_native_run(const uint8_t *code, unsigned len,
                                      const struct oracle_regs *in, struct oracle_regs *out)
{
    struct emit e = {(uint8_t *)(uintptr_t)ORACLE_INSN};
    put(&e, len, (const char *)code);
    put_jmp(&e, native.exit32[0]);
    SHARED->in = *in;
    native.fault = (struct oracle_fault){.vector = -1};
    ((void (*)(void))(uintptr_t)native.enter64)();
    *out = SHARED->out;
    return native.fault;
}
#else
bool oracle_native_open(const char **why)
{
    *why = "the host is not x86-64 Linux";
    return false;
}
struct oracle_fault oracle_native_run(const uint8_t *code, unsigned len,
                                      const struct oracle_regs *in, struct oracle_regs *out)
{
    (void)code;
    (void)len;
    *out = *in;
    return (struct oracle_fault){.vector = -1};
}
#endif
