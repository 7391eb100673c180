"""late_lines.py MILLISECONDS PATTERN: passes lines on, those that the pattern fits so much later.

All others are passed on as they come. At the end of its input nothing is kept back any longer.
"""
import os
import re
import select
import sys
import time

late_s = int(sys.argv[1]) / 1000
pattern = re.compile(sys.argv[2].encode())
held = []  # when each is due, and its bytes
rest = b""
while True:
    wait_s = max(0, held[0][0] - time.monotonic()) if held else None
    ready, _, _ = select.select([0], [], [], wait_s)
    read = os.read(0, 65536) if ready else None
    *lines, rest = (rest + (read or b"")).split(b"\n")
    for line in lines:
        if pattern.search(line):
            held.append((time.monotonic() + late_s, line + b"\n"))
        else:
            os.write(1, line + b"\n")
    while held and (read == b"" or held[0][0] <= time.monotonic()):
        os.write(1, held.pop(0)[1])
    if read == b"":
        os.write(1, rest)
        break
