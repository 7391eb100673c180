"""
Connects in four ways, each to a port of its own, half of them with IPv4 and half with IPv6.

four_ways.py PLAIN REFUSED SILENT NON_BLOCKING LAST COUNTS IPV4 IPV6

The five numbers are the server's ports, COUNTS how often each of the first four is called, with
commas. Prints its pid and how each way ended, then calls the last port once: who sees that has seen
all. With "serve" instead of COUNTS it serves PLAIN, NON_BLOCKING and LAST, and says its pid first.
"""
import collections, errno, json, os, select, socket, sys, threading

plain, refused, silent, non_blocking, last = (int(word) for word in sys.argv[1:6])
task, addresses = sys.argv[6], sys.argv[7:]


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def end(connection):
    """Returns when the kernel has closed it, which some tools report instead of its start."""
    connection.setblocking(True)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)


def call(port, index):
    address = addresses[index % len(addresses)]
    with socket.socket(family(address)) as connection:
        error = connection.connect_ex((address, port))
        if error == 0: end(connection)
        return error


def call_in_turn(port, count):
    return [call(port, index) for index in range(count)]


def call_at_once(port, count):
    results = []
    threads = [threading.Thread(target=lambda index=index: results.append(call(port, index)))
               for index in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return results


def call_without_blocking(port, count):
    connections = []
    for index in range(count):
        address = addresses[index % len(addresses)]
        connection = socket.socket(family(address))
        connection.setblocking(False)
        begun = connection.connect_ex((address, port))
        assert begun == errno.EINPROGRESS, begun
        connections.append(connection)
    results = []
    for connection in connections:
        poll = select.poll()
        poll.register(connection, select.POLLOUT)
        poll.poll()
        results.append(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        end(connection)
        connection.close()
    return results


def serve(listener):
    while True:
        connection, _ = listener.accept()
        # The client closes first.
        connection.recv(1)
        connection.close()


def name(comm):
    with open("/proc/self/comm", "w") as file: file.write(comm)


if task == "serve":
    name("taker")
    for address in addresses:
        for port in (plain, non_blocking, last):
            listener = socket.create_server((address, port), family=family(address), backlog=128)
            threading.Thread(target=serve, args=[listener]).start()
    print(os.getpid(), flush=True)
else:
    name("caller")
    counts = [int(word) for word in task.split(",")]
    ways = ((call_in_turn, plain), (call_in_turn, refused), (call_at_once, silent),
            (call_without_blocking, non_blocking))
    ends = {port: collections.Counter(errno.errorcode.get(number, "ok")
                                      for number in way(port, count))
            for (way, port), count in zip(ways, counts)}
    call(last, 0)
    print(json.dumps({"pid": os.getpid(), "ends": ends}))
