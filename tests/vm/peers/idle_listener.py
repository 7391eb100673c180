"""
idle_listener.py BACKLOG PORT ADDRESS...

Listens on every address, says so, and accepts nothing.
"""
import signal, socket, sys

backlog, port = int(sys.argv[1]), int(sys.argv[2])
listeners = [
    socket.create_server((address, port), backlog=backlog,
                         family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    for address in sys.argv[3:]
]
print("ready", flush=True)
signal.pause()
