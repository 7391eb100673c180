"""A TUN device whose host answers what is written to it: the kernel as the receiver of crafted packets, in a
network namespace of its own."""

import fcntl
import os
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
SYN, RST, ACK = 2, 4, 16
ICMP, TCP = 1, 6
GHOST, HOST = "10.9.0.2", "10.9.0.1"
GHOST6, HOST6 = "2001:db8:9::2", "2001:db8:9::1"
ADDRESSES = socket.inet_aton(GHOST) + socket.inet_aton(HOST)
ADDRESSES6 = b"".join(socket.inet_pton(socket.AF_INET6, each) for each in (GHOST6, HOST6))


def open_tun():
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH14x", b"tun0", IFF_TUN_NO_PI))
    for arguments in (
        f"address add {HOST}/24 dev tun0",
        f"address add {HOST6}/64 dev tun0 nodad",
        "link set tun0 mtu 65535 up",
    ):
        if os.spawnvp(os.P_WAIT, "ip", ["ip", *arguments.split()]) != 0:
            sys.exit(1)
    return tun


def ones_complement(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def in_ip(protocol, payload):
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0) + ADDRESSES
    return ip[:10] + struct.pack("!H", ones_complement(ip)) + ip[12:] + payload


def in_ip6(protocol, payload):
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + ADDRESSES6 + payload


def segment(port, to, sequence, acknowledgment, flags, options=b"", is_ipv6=False):
    """A segment from the ghost to one of the host's servers, in its IP packet."""
    offset = 5 + len(options) // 4

    def header(checksum):
        return struct.pack(
            "!HHIIHHHH", port, to, sequence, acknowledgment, offset << 12 | flags, 65535, checksum, 0
        ) + options

    pseudo = (ADDRESSES6 if is_ipv6 else ADDRESSES) + struct.pack("!II", len(header(0)), TCP)
    finished = header(ones_complement(pseudo + header(0)))
    return in_ip6(TCP, finished) if is_ipv6 else in_ip(TCP, finished)


def answer_to(tun, port):
    """The SYN-ACK to a port, None where there is none to what was written before."""
    # What is answered behind all of that; the port tells it from others.
    head = struct.pack("!BBHHH", 8, 0, 0, port, 0)
    os.write(tun, in_ip(ICMP, head[:2] + struct.pack("!H", ones_complement(head)) + head[4:]))
    found = None
    while True:
        answer = os.read(tun, 65536)
        is_ipv6 = answer[0] >> 4 == 6
        protocol, tcp = (answer[6], answer[40:]) if is_ipv6 else (answer[9], answer[20:])
        if not is_ipv6 and protocol == ICMP and answer[20] == 0 and struct.unpack("!H", answer[24:26])[0] == port:
            return found
        if protocol == TCP and struct.unpack("!H", tcp[2:4])[0] == port and tcp[13] == SYN | ACK:
            found = tcp
