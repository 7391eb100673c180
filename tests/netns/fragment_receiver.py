"""The kernel as the receiver of fragments: writes the IP packets that a line of standard input gives in
hexadecimal to a host, and writes whether that answers the SYN in them, 1 or 0. The first word of a line
is the source port."""

import os
import socket
import struct
import sys

from tun_host import RST, answer_to, open_tun, segment

PORT = 443


def main():
    tun = open_tun()
    listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    for line in sys.stdin:
        port, *packets = line.split()
        for packet in packets:
            os.write(tun, bytes.fromhex(packet))
        answer = answer_to(tun, int(port))
        print(0 if answer is None else 1)
        if answer is not None:
            isn = struct.unpack("!I", answer[8:12])[0]
            is_ipv6 = packets[0].startswith("6")
            os.write(tun, segment(int(port), PORT, isn, 0, RST, is_ipv6=is_ipv6))
    listener.close()


main()
