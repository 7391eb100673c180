"""The kernel as the receiver of any TCP options: sends a SYN with each option area that a line of
standard input gives in hexadecimal, completes the handshake, and writes a line of JSON of what the
kernel took from it: null where it did not answer, as a SYN with a signature that nobody asked for. Runs in a network namespace of its own, over a TUN device."""

import fcntl
import json
import os
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
TCP_FASTOPEN = 23
# struct tcp_info of linux/tcp.h: byte 5 holds options, byte 6 the shift counts, the peer's in the low bits.
INFO_OPTIONS, INFO_SCALES = 5, 6
OPTION_TIMESTAMPS, OPTION_SACK, OPTION_SCALE = 1, 2, 4
SYN, RST, ACK = 2, 4, 16
MPTCP = 30
ICMP, TCP = 1, 6
IPPROTO_MPTCP = 262
GHOST, HOST, PORT, MULTIPATH_PORT = "10.9.0.2", "10.9.0.1", 443, 444
ADDRESSES = socket.inet_aton(GHOST) + socket.inet_aton(HOST)


def ones_complement(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def in_ip(protocol, payload):
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0) + ADDRESSES
    return ip[:10] + struct.pack("!H", ones_complement(ip)) + ip[12:] + payload


def echo_request(port):
    """What is answered behind all that came before; the port tells it from others."""
    head = struct.pack("!BBHHH", 8, 0, 0, port, 0)
    return in_ip(ICMP, head[:2] + struct.pack("!H", ones_complement(head)) + head[4:])


def packet(port, sequence, acknowledgment, flags, options, to=PORT):
    """A segment from the ghost to one of the host's servers."""
    offset = 5 + len(options) // 4

    def header(checksum):
        return struct.pack(
            "!HHIIHHHH", port, to, sequence, acknowledgment, offset << 12 | flags, 65535, checksum, 0
        ) + options

    pseudo = ADDRESSES + struct.pack("!HH", TCP, len(header(0)))
    return in_ip(TCP, header(ones_complement(pseudo + header(0))))


def answer_to(tun, port):
    """The SYN-ACK to a port, None where there is none before the answer to the echo request."""
    found = None
    while True:
        answer = os.read(tun, 65536)
        if answer[0] >> 4 != 4:
            continue
        if answer[9] == ICMP and struct.unpack("!H", answer[24:26])[0] == port:
            return found
        tcp = answer[20:]
        if answer[9] == TCP and struct.unpack("!H", tcp[2:4])[0] == port and tcp[13] == SYN | ACK:
            found = tcp


def options_of(tcp):
    """The options of a segment that the kernel made, which are well-formed."""
    taken = tcp[20 : (tcp[12] >> 4) * 4]
    told, at = {}, 0
    while at < len(taken) and taken[at] != 0:
        if taken[at] == 1:
            at += 1
            continue
        told[taken[at]] = taken[at + 2 : at + taken[at + 1]]
        at += taken[at + 1]
    return told


def main():
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH14x", b"tun0", IFF_TUN_NO_PI))
    for arguments in (["address", "add", f"{HOST}/24", "dev", "tun0"], ["link", "set", "tun0", "mtu", "65535", "up"]):
        if os.spawnvp(os.P_WAIT, "ip", ["ip", *arguments]) != 0:
            sys.exit(1)
    listener = socket.socket()
    listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 64)
    listener.bind((HOST, PORT))
    listener.listen(64)
    multipath = socket.socket(proto=IPPROTO_MPTCP)
    multipath.bind((HOST, MULTIPATH_PORT))
    multipath.listen(64)
    for number, line in enumerate(sys.stdin):
        options = bytes.fromhex(line.strip())
        port = 1024 + number
        os.write(tun, packet(port, 1000, 0, SYN, options))
        os.write(tun, echo_request(port))
        tcp = answer_to(tun, port)
        if tcp is None:
            print("null")
            continue
        told = options_of(tcp)
        stamps = told.get(8)
        echo = b"" if stamps is None else b"\1\1\x08\x0a" + stamps[4:8] + stamps[:4]
        isn = struct.unpack("!I", tcp[4:8])[0]
        os.write(tun, packet(port, 1001, isn + 1 & 0xFFFFFFFF, ACK, echo))
        accepted, _ = listener.accept()
        info = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)
        bits = info[INFO_OPTIONS]
        os.write(tun, packet(port, 1000, 0, SYN, options, MULTIPATH_PORT))
        os.write(tun, echo_request(port))
        by_multipath = answer_to(tun, port)
        if by_multipath is not None:
            os.write(tun, packet(port, 1001, 0, RST, b"", MULTIPATH_PORT))
        print(json.dumps({
            "largestSegment": accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG),
            "windowScale": info[INFO_SCALES] & 15 if bits & OPTION_SCALE else -1,
            "sackPermitted": bits & OPTION_SACK != 0,
            "timestampValue": struct.unpack("!I", stamps[4:8])[0] if bits & OPTION_TIMESTAMPS else -1,
            "fastOpen": 34 in told or told.get(254, b"")[:2] == b"\xf9\x89",
            "multipath": by_multipath is not None and MPTCP in options_of(by_multipath),
        }))
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()


main()
