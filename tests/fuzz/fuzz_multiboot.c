/* Any bytes as a Multiboot kernel: understood or refused with a sentence, and what the boot ROM is
 * told to copy stays in the file and in memory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/firmware/fw_cfg.h"
#include "machine/machine_int.h"

static bool no_read(void *ctx, uint64_t phys, void *buf, size_t len)
{
    (void)ctx;
    (void)phys;
    (void)buf;
    (void)len;
    return false;
}

static bool no_write(void *ctx, uint64_t phys, const void *buf, size_t len)
{
    (void)ctx;
    (void)phys;
    (void)buf;
    (void)len;
    return false;
}

static void require(int ok)
{
    if (!ok) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine m; /* large, and nothing in it is kept */
    static struct fw_cfg fw;
    struct err err = {0};
    if (size < 2) {
        return 0;
    }
    size_t len = size - 2;
    uint8_t *kernel = malloc(len + 16); /* every second one gets a right header */
    size_t used = 0;
    if (data[0] & 1) {
        uint32_t flags = data[0] & 2 ? 0x10003 : data[0] & 4 ? 7 : 3;
        used = data[0] & 8 ? 96 : 0;
        if (len < used) {
            used = 0;
        }
        memcpy(kernel, data + 2, used);
        store_le32(kernel + used, 0x1badb002);
        store_le32(kernel + used + 4, flags);
        store_le32(kernel + used + 8, -(0x1badb002 + flags));
        memcpy(kernel + used + 12, data + 2 + used, len - used);
        len += 12;
        if (used && data[0] & 16) {
            memcpy(kernel, "\177ELF\1\1\1", 7);
            store_le16(kernel + 18, 3);
        }
    } else {
        memcpy(kernel, data + 2, len);
    }
    memset(&m, 0, sizeof m);
    m.ram.size = (uint64_t)(data[1] + 1) << 20;
    m.cfg.kernel = (struct machine_blob){kernel, len};
    m.cfg.kernel_path = "k";
    m.cfg.append = "a b";
    m.cfg.modules = data[1] & 3;
    for (unsigned i = 0; i < m.cfg.modules; i++) {
        m.cfg.module[i] = (struct machine_module){{data, size}, "module x"};
    }
    fw_cfg_init(&fw, "fw", (struct dma){no_read, no_write, NULL});
    if (multiboot_setup(&m, &fw, &err)) {
        const struct fw_cfg_item *script = &fw.item[FW_CFG_SETUP_DATA];
        require(script->len >= 48 && load_le32(script->data + 44) == script->len);
        require(load_le32(script->data) == (script->len - 48) / 20);
        for (uint32_t at = 48; at < script->len; at += 20) {
            const uint8_t *s = script->data + at;
            uint32_t item = load_le32(s);
            require(item < FW_CFG_FILE_FIRST);
            require((uint64_t)load_le32(s + 4) + load_le32(s + 8) <= fw.item[item].len);
            uint64_t to = load_le32(s + 12),
                     end = to + load_le32(s + 8) + load_le32(s + 16);
            require(to >= 0x10000 && end <= m.ram.size);
            require(end <= 0xa0000 || to >= 0x100000);
        }
    } else {
        require(err.msg[0] != 0);
    }
    free(m.linux_keep);
    free(kernel);
    return 0;
}
