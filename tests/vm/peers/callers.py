"""
callers.py PORT COUNT ADDRESS...

Connects COUNT times to each address, all at once, each with a blocking connect(), and prints how
each ended. The connections are held until all have ended.
"""
import errno, socket, sys, threading

port, count = int(sys.argv[1]), int(sys.argv[2])
connections, ends = [], []


def call(address):
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    connections.append(connection)
    ends.append(errno.errorcode.get(connection.connect_ex((address, port)), "connected"))


threads = [threading.Thread(target=call, args=[address])
           for address in sys.argv[3:] for _ in range(count)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*sorted(ends))
