/* Booting a Linux kernel given on the command line.
 * Document: Linux "The Linux/x86 Boot Protocol" (Documentation/arch/x86/boot.rst).
 *
 * The pieces become fw_cfg items under QEMU's selectors; a small boot ROM (roms/linuxboot.asm),
 * offered to the BIOS as first boot device, copies them into memory by fw_cfg DMA and enters the
 * kernel's real-mode code, so the kernel finds the BIOS services that it expects. NOT IMPLEMENTED:
 * the 32- and 64-bit entry points, setup_data. */
#include "machine/machine_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/firmware/fw_cfg.h"

enum { /* offsets in the kernel image, boot.rst "The Real-Mode Kernel Header" */
       HDR_SETUP_SECTS = 0x1f1,
       HDR_VID_MODE = 0x1fa,
       HDR_BOOT_FLAG = 0x1fe,
       HDR_MAGIC = 0x202,
       HDR_VERSION = 0x206,
       HDR_LOADER = 0x210,
       HDR_LOADFLAGS = 0x211,
       HDR_RAMDISK = 0x218,
       HDR_RAMDISK_SIZE = 0x21c,
       HDR_HEAP_END = 0x224,
       HDR_CMDLINE = 0x228,
       HDR_INITRD_MAX = 0x22c,
       HDR_CMDLINE_SIZE = 0x238,
       HDR_INIT_SIZE = 0x260
};
#define SETUP_ADDR 0x10000u
#define CMDLINE_ADDR 0x20000u
#define KERNEL_ADDR 0x100000u
#define SETUP_MAX (64u * 512 + 512)
/* SeaBIOS puts its tables at the top of memory (BUILD_MAX_HIGHTABLE and some alignment) */
#define BIOS_TOP_RESERVE 0x50000u

/* The value of "vga=" on the command line as the header wants it. */
static uint16_t linux_vid_mode(const char *append)
{
    const char *p = strstr(append, "vga=");
    if (!p || (p != append && p[-1] != ' ')) {
        return 0xffff;
    }
    p += 4;
    if (strncmp(p, "normal", 6) == 0) {
        return 0xffff;
    }
    if (strncmp(p, "ext", 3) == 0) {
        return 0xfffe;
    }
    if (strncmp(p, "ask", 3) == 0) {
        return 0xfffd;
    }
    return (uint16_t)strtoul(p, NULL, 0);
}

struct linux_place {
    uint32_t setup_addr, kernel_addr, cmdline_addr, initrd_addr;
    uint32_t setup_len;
};

static bool linux_place(struct machine *m, const uint8_t *k, size_t len, struct linux_place *pl,
                        struct err *err)
{
    unsigned sects = k[HDR_SETUP_SECTS] ? k[HDR_SETUP_SECTS] : 4;
    unsigned version = load_le16(k + HDR_VERSION);
    pl->setup_len = (sects + 1) * 512;
    if (pl->setup_len >= len || pl->setup_len > SETUP_MAX) {
        return err_set(err, EINVAL, "the kernel is cut short");
    }
    bool high = version >= 0x200 && (k[HDR_LOADFLAGS] & 1);
    pl->setup_addr = high ? SETUP_ADDR : 0x90000;
    pl->kernel_addr = high ? KERNEL_ADDR : 0x10000;
    pl->cmdline_addr = high ? CMDLINE_ADDR : 0x9a000;
    uint64_t need = len - pl->setup_len;
    if (version >= 0x20a && load_le32(k + HDR_INIT_SIZE) > need) {
        need = load_le32(k + HDR_INIT_SIZE);
    }
    uint64_t top = board_ram_below_4g(m);
    if (pl->kernel_addr + need + BIOS_TOP_RESERVE > top) {
        return err_set(err, ENOMEM,
                       "the kernel needs %" PRIu64 " MB of memory, the machine has %" PRIu64 " MB",
                       (pl->kernel_addr + need + BIOS_TOP_RESERVE + 0xfffff) >> 20, top >> 20);
    }
    size_t initrd = m->cfg.initrd.len;
    if (!initrd) {
        return true;
    }
    uint64_t max = version >= 0x203 ? load_le32(k + HDR_INITRD_MAX) : 0x37ffffff;
    uint64_t end = max + 1 < top - BIOS_TOP_RESERVE ? max + 1 : top - BIOS_TOP_RESERVE;
    if (initrd > end || ((end - initrd) & ~PAGE_MASK) < pl->kernel_addr + need) {
        return err_set(err, ENOMEM,
                       "kernel and initrd need more than %" PRIu64 " MB of memory: use a larger -m",
                       top >> 20);
    }
    pl->initrd_addr = (uint32_t)((end - initrd) & ~PAGE_MASK);
    return true;
}

static void linux_patch(uint8_t *s, const struct linux_place *pl, size_t initrd, uint16_t vid)
{
    unsigned version = load_le16(s + HDR_VERSION);
    store_le16(s + HDR_VID_MODE, vid);
    if (version >= 0x200) {
        s[HDR_LOADER] = 0xff; /* a loader without a number of its own */
        store_le32(s + HDR_RAMDISK, initrd ? pl->initrd_addr : 0);
        store_le32(s + HDR_RAMDISK_SIZE, (uint32_t)initrd);
    }
    if (version >= 0x201) {
        s[HDR_LOADFLAGS] |= 0x80; /* CAN_USE_HEAP */
        store_le16(s + HDR_HEAP_END, (uint16_t)(pl->cmdline_addr - pl->setup_addr - 0x200));
    }
    if (version >= 0x202) {
        store_le32(s + HDR_CMDLINE, pl->cmdline_addr);
    } else {
        store_le16(s + 0x20, 0xa33f);
        store_le16(s + 0x22, (uint16_t)(pl->cmdline_addr - pl->setup_addr));
    }
}

void boot_rom_checksum(uint8_t *rom, size_t len)
{
    uint8_t sum = 0;
    for (size_t i = 0; i + 1 < len; i++) {
        sum = (uint8_t)(sum + rom[i]);
    }
    rom[len - 1] = (uint8_t)-sum;
}

bool linux_boot_setup(struct machine *m, struct fw_cfg *fw, struct err *err)
{
    const uint8_t *k = m->cfg.kernel.data;
    size_t len = m->cfg.kernel.len;
    const char *append = m->cfg.append ? m->cfg.append : "";
    struct linux_place pl = {0};
    if (len < 0x1000 || len > UINT32_MAX || load_le16(k + HDR_BOOT_FLAG) != 0xaa55 ||
        memcmp(k + HDR_MAGIC, "HdrS", 4) != 0) {
        return err_set(err, EINVAL, "the kernel is not a Linux bzImage");
    }
    size_t max = load_le16(k + HDR_VERSION) >= 0x206 ? load_le32(k + HDR_CMDLINE_SIZE) : 255;
    if (strlen(append) > max || strlen(append) > 4095) {
        return err_set(err, EINVAL, "-append has %zu characters, this kernel takes %zu",
                       strlen(append), max);
    }
    if (m->cfg.initrd.len > UINT32_MAX || !linux_place(m, k, len, &pl, err)) {
        return err_set(err, EINVAL, "the initrd is too large");
    }
    uint8_t setup[SETUP_MAX];
    memcpy(setup, k, pl.setup_len);
    linux_patch(setup, &pl, m->cfg.initrd.len, linux_vid_mode(append));
    uint8_t *keep = malloc(pl.setup_len + strlen(append) + 1 + linuxboot_rom_len);
    if (!keep) {
        return err_set(err, ENOMEM, "out of memory");
    }
    m->linux_keep = keep;
    memcpy(keep, setup, pl.setup_len);
    uint8_t *cmd = keep + pl.setup_len, *rom = cmd + strlen(append) + 1;
    memcpy(cmd, append, strlen(append) + 1);
    memcpy(rom, linuxboot_rom, linuxboot_rom_len);
    boot_rom_checksum(rom, linuxboot_rom_len);
    fw_cfg_add_u32(fw, FW_CFG_SETUP_ADDR, pl.setup_addr);
    fw_cfg_add_u32(fw, FW_CFG_SETUP_SIZE, pl.setup_len);
    fw_cfg_add_bytes(fw, FW_CFG_SETUP_DATA, keep, pl.setup_len);
    fw_cfg_add_u32(fw, FW_CFG_KERNEL_ADDR, pl.kernel_addr);
    fw_cfg_add_u32(fw, FW_CFG_KERNEL_SIZE, (uint32_t)(len - pl.setup_len));
    fw_cfg_add_bytes(fw, FW_CFG_KERNEL_DATA, k + pl.setup_len, (uint32_t)(len - pl.setup_len));
    fw_cfg_add_u32(fw, FW_CFG_CMDLINE_ADDR, pl.cmdline_addr);
    fw_cfg_add_u32(fw, FW_CFG_CMDLINE_SIZE, (uint32_t)strlen(append) + 1);
    fw_cfg_add_bytes(fw, FW_CFG_CMDLINE_DATA, cmd, (uint32_t)strlen(append) + 1);
    fw_cfg_add_u32(fw, FW_CFG_INITRD_ADDR, pl.initrd_addr);
    fw_cfg_add_u32(fw, FW_CFG_INITRD_SIZE, (uint32_t)m->cfg.initrd.len);
    fw_cfg_add_bytes(fw, FW_CFG_INITRD_DATA, m->cfg.initrd.data, (uint32_t)m->cfg.initrd.len);
    if (!fw_cfg_add_file(fw, "genroms/linuxboot.rom", rom, (uint32_t)linuxboot_rom_len)) {
        return err_set(err, ENOSPC, "fw_cfg is full");
    }
    return true;
}
