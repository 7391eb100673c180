import { assertEquals } from "@std/assert";
import { CapturedPacket } from "../../../src/pcap/captured_packet.ts";
import { DISORDER_MAX_NS, ORDERED_NS, PacketClock } from "../../../src/pcap/packet_clock.ts";
import { PcapngBuilder } from "./build_capture.ts";

function packetAt(timeNs: number, interfaceNumber = 0, timed = true): CapturedPacket {
  const packet = new CapturedPacket();
  packet.timeNs = timeNs;
  packet.timed = timed;
  packet.interface = { ...packet.interface, number: interfaceNumber };
  return packet;
}

Deno.test("PacketClock follows the newest time and counts packets out of order", () => {
  const clock = new PacketClock();
  const late = 100 + ORDERED_NS;
  const times = [5, 7, 6, 7, late, 100, 99].map((time) => packetAt(time));
  assertEquals(times.map((packet) => clock.see(packet)), times.map(() => 0));
  assertEquals([clock.newestNs, clock.behind, clock.disordered, clock.steps], [late, 3, 1, 0]);
});

Deno.test("PacketClock takes a jump back on one interface for the clock, between two for disorder", () => {
  const clock = new PacketClock();
  clock.see(packetAt(10e9, 0));
  assertEquals(clock.see(packetAt(2e9, 1)), 0);
  assertEquals([clock.newestNs, clock.disordered], [10e9, 1]);
  assertEquals(clock.see(packetAt(10e9 - DISORDER_MAX_NS, 0)), 0);
  assertEquals(clock.see(packetAt(4e9, 0)), -6e9);
  assertEquals([clock.newestNs, clock.steps], [4e9, 1]);
  // The other interface's last time is of the old clock.
  assertEquals(clock.see(packetAt(1e9, 1)), 0);
});

Deno.test("PacketClock.isNext takes a packet in order and leaves every other one", () => {
  const clock = new PacketClock();
  assertEquals(clock.isNext(packetAt(5, 0)), true);
  assertEquals(clock.isNext(packetAt(5, 1)), true);
  assertEquals(clock.isNext(packetAt(4, 1)), false);
  assertEquals(clock.isNext(packetAt(9, 0, false)), false);
  assertEquals([clock.newestNs, clock.disordered], [5, 0]);
  // It was kept by interface: back by so much is a step of the clock.
  clock.isNext(packetAt(9e9, 1));
  assertEquals(clock.see(packetAt(1e9, 1)), -8e9);
});

Deno.test("PacketClock follows no more than a thousand steps, and no packet without a time", () => {
  const clock = new PacketClock();
  clock.see(packetAt(5e9));
  assertEquals(clock.see(packetAt(0, 0, false)), 0);
  for (let step = 0; step < 1_500; step++) {
    clock.see(packetAt(0));
    clock.see(packetAt(5e9));
  }
  assertEquals([clock.steps, clock.disordered], [1_000, 500]);
});

Deno.test("PacketClock begins anew with another file", () => {
  const clock = new PacketClock();
  clock.see(packetAt(50e9));
  clock.reset();
  assertEquals(clock.see(packetAt(3e9)), 0);
  assertEquals([clock.newestNs, clock.steps, clock.disordered], [3e9, 0, 0]);
});

/** The first packet of a handshake as synsnoop writes it. */
function firstOfHandshakeAt(timeNs: number, interfaceNumber = 0, flag = ""): CapturedPacket {
  const comment = new PcapngBuilder().comment(
    `synsnoop: established 192.0.2.1:1 → 192.0.2.2:2${flag}`,
  );
  const packet = packetAt(timeNs, interfaceNumber);
  packet.view = new DataView(comment.buffer as ArrayBuffer);
  packet.optionsEnd = comment.length;
  return packet;
}

Deno.test("PacketClock takes handshakes that stand together as neither disorder nor a step", () => {
  const clock = new PacketClock();
  const packets = [
    firstOfHandshakeAt(100e9),
    packetAt(100e9 + 5),
    // Began before it, on another interface too, and ended after it.
    firstOfHandshakeAt(30e9, 1),
    packetAt(30e9 + 5),
    packetAt(99e9, 1),
    firstOfHandshakeAt(101e9),
    packetAt(101e9 + 5),
  ];
  assertEquals(packets.map((packet) => clock.see(packet)), packets.map(() => 0));
  assertEquals([clock.newestNs, clock.disordered, clock.steps], [101e9 + 5, 0, 0]);
});

Deno.test("PacketClock finds disorder and steps inside a handshake that stands together", () => {
  const clock = new PacketClock();
  const packets = [
    firstOfHandshakeAt(100e9),
    firstOfHandshakeAt(30e9),
    packetAt(31e9),
    packetAt(31e9 - 2 * ORDERED_NS),
    packetAt(20e9),
  ];
  assertEquals(packets.map((packet) => clock.see(packet)), [0, 0, 0, 0, -11e9]);
  assertEquals([clock.newestNs, clock.disordered, clock.steps], [20e9, 1, 1]);
});

Deno.test("PacketClock.isLeap tells a packet whose time the next one must prove", () => {
  const clock = new PacketClock();
  assertEquals(clock.isLeap(packetAt(5)), false);
  clock.see(packetAt(1_000e9));
  const leaps = (timeNs: number, interfaceNumber = 0, timed = true) =>
    clock.isLeap(packetAt(timeNs, interfaceNumber, timed));
  assertEquals([leaps(1_060e9), leaps(1_060e9 + 1), leaps(Infinity)], [false, true, true]);
  assertEquals([leaps(1_000e9 - DISORDER_MAX_NS), leaps(998e9)], [false, true]);
  // Between two interfaces packets may be out of order; without a time there is nothing to prove.
  assertEquals([leaps(998e9, 1), leaps(5_000e9, 0, false)], [false, false]);
  // A handshake that stands together is what was written next, whenever it was.
  assertEquals(clock.isLeap(firstOfHandshakeAt(5_000e9)), false);
  assertEquals(clock.newestNs, 1_000e9);
});
