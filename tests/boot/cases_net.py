"""The network as the demo guest sees it; only loopback addresses of the host."""
import hashlib
import http.server
import os
import re
import socket
import struct
import threading
import time

from cases import demo_iso
from guest import Failure, Guest
from registry import case


class Server:
    """An HTTP server on 127.0.0.1: /N gives N bytes."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *a):
                pass

            def do_GET(self):
                n = int(self.path[1:])
                self.send_response(200)
                self.send_header("Content-Length", str(n))
                self.end_headers()
                for piece in Server.pieces(n):
                    self.wfile.write(piece)

        http.server.ThreadingHTTPServer.request_queue_size = 64
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def pieces(n):
        block = hashlib.sha512(b"vitrine").digest() * 1024
        at = 0
        while n > 0:
            head = struct.pack("<Q", at)  # no two blocks are equal
            piece = (head + block)[:min(n, len(block))]
            yield piece
            n -= len(piece)
            at += 1

    @staticmethod
    def md5(n):
        h = hashlib.md5()
        for piece in Server.pieces(n):
            h.update(piece)
        return h.hexdigest()


def free_port(kind):
    s = socket.socket(socket.AF_INET, kind)
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return port


def network(vitrine, tmp, model, mb, connections):
    tcp, udp, server = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM), Server()
    # Linux keeps IRQ 9 for ACPI's interrupt: the ISA card takes 10
    card = model + (",irq=10" if model == "ne2k_isa" else "")
    nic = "user,id=n,hostfwd=tcp::%d-:80,hostfwd=udp::%d-:7,pcap=%s/net.pcap" % (tcp, udp, tmp)
    g = Guest(vitrine, ["-cdrom", demo_iso(), "-m", "256", "-netdev", nic, "-device", card + ",netdev=n"], icount=False, host_limit=580)
    try:
        g.wait(r"GUEST-READY i686", 200)
        g.wait(r"vitrine:/# ", 20)
        if model == "ne2k_isa":
            g.command("modprobe ne io=0x300 irq=10")
        g.command("udhcpc -i eth0 -n -q")
        if "10.0.2.15/24" not in g.command("ip addr show eth0"):
            raise Failure("DHCP did not give 10.0.2.15")
        size = mb << 20
        out = g.command("wget -q -O - http://10.0.2.2:%d/%d | md5sum" % (server.port, size), 400)
        if Server.md5(size) not in out:
            raise Failure("%d MB came over damaged: %s" % (mb, out))
        out = g.command("for i in `seq %d`; do wget -q -O - http://10.0.2.2:%d/$((10000+i)) | wc -c > /tmp/n$i & done; "
                        "wait; cat /tmp/n* | sort | uniq | wc -l" % (connections, server.port), 200)
        if "\n%d\n" % connections not in out:
            raise Failure("%d connections at once: %s" % (connections, out[-200:]))
        forwards(g, tcp, udp)
        g.monitor("set_link %s.0 off" % model)
        if "RC=0" in g.command("ping -c 1 -W 2 10.0.2.2 >/dev/null && echo RC=0 || echo none", 30).split("\n", 1)[1]:
            raise Failure("the link is off and a ping came back")
        g.monitor("set_link %s.0 on" % model)
        g.command("ping -c 1 -W 5 10.0.2.2", 30)
        if "\\ n: user network" not in g.monitor("info network"):
            raise Failure("info network: " + g.monitor("info network"))
    finally:
        g.close()
    capture(tmp + "/net.pcap")


def forwards(g, tcp, udp):
    g.command("mkdir -p /tmp/www; echo from-the-guest > /tmp/www/x; httpd -p 80 -h /tmp/www")
    s = socket.create_connection(("127.0.0.1", tcp), 20)
    s.sendall(b"GET /x HTTP/1.0\r\n\r\n")
    s.settimeout(20)
    data = b""
    while b"from-the-guest" not in data:
        piece = s.recv(4096)
        if not piece:
            raise Failure("the forwarded TCP port said %r" % data)
        data += piece
    s.close()
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # busybox has no UDP server: capture() looks
    for _ in range(5):
        u.sendto(b"over-udp", ("127.0.0.1", udp))
        time.sleep(0.2)
    u.close()


def capture(path):
    """The capture holds whole frames with times that never go back, of both directions."""
    d = open(path, "rb").read()
    magic, major, minor, _, _, _, link = struct.unpack("<IHHIIII", d[:24])
    if (magic, major, minor, link) != (0xa1b23c4d, 2, 4, 1):
        raise Failure("the capture's header is wrong")
    at, last, sides = 24, 0, set()
    while at < len(d):
        sec, ns, kept, size = struct.unpack("<4I", d[at:at + 16])
        if kept != size or not 14 <= size <= 1518 or sec * 10**9 + ns < last or at + 16 + kept > len(d):
            raise Failure("the capture is damaged at %d" % at)
        last = sec * 10**9 + ns
        sides.add(d[at + 22:at + 24] == b"\x52\x54")
        at += 16 + kept
    if not re.search(rb"\x45.{8}\x11.{10}..\x00\x07.{4}over-udp", d, re.S):
        raise Failure("the datagram for the forwarded UDP port did not reach the guest")
    if sides != {True, False} or os.path.getsize(path) < 100000:
        raise Failure("the capture lacks a direction")


@case(cost=60)
def network_pci(vitrine, tmp):
    """Demo guest, NE2000 on PCI: DHCP, 20 MB, 50 connections at once, forwards, link, capture."""
    network(vitrine, tmp, "ne2k_pci", 20, 50)


@case(long=True, cost=120)
def network_200mb(vitrine, tmp):
    """The same with 200 MB."""
    network(vitrine, tmp, "ne2k_pci", 200, 50)


@case(long=True, cost=120)
def network_isa(vitrine, tmp):
    """The same with Linux's ne driver on ISA."""
    network(vitrine, tmp, "ne2k_isa", 20, 50)
