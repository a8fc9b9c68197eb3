/* How fast is the engine?  Runs a flat image for 7C00h (see ../shared/bench: bare-20.bin) in the
 * processor's bench and prints MIPS for each part of it, by processor time.
 *
 *   ninja -C build/release && gcc -O2 -I. tools/bench_interp.c tests/rig/cpu_rig.c \
 *     -Wl,--whole-archive build/release/libpc_cpu.a -Wl,--no-whole-archive \
 *     build/release/libpc_mem.a build/release/libpc_base.a -lm -o /tmp/bench_interp
 *   /tmp/bench_interp bare-20.bin [step] [only=NAME] [paging] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cpu/core.h"
#include "cpu/interp/engine.h"
#include "tests/rig/cpu_rig.h"

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    static uint8_t image[1 << 20];
    FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
    struct cpu_rig *r = cpu_rig_create("max,+lm", (uint64_t)48 << 20);
    if (!f || !r) {
        fprintf(stderr, "usage: bench_interp IMAGE [step]\n");
        return 1;
    }
    size_t n = fread(image, 1, sizeof image, f);
    fclose(f);
    cpu_rig_load(r, 0x7c00, image, n);
    cpu_rig_real(r, 0, 0x7c00, 0x7c00);
    interp_step_only(r->cpu, argc > 2 && strcmp(argv[2], "step") == 0);
    uint64_t total = 0, mark = 0;
    double t0 = seconds(), begin = t0, logs = 0;
    size_t seen = 0;
    unsigned parts = 0;
    while (!r->ended) {
        enum cpu_stop s = cpu_rig_run(r, 20000);
        total += r->done;
        if (s == CPU_TRIPLE_FAULT || s == CPU_INTERNAL || s == CPU_HALTED) {
            printf("stopped: %d at %llx after %llu\n", s,
                   (unsigned long long)cpu_state(r->cpu)->rip, (unsigned long long)total);
            struct cpu_fault_record fr[8];
            for (unsigned i = 0, k = cpu_last_faults(r->cpu, fr); i < k; i++) {
                printf("fault %u error %x at %x:%llx cr2 %llx\n", fr[i].vector, fr[i].error,
                       fr[i].cs, (unsigned long long)fr[i].rip, (unsigned long long)fr[i].cr2);
            }
            return 1;
        }
        r->out[r->out_len] = 0;
        char *nl;
        while ((nl = strchr(r->out + seen, '\n')) != NULL) {
            char *line = r->out + seen;
            *nl = 0;
            seen = (size_t)(nl - r->out) + 1;
            line[strcspn(line, "\r")] = 0;
            if (strncmp(line, "BEGIN", 5) == 0) {
                begin = seconds();
                mark = total;
            } else if (strncmp(line, "END", 3) == 0) {
                double t = seconds() - begin, mips = (double)(total - mark) / t / 1e6;
                printf("%-44s %9.1f MIPS %12llu insns %7.3f s\n", line, mips,
                       (unsigned long long)(total - mark), t);
                logs += log(mips);
                parts++;
            } else {
                printf("%s\n", line);
            }
            fflush(stdout);
        }
    }
    struct interp *e = r->cpu->engine;
    printf("geomean %.1f MIPS, all %.1f MIPS; blocks built %llu, killed %llu, flushes %llu\n",
           parts ? exp(logs / parts) : 0, (double)total / (seconds() - t0) / 1e6,
           (unsigned long long)e->builds, (unsigned long long)e->kills,
           (unsigned long long)e->flushes);
    cpu_rig_destroy(r);
    return 0;
}
