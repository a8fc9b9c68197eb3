/* fw_cfg: how firmware asks the emulator about the machine.
 *
 * Wiring by the board:
 *   fw_cfg_init(&fw, "fw_cfg", bus_dma(mem));
 *   fw.regs.base = 0x510, fw.dma_regs.base = 0x514; bus_map(ports, ...) both;
 *   fw_cfg_add_u64(&fw, FW_CFG_RAM_SIZE, ...), fw_cfg_add_file(&fw, "etc/e820", data, len), ...
 * before the first reset.  Data is borrowed and must outlive the device, except for the integers
 * and what fw_cfg_add_file_copy copies.  Adding a selector or file name again replaces it.
 * fw_cfg_on_select lets the board bring one file up to date just before the guest reads it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "devices/device.h"
#include "mem/bus.h"

#define FW_CFG_FILES 64

enum {
    FW_CFG_SIGNATURE = 0x00, FW_CFG_ID = 0x01, FW_CFG_UUID = 0x02, FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04, FW_CFG_NB_CPUS = 0x05, FW_CFG_MACHINE_ID = 0x06,
    FW_CFG_KERNEL_ADDR = 0x07, FW_CFG_KERNEL_SIZE = 0x08, FW_CFG_KERNEL_CMDLINE = 0x09,
    FW_CFG_INITRD_ADDR = 0x0a, FW_CFG_INITRD_SIZE = 0x0b, FW_CFG_BOOT_DEVICE = 0x0c,
    FW_CFG_NUMA = 0x0d, FW_CFG_BOOT_MENU = 0x0e, FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10, FW_CFG_KERNEL_DATA = 0x11, FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13, FW_CFG_CMDLINE_SIZE = 0x14, FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16, FW_CFG_SETUP_SIZE = 0x17, FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19, FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_ARCH = 0x8000, /* x86: +0 ACPI, +1 SMBIOS, +2 IRQ0 override, +3 e820, +4 HPET */
    FW_CFG_ARCH_ITEMS = 8
};

struct fw_cfg_item {
    const uint8_t *data; /* NULL with len 0: not there; NULL with len: in small */
    uint32_t len;
    uint8_t small[8];
};

struct fw_cfg {
    struct device dev;
    struct region regs;     /* 510h: selector, 511h: data */
    struct region dma_regs; /* 514h: address of the DMA descriptor, big endian */
    struct dma dma;
    struct fw_cfg_item item[FW_CFG_FILE_FIRST + FW_CFG_FILES];
    struct fw_cfg_item arch[FW_CFG_ARCH_ITEMS];
    uint8_t dir[4 + FW_CFG_FILES * 64]; /* item 19h, as the guest reads it */
    uint32_t files;
    void *owned[FW_CFG_FILES]; /* copies, by file; allocated while the machine is put together */
    uint16_t watched;          /* selector whose selection calls selected(); 0: none */
    void (*selected)(void *ctx);
    void *selected_ctx;
    /* what the guest can change */
    uint16_t selector;
    uint32_t offset;
    uint8_t dma_addr[8];
};

void fw_cfg_init(struct fw_cfg *fw, const char *id, struct dma dma);
/* false: no such selector (or, for files: the table is full, the name too long, no memory). */
bool fw_cfg_add_bytes(struct fw_cfg *fw, uint16_t selector, const void *data, uint32_t len);
bool fw_cfg_add_u16(struct fw_cfg *fw, uint16_t selector, uint16_t v);
bool fw_cfg_add_u32(struct fw_cfg *fw, uint16_t selector, uint32_t v);
bool fw_cfg_add_u64(struct fw_cfg *fw, uint16_t selector, uint64_t v);
bool fw_cfg_add_file(struct fw_cfg *fw, const char *name, const void *data,
                     uint32_t len) NODISCARD;
bool fw_cfg_add_file_copy(struct fw_cfg *fw, const char *name, const void *data,
                          uint32_t len) NODISCARD;
/* The copy that fw_cfg_add_file_copy made, to be changed in place; NULL: none. */
uint8_t *fw_cfg_file(struct fw_cfg *fw, const char *name);
void fw_cfg_on_select(struct fw_cfg *fw, const char *name, void (*selected)(void *ctx), void *ctx);
