import { assertEquals } from "@std/assert";
import { ServedPorts } from "../../../src/match/served_ports.ts";

Deno.test("ServedPorts has a port from when the kernel tells on, until it does no more", () => {
  const ports = new ServedPorts();
  ports.add(443);
  assertEquals(ports.has(443, 100), false);
  ports.toldFrom(50);
  const at = [[443, 49], [443, 50], [444, 50], [0, 50], [65_535, 50]];
  assertEquals(at.map(([port, ns]) => ports.has(port, ns)), [false, true, false, false, false]);
  ports.toldFrom(Infinity);
  assertEquals(ports.has(443, 100), false);
});

Deno.test("ServedPorts has no port while the kernel's words may be among those lost", () => {
  const ports = new ServedPorts();
  ports.add(443);
  ports.lostUntil(10);
  assertEquals(ports.has(443, 100), false);
  ports.toldFrom(50);
  ports.lostUntil(80);
  ports.lostUntil(70);
  assertEquals([79, 80].map((ns) => ports.has(443, ns)), [false, true]);
});
