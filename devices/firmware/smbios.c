/* SMBIOS structures and their entry point.
 * DMTF DSP0134, System Management BIOS Reference Specification 2.8.0, "Accessing SMBIOS
 * information" and "Structure definitions".
 * NOT IMPLEMENTED: caches (type 7), slots, on-board devices, OEM strings; the 64-bit entry point
 * of SMBIOS 3; BIOS information unless asked for (the firmware describes itself). */
#include "devices/firmware/smbios.h"

#include "base/bits.h"

enum { HANDLE_SYSTEM = 0x100, HANDLE_BOARD = 0x200, HANDLE_CHASSIS = 0x300, HANDLE_CPU = 0x400,
       HANDLE_ARRAY = 0x1000, HANDLE_DIMM = 0x1100, HANDLE_MAP = 0x1300, HANDLE_BOOT = 0x2000,
       HANDLE_END = 0x7f00 };
enum { STRUCT_MAX = 64 };
#define DIMM_MAX ((uint64_t)16 << 30)

/* One structure: a formatted area, then the strings that it counts from 1. */
struct smbios_struct {
    uint8_t f[STRUCT_MAX];
    const char *text[8];
    unsigned texts;
};

static struct smbios_struct smbios_new(uint8_t type, uint8_t len, uint16_t handle)
{
    struct smbios_struct s = {.f = {type, len}};
    store_le16(s.f + 2, handle);
    return s;
}

static void smbios_text(struct smbios_struct *s, unsigned at, const char *text,
                        const char *fallback)
{
    text = text ? text : fallback;
    if (text && text[0]) { /* an empty string cannot stand in a table: number 0 means none */
        s->text[s->texts++] = text;
        s->f[at] = (uint8_t)s->texts;
    }
}

static void smbios_bytes(struct smbios_blobs *b, const void *p, size_t len)
{
    if (len > sizeof b->tables - b->len) {
        b->full = true;
        return;
    }
    memcpy(b->tables + b->len, p, len);
    b->len += (uint32_t)len;
}

static void smbios_put(struct smbios_blobs *b, const struct smbios_struct *s)
{
    uint32_t start = b->len;
    smbios_bytes(b, s->f, s->f[1]);
    for (unsigned i = 0; i < s->texts; i++) {
        size_t len = strlen(s->text[i]);
        smbios_bytes(b, s->text[i], len < SMBIOS_STRING_MAX ? len : SMBIOS_STRING_MAX);
        smbios_bytes(b, "", 1);
    }
    smbios_bytes(b, "\0", s->texts ? 1 : 2);
    b->count++;
    if (b->len - start > b->largest) {
        b->largest = (uint16_t)(b->len - start);
    }
}

static void smbios_bios(struct smbios_blobs *b, const struct smbios_fields *t)
{
    struct smbios_struct s = smbios_new(0, 24, 0);
    if (!t->given) {
        return;
    }
    smbios_text(&s, 4, t->vendor, NULL);
    smbios_text(&s, 5, t->version, NULL);
    smbios_text(&s, 8, t->date, NULL);
    store_le16(s.f + 6, 0xe800);
    s.f[10] = 0x08;                        /* characteristics are not supported */
    s.f[19] = 0x14 | (t->uefi ? 0x08 : 0); /* a virtual machine; content distribution */
    s.f[20] = t->has_release ? t->major : 0;
    s.f[21] = t->has_release ? t->minor : 0;
    s.f[22] = s.f[23] = 0xff; /* no embedded controller */
    smbios_put(b, &s);
}

/* The first three parts of a UUID are little-endian numbers since SMBIOS 2.6. */
static void smbios_uuid(uint8_t *to, const uint8_t *u)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (unsigned i = 0; i < 16; i++) {
        to[i] = u[order[i]];
    }
}

static void smbios_system(struct smbios_blobs *b, const struct smbios_fields *t)
{
    struct smbios_struct s = smbios_new(1, 27, HANDLE_SYSTEM);
    smbios_text(&s, 4, t->manufacturer, "Vitrine");
    smbios_text(&s, 5, t->product, "PC (i440FX + PIIX)");
    smbios_text(&s, 6, t->version, "1");
    smbios_text(&s, 7, t->serial, NULL);
    if (t->has_uuid) {
        smbios_uuid(s.f + 8, t->uuid);
    }
    s.f[24] = 6; /* woken up by the power switch */
    smbios_text(&s, 25, t->sku, NULL);
    smbios_text(&s, 26, t->family, NULL);
    smbios_put(b, &s);
}

static void smbios_board(struct smbios_blobs *b, const struct smbios_fields *t)
{
    struct smbios_struct s = smbios_new(2, 15, HANDLE_BOARD);
    smbios_text(&s, 4, t->manufacturer, "Vitrine");
    smbios_text(&s, 5, t->product, "440FX");
    smbios_text(&s, 6, t->version, NULL);
    smbios_text(&s, 7, t->serial, NULL);
    smbios_text(&s, 8, t->asset, NULL);
    s.f[9] = 1; /* hosts the processor */
    smbios_text(&s, 10, t->location, NULL);
    store_le16(s.f + 11, HANDLE_CHASSIS);
    s.f[13] = 10; /* motherboard */
    smbios_put(b, &s);
}

static void smbios_chassis(struct smbios_blobs *b, const struct smbios_fields *t)
{
    struct smbios_struct s = smbios_new(3, 22, HANDLE_CHASSIS);
    smbios_text(&s, 4, t->manufacturer, "Vitrine");
    s.f[5] = 1; /* other */
    smbios_text(&s, 6, t->version, NULL);
    smbios_text(&s, 7, t->serial, NULL);
    smbios_text(&s, 8, t->asset, NULL);
    s.f[9] = s.f[10] = s.f[11] = 3; /* boot-up, power supply, thermal: safe */
    s.f[12] = 2;                    /* security: unknown */
    smbios_text(&s, 21, t->sku, NULL);
    smbios_put(b, &s);
}

/* One socket: how many of its cores and threads are there. */
static void smbios_cpu(struct smbios_blobs *b, const struct smbios_config *cfg, unsigned n,
                       unsigned cores, unsigned threads)
{
    const struct smbios_fields *t = &cfg->type[4];
    struct smbios_struct s = smbios_new(4, 42, (uint16_t)(HANDLE_CPU + n));
    char socket[SMBIOS_STRING_MAX + 3] = {0};
    const char *prefix = t->sock_pfx ? t->sock_pfx : "CPU";
    size_t len = strlen(prefix) < SMBIOS_STRING_MAX - 2 ? strlen(prefix) : SMBIOS_STRING_MAX - 2;
    memcpy(socket, prefix, len);
    socket[len] = ' ';
    socket[len + 1] = (char)('0' + n % 10);
    smbios_text(&s, 4, socket, NULL);
    s.f[5] = 3; /* central processor */
    s.f[6] = 1; /* a family of its own */
    smbios_text(&s, 7, t->manufacturer, "Vitrine");
    store_le32(s.f + 8, cfg->cpu_signature);
    store_le32(s.f + 12, cfg->cpu_features);
    smbios_text(&s, 16, t->version, NULL);
    s.f[24] = 0x41; /* populated, enabled */
    s.f[25] = 1;
    memset(s.f + 26, 0xff, 6); /* no caches described */
    smbios_text(&s, 32, t->serial, NULL);
    smbios_text(&s, 33, t->asset, NULL);
    smbios_text(&s, 34, t->part, NULL);
    s.f[35] = s.f[36] = (uint8_t)cores; /* of them enabled */
    s.f[37] = (uint8_t)threads;
    /* characteristics: unknown, or more than one core, thread */
    store_le16(s.f + 38, (uint16_t)((cores > 1 ? 8 : 0) | (threads > cores ? 16 : 0) |
                                    (threads > 1 ? 0 : 2)));
    store_le16(s.f + 40, 1);
    smbios_put(b, &s);
}

static void smbios_cpus(struct smbios_blobs *b, const struct smbios_config *cfg)
{
    unsigned cpus = cfg->cpus ? cfg->cpus : 1, cores = cfg->cores ? cfg->cores : 1;
    unsigned threads = cfg->threads ? cfg->threads : 1, in_socket = cores * threads;
    for (unsigned n = 0; n * in_socket < cpus; n++) {
        unsigned left = cpus - n * in_socket, here = left < in_socket ? left : in_socket;
        smbios_cpu(b, cfg, n, (here + threads - 1) / threads, here);
    }
}

static void smbios_memory(struct smbios_blobs *b, const struct smbios_config *cfg)
{
    static const char *const name[] = {"DIMM 0", "DIMM 1", "DIMM 2", "DIMM 3", "DIMM 4", "DIMM 5",
                                       "DIMM 6", "DIMM 7"};
    uint64_t ram = cfg->below_4g + cfg->above_4g;
    unsigned dimms = (unsigned)((ram + DIMM_MAX - 1) / DIMM_MAX);
    dimms = dimms < ARRAY_LEN(name) ? dimms : ARRAY_LEN(name);
    struct smbios_struct s = smbios_new(16, 23, HANDLE_ARRAY);
    s.f[4] = 1; /* location: other */
    s.f[5] = 3; /* system memory */
    s.f[6] = 3; /* no error correction */
    store_le32(s.f + 7, (uint32_t)(ram >> 10));
    store_le16(s.f + 11, 0xfffe);
    store_le16(s.f + 13, (uint16_t)dimms);
    smbios_put(b, &s);
    for (unsigned i = 0; i < dimms; i++) {
        uint64_t left = ram - i * DIMM_MAX, size = left < DIMM_MAX ? left : DIMM_MAX;
        s = smbios_new(17, 40, (uint16_t)(HANDLE_DIMM + i));
        store_le16(s.f + 4, HANDLE_ARRAY);
        store_le16(s.f + 6, 0xfffe);
        store_le16(s.f + 8, 64);
        store_le16(s.f + 10, 64);
        /* in MB; what is no whole number of them, and small, in KB (bit 15) */
        store_le16(s.f + 12, size & 0xfffff && size < 32 << 20 ? (uint16_t)(0x8000 | size >> 10)
                                                                : (uint16_t)(size >> 20));
        s.f[14] = 9; /* DIMM */
        smbios_text(&s, 16, name[i], NULL);
        s.f[18] = 7;              /* RAM */
        store_le16(s.f + 19, 2);  /* detail: other */
        smbios_text(&s, 23, "Vitrine", NULL);
        smbios_put(b, &s);
    }
    for (unsigned i = 0; i < 2; i++) {
        uint64_t base = i ? (uint64_t)1 << 32 : 0, len = i ? cfg->above_4g : cfg->below_4g;
        if (!len) {
            continue;
        }
        s = smbios_new(19, 31, (uint16_t)(HANDLE_MAP + i));
        store_le32(s.f + 4, (uint32_t)(base >> 10));
        store_le32(s.f + 8, (uint32_t)((base + len - 1) >> 10));
        store_le16(s.f + 12, HANDLE_ARRAY);
        s.f[14] = 1;
        smbios_put(b, &s);
    }
}

static uint8_t smbios_negative_sum(const uint8_t *p, size_t len)
{
    uint8_t sum = 0;
    while (len--) {
        sum = (uint8_t)(sum - *p++);
    }
    return sum;
}

/* The table's address stays 0: the firmware knows it, and mends the checksum. */
static void smbios_anchor(struct smbios_blobs *b)
{
    uint8_t *a = b->anchor;
    memcpy(a, "_SM_", 4);
    a[5] = SMBIOS_ANCHOR_LEN;
    a[6] = 2;
    a[7] = 8;
    store_le16(a + 8, b->largest);
    memcpy(a + 16, "_DMI_", 5);
    store_le16(a + 22, (uint16_t)b->len);
    store_le16(a + 28, b->count);
    a[30] = 0x28;
    a[21] = smbios_negative_sum(a + 16, 15);
    a[4] = smbios_negative_sum(a, SMBIOS_ANCHOR_LEN);
}

void smbios_build(struct smbios_blobs *b, const struct smbios_config *cfg)
{
    memset(b, 0, sizeof *b);
    smbios_bios(b, &cfg->type[0]);
    smbios_system(b, &cfg->type[1]);
    smbios_board(b, &cfg->type[2]);
    smbios_chassis(b, &cfg->type[3]);
    smbios_cpus(b, cfg);
    smbios_memory(b, cfg);
    struct smbios_struct s = smbios_new(32, 11, HANDLE_BOOT); /* no error at boot */
    smbios_put(b, &s);
    s = smbios_new(127, 4, HANDLE_END);
    smbios_put(b, &s);
    smbios_anchor(b);
}
