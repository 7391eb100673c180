"""A process that has the kernel listen by io_uring.

uring_listener.py PORT [inline | worker]: by the process itself, or by a thread that the kernel makes for it. Says "ready"
when it listens, or why it cannot, and accepts until its standard input ends.
"""
import ctypes
import mmap
import os
import socket
import struct
import sys
import threading

SETUP, ENTER = 425, 426
GETEVENTS = 1
OFFSET_SQES = 0x10000000
IORING_OP_LISTEN = 57
IOSQE_ASYNC = 16
libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def submit(opcode, flags, fd, length):
    """Has one operation done (struct io_uring_params, io_uring_sqe, io_uring_cqe: linux/io_uring.h)."""
    params = ctypes.create_string_buffer(120)
    ring = check(libc.syscall(SETUP, 1, params))
    entries, completions = struct.unpack_from("<2I", params)
    _, tail, _, _, _, _, array = struct.unpack_from("<7I", params, 40)
    cqes = struct.unpack_from("<6I", params, 80)[5]
    size = max(array + entries * 4, cqes + completions * 16)
    shared = mmap.mmap(ring, size, mmap.MAP_SHARED)
    sqes = mmap.mmap(ring, entries * 64, mmap.MAP_SHARED, offset=OFFSET_SQES)
    sqes[0:64] = struct.pack("<BBHiQQI36x", opcode, flags, 0, fd, 0, 0, length)
    struct.pack_into("<I", shared, array, 0)
    struct.pack_into("<I", shared, tail, 1)
    check(libc.syscall(ENTER, ring, 1, 1, GETEVENTS, None, 0))
    result = struct.unpack_from("<Qi", shared, cqes)[1]
    if result < 0:
        raise OSError(-result, os.strerror(-result))


def accept_all(sock):
    while True:
        sock.accept()[0].close()


sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind(("127.0.0.1", int(sys.argv[1])))
try:
    submit(IORING_OP_LISTEN, IOSQE_ASYNC if sys.argv[2] == "worker" else 0, sock.fileno(), 16)
except OSError as error:
    print(error, flush=True)
    sys.exit()
threading.Thread(target=accept_all, args=(sock,), daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
