/* A capture file as libpcap writes it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct pcap;
/* snap: bytes kept of each frame, 0: all.  what: "-nic", for the sentence. */
struct pcap *pcap_open(const char *what, const char *path, uint32_t snap, struct err *err);
void pcap_frame(struct pcap *p, vtime now, const uint8_t *frame, size_t len);
/* Give the file what was captured, when the last time is some while ago. */
void pcap_tick(struct pcap *p, vtime now);
void pcap_close(struct pcap *p);
