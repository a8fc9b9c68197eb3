/* Any frames into a user network: no report, no hang.  restrict=on: nothing leaves this process.
 * Input: for each frame two bytes (bit 15: checksums as they come, bits 14-12: kind of header that
 * is put in front, bits 10-0: length), then its bytes; a length of 0 lets time pass. */
#include "tests/unit/slirp_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct slirp_case c;
    static uint8_t f[2048 + 64];
    struct err err = {0};
    case_default(&c);
    c.opt.tftp = "/usr/share/common-licenses";
    c.opt.bootfile = "GPL-2";
    c.opt.ipv6 = true;
    if (!case_open(&c, &err)) {
        abort();
    }
    case_send(&c, f, arp_frame(f, 0x0a000202));
    for (unsigned frames = 0; size >= 2 && frames < 64; frames++) {
        unsigned head = get16(data), kind = head >> 12 & 7;
        size_t n = head & 0x7ff;
        data += 2;
        size -= 2;
        n = n < size ? n : size;
        n = n < NETDEV_FRAME_MAX - 64 ? n : NETDEV_FRAME_MAX - 64;
        if (n == 0) {
            case_pass(&c, 100 * VTIME_MS);
            continue;
        }
        size_t len = n;
        static const uint8_t proto[8] = {0, 17, 6, 1, 17, 17, 17, 0};
        static const uint16_t port[8] = {0, 0, 0, 0, 67, 69, 53, 0};
        if (port[kind]) {
            len = udp_frame(f, 0x0a000202, 1000, port[kind], data, n);
        } else if (proto[kind]) {
            memcpy(ip_frame(f, 0x0a000202, proto[kind], n), data, n);
            len = 34 + n;
        } else {
            memcpy(f, data, n);
        }
        if (!(head >> 15)) {
            ip_checksums(f, len);
        }
        case_send(&c, f, len);
        data += n;
        size -= n;
    }
    net_slirp_close(c.s);
    return 0;
}
