/* Booting a Multiboot kernel given on the command line.
 * Document: Multiboot Specification 0.6.96, "OS image format", "Machine state", "Boot information
 * format"; Tool Interface Standard ELF 1.2, "Program Header".
 *
 * Here the image is understood and everything placed: what becomes known only in the machine
 * (memory map, graphics modes) is left to a boot ROM (roms/multiboot.asm), which works through a
 * script of copies and enters the kernel.
 *
 *   the script, little-endian dwords:
 *    0 steps   4 entry   8 boot information at   12 memory map at   16 its entries at most
 *   20 graphics wanted   24 width   28 height   32 depth
 *   36 VBE control information at   40 mode information at   44 bytes of script
 *   48 steps of 20 bytes: fw_cfg item, bytes to skip, bytes to read, where to, zeros behind them
 *
 * NOT IMPLEMENTED: ELF section headers and a.out symbols (flags 4, 5), drives, APM and ROM tables
 * (flags 7, 8, 10), 64-bit ELF images, Multiboot 2. */
#include "machine/machine_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/firmware/fw_cfg.h"

#define MB_SEARCH 8192u
#define MB_MAGIC 0x1badb002u

enum { /* header flags */
       MB_PAGE_ALIGN = 1,
       MB_MEMORY_INFO = 2,
       MB_VIDEO_MODE = 4,
       MB_ADDRESSES = 1 << 16
};
enum { /* information flags */
       MBI_BOOT_DEVICE = 1 << 1,
       MBI_CMDLINE = 1 << 2,
       MBI_MODULES = 1 << 3,
       MBI_LOADER_NAME = 1 << 9
};
#define MB_PIECES 32
#define MB_STEPS (MB_PIECES + MACHINE_MODULES + 1)
#define MB_MMAP_MAX 64
#define MBI_LEN 128 /* the structure has 116 */
#define SCRIPT_HEAD 48u
#define STEP_LEN 20u
/* The boot ROM's own memory ends here; SeaBIOS's tables are at the top. */
#define LOW_FIRST 0x10000u
#define LOW_END 0x90000u
#define BIOS_TOP_RESERVE 0x50000u

struct piece {
    uint32_t off, len; /* in the file */
    uint32_t addr, zeros;
};
struct multiboot {
    const uint8_t *file;
    size_t len;
    struct piece piece[MB_PIECES];
    unsigned pieces;
    uint32_t entry;
    uint32_t end; /* behind the highest piece */
    bool video;
    uint32_t width, height, depth;
};

static size_t mb_header(const uint8_t *k, size_t len)
{
    for (size_t off = 0; off + 12 <= len && off + 12 <= MB_SEARCH; off += 4) {
        if (load_le32(k + off) == MB_MAGIC &&
            load_le32(k + off) + load_le32(k + off + 4) + load_le32(k + off + 8) == 0) {
            return off;
        }
    }
    return SIZE_MAX;
}

bool machine_is_multiboot(const void *kernel, size_t len)
{
    const uint8_t *k = kernel;
    return !(len > 0x210 && memcmp(k + 0x202, "HdrS", 4) == 0) && mb_header(k, len) != SIZE_MAX;
}

static bool mb_add(struct machine *m, struct multiboot *mb, const struct piece *p, struct err *err)
{
    uint64_t top = board_ram_below_4g(m) - BIOS_TOP_RESERVE;
    uint64_t end = (uint64_t)p->addr + p->len + p->zeros;
    if (p->off > mb->len || p->len > mb->len - p->off) {
        return err_set(err, EINVAL, "the Multiboot kernel is cut short");
    }
    if (end == p->addr) {
        return true;
    }
    if (mb->pieces == MB_PIECES) {
        return err_set(err, EINVAL, "the Multiboot kernel has more than %u loadable segments",
                       MB_PIECES);
    }
    if (end > top) {
        return err_set(err, ENOMEM,
                       "the Multiboot kernel wants memory up to %" PRIu64 " MB, the machine has %"
                       PRIu64 " MB",
                       (end + BIOS_TOP_RESERVE + 0xfffff) >> 20, m->ram.size >> 20);
    }
    if (p->addr < LOW_FIRST || (p->addr < 0x100000 && end > LOW_END)) {
        return err_set(err, EINVAL,
                       "the Multiboot kernel wants to be loaded at %" PRIx32 "h, where the BIOS is",
                       p->addr);
    }
    mb->piece[mb->pieces++] = *p;
    mb->end = end > mb->end ? (uint32_t)end : mb->end;
    return true;
}

static bool mb_elf(struct machine *m, struct multiboot *mb, struct err *err)
{
    const uint8_t *k = mb->file;
    if (mb->len < 52 || memcmp(k, "\177ELF", 4) != 0) {
        return err_set(err, EINVAL, "the Multiboot kernel is neither ELF nor does its header tell "
                       "addresses");
    }
    if (k[4] != 1 || k[5] != 1 || load_le16(k + 18) != 3) {
        return err_set(err, EINVAL, "the Multiboot kernel is an ELF file of another kind than "
                       "32-bit i386; objcopy -O elf32-i386 may make one of it");
    }
    uint32_t virt = load_le32(k + 24), phoff = load_le32(k + 28);
    unsigned phentsize = load_le16(k + 42), phnum = load_le16(k + 44);
    mb->entry = virt;
    for (unsigned i = 0; i < phnum; i++) {
        uint64_t at = (uint64_t)phoff + (uint64_t)i * phentsize;
        if (phentsize < 32 || at + 32 > mb->len) {
            return err_set(err, EINVAL, "the Multiboot kernel is cut short");
        }
        const uint8_t *ph = k + at;
        if (load_le32(ph) != 1) { /* PT_LOAD */
            continue;
        }
        uint32_t vaddr = load_le32(ph + 8), memsz = load_le32(ph + 20);
        struct piece p = {.off = load_le32(ph + 4), .len = load_le32(ph + 16),
                          .addr = load_le32(ph + 12)};
        p.len = p.len < memsz ? p.len : memsz;
        p.zeros = memsz - p.len;
        if (!mb_add(m, mb, &p, err)) {
            return false;
        }
        if (virt >= vaddr && virt - vaddr < memsz) {
            mb->entry = virt - vaddr + p.addr; /* a kernel linked for where it maps itself */
        }
    }
    return mb->pieces ||
           err_set(err, EINVAL, "the Multiboot kernel has no segment that can be loaded");
}

/* The header's own addresses, which stand above an ELF header: header_addr, load_addr,
 * load_end_addr (0: all of the file), bss_end_addr (0: none), entry_addr. */
static bool mb_addresses(struct machine *m, struct multiboot *mb, size_t header, struct err *err)
{
    if (header + 32 > mb->len) {
        return err_set(err, EINVAL, "the Multiboot kernel is cut short");
    }
    const uint8_t *h = mb->file + header;
    uint32_t header_addr = load_le32(h + 12), load = load_le32(h + 16), end = load_le32(h + 20),
             bss_end = load_le32(h + 24);
    if (load > header_addr || header_addr - load > header || (end && end < load) ||
        (bss_end && bss_end < (end ? end : load))) {
        return err_set(err, EINVAL, "the addresses in the Multiboot header contradict each other");
    }
    struct piece p = {.off = (uint32_t)header - (header_addr - load), .addr = load};
    p.len = end ? end - load : (uint32_t)(mb->len - p.off);
    if (bss_end > load + p.len) {
        p.zeros = bss_end - load - p.len;
    }
    mb->entry = load_le32(h + 28);
    return mb_add(m, mb, &p, err);
}

static bool mb_parse(struct machine *m, struct multiboot *mb, struct err *err)
{
    size_t header = mb_header(mb->file, mb->len);
    if (header == SIZE_MAX) {
        return err_set(err, EINVAL, "the kernel has no Multiboot header");
    }
    const uint8_t *h = mb->file + header;
    uint32_t flags = load_le32(h + 4);
    uint32_t unknown = flags & 0xffff & ~(uint32_t)(MB_PAGE_ALIGN | MB_MEMORY_INFO | MB_VIDEO_MODE);
    if (unknown) {
        return err_set(err, EINVAL,
                       "the Multiboot kernel requires what is not built (header flags %04" PRIx32
                       "h)", unknown);
    }
    if ((flags & MB_VIDEO_MODE) && header + 48 <= mb->len && load_le32(h + 32) == 0) {
        mb->video = true;
        mb->width = load_le32(h + 36);
        mb->height = load_le32(h + 40);
        mb->depth = load_le32(h + 44);
    }
    return flags & MB_ADDRESSES ? mb_addresses(m, mb, header, err) : mb_elf(m, mb, err);
}

/* A place of len bytes in conventional memory that no piece of the kernel needs; 0: none. */
static uint32_t mb_low_place(const struct multiboot *mb, uint32_t len)
{
    for (uint32_t at = LOW_FIRST; at + len <= LOW_END; at += 0x1000) {
        bool is_free = true;
        for (unsigned i = 0; i < mb->pieces; i++) {
            const struct piece *p = &mb->piece[i];
            uint64_t end = (uint64_t)p->addr + p->len + p->zeros;
            is_free = is_free && (at >= end || at + len <= p->addr);
        }
        if (is_free) {
            return at;
        }
    }
    return 0;
}

struct mb_out { /* what the machine keeps while it lives: script, information, modules, ROM */
    uint8_t *script, *info, *modules, *rom;
    uint32_t script_len, info_len;
    uint64_t modules_len;
};

static void mb_step(struct mb_out *out, uint16_t item, uint32_t skip, uint32_t len, uint32_t addr,
                    uint32_t zeros)
{
    uint8_t *s = out->script + out->script_len;
    store_le32(s, item);
    store_le32(s + 4, skip);
    store_le32(s + 8, len);
    store_le32(s + 12, addr);
    store_le32(s + 16, zeros);
    out->script_len += STEP_LEN;
    store_le32(out->script, load_le32(out->script) + 1);
}

/* A string into the information block; its address in the guest. */
static uint32_t mb_text(struct mb_out *out, uint32_t base, const char *text)
{
    uint32_t at = base + out->info_len;
    memcpy(out->info + out->info_len, text, strlen(text) + 1);
    out->info_len += (uint32_t)strlen(text) + 1;
    return at;
}

static bool mb_modules(struct machine *m, struct multiboot *mb, struct mb_out *out, uint32_t base,
                       struct err *err)
{
    const struct machine_config *cfg = &m->cfg;
    uint64_t at = (mb->end + PAGE_MASK) & ~PAGE_MASK,
             top = board_ram_below_4g(m) - BIOS_TOP_RESERVE;
    uint64_t first = at < 0x100000 ? 0x100000 : at;
    uint32_t skip = 0;
    uint8_t *list = out->info + MBI_LEN;
    at = first;
    for (unsigned i = 0; i < cfg->modules; i++) {
        const struct machine_module *mod = &cfg->module[i];
        if (at + mod->data.len > top) {
            return err_set(err, ENOMEM,
                           "kernel and modules need more than %" PRIu64 " MB of memory: use a "
                           "larger -m", m->ram.size >> 20);
        }
        uint32_t len = (uint32_t)mod->data.len;
        memcpy(out->modules + skip, mod->data.data, len);
        store_le32(list + i * 16, (uint32_t)at);
        store_le32(list + i * 16 + 4, (uint32_t)at + len);
        store_le32(list + i * 16 + 8, mb_text(out, base, mod->cmdline));
        mb_step(out, FW_CFG_INITRD_DATA, skip, len, (uint32_t)at, 0);
        skip += len;
        at = (at + len + PAGE_MASK) & ~PAGE_MASK;
    }
    return true;
}

static bool mb_build(struct machine *m, struct multiboot *mb, struct mb_out *out, struct err *err)
{
    const struct machine_config *cfg = &m->cfg;
    const char *path = cfg->kernel_path ? cfg->kernel_path : "kernel";
    const char *append = cfg->append ? cfg->append : "";
    uint32_t texts = (uint32_t)(strlen(path) + strlen(append) + 32), mods_len = 0;
    for (unsigned i = 0; i < cfg->modules; i++) {
        texts += (uint32_t)strlen(cfg->module[i].cmdline) + 1;
        mods_len += 16;
        out->modules_len += cfg->module[i].data.len;
    }
    uint32_t mmap_len = MB_MMAP_MAX * 24, vbe_len = 512 + 256;
    uint32_t info_max = MBI_LEN + mods_len + texts + 8 + mmap_len + vbe_len;
    if (texts > 16384) {
        return err_set(err, EINVAL, "-append and the modules' command lines are too long");
    }
    if (out->modules_len > board_ram_below_4g(m)) {
        return err_set(err, ENOMEM, "the modules do not fit into memory: use a larger -m");
    }
    uint32_t base = mb_low_place(mb, info_max);
    if (!base) {
        return err_set(err, EINVAL, "the Multiboot kernel leaves no memory below 640 KB for its "
                       "boot information");
    }
    size_t script_max = SCRIPT_HEAD + MB_STEPS * STEP_LEN;
    uint8_t *keep = calloc(1, script_max + info_max + out->modules_len + multiboot_rom_len);
    if (!keep) {
        return err_set(err, ENOMEM, "out of memory");
    }
    m->linux_keep = keep;
    out->script = keep;
    out->script_len = SCRIPT_HEAD;
    out->info = keep + script_max;
    out->info_len = MBI_LEN + mods_len;
    out->modules = out->info + info_max;
    out->rom = out->modules + out->modules_len;
    for (unsigned i = 0; i < mb->pieces; i++) {
        const struct piece *p = &mb->piece[i];
        mb_step(out, FW_CFG_KERNEL_DATA, p->off, p->len, p->addr, p->zeros);
    }
    if (!mb_modules(m, mb, out, base, err)) {
        return false;
    }
    char line[17000];
    snprintf(line, sizeof line, "%s%s%s", path, *append ? " " : "", append);
    uint8_t *mbi = out->info;
    store_le32(mbi, MBI_BOOT_DEVICE | MBI_CMDLINE | MBI_LOADER_NAME |
                        (cfg->modules ? MBI_MODULES : 0));
    store_le32(mbi + 12, 0x8000ffff); /* first disk, no partition */
    store_le32(mbi + 16, mb_text(out, base, line));
    store_le32(mbi + 20, cfg->modules);
    store_le32(mbi + 24, cfg->modules ? base + MBI_LEN : 0);
    store_le32(mbi + 64, mb_text(out, base, "vitrine"));
    uint32_t mmap = base + ((out->info_len + 7) & ~7u);
    out->info_len = info_max;
    mb_step(out, FW_CFG_CMDLINE_DATA, 0, out->info_len, base, 0);
    const uint32_t head[] = {
        mb->entry,      base,       mmap,      MB_MMAP_MAX,     mb->video,
        mb->width,      mb->height, mb->depth, mmap + mmap_len, mmap + mmap_len + 512,
        out->script_len};
    for (unsigned i = 0; i < ARRAY_LEN(head); i++) {
        store_le32(out->script + 4 + 4 * i, head[i]);
    }
    return true;
}

bool multiboot_setup(struct machine *m, struct fw_cfg *fw, struct err *err)
{
    struct multiboot mb = {.file = m->cfg.kernel.data, .len = m->cfg.kernel.len};
    struct mb_out out = {0};
    if (mb.len > UINT32_MAX) {
        return err_set(err, EINVAL, "the Multiboot kernel is too large");
    }
    if (!mb_parse(m, &mb, err) || !mb_build(m, &mb, &out, err)) {
        return false;
    }
    memcpy(out.rom, multiboot_rom, multiboot_rom_len);
    boot_rom_checksum(out.rom, multiboot_rom_len);
    fw_cfg_add_bytes(fw, FW_CFG_SETUP_DATA, out.script, out.script_len);
    fw_cfg_add_bytes(fw, FW_CFG_KERNEL_DATA, mb.file, (uint32_t)mb.len);
    fw_cfg_add_bytes(fw, FW_CFG_INITRD_DATA, out.modules, (uint32_t)out.modules_len);
    fw_cfg_add_bytes(fw, FW_CFG_CMDLINE_DATA, out.info, out.info_len);
    return fw_cfg_add_file(fw, "genroms/multiboot.rom", out.rom, (uint32_t)multiboot_rom_len) ||
           err_set(err, ENOSPC, "fw_cfg is full");
}
