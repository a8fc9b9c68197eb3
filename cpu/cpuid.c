/* CPU models and the answer to CPUID.  SDM Vol. 2A, "CPUID"; descriptors of leaf 2: table 3-12
 * there; extended leaves: AMD64 APM Vol. 3, appendix E.
 *
 * What CPUID says is what the decoder accepts: a feature without operations cannot be switched on.
 *
 * NOT IMPLEMENTED: leaf 3 (serial number), leaf 6 beyond ARAT, leaf 0Ah
 * (performance monitoring: none), hypervisor leaves. */
#include "cpu/cpuid.h"

#include <errno.h>
#include <stdio.h>

#include "base/bits.h"
#include "base/err.h"
#include "cpu/core.h"

#define BIT(name) ((uint64_t)1 << (FEAT_##name & 63))
/* every feature lies in word 0 or 1 */
_Static_assert(FEAT_COUNT <= 128, "widen FEATURES()");
#define IN0(name) (FEAT_##name < 64 ? BIT(name) : 0)
#define IN1(name) (FEAT_##name >= 64 ? BIT(name) : 0)

#define SET_386(W) (W(I286) | W(I386))
#define SET_486(W) (SET_386(W) | W(I486))
#define SET_P5(W)                                                                                  \
    (SET_486(W) | W(CPUID) | W(FPU) | W(VME) | W(DE) | W(PSE) | W(TSC) | W(MSR) | W(MCE) | \
     W(CX8) | W(APIC))
#define SET_P6(W) (SET_P5(W) | W(P6) | W(PAE) | W(SEP) | W(MTRR) | W(PGE) | W(CMOV) | W(PAT))
#define SET_P3(W) (SET_P6(W) | W(PSE36) | W(MMX) | W(FXSR) | W(SSE))
#define SET_QEMU32(W)                                                                              \
    (SET_486(W) | W(CPUID) | W(FPU) | W(DE) | W(PSE) | W(TSC) | W(MSR) | W(MCE) | W(CX8) | W(P6) | \
     W(PAE) | W(SEP) | W(PGE) | W(CMOV) | W(PAT) | W(MMX) | W(FXSR) | W(SSE) | W(SSE2) |           \
     W(SSE3) | W(APIC))
#define SET_V32(W) (SET_P3(W) | W(CLFLUSH) | W(SSE2) | W(NX))
/* the levels of the x86-64 psABI, with what every such processor has beside them */
#define SET_V1(W) (SET_V32(W) | W(MCA) | W(SYSCALL) | W(LM))
#define SET_V2(W)                                                                                  \
    (SET_V1(W) | W(SSE3) | W(SSSE3) | W(CX16) | W(SSE4_1) | W(SSE4_2) | W(POPCNT) | W(LAHF64))
#define SET_V3(W)                                                                                  \
    (SET_V2(W) | W(FMA) | W(MOVBE) | W(XSAVE) | W(AVX) | W(F16C) | W(BMI1) | W(AVX2) | W(BMI2) |   \
     W(LZCNT))
#define SET_QEMU64(W) (SET_V1(W) | W(SSE3) | W(CX16) | W(LAHF64) | W(AMD))
#define SET_MAX(W)                                                                                 \
    (SET_V3(W) | W(PCLMULQDQ) | W(MONITOR) | W(PCID) | W(AES) | W(RDRAND) | W(FSGSBASE) |          \
     W(SMEP) | W(ERMS) | W(INVPCID) | W(RDSEED) | W(ADX) | W(SMAP) | W(CLFLUSHOPT) | W(CLWB) |     \
     W(SHA) | W(UMIP) | W(RDPID) | W(FSRM) | W(SPEC_CTRL) | W(ARCH_CAPABILITIES) | W(BHI_CTRL) |   \
     W(XSAVEOPT) | W(XSAVEC) | W(XGETBV1) | W(CR8_LEGACY) | W(PREFETCHW) | W(PDPE1GB) |            \
     W(RDTSCP) | W(ARAT) | W(INVTSC))
/* can be asked for: all of the above, and what other rooms supply */
#define SET_OFFERED(W) (SET_MAX(W) | W(HYPERVISOR) | W(AMD))
#define WORDS(SET) {{SET(IN0), SET(IN1)}}
#define SET_386FPU(W) (SET_386(W) | W(FPU))
#define SET_486FPU(W) (SET_486(W) | W(FPU))

static const struct cpu_model models[] = {
    {"vitrine", "the default: 64-bit, everything implemented", "GenuineIntel", 0x6fb,
     "Vitrine Processor", WORDS(SET_MAX), 0x15, 0x80000008},
    {"vitrine32", "family 6, everything a 32-bit PC can use", "GenuineIntel", 0x6d8,
     "Vitrine 32-bit Processor", WORDS(SET_V32), 2, 0x80000008},
    {"386", "Intel 80386DX with 80387", "GenuineIntel", 0x308, NULL, WORDS(SET_386FPU), 0, 0},
    {"486", "Intel 80486DX, without CPUID", "GenuineIntel", 0x415, NULL, WORDS(SET_486FPU), 0, 0},
    {"pentium", "Intel Pentium (P54C)", "GenuineIntel", 0x52c, NULL, WORDS(SET_P5), 1, 0},
    {"pentium3", "Intel Pentium III (Katmai)", "GenuineIntel", 0x673, NULL, WORDS(SET_P3), 2, 0},
    {"qemu32", "what QEMU calls qemu32", "GenuineIntel", 0x663, "QEMU Virtual CPU version 2.5+",
     WORDS(SET_QEMU32), 4, 0x80000004},
    {"qemu64", "what QEMU calls qemu64, less SVM", "AuthenticAMD", 0x60fb1,
     "QEMU Virtual CPU version 2.5+", WORDS(SET_QEMU64), 0xd, 0x80000008},
    {"x86-64-v1", "the first level of the x86-64 psABI: SSE2", "GenuineIntel", 0x6fb,
     "Vitrine x86-64-v1 Processor", WORDS(SET_V1), 0xd, 0x80000008},
    {"x86-64-v2", "up to SSE4.2 and POPCNT", "GenuineIntel", 0x6fb, "Vitrine x86-64-v2 Processor",
     WORDS(SET_V2), 0xd, 0x80000008},
    {"x86-64-v3", "up to AVX2, BMI2 and FMA", "GenuineIntel", 0x6fb, "Vitrine x86-64-v3 Processor",
     WORDS(SET_V3), 0xd, 0x80000008},
    {"max", "everything implemented", "GenuineIntel", 0x6fb, "Vitrine Processor", WORDS(SET_MAX),
     0x15, 0x80000008},
};
static const struct cpu_features offered = WORDS(SET_OFFERED);

static const struct {
    const char *name;
    uint32_t leaf;
    uint8_t sub, reg, bit;
} features[FEAT_COUNT] = {
#define FEATURE(n, l, s, r, b) [FEAT_##n] = {#n, l, s, r, b},
#include "cpu/features.def"
#undef FEATURE
};

const struct cpu_model *cpuid_model(const char *name)
{
    if (name == NULL) {
        return &models[0];
    }
    for (unsigned i = 0; i < ARRAY_LEN(models); i++) {
        if (strcmp(models[i].name, name) == 0) {
            return &models[i];
        }
    }
    return NULL;
}

const struct cpu_model *cpuid_models(unsigned i)
{
    return i < ARRAY_LEN(models) ? &models[i] : NULL;
}

/* Feature names are written in lower case, with '_', '-' or '.' as one likes: sse4_1, SSE4.1. */
static char canon(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (char)(c + 32);
    }
    return c == '.' || c == '-' ? '_' : c;
}

static bool name_equal(const char *feature, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (feature[i] == 0 || canon(feature[i]) != canon(s[i])) {
            return false;
        }
    }
    return feature[len] == 0;
}

/* Levenshtein distance, for names of sane length. */
static unsigned name_distance(const char *feature, const char *s, size_t len)
{
    unsigned row[32], n = (unsigned)strlen(feature);
    if (len >= 64 || n >= ARRAY_LEN(row)) {
        return 99;
    }
    for (unsigned j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; i <= len; i++) {
        unsigned diag = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= n; j++) {
            unsigned best = diag + (canon(feature[j - 1]) != canon(s[i - 1]));
            diag = row[j];
            best = best < row[j] + 1 ? best : row[j] + 1;
            row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
        }
    }
    return row[n];
}

static void name_lower(char out[32], const char *feature)
{
    unsigned i = 0;
    for (; feature[i] != 0 && i < 31; i++) {
        out[i] = canon(feature[i]);
    }
    out[i] = 0;
}

static unsigned find_feature(const char *s, size_t len)
{
    static const struct {
        const char *other;
        uint8_t feature;
    } also[] = {{"pni", FEAT_SSE3},      {"clfsh", FEAT_CLFLUSH}, {"xd", FEAT_NX},
                {"lahf_lm", FEAT_LAHF64}, {"i64", FEAT_LM},       {"cmpxchg8b", FEAT_CX8},
                {"cmpxchg16b", FEAT_CX16}, {"abm", FEAT_LZCNT}};
    for (unsigned i = 0; i < ARRAY_LEN(also); i++) {
        if (name_equal(also[i].other, s, len)) {
            return also[i].feature;
        }
    }
    for (unsigned i = 1; i < FEAT_COUNT; i++) {
        if (features[i].leaf != 0 && name_equal(features[i].name, s, len)) {
            return i;
        }
    }
    return FEAT_ALWAYS;
}

static bool unknown_feature(struct err *err, const char *s, size_t len)
{
    unsigned best = 99, at = 0;
    char near[32];
    for (unsigned i = 1; i < FEAT_COUNT; i++) {
        unsigned d = features[i].leaf != 0 && feat_has(&offered, i)
                         ? name_distance(features[i].name, s, len) : 99;
        if (d < best) {
            best = d;
            at = i;
        }
    }
    int shown = len > 40 ? 40 : (int)len;
    if (at != 0 && best < len && best <= 2) {
        name_lower(near, features[at].name);
        return err_set(err, EINVAL, "-cpu: no CPU feature \"%.*s\"; did you mean \"%s\"?", shown, s,
                       near);
    }
    return err_set(err, EINVAL, "-cpu: no CPU feature \"%.*s\"; write +NAME or -NAME, as +sse2",
                   shown, s);
}

#define AMD_BIT ((uint64_t)1 << (FEAT_AMD & 63))

static bool apply_vendor(struct cpu_features *f, const char *s, size_t len, struct err *err)
{
    static const char *const names[] = {"GenuineIntel", "AuthenticAMD", "intel", "amd"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (strlen(names[i]) == len && memcmp(names[i], s, len) == 0) {
            f->bits[FEAT_AMD >> 6] = (f->bits[FEAT_AMD >> 6] & ~AMD_BIT) | (i & 1 ? AMD_BIT : 0);
            return true;
        }
    }
    return err_set(err, EINVAL,
                   "-cpu: no vendor \"%.*s\"; say vendor=GenuineIntel or vendor=AuthenticAMD",
                   len > 40 ? 40 : (int)len, s);
}

bool cpuid_apply_flags(struct cpu_features *f, const char *flags, struct err *err)
{
    struct cpu_features r = *f;
    for (const char *s = flags; s != NULL && *s != 0;) {
        size_t len = strcspn(s, ","), name_len;
        const char *next = s[len] == ',' ? s + len + 1 : s + len;
        bool on = true;
        if (*s == '+' || *s == '-') {
            on = *s == '+';
            s++;
            len--;
        }
        name_len = strcspn(s, "=,");
        if (name_len == 6 && memcmp(s, "vendor", 6) == 0 && len > 6) {
            if (!apply_vendor(&r, s + 7, len - 7, err)) {
                return false;
            }
            s = next;
            continue;
        }
        if (name_len < len) { /* QEMU's newer spelling: NAME=on */
            const char *val = s + name_len + 1;
            size_t val_len = len - name_len - 1;
            if (val_len == 2 && memcmp(val, "on", 2) == 0) {
                on = true;
            } else if (val_len == 3 && memcmp(val, "off", 3) == 0) {
                on = false;
            } else {
                return err_set(err, EINVAL, "-cpu: \"%.*s\" is neither on nor off; write %.*s=on",
                               val_len > 40 ? 40 : (int)val_len, val,
                               name_len > 40 ? 40 : (int)name_len, s);
            }
        }
        unsigned id = find_feature(s, name_len);
        if (id == FEAT_ALWAYS) {
            return unknown_feature(err, s, name_len);
        }
        if (on && !feat_has(&offered, id)) {
            char lower[32];
            name_lower(lower, features[id].name);
            return err_set(err, ENOTSUP,
                           "-cpu: the feature \"%s\" is not implemented; leave +%s out", lower,
                           lower);
        }
        if (on) {
            r.bits[id >> 6] |= (uint64_t)1 << (id & 63);
        } else {
            r.bits[id >> 6] &= ~((uint64_t)1 << (id & 63));
        }
        s = next;
    }
    *f = r;
    return true;
}

/* The feature bits of one register of one leaf. */
static uint32_t feature_bits(const struct cpu *c, uint32_t leaf, uint32_t sub, unsigned reg)
{
    uint32_t v = 0;
    for (unsigned i = 1; i < FEAT_COUNT; i++) {
        if (features[i].leaf == leaf && leaf != 0 && features[i].sub == sub &&
            features[i].reg == reg && feat_has(&c->feat, i)) {
            v |= (uint32_t)1 << features[i].bit;
        }
    }
    return v;
}

/* Leaf 2: cache descriptors.  Pentium III: 16 K + 16 K L1 4-way, 512 K L2, the PPro TLBs.  Later:
 * 32 K + 32 K L1 8-way, 2 M L2, as a Pentium M says. */
static void leaf_caches(const struct cpu *c, uint32_t out[4])
{
    if (feat_has(&c->feat, FEAT_SSE2)) {
        out[0] = 0x02b3b001;
        out[1] = 0xf0;
        out[3] = 0x2c04307d;
    } else {
        out[0] = 0x03020101;
        out[3] = 0x0c040843;
    }
}

/* APIC IDs that number n of something: a field of whole bits. */
static uint32_t id_space(unsigned n)
{
    uint32_t ids = 1;
    while (ids < n) {
        ids *= 2;
    }
    return ids;
}

/* Leaf 0Bh, "Extended Topology Enumeration Leaf": threads of a core, threads of a socket. */
static void leaf_topology(const struct cpu *c, uint32_t sub, uint32_t out[4])
{
    uint32_t ids = id_space(c->threads) * (sub ? id_space(c->cores) : 1);
    out[2] = sub & 0xff;
    out[3] = c->apic_id;
    if (sub < 2) {
        out[0] = (uint32_t)__builtin_ctz(ids);
        out[1] = sub ? c->cores * c->threads : c->threads;
        out[2] |= (sub + 1) << 8;
    }
}

/* Leaf 4: the same caches, in the deterministic form: type, level, ways, line, sets. */
static void leaf_cache_params(const struct cpu *c, uint32_t sub, uint32_t out[4])
{
    static const struct {
        uint8_t type, level, ways;
        uint16_t sets;
    } caches[] = {{1, 1, 8, 64}, {2, 1, 8, 64}, {3, 2, 8, 4096}};
    if (sub < ARRAY_LEN(caches)) {
        out[0] = caches[sub].type | (uint32_t)caches[sub].level << 5 | 1 << 8 |
                 (id_space(c->threads) - 1) << 14 | (id_space(c->cores) - 1) << 26;
        out[1] = 63 | (uint32_t)(caches[sub].ways - 1) << 22;
        out[2] = caches[sub].sets - 1u;
    }
}

/* Leaf 0Dh: the XSAVE area for XCR0 as it is, and for all that may be set. */
static void leaf_xsave(const struct cpu *c, uint32_t sub, uint32_t out[4])
{
    bool avx = feat_has(&c->feat, FEAT_AVX);
    if (!feat_has(&c->feat, FEAT_XSAVE)) {
        return;
    }
    if (sub == 0) {
        out[0] = avx ? 7 : 3;
        out[1] = c->s.xcr0 & 4 ? 576 + 256 : 576;
        out[2] = avx ? 576 + 256 : 576;
    } else if (sub == 1) {
        out[0] = feature_bits(c, 0xd, 1, 0);
        if (feat_has(&c->feat, FEAT_XSAVEC)) { /* the compacted form is as long as the other */
            out[1] = c->s.xcr0 & 4 ? 576 + 256 : 576;
        }
    } else if (sub == 2 && avx) {
        out[0] = 256;
        out[1] = 576;
    }
}

static void leaf_vendor(const struct cpu *c, uint32_t out[4])
{
    const char *v = feat_has(&c->feat, FEAT_AMD) ? "AuthenticAMD" : "GenuineIntel";
    out[1] = load_le32(v);
    out[3] = load_le32(v + 4);
    out[2] = load_le32(v + 8);
}

/* Leaf 15h: TSC = crystal * EBX / EAX.  The crystal is what drives the local APIC timers: 1 GHz. */
static void leaf_tsc(const struct cpu *c, uint32_t out[4])
{
    uint64_t mhz = c->tsc_hz / 1000000;
    if (c->tsc_hz % 1000000 == 0 && mhz && mhz <= UINT32_MAX) {
        out[0] = 1000;
        out[1] = (uint32_t)mhz;
        out[2] = 1000000000;
    }
}

void cpuid_query(const struct cpu *c, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    const struct cpu_model *m = c->model;
    char brand[49] = {0};

    memset(out, 0, 4 * sizeof out[0]);
    /* beyond the last leaf Intel's processors answer as to the highest basic one */
    if (leaf >= 0x80000000u ? leaf > m->max_ext_leaf : leaf > m->max_leaf) {
        if (feat_has(&c->feat, FEAT_AMD)) {
            return; /* AMD's: all zero */
        }
        leaf = m->max_leaf;
    }
    switch (leaf) {
    case 0:
        out[0] = m->max_leaf;
        leaf_vendor(c, out);
        break;
    case 1:
        out[0] = m->signature;
        out[1] = feat_has(&c->feat, FEAT_CLFLUSH) ? 8 << 8 : 0; /* lines of 64 bytes */
        out[1] |= feat_has(&c->feat, FEAT_APIC) ? (uint32_t)c->apic_id << 24 : 0;
        out[2] = feature_bits(c, 1, 0, 2);
        out[3] = feature_bits(c, 1, 0, 3);
        if (c->cores * c->threads > 1) { /* HTT: the socket's logical processors are counted */
            out[1] |= id_space(c->cores) * id_space(c->threads) << 16;
            out[3] |= 1u << 28;
        }
        if (c->s.cr4 & CR4_OSXSAVE) {
            out[2] |= 1 << 27;
        }
        if (!(c->s.apic_base & APIC_BASE_ENABLE)) {
            out[3] &= ~(1u << 9);
            out[2] &= ~(1u << 21 | 1u << 24);
        }
        break;
    case 2:
        if (!feat_has(&c->feat, FEAT_AMD)) {
            leaf_caches(c, out);
        }
        break;
    case 4:
        if (!feat_has(&c->feat, FEAT_AMD)) {
            leaf_cache_params(c, sub, out);
        }
        break;
    case 5: /* MONITOR's line; ECX says that EDX counts, and EDX that there is no C1 to wait in: so
             * idle loops use HLT, which costs the host nothing */
        if (feat_has(&c->feat, FEAT_MONITOR)) {
            out[0] = out[1] = 64;
            out[2] = 3;
        }
        break;
    case 6: out[0] = feature_bits(c, 6, 0, 0); break;
    case 7:
        out[0] = sub == 0 && feat_has(&c->feat, FEAT_BHI_CTRL) ? 2 : 0; /* the last subleaf */
        for (unsigned r = 1; r < 4 && sub <= 2; r++) {
            out[r] = feature_bits(c, 7, sub, r);
        }
        break;
    case 0xb: leaf_topology(c, sub, out); break;
    case 0xd: leaf_xsave(c, sub, out); break;
    case 0x15: leaf_tsc(c, out); break;
    case 0x80000000:
        out[0] = m->max_ext_leaf;
        if (feat_has(&c->feat, FEAT_AMD)) {
            leaf_vendor(c, out);
        }
        break;
    case 0x80000001:
        out[2] = feature_bits(c, leaf, 0, 2);
        out[3] = feature_bits(c, leaf, 0, 3);
        if (feat_has(&c->feat, FEAT_AMD)) { /* repeats leaf 1's lower bits; CmpLegacy: cores */
            uint32_t one = feature_bits(c, 1, 0, 3);
            out[0] = m->signature;
            out[3] |= one & 0x0183f3ff;
            out[2] |= c->cores * c->threads > 1 ? 2 : 0;
        } else if (!(c->mode & MODE_CODE64)) {
            out[3] &= ~(1u << 11); /* Intel: SYSCALL only where it works */
        }
        break;
    case 0x80000002: case 0x80000003: case 0x80000004:
        if (m->brand != NULL) {
            snprintf(brand, sizeof brand, "%s", m->brand);
            for (unsigned r = 0; r < 4; r++) {
                out[r] = load_le32(brand + (leaf - 0x80000002) * 16 + r * 4);
            }
        }
        break;
    case 0x80000005: /* AMD's description of the same first-level caches */
        if (feat_has(&c->feat, FEAT_AMD)) {
            out[2] = out[3] = 32u << 24 | 8 << 16 | 1 << 8 | 64;
        }
        break;
    case 0x80000007: out[3] = feature_bits(c, leaf, 0, 3); break;
    case 0x80000006: out[2] = 2048u << 16 | 6 << 12 | 64; break; /* L2: 2 M, 8-way */
    case 0x80000008: /* linear and physical address widths */
        out[0] = feat_has(&c->feat, FEAT_LM) ? 48 << 8 | 40
                 : feat_has(&c->feat, FEAT_PAE) ? 32 << 8 | 36 : 32 << 8 | 32;
        if (feat_has(&c->feat, FEAT_AMD) && c->cores * c->threads > 1) {
            uint32_t ids = id_space(c->cores) * id_space(c->threads);
            out[2] = (c->cores * c->threads - 1) | (uint32_t)__builtin_ctz(ids) << 12;
        }
        break;
    default: break;
    }
}
