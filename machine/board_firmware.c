/* What the firmware asks about the board: CMOS and fw_cfg. */
#include <errno.h>

#include "base/bits.h"
#include "cpu/cpuid.h"
#include "machine/board_int.h"

static unsigned board_boot_code(char c)
{
    return c == 'a' ? 1 : c == 'c' ? 2 : c == 'd' ? 3 : c == 'n' ? 4 : 0;
}

/* The letters that count now: once= until the first reset. */
static const char *board_boot_letters(const struct board *b)
{
    const struct machine_config *cfg = &b->m->cfg;
    return cfg->boot_once[0] && !b->booted_once ? cfg->boot_once
           : cfg->boot_order[0]                 ? cfg->boot_order
                                                : "cad";
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
    mc146818_set_cmos(r, 0x5f, (uint8_t)(cfg->cpus - 1)); /* further processors */
    /* disk translation, two bits a disk: LBA for what CHS alone cannot reach */
    uint8_t trans = 0;
    for (unsigned i = 0; i < MACHINE_IDE; i++) {
        if (cfg->ide[i] && !cfg->ide_is_cd[i] && cfg->ide[i]->sectors > 1024 * 16 * 63) {
            trans |= (uint8_t)(1u << (2 * i));
        }
    }
    mc146818_set_cmos(r, 0x39, trans);
    const char *order = board_boot_letters(b);
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
    const struct machine_config *cfg = &m->cfg;
    static const uint8_t numa[8 * (1 + 8)]; /* no nodes; the node of each processor: 0 */
    uint8_t retry[4];
    store_le32(retry, cfg->boot_retry_ms ? cfg->boot_retry_ms : UINT32_MAX);
    bool ok = fw_cfg_add_bytes(fw, FW_CFG_UUID, cfg->smbios[1].uuid, 16) &&
              fw_cfg_add_u64(fw, FW_CFG_RAM_SIZE, m->ram.size) &&
              fw_cfg_add_u16(fw, FW_CFG_NB_CPUS, (uint16_t)cfg->cpus) &&
              /* SeaBIOS and QEMU: one above the highest APIC ID */
              fw_cfg_add_u16(fw, FW_CFG_MAX_CPUS,
                             (uint16_t)(board_apic_id(cfg, cfg->max_cpus - 1) + 1)) &&
              fw_cfg_add_u32(fw, FW_CFG_MACHINE_ID, 0) &&
              fw_cfg_add_bytes(fw, FW_CFG_NUMA, numa, sizeof numa) &&
              fw_cfg_add_u32(fw, FW_CFG_ARCH + 2, 1) && /* IRQ 0 is input 2 of the I/O APIC */
              fw_cfg_add_u16(fw, FW_CFG_BOOT_DEVICE, (uint8_t)board_boot_letters(b)[0]) &&
              fw_cfg_add_u16(fw, FW_CFG_BOOT_MENU, cfg->boot_menu) &&
              fw_cfg_add_u16(fw, FW_CFG_NOGRAPHIC, cfg->nographic) &&
              fw_cfg_add_file_copy(fw, "etc/e820", e820, b->above_4g ? 40 : 20) &&
              fw_cfg_add_file_copy(fw, "etc/boot-fail-wait", retry, 4);
    if (ok && cfg->boot_menu_ms) {
        uint8_t ms[2];
        store_le16(ms, cfg->boot_menu_ms > 65535 ? 65535 : (uint16_t)cfg->boot_menu_ms);
        ok = fw_cfg_add_file_copy(fw, "etc/boot-menu-wait", ms, 2);
    }
    for (unsigned i = 0; ok && i < cfg->fw_files; i++) {
        const struct machine_fw_file *f = &cfg->fw_file[i];
        ok = f->len <= UINT32_MAX && fw_cfg_add_file(fw, f->name, f->data, (uint32_t)f->len);
    }
    bool multiboot = machine_is_multiboot(cfg->kernel.data, cfg->kernel.len);
    if (ok && cfg->kernel.len && !(multiboot ? multiboot_setup : linux_boot_setup)(m, fw, err)) {
        return false;
    }
    if (ok && !board_boot_order(b, err)) {
        return false;
    }
    return ok || err_set(err, ENOSPC, "fw_cfg is full");
}

/* After the processor: the tables say which one it is. */
bool board_smbios(struct board *b, struct err *err)
{
    const struct cpu_model *model = cpuid_model(b->m->cfg.cpu_model);
    struct smbios_config sc = {
        .type = b->m->cfg.smbios, .below_4g = b->below_4g, .above_4g = b->above_4g,
        .cpus = b->m->cfg.cpus, .cores = b->m->cfg.cores, .threads = b->m->cfg.threads};
    struct smbios_blobs blobs;
    if (model && model->max_leaf) {
        uint32_t r[4];
        cpuid_query(b->m->cpu[0], 1, 0, r);
        sc.cpu_signature = r[0];
        sc.cpu_features = r[3];
    }
    smbios_build(&blobs, &sc);
    bool ok = !blobs.full &&
              fw_cfg_add_file_copy(&b->fw, "etc/smbios/smbios-tables", blobs.tables, blobs.len) &&
              fw_cfg_add_file_copy(&b->fw, "etc/smbios/smbios-anchor", blobs.anchor,
                                   sizeof blobs.anchor);
    return ok || err_set(err, ENOSPC, "the SMBIOS tables do not fit");
}
