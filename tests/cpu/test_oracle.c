/* Every user-mode instruction of 16-, 32- and 64-bit code against the host's processor: registers,
 * flags, memory, x87, MMX, SSE and AVX state, and the fault with its error code and address.  Each
 * case is run three times from the same state: natively, by exec_table[] and by the engine.  Then
 * sequences of several instructions, natively and by the engine, at once and in pieces.
 *
 * The work is done in a child process: a wild native instruction must not take the test along.
 *
 * VITRINE_ORACLE_OP=name: this operation only; VITRINE_ORACLE_CASES=n;
 * VITRINE_ORACLE_MODE=16|32|64; VITRINE_ORACLE_SEED=n: other cases; VITRINE_LONG=1: ten million. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* after the four above */
#include <cmocka.h>

#include "base/bits.h"
#include "tests/cpu/oracle.h"

enum { WANT_CASES = 300000, WANT_LONG = 10000000, SHOW_MAX = 400 };

struct run {
    struct oracle_side *sides[2]; /* exec_table[], the engine */
    const struct oracle_enc *enc;
    unsigned n;
    uint8_t *host; /* the data */
    unsigned long total, bad, kernel;
    unsigned shown;
    uint32_t cases[OP_COUNT], faults[OP_COUNT], bad_exec[OP_COUNT], bad_engine[OP_COUNT];
    uint32_t flag_diff[OP_COUNT]; /* RFLAGS bits that ever differed */
    uint32_t *done, *done_fault;  /* by encoding */
};

static void refill(struct run *r, uint64_t x)
{
    for (unsigned i = 0; i < ORACLE_DATA_SIZE; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        r->host[i] = (uint8_t)(x >> 56);
    }
    for (unsigned n = 0; n < 2; n++) {
        oracle_side_poke(r->sides[n], 0, r->host, ORACLE_DATA_SIZE);
    }
}

static void show_memory(const uint8_t *host, const uint8_t *ours)
{
    for (unsigned i = 0, left = 8; i < ORACLE_DATA_SIZE && left; i++) {
        if (host[i] != ours[i]) {
            printf("  data+%04x: host %02x ours %02x\n", i, host[i], ours[i]);
            left--;
        }
    }
}

/* Is memory as the host left it?  Makes it so. */
static bool settle_memory(struct run *r, unsigned n, const struct oracle_case *k,
                          const struct oracle_regs *a, bool faulted, bool show)
{
    struct oracle_side *s = r->sides[n];
    if (!faulted) {
        oracle_forgive_memory(s, k, r->host, a);
    }
    if (memcmp(r->host, oracle_side_data(s), ORACLE_DATA_SIZE) == 0) {
        return true;
    }
    if (faulted && oracle_order_loose(k)) {
        oracle_side_poke(s, 0, r->host, ORACLE_DATA_SIZE);
        return true;
    }
    if (show) {
        show_memory(r->host, oracle_side_data(s));
    }
    return false;
}

static void one_case(struct run *r, const struct oracle_case *k, unsigned index)
{
    static const char *const who[2] = {"exec_table", "the engine"};
    struct oracle_regs a, b;
    struct oracle_end eb;
    unsigned op = k->in.op;
    for (unsigned i = 0; i < k->pokes; i++) {
        memcpy(r->host + k->poke[i].off, k->poke[i].bytes, k->poke[i].len);
        for (unsigned n = 0; n < 2; n++) {
            oracle_side_poke(r->sides[n], k->poke[i].off, k->poke[i].bytes, k->poke[i].len);
        }
    }
    struct oracle_end ea = oracle_native_run(k->code, k->len, k->at, &k->regs, &a);
    bool fa = oracle_faulted(k, &a, &ea), bad_exec = false;
    if (ea.vector == ORACLE_KERNEL) {
        r->kernel++;
        return;
    }
    r->cases[op]++;
    r->faults[op] += fa;
    r->done[index]++;
    r->done_fault[index] += fa;
    r->total++;
    for (unsigned n = 0; n < 2; n++) {
        if (n == 0 && !k->decoded) {
            oracle_side_poke(r->sides[0], 0, r->host, ORACLE_DATA_SIZE);
            continue;
        }
        eb = n == 0 ? oracle_run_exec(r->sides[0], k, &b)
                    : oracle_run_engine(r->sides[1], k->code, k->len, k->at, &k->regs, 24, &b);
        const char *what = oracle_compare(k, &a, &ea, &b, &eb, n == 0);
        bool mem = settle_memory(r, n, k, &a, fa, false);
        what = what == NULL && !mem ? "memory" : what;
        if (what != NULL) {
            uint32_t *bad = n == 0 ? r->bad_exec : r->bad_engine;
            r->flag_diff[op] |= (uint32_t)(a.rflags ^ b.rflags) & ORACLE_FLAGS;
            if (!bad_exec && ++bad[op] <= 2 && r->shown++ < SHOW_MAX) {
                oracle_show(k, who[n], what, &a, &ea, &b, &eb);
                settle_memory(r, n, k, &a, fa, true);
            }
            r->bad += !bad_exec;
            bad_exec = true; /* of the engine only what is its own */
        }
        if (!mem) {
            oracle_side_poke(r->sides[n], 0, r->host, ORACLE_DATA_SIZE);
        }
    }
}

static void run_cases(struct run *r, unsigned long cases)
{
    const struct cpu_features *feat = oracle_features(r->sides[0]);
    const char *only = getenv("VITRINE_ORACLE_OP"), *mode = getenv("VITRINE_ORACLE_MODE");
    const char *seed = getenv("VITRINE_ORACLE_SEED");
    unsigned want = mode == NULL ? 9 : atoi(mode) == 16 ? 0 : atoi(mode) == 32 ? 1 : 2;
    unsigned long tries = 0;
    uint64_t base = seed ? strtoull(seed, NULL, 0) << 32 : 0;
    for (uint64_t round = 0; r->total < cases && tries < 100 * cases; round++) {
        for (unsigned e = 0; e < r->n; e++) {
            struct oracle_case k;
            if ((r->enc[e].op == OP_ud && !only && (round + e) % 16 != 0) ||
                (only && strcmp(only, op_name(r->enc[e].op)) != 0) ||
                (want < 3 && r->enc[e].mode != want)) {
                continue;
            }
            tries++;
            for (unsigned t = 0; t < 4; t++) {
                if (oracle_gen_case(&r->enc[e], feat, base + round * 4 + t, &k)) {
                    one_case(r, &k, e);
                    break;
                }
            }
        }
        if (round % 16 == 15) {
            refill(r, round);
        }
        if (tries == 0) {
            break;
        }
    }
}

/* Exit status of the child: 0 good, 1 differences, 2 cannot. */
static int child(void)
{
    static struct run r;
    const char *why = "", *want = getenv("VITRINE_ORACLE_CASES");
    if (!oracle_native_open(&why)) {
        printf("no oracle: %s\n", why);
        return 2;
    }
    r.host = oracle_native_data();
    r.sides[0] = oracle_side_open();
    r.sides[1] = oracle_side_open();
    if (r.sides[0] == NULL || r.sides[1] == NULL || !oracle_native_lock()) {
        return 1;
    }
    r.n = oracle_encodings(oracle_features(r.sides[0]), &r.enc);
    r.done = calloc(r.n, sizeof *r.done);
    r.done_fault = calloc(r.n, sizeof *r.done_fault);
    refill(&r, 0x1234567);
    printf("%u encodings\n", r.n);
    fflush(stdout);
    unsigned long cases = want                     ? strtoul(want, NULL, 0)
                          : getenv("VITRINE_LONG") ? WANT_LONG
                                                   : WANT_CASES;
    run_cases(&r, cases);
    for (unsigned op = 0; op < OP_COUNT; op++) {
        if (r.bad_exec[op] + r.bad_engine[op] != 0) {
            printf("%-12s %6u cases: exec_table differs in %u, only the engine in %u; flags %x\n",
                   op_name(op), r.cases[op], r.bad_exec[op], r.bad_engine[op], r.flag_diff[op]);
        }
    }
    printf("%u encodings, %lu cases, %lu entered the kernel, %lu differences\n", r.n, r.total,
           r.kernel, r.bad);
    return r.bad != 0;
}

static void test_host_oracle(void **state)
{
    int status = 0;
    (void)state;
    fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(getenv("VITRINE_LONG") ? 7200 : 900); /* a safety net: the host may be busy */
        int r = child();
        fflush(stdout);
        _exit(r);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        fail_msg("the child died of signal %d", WTERMSIG(status));
    }
    if (WEXITSTATUS(status) == 2) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_host_oracle)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
