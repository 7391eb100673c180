"""The kernel as the receiver of any TCP options: sends a SYN with each option area that a line of
standard input gives in hexadecimal, completes the handshake, and writes a line of JSON of what the
kernel took from it: null where it did not answer, as a SYN with a signature that nobody asked for."""

import json
import os
import socket
import struct
import sys

from tun_host import ACK, HOST, RST, SYN, answer_to, open_tun, segment

TCP_FASTOPEN = 23
IPPROTO_MPTCP = 262
# struct tcp_info of linux/tcp.h: byte 5 holds options, byte 6 the shift counts, the peer's in the low bits.
INFO_OPTIONS, INFO_SCALES = 5, 6
OPTION_TIMESTAMPS, OPTION_SACK, OPTION_SCALE = 1, 2, 4
MPTCP = 30
PORT, MULTIPATH_PORT = 443, 444


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
    tun = open_tun()
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
        os.write(tun, segment(port, PORT, 1000, 0, SYN, options))
        tcp = answer_to(tun, port)
        if tcp is None:
            print("null")
            continue
        told = options_of(tcp)
        stamps = told.get(8)
        echo = b"" if stamps is None else b"\1\1\x08\x0a" + stamps[4:8] + stamps[:4]
        isn = struct.unpack("!I", tcp[4:8])[0]
        os.write(tun, segment(port, PORT, 1001, isn + 1 & 0xFFFFFFFF, ACK, echo))
        accepted, _ = listener.accept()
        info = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)
        bits = info[INFO_OPTIONS]
        os.write(tun, segment(port, MULTIPATH_PORT, 1000, 0, SYN, options))
        by_multipath = answer_to(tun, port)
        if by_multipath is not None:
            os.write(tun, segment(port, MULTIPATH_PORT, 1001, 0, RST))
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
