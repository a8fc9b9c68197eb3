/* CPU models as tables: what CPUID reports is what the decoder accepts. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* FEATURE(name, leaf, subleaf, register, bit): SDM Vol. 2A, "CPUID". */
enum cpu_feature {
    FEAT_ALWAYS,
#define FEATURE(name, leaf, sub, reg, bit) FEAT_##name,
#include "cpu/features.def"
#undef FEATURE
    FEAT_COUNT
};
struct cpu_features {
    uint64_t bits[4]; /* bit n: enum cpu_feature n */
};
static inline bool feat_has(const struct cpu_features *f, unsigned feature)
{
    return feature == FEAT_ALWAYS || (f->bits[feature >> 6] >> (feature & 63) & 1);
}
struct cpu_model {
    const char *name, *what;   /* "pentium3", "Intel Pentium III (Katmai)" */
    const char *vendor;        /* 12 characters */
    uint32_t signature;        /* family, model, stepping: CPUID.1:EAX */
    const char *brand;         /* up to 48 characters or NULL */
    struct cpu_features feat;
    uint32_t max_leaf, max_ext_leaf;
};
struct err;
const struct cpu_model *cpuid_model(const char *name);               /* NULL: the default */
const struct cpu_model *cpuid_models(unsigned i);                    /* NULL past the end */
/* Apply "+x,-y,vendor=NAME" to *f; unknown names give one sentence with the nearest name.  The
 * vendor is FEAT_AMD: where the makers differ the processor does as the one that it names. */
bool cpuid_apply_flags(struct cpu_features *f, const char *flags, struct err *err);
struct cpu;
/* The answer to CPUID(leaf, subleaf) on this CPU in its present state: eax, ebx, ecx, edx. */
void cpuid_query(const struct cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
