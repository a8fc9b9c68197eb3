/* What the firmware asks about the board: CMOS and fw_cfg. */
#include <errno.h>

#include "base/bits.h"
#include "machine/board_int.h"

static unsigned board_boot_code(char c)
{
    return c == 'a' ? 1 : c == 'c' ? 2 : c == 'd' ? 3 : c == 'n' ? 4 : 0;
}

/* CMOS as SeaBIOS reads it (seabios src/hw/rtc.h and QEMU's pc). */
void board_cmos(struct board *b)
{
    const struct machine_config *cfg = &b->m->cfg;
    struct mc146818 *r = &b->rtc;
    uint64_t ram = b->below_4g;
    uint64_t ext_kb = (ram >> 10) - 1024,
             above_16m = ram > (16u << 20) ? (ram - (16u << 20)) >> 16 : 0;
    ext_kb = ext_kb > 65535 ? 65535 : ext_kb;
    above_16m = above_16m > 65535 ? 65535 : above_16m;
    mc146818_set_cmos(r, 0x15, 640 & 0xff);
    mc146818_set_cmos(r, 0x16, 640 >> 8);
    mc146818_set_cmos(r, 0x17, (uint8_t)ext_kb);
    mc146818_set_cmos(r, 0x18, (uint8_t)(ext_kb >> 8));
    mc146818_set_cmos(r, 0x30, (uint8_t)ext_kb);
    mc146818_set_cmos(r, 0x31, (uint8_t)(ext_kb >> 8));
    mc146818_set_cmos(r, 0x34, (uint8_t)above_16m);
    mc146818_set_cmos(r, 0x35, (uint8_t)(above_16m >> 8));
    uint8_t fd0 = b->fdc.drive[0].type, fd1 = b->fdc.drive[1].type;
    mc146818_set_cmos(r, 0x10, (uint8_t)(fd0 << 4 | fd1));
    /* equipment: FPU, PS/2 mouse, floppy drives (bit 0: any, bit 6: two) */
    mc146818_set_cmos(r, 0x14, (uint8_t)(0x06 | (fd0 || fd1 ? 1 : 0) | (fd0 && fd1 ? 0x40 : 0)));
    mc146818_set_cmos(r, 0x5b, (uint8_t)(b->above_4g >> 16)); /* above 4 GB, in 64 KB */
    mc146818_set_cmos(r, 0x5c, (uint8_t)(b->above_4g >> 24));
    mc146818_set_cmos(r, 0x5d, (uint8_t)(b->above_4g >> 32));
    mc146818_set_cmos(r, 0x5f, 0); /* further processors */
    /* disk translation, two bits a disk: LBA for what CHS alone cannot reach */
    uint8_t trans = 0;
    for (unsigned i = 0; i < MACHINE_IDE; i++) {
        if (cfg->ide[i] && !cfg->ide_is_cd[i] && cfg->ide[i]->sectors > 1024 * 16 * 63) {
            trans |= (uint8_t)(1u << (2 * i));
        }
    }
    mc146818_set_cmos(r, 0x39, trans);
    const char *order = cfg->boot_once[0] && !b->booted_once ? cfg->boot_once
                        : cfg->boot_order[0]                 ? cfg->boot_order
                                                             : "cad";
    unsigned code[3] = {0};
    for (unsigned i = 0; i < 3 && order[i]; i++) {
        code[i] = board_boot_code(order[i]);
    }
    mc146818_set_cmos(r, 0x3d, (uint8_t)(code[1] << 4 | code[0]));
    mc146818_set_cmos(r, 0x38, (uint8_t)(code[2] << 4 | 1)); /* bit 0: no floppy signature check */
}

bool board_firmware(struct board *b, struct err *err)
{
    struct machine *m = b->m;
    struct fw_cfg *fw = &b->fw;
    uint8_t e820[40]; /* struct e820entry of SeaBIOS's fw_cfg file: base, length, type */
    fw_cfg_init(fw, "fw_cfg", bus_dma(m->mem));
    board_add(b, &fw->dev);
    if (!board_port(b, &fw->regs, 0x510, err) || !board_port(b, &fw->dma_regs, 0x514, err)) {
        return false;
    }
    store_le64(e820, 0);
    store_le64(e820 + 8, b->below_4g);
    store_le32(e820 + 16, 1);
    store_le64(e820 + 20, (uint64_t)1 << 32);
    store_le64(e820 + 28, b->above_4g);
    store_le32(e820 + 36, 1);
    bool ok = fw_cfg_add_u64(fw, FW_CFG_RAM_SIZE, m->ram.size) &&
              fw_cfg_add_u16(fw, FW_CFG_NB_CPUS, 1) && fw_cfg_add_u16(fw, FW_CFG_MAX_CPUS, 1) &&
              fw_cfg_add_u16(fw, FW_CFG_BOOT_MENU, m->cfg.boot_menu) &&
              fw_cfg_add_u16(fw, FW_CFG_NOGRAPHIC, m->cfg.nographic) &&
              fw_cfg_add_file_copy(fw, "etc/e820", e820, b->above_4g ? 40 : 20);
    if (ok && m->cfg.boot_menu_ms) {
        uint8_t ms[2];
        store_le16(ms, m->cfg.boot_menu_ms > 65535 ? 65535 : (uint16_t)m->cfg.boot_menu_ms);
        ok = fw_cfg_add_file_copy(fw, "etc/boot-menu-wait", ms, 2);
    }
    if (ok && m->cfg.kernel.len) {
        static const char linux_order[] = "/rom@genroms/linuxboot.rom\n",
                          multiboot_order[] = "/rom@genroms/multiboot.rom\n";
        bool mb = machine_is_multiboot(m->cfg.kernel.data, m->cfg.kernel.len);
        if (!(mb ? multiboot_setup : linux_boot_setup)(m, fw, err)) {
            return false;
        }
        ok = mb ? fw_cfg_add_file(fw, "bootorder", multiboot_order, sizeof multiboot_order)
                : fw_cfg_add_file(fw, "bootorder", linux_order, sizeof linux_order);
    }
    if (ok && !board_acpi(b, err)) {
        return false;
    }
    return ok || err_set(err, ENOSPC, "fw_cfg is full");
}
