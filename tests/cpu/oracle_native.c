/* Native execution of instructions in 16-, 32- and 64-bit code: one way in, one way out.
 *
 * In: 64-bit code below 4 GB loads everything and leaves by a far jump into the code segment in
 * question: the kernel's 64- or 32-bit one, or one of the LDT (modify_ldt).  Out: every run ends
 * with a fault, at the latest on a HLT.  The signal handler finds the registers in its frame; what
 * is not there (DS ES FS GS and the bases) a few instructions in front of it put aside.
 *
 * The sandbox: a seccomp filter that lets a system call pass only from above 4 GB, where no
 * instruction under test ever is; those raise SIGSYS.  All addresses are chosen by the generator,
 * so that stores go to the data pages or fault. */
#include "tests/cpu/oracle.h"

#include <stddef.h>
#include <string.h>

#include "cpu/state.h"

const struct oracle_desc oracle_ldt[LDT_COUNT] = {
#define D(base, limit, attr) {base, limit, ATTR_P | ATTR_DPL | ATTR_S | ATTR_A | (attr)}
#define NP(base, limit, attr) {base, limit, ATTR_DPL | ATTR_S | ATTR_A | (attr)}
    D(ORACLE_CODE, 0xfff, ATTR_X | ATTR_W),
    D(ORACLE_CODE, 0xfff, ATTR_X | ATTR_W | ATTR_DB),
    D(ORACLE_DATA, ORACLE_RW_SIZE - 1, ATTR_W),
    D(ORACLE_DATA, 0xffff, ATTR_W),
    D(ORACLE_DATA, 0x2fff, ATTR_W | ATTR_DB),
    D(ORACLE_DATA, 0x7ff, ATTR_W | ATTR_E),
    D(ORACLE_DATA, 0xfff, ATTR_W | ATTR_E | ATTR_DB),
    D(ORACLE_DATA, ORACLE_RW_SIZE - 1, ATTR_DB),
    D(ORACLE_CODE, 0xfff, ATTR_X | ATTR_DB),
    NP(ORACLE_DATA, 0xffff, ATTR_W | ATTR_DB),
    NP(ORACLE_CODE, 0xfff, ATTR_X | ATTR_E | ATTR_W | ATTR_DB),
    D(0, 0xfffff, ATTR_W | ATTR_DB | ATTR_G),
#undef D
#undef NP
};

bool oracle_desc(unsigned sel, struct oracle_desc *out)
{
    if (sel & 4) {
        if (sel >> 3 >= LDT_COUNT) {
            return false;
        }
        *out = oracle_ldt[sel >> 3];
        return true;
    }
    uint16_t attr = ATTR_P | ATTR_DPL | ATTR_S | ATTR_A | ATTR_W | ATTR_G;
    *out = (struct oracle_desc){0, 0xfffff, 0};
    switch (sel & ~3u) {
    case 0x20: out->attr = attr | ATTR_X | ATTR_DB; return true;
    case 0x28: out->attr = attr | ATTR_DB; return true;
    case 0x30: out->attr = attr | ATTR_X | ATTR_L; return true;
    default: return false;
    }
}

#if defined(__x86_64__) && defined(__linux__)
#include <asm/ldt.h>
#include <cpuid.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

struct shared { /* at ORACLE_STATE; addresses go into the code below */
    struct oracle_regs in, out;
    uint64_t saved_rsp, saved_fs, saved_gs;
    uint32_t far_off;
    uint16_t far_sel;
};
#define SHARED ((struct shared *)(uintptr_t)ORACLE_STATE)
#define ADDR(field) (ORACLE_STATE + (uint32_t)offsetof(struct shared, field))

static struct native { /* one per process, as signal handlers are */
    uint8_t *data;
    uintptr_t enter;
    bool running;
    struct oracle_end end;
} native;

struct emit {
    uint8_t *p;
};
static void put(struct emit *e, unsigned n, const char *bytes)
{
    memcpy(e->p, bytes, n);
    e->p += n;
}
static void put_addr(struct emit *e, unsigned n, const char *bytes, uint32_t addr)
{
    put(e, n, bytes);
    memcpy(e->p, &addr, 4);
    e->p += 4;
}

/* A fault in code under test, or a HLT behind it. */
static void on_signal(int sig, siginfo_t *info, void *ctx)
{
    ucontext_t *uc = ctx;
    greg_t *g = uc->uc_mcontext.gregs;
    static const uint8_t order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                      REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                      REG_R12, REG_R13, REG_R14, REG_R15};
    struct oracle_regs *out = &SHARED->out;
    const uint8_t *fp = (const uint8_t *)uc->uc_mcontext.fpregs;
    uint64_t have;
    (void)info;
    if (!native.running) {
        printf("oracle: a signal from outside the code under test: trap %d at %llx, cr2 %llx\n",
               (int)g[REG_TRAPNO], (unsigned long long)g[REG_RIP], (unsigned long long)g[REG_CR2]);
        fflush(stdout);
        _exit(3);
    }
    for (unsigned r = 0; r < 16; r++) {
        out->gpr[r] = (uint64_t)g[order[r]];
    }
    out->rflags = (uint64_t)g[REG_EFL];
    out->rip = (uint64_t)g[REG_RIP];
    out->sel[SEG_CS] = (uint16_t)g[REG_CSGSFS];
    out->sel[SEG_SS] = (uint16_t)((uint64_t)g[REG_CSGSFS] >> 48);
    memcpy(out->xs, fp, ORACLE_XSAVE);
    memcpy(&have, fp + 512, 8);
    if (!(have & 4)) {
        memset(out->xs + 576, 0, 256);
    }
    if (!(have & 2)) {
        memset(out->xs + 160, 0, 256);
    }
    if (!(have & 1)) {
        memset(out->xs, 0, 24);
        memset(out->xs + 32, 0, 128);
        out->xs[0] = 0x7f;
        out->xs[1] = 3;
    }
    native.end.vector = sig == SIGSYS ? ORACLE_KERNEL : (int)g[REG_TRAPNO];
    native.end.error = (uint32_t)g[REG_ERR];
    native.end.cr2 = (uint64_t)g[REG_CR2];
}

static uintptr_t build(void)
{
    struct emit e = {(uint8_t *)(uintptr_t)ORACLE_THUNK};
    uint64_t handler = (uint64_t)(uintptr_t)on_signal;
    native.enter = (uintptr_t)e.p;
    put(&e, 10, "\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57"); /* push rbx rbp r12..r15 */
    put_addr(&e, 4, "\x48\x89\x24\x25", ADDR(saved_rsp));   /* mov [saved_rsp], rsp */
    put(&e, 5, "\xf3\x48\x0f\xae\xc0");                     /* rdfsbase rax */
    put_addr(&e, 4, "\x48\x89\x04\x25", ADDR(saved_fs));
    put(&e, 5, "\xf3\x48\x0f\xae\xc8"); /* rdgsbase rax */
    put_addr(&e, 4, "\x48\x89\x04\x25", ADDR(saved_gs));
    put(&e, 7, "\xb8\x07\x00\x00\x00\x31\xd2");            /* mov eax, 7; xor edx, edx */
    put_addr(&e, 5, "\x48\x0f\xae\x2c\x25", ADDR(in.xs)); /* xrstor64 */
    static const char seg_modrm[6][2] = {"\x8e\xc0", "", "\x8e\xd0", "\x8e\xd8", "\x8e\xe0",
                                         "\x8e\xe8"};
    for (unsigned i = 0; i < 6; i++) {
        if (i != SEG_CS) { /* movzx eax, word [in.sel]; mov seg, eax */
            put_addr(&e, 4, "\x0f\xb7\x04\x25", ADDR(in.sel) + 2 * i);
            put(&e, 2, seg_modrm[i]);
        }
    }
    put_addr(&e, 4, "\x48\x8b\x04\x25", ADDR(in.fsbase));
    put(&e, 5, "\xf3\x48\x0f\xae\xd0"); /* wrfsbase rax */
    put_addr(&e, 4, "\x48\x8b\x04\x25", ADDR(in.gsbase));
    put(&e, 5, "\xf3\x48\x0f\xae\xd8");                    /* wrgsbase rax */
    put_addr(&e, 3, "\x48\xc7\xc4", ADDR(in.rflags));      /* mov rsp, in.rflags; popfq */
    put(&e, 1, "\x9d");
    for (unsigned i = 0; i < 16; i++) { /* mov r, [in.gpr[r]]; rsp last */
        unsigned r = i == 15 ? 4 : i < 4 ? i : i + 1;
        put_addr(&e, 4,
                 (char[4]){(char)(r > 7 ? 0x4c : 0x48), (char)0x8b, (char)(4 | (r & 7) << 3), 0x25},
                 ADDR(in.gpr) + 8 * r);
    }
    put_addr(&e, 3, "\xff\x2c\x25", ADDR(far_off)); /* jmp far [far_off] */

    uintptr_t handler_at = (uintptr_t)e.p; /* AC may be set, the segments be anything */
    put(&e, 6, "\x68\x02\x02\x00\x00\x9d"); /* push 202h; popfq */
    static const char from_seg[6][4] = {"\x8c\x04\x25", "", "", "\x8c\x1c\x25", "\x8c\x24\x25",
                                        "\x8c\x2c\x25"};
    for (unsigned i = 0; i < 6; i++) {
        if (i != SEG_CS && i != SEG_SS) {
            put_addr(&e, 3, from_seg[i], ADDR(out.sel) + 2 * i); /* mov [out.sel], seg */
        }
    }
    put(&e, 5, "\xf3\x48\x0f\xae\xc0");
    put_addr(&e, 4, "\x48\x89\x04\x25", ADDR(out.fsbase));
    put(&e, 5, "\xf3\x48\x0f\xae\xc8");
    put_addr(&e, 4, "\x48\x89\x04\x25", ADDR(out.gsbase));
    put(&e, 11, "\xb8\x2b\x00\x00\x00\x8e\xd8\x8e\xc0\x8e\xd0"); /* mov eax, 2bh: ds es ss */
    put(&e, 6, "\x31\xc9\x8e\xe1\x8e\xe9");                     /* xor ecx, ecx: fs gs */
    put_addr(&e, 4, "\x48\x8b\x04\x25", ADDR(saved_fs));
    put(&e, 5, "\xf3\x48\x0f\xae\xd0");
    put_addr(&e, 4, "\x48\x8b\x04\x25", ADDR(saved_gs));
    put(&e, 5, "\xf3\x48\x0f\xae\xd8");
    put(&e, 6, "\x48\x83\xec\x08\x48\xb8"); /* sub rsp, 8; mov rax, on_signal; call rax */
    put(&e, 8, (const char *)&handler);
    put(&e, 2, "\xff\xd0");
    put_addr(&e, 4, "\x48\x8b\x24\x25", ADDR(saved_rsp));        /* mov rsp, [saved_rsp] */
    put(&e, 11, "\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3"); /* pop r15..r12 rbp rbx; ret */
    memset((void *)(uintptr_t)ORACLE_CODE, 0xf4, 4096);          /* hlt */
    return handler_at;
}

static bool map_at(uintptr_t at, size_t len, int prot, int fd, off_t off)
{
    int flags =
        MAP_FIXED_NOREPLACE | MAP_POPULATE | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
    return mmap((void *)at, len, prot, flags, fd, off) == (void *)at;
}

static bool open_memory(void)
{
    int fd = memfd_create("oracle", 0);
    int rw = PROT_READ | PROT_WRITE;
    if (fd < 0 || ftruncate(fd, ORACLE_DATA_SIZE) != 0) {
        return false;
    }
    native.data = mmap(NULL, ORACLE_DATA_SIZE, rw, MAP_SHARED, fd, 0);
    bool ok = native.data != MAP_FAILED && map_at(ORACLE_CODE, 0x1000, rw | PROT_EXEC, -1, 0) &&
              map_at(ORACLE_THUNK, 0x1000, rw | PROT_EXEC, -1, 0) &&
              map_at(ORACLE_STATE, 0x2000, rw, -1, 0);
    const uint64_t at[2] = {ORACLE_DATA, ORACLE_HIGH};
    for (unsigned i = 0; i < 2; i++) {
        ok = ok && map_at(at[i], ORACLE_RW_SIZE, rw, fd, 0) &&
             map_at(at[i] + ORACLE_RW_SIZE, 0x1000, PROT_READ, fd, ORACLE_RW_SIZE);
    }
    close(fd);
    return ok && mlock((void *)ORACLE_DATA, ORACLE_DATA_SIZE) == 0 &&
           mlock((void *)ORACLE_HIGH, ORACLE_DATA_SIZE) == 0; /* or faults say: not present */
}

static bool open_ldt(void)
{
    for (unsigned i = 0; i < LDT_COUNT; i++) {
        const struct oracle_desc *d = &oracle_ldt[i];
        struct user_desc u = {.entry_number = i,
                              .base_addr = d->base,
                              .limit = d->limit,
                              .seg_32bit = (d->attr & ATTR_DB) != 0,
                              .contents = d->attr >> 2 & 3,
                              .read_exec_only = !(d->attr & ATTR_W),
                              .limit_in_pages = (d->attr & ATTR_G) != 0,
                              .seg_not_present = !(d->attr & ATTR_P)};
        if (syscall(SYS_modify_ldt, 0x11, &u, sizeof u) != 0) {
            return false;
        }
    }
    return true;
}

bool oracle_native_open(const char **why)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    stack_t alt = {.ss_size = 1 << 17};
    if (!oracle_native_has(FEAT_AVX) || !oracle_native_has(FEAT_FSGSBASE)) {
        *why = "the host has no AVX or no FSGSBASE";
        return false;
    }
    if (!open_memory()) {
        *why = "cannot map memory below 4 GB";
        return false;
    }
    if (!open_ldt()) {
        *why = "the kernel has no modify_ldt";
        return false;
    }
    alt.ss_sp = malloc(alt.ss_size);
    if (alt.ss_sp == NULL || sigaltstack(&alt, NULL) != 0) {
        *why = "no signal stack";
        return false;
    }
    uintptr_t handler = build();
    struct sigaction sa = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    memcpy(&sa.sa_sigaction, &handler, sizeof handler);
    for (unsigned i = 0; i < 6; i++) {
        sigaction(signals[i], &sa, NULL);
    }
    return true;
}

bool oracle_native_lock(void)
{
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {sizeof f / sizeof f[0], f};
    struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0;
}

uint8_t *oracle_native_data(void)
{
    return native.data;
}

struct oracle_end oracle_native_run(const uint8_t *code, unsigned len, unsigned at,
                                    const struct oracle_regs *in, struct oracle_regs *out)
{
    uint8_t *page = (uint8_t *)(uintptr_t)ORACLE_CODE;
    unsigned fits = at + len <= 0x1000 ? len : 0x1000 - at;
    memcpy(page + at, code, fits);
    SHARED->in = *in;
    SHARED->in.rflags |= 0x202;
    SHARED->far_off = (uint32_t)in->rip;
    SHARED->far_sel = in->sel[SEG_CS];
    native.end = (struct oracle_end){.vector = ORACLE_RUNAWAY};
    native.running = true;
    ((void (*)(void))native.enter)();
    native.running = false;
    memset(page + at, 0xf4, fits);
    *out = SHARED->out;
    return native.end;
}

bool oracle_native_has(unsigned feature)
{
    static const struct {
        uint32_t leaf;
        uint8_t sub, reg, bit;
    } where[FEAT_COUNT] = {
#define FEATURE(n, l, s, r, b) [FEAT_##n] = {l, s, r, b},
#include "cpu/features.def"
#undef FEATURE
    };
    uint32_t r[4] = {0};
    if (where[feature].leaf == 0) { /* generations, and the maker */
        __get_cpuid(0, &r[0], &r[1], &r[2], &r[3]);
        return feature != FEAT_AMD || r[2] == 0x444d4163; /* "cAMD" */
    }
    return __get_cpuid_count(where[feature].leaf, where[feature].sub, &r[0], &r[1], &r[2],
                             &r[3]) &&
           (r[where[feature].reg] >> where[feature].bit & 1);
}
#else
bool oracle_native_open(const char **why)
{
    *why = "the host is not x86-64 Linux";
    return false;
}
bool oracle_native_lock(void)
{
    return false;
}
uint8_t *oracle_native_data(void)
{
    return NULL;
}
struct oracle_end oracle_native_run(const uint8_t *code, unsigned len, unsigned at,
                                    const struct oracle_regs *in, struct oracle_regs *out)
{
    (void)code;
    (void)len;
    (void)at;
    *out = *in;
    return (struct oracle_end){.vector = ORACLE_RUNAWAY};
}
bool oracle_native_has(unsigned feature)
{
    (void)feature;
    return false;
}
#endif
