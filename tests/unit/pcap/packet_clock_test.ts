import { assertEquals } from "@std/assert";
import { CapturedPacket } from "../../../src/pcap/captured_packet.ts";
import { DISORDER_MAX_NS, PacketClock } from "../../../src/pcap/packet_clock.ts";
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
  const times = [5, 7, 6, 7, 100, 99].map((time) => packetAt(time));
  assertEquals(times.map((packet) => clock.see(packet)), [0, 0, 0, 0, 0, 0]);
  assertEquals([clock.newestNs, clock.disordered, clock.steps], [100, 2, 0]);
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
    packetAt(31e9 - 1),
    packetAt(20e9),
  ];
  assertEquals(packets.map((packet) => clock.see(packet)), [0, 0, 0, 0, -11e9]);
  assertEquals([clock.newestNs, clock.disordered, clock.steps], [20e9, 1, 1]);
});

Deno.test("PacketClock goes back to a handshake across which the clock was set, as it was then", () => {
  const clock = new PacketClock();
  const packets = [
    firstOfHandshakeAt(600e9),
    firstOfHandshakeAt(0, 0, ", clock_set"),
    packetAt(5),
    firstOfHandshakeAt(1e9, 0, ", clock_set"),
    firstOfHandshakeAt(0.5e9, 0, ", clock_set"),
  ];
  assertEquals(packets.map((packet) => clock.see(packet)), [0, -600e9, 0, 0, 0]);
  assertEquals([clock.newestNs, clock.steps], [1e9, 0]);
});

Deno.test("PacketClock takes a jump of more than a year for the clock, and one back from there", () => {
  const year = 365 * 86_400e9;
  const clock = new PacketClock();
  const times = [5, 5 + year, 6 + 3 * year, 7];
  assertEquals(times.map((time) => clock.see(packetAt(time))), [
    0,
    0,
    2 * year + 1,
    7 - (6 + 3 * year),
  ]);
  assertEquals([clock.newestNs, clock.steps], [7, 1]);
  // A handshake that stands together is what was written next, whenever it was.
  assertEquals(clock.see(firstOfHandshakeAt(9 * year)), 0);
});

Deno.test("PacketClock moves with its axis", () => {
  const clock = new PacketClock();
  clock.see(packetAt(100e9));
  clock.moveAxis(90e9);
  assertEquals(clock.newestNs, 10e9);
  assertEquals(clock.isNext(packetAt(10e9)), true);
  assertEquals(clock.see(packetAt(5e9)), -5e9);
});
