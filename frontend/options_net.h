/* Networks and network cards as the command line describes them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { OPT_NETS = 8, OPT_NICS = 4, OPT_FWDS = 32, OPT_SEARCHES = 8, OPT_NET_NAME = 32 };

/* Addresses are numbers in host order: 10.0.2.15 is 0a00020fh. */
struct opt_fwd {
    bool udp;
    uint32_t host_addr;  /* 127.0.0.1 unless another was written */
    uint32_t guest_addr; /* 0: the address that DHCP gives */
    uint16_t host_port, guest_port;
};

enum opt_net_kind { OPT_NET_NONE, OPT_NET_USER };
struct opt_net { /* a host end */
    enum opt_net_kind kind;
    const char *opt; /* "-nic": for sentences */
    char id[OPT_NET_NAME];
    bool legacy;   /* -net: waits for a -net nic */
    bool fallback; /* nobody asked for it: the default card's */
    int nic;       /* the card at its other end; -1: none yet */
    uint32_t net, mask, host, dhcp, dns;
    bool restricted, ipv6;
    const char *hostname, *domain, *search[OPT_SEARCHES];
    const char *tftp, *tftp_name, *bootfile;
    struct opt_fwd fwd[OPT_FWDS];
    unsigned fwds, searches;
    const char *pcap; /* capture file */
    uint32_t pcap_max; /* bytes kept of a frame; 0: all */
};

enum opt_nic_model { OPT_NIC_PCI, OPT_NIC_ISA };
struct opt_nic { /* a card */
    enum opt_nic_model model;
    const char *opt;
    char id[OPT_NET_NAME];     /* "ne2k_pci.0" when none was given */
    const char *netdev;        /* by name, until opt_finish_nets() */
    bool legacy;               /* -net nic: waits for a -net user */
    int net;                   /* -1: nothing on the wire */
    bool mac_given;
    uint8_t mac[6];
    uint16_t iobase; /* ISA; 0: the machine's */
    uint8_t irq;     /* ISA; 0: the machine's */
    uint8_t slot;    /* PCI; 0: the next free one */
    const char *romfile; /* NULL: the usual one if it is there; "": none */
    uint32_t boot_rank;  /* 1 + bootindex; 0: none */
};

/* "tcp:[HOSTADDR]:PORT-[GUESTADDR]:PORT", also of the monitor's hostfwd_add.  what: "-nic", for the
 * sentence. */
bool opt_parse_fwd(const char *what, const char *text, struct opt_fwd *fwd, struct err *err);
/* "tcp:[HOSTADDR]:PORT", of hostfwd_remove. */
bool opt_parse_fwd_host(const char *what, const char *text, struct opt_fwd *fwd, struct err *err);
char *opt_addr_text(uint32_t addr, char text[16]);
