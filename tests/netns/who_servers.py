"""Processes that listen in ways that make it hard to say who does.

who_servers.py ADDRESS DEVICE: each case of CASES on a port of its own. Writes one line of JSON, the process that a
record of each port must name by its pid, thread and command name, or null where nobody can tell, and stays until
its standard input ends. Every process ends by itself after a while.
"""
import ctypes
import json
import os
import signal
import socket
import sys
import threading

ADDRESS, DEVICE = sys.argv[1:3]
LIFE_S = 100
SO_BINDTODEVICE = 25
pids = []
ready_from, ready_to = os.pipe()


def name(text):
    with open("/proc/thread-self/comm", "w") as file:
        file.write(text)


def fork(body):
    pid = os.fork()
    if pid == 0:
        signal.alarm(LIFE_S)
        try:
            body()
        finally:
            os._exit(0)
    pids.append(pid)
    return pid


def ready():
    os.write(ready_to, b"%-8d" % os.getpid())


def wait():
    """Waits until a process is ready. Returns its pid."""
    pid = int(os.read(ready_from, 8))
    pids.append(pid)
    return pid


def listen(port, address="0.0.0.0", device=None, reuse_port=False, defer=0, backlog=16, transparent=False):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse_port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if device:
        sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, device.encode() + b"\0")
    if defer:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, defer)
    if transparent:
        sock.setsockopt(socket.SOL_IP, 19, 1)
    sock.bind((address, port))
    sock.listen(backlog)
    return sock


def serve(sock):
    ready()
    while True:
        sock.accept()[0].close()


def start(comm, port, **options):
    def body():
        name(comm)
        serve(listen(port, **options))
    fork(body)
    return {"pid": wait(), "comm": comm}


def daemon(port):
    """It listens, forks, and its first process ends: as nginx does."""
    def starter():
        name("starter")
        sock = listen(port)

        def body():
            os.setsid()
            name("daemon")
            # Ended: this process has another parent.
            while os.getppid() == parent:
                os.sched_yield()
            serve(sock)
        parent = os.getpid()
        fork(body)
    os.waitpid(fork(starter), 0)
    return {"pid": wait(), "comm": "daemon"}


def handed_over(port, keeps=False):
    """One process listens and sends the socket to another."""
    giving, taking = socket.socketpair()

    def taker():
        name("taker")
        _, fds, _, _ = socket.recv_fds(taking, 1, 1)
        serve(socket.socket(fileno=fds[0]))

    def giver():
        name("giver")
        sock = listen(port)
        socket.send_fds(giving, [b"x"], [sock.fileno()])
        if not keeps:
            sock.close()
        signal.pause()
    fork(taker)
    fork(giver)
    pid = wait()
    return None if keeps else {"pid": pid, "comm": "taker"}


def handed_over_and_kept(port):
    return handed_over(port, keeps=True)


def heirs(port):
    """Two children of a process that has ended hold its socket."""
    def starter():
        name("starter")
        sock = listen(port)
        for _ in range(2):
            fork(lambda: serve(sock))
    os.waitpid(fork(starter), 0)
    wait(), wait()


def forks(port):
    """One process listens, and two that it forks accept."""
    def master():
        name("master")
        sock = listen(port)

        def worker():
            name("worker")
            serve(sock)
        fork(worker)
        fork(worker)
        signal.pause()
    pid = fork(master)
    wait(), wait()
    return {"pid": pid, "comm": "master"}


def reuse_port(port):
    start("one", port, reuse_port=True)
    start("other", port, reuse_port=True)


def bound_to_devices(port):
    start("on-loopback", port, device="lo")
    return start("on-cable", port, address=ADDRESS, device=DEVICE)


def deferred(port):
    return start("deferring", port, defer=8)


def full(port):
    """It never accepts, and one connection may wait."""
    def body():
        name("full")
        sock = listen(port, backlog=0)
        ready()
        signal.pause()
        sock.close()
    fork(body)
    return {"pid": wait(), "comm": "full"}


def half_open(port):
    return start("half-open", port)


def activated(port):
    """A manager of services keeps the socket that it started a service with."""
    def manager():
        name("manager")
        sock = listen(port)
        os.set_inheritable(sock.fileno(), True)
        os.set_inheritable(ready_to, True)

        def service():
            code = (
                "import os, socket, sys; open('/proc/self/comm', 'w').write('service'); "
                "sock = socket.socket(fileno=int(sys.argv[1])); os.write(int(sys.argv[2]), b'%-8d' % os.getpid())\n"
                "while True: sock.accept()[0].close()"
            )
            os.environ["LISTEN_PID"] = str(os.getpid())
            os.execv(sys.executable, [sys.executable, "-c", code, str(sock.fileno()), str(ready_to)])
        fork(service)
        signal.pause()
    fork(manager)
    return {"pid": wait(), "comm": "service"}


def one_closed(port):
    """Two listen on one port; one of them closes, again and again."""
    expected = start("stays", port, address=ADDRESS)

    def body():
        name("closes")
        for _ in range(100):
            listen(port, address="127.0.0.1").close()
        ready()
        signal.pause()
    fork(body)
    wait()
    return expected


def by_thread(port):
    """A thread with a name of its own listens."""
    def body():
        name("threaded")

        def run():
            name("pool-1")
            sock = listen(port)
            os.write(ready_to, b"%-8d" % threading.get_native_id())
            serve(sock)
        threading.Thread(target=run, daemon=True).start()
        signal.pause()
    pid = fork(body)
    tid = wait()
    wait()
    return {"pid": pid, "comm": "threaded", "thread": {"tid": tid, "comm": "pool-1"}}


CASES = [daemon, handed_over, handed_over_and_kept, heirs, forks, reuse_port, bound_to_devices, deferred, full,
         half_open, activated, one_closed, by_thread]

signal.alarm(LIFE_S)
found = {case.__name__: case(24001 + index) for index, case in enumerate(CASES)}
print(json.dumps(found), flush=True)
sys.stdin.read()
for pid in pids:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
