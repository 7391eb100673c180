"""http_flood.py ADDRESS PORT RATE SECONDS: asks for /metrics RATE times a second, each on a connection of its
own, however slowly it is answered. Prints JSON: connections by status, and how many different texts came."""
import collections, json, selectors, socket, sys, time

address, port, rate, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
selector = selectors.DefaultSelector()
statuses, texts, begun, open_now = collections.Counter(), set(), 0, 0
begin = time.monotonic()


def finish(connection, answer):
    global open_now
    selector.unregister(connection)
    connection.close()
    open_now -= 1
    statuses[bytes(answer[9:12]).decode() or "none"] += 1
    if answer[9:12] == b"200":
        texts.add(bytes(answer[answer.index(b"\r\n\r\n"):]))


while True:
    now = time.monotonic() - begin
    if now > seconds + 30 or now >= seconds and open_now == 0:
        break
    while now < seconds and begun < now * rate:
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex((address, port))
        selector.register(connection, selectors.EVENT_WRITE, bytearray())
        begun += 1
        open_now += 1
    for key, events in selector.select(0.001):
        connection, answer = key.fileobj, key.data
        try:
            if events & selectors.EVENT_WRITE:
                connection.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
                selector.modify(connection, selectors.EVENT_READ, answer)
            else:
                part = connection.recv(65536)
                answer += part
                if not part:
                    finish(connection, answer)
        except OSError:
            finish(connection, answer)
print(json.dumps({"begun": begun, "statuses": statuses, "texts": len(texts), "unfinished": open_now}))
