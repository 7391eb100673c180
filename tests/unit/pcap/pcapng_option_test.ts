import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { CapturedPacket } from "../../../src/pcap/captured_packet.ts";
import {
  beginsCutOff,
  beginsHandshake,
  beginsMistimed,
  Direction,
  directionOf,
  findOption,
  HANDSHAKE_COMMENT,
  isOutbound,
  notePassage,
  optionText,
  packetComments,
  paddedLength,
  PcapngOption,
} from "../../../src/pcap/pcapng_option.ts";
import { describeHandshake } from "../../../src/output/packet_comment.ts";
import { anyHandshake } from "../record/arbitrary_handshake.ts";
import { Passage } from "../../../src/wire/passage.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { concat } from "../wire/build_frame.ts";
import { PcapngBuilder } from "./build_capture.ts";

const build = new PcapngBuilder(true);

function find(options: Uint8Array, code: number, least = 0): number {
  return findOption(new DataView(options.buffer), 0, options.length, true, code, least);
}

Deno.test("findOption finds an option by its code, the first with a value long enough", () => {
  const options = concat(
    build.comment("abcde"),
    build.option(9, new Uint8Array(0)),
    build.option(9, new Uint8Array([6])),
  );
  assertEquals(find(options, PcapngOption.COMMENT), 4);
  assertEquals(find(options, PcapngOption.IF_TSRESOL, 1), 20);
  assertEquals(find(options, PcapngOption.IF_TSRESOL, 2), -1);
  assertEquals(find(options, PcapngOption.IF_NAME), -1);
});

Deno.test("findOption ends at the end of options, and at an option that goes on behind it", () => {
  const end = build.option(0, new Uint8Array(0));
  assertEquals(find(concat(end, build.comment("x")), PcapngOption.COMMENT), -1);
  const whole = build.comment("abcd");
  for (let length = 0; length < whole.length; length++) {
    assertEquals(find(whole.slice(0, length), PcapngOption.COMMENT), -1);
  }
  assertEquals(find(whole, PcapngOption.COMMENT), 4);
});

Deno.test("optionText takes zero bytes off the end, and replaces what is no UTF-8", () => {
  const text = (value: Uint8Array) => {
    const options = build.option(2, value);
    return optionText(new DataView(options.buffer as ArrayBuffer), 4, true);
  };
  assertEquals(text(new TextEncoder().encode("eth0\0\0")), "eth0");
  assertEquals(text(new Uint8Array([0x61, 0xff])), "a\ufffd");
});

Deno.test("paddedLength rounds up to 4, also beyond 2^31", () => {
  assertEquals([0, 1, 4, 5, 0xffffffff].map(paddedLength), [0, 4, 4, 8, 0x100000000]);
});

function packetWith(...options: Uint8Array[]): CapturedPacket {
  const bytes = concat(...options);
  const packet = new CapturedPacket();
  packet.view = new DataView(bytes.buffer as ArrayBuffer);
  packet.optionsEnd = bytes.length;
  return packet;
}

Deno.test("packetComments gives every comment, directionOf the direction in the flags", () => {
  const packet = packetWith(build.comment("a"), build.flags(0b10110), build.comment(""));
  assertEquals(packetComments(packet), ["a", ""]);
  assertEquals([directionOf(packet), isOutbound(packet)], [Direction.OUTBOUND, true]);
  assertEquals(directionOf(packetWith(build.flags(0b101))), Direction.INBOUND);
  assertEquals(directionOf(packetWith(build.flags(0b10001))), Direction.OVERHEARD);
  assertEquals(directionOf(packetWith(build.comment("a"))), Direction.UNKNOWN);
});

Deno.test("notePassage takes the direction for what it says, and what was overheard for nothing", () => {
  const cases: { flags: number; expected: number }[] = [
    { flags: 0b001_01, expected: Passage.RECEIVED },
    { flags: 0b100_01, expected: Passage.UNKNOWN },
    { flags: 0b100_10, expected: Passage.SENT },
    // No direction: as the packet itself says, if it does.
    { flags: 0b001_00, expected: Passage.SENT },
  ];
  for (const { flags, expected } of cases) {
    const segment = new Segment();
    segment.passage = Passage.SENT;
    notePassage(segment, directionOf(packetWith(build.flags(flags))));
    assertEquals(segment.passage, expected, `${flags}`);
  }
});

Deno.test("beginsHandshake tells by a comment that synsnoop writes", () => {
  const cases: { options: Uint8Array[]; expected: boolean }[] = [
    { options: [], expected: false },
    { options: [build.comment("see synsnoop: x")], expected: false },
    { options: [build.comment("synsnoop: refused a → b")], expected: true },
    { options: [build.comment("synsnoop: half_open a → b, VLAN 7")], expected: true },
    { options: [build.comment("mine"), build.comment("synsnoop: refused a → b")], expected: true },
    // What another program makes of a process of that name.
    { options: [build.comment("synsnoop: a → b")], expected: false },
    { options: [build.comment("synsnoop: ")], expected: false },
    { options: [build.comment("comm synsnoop: refused a → b")], expected: false },
  ];
  for (const { options, expected } of cases) {
    assertEquals(beginsHandshake(packetWith(...options)), expected);
  }
});

Deno.test("beginsMistimed tells by the flag, whatever a process is called", () => {
  const cases: { comment: string; expected: boolean }[] = [
    { comment: "synsnoop: established a → b, clock_set", expected: true },
    { comment: "synsnoop: established a → b, ecn, clock_set, trace_ended", expected: true },
    { comment: "synsnoop: established a → b, client x, clock_set (7)", expected: false },
    { comment: "synsnoop: established a → b, client a, clock_set, b (7)", expected: false },
    { comment: "synsnoop: established a → b, client a, clock_set, b (7), ecn", expected: false },
    { comment: "synsnoop: timeout a → b, client clock_set (7), clock_set", expected: true },
    { comment: "synsnoop: established a → b, server x (7), server RTT 1.00 ms", expected: false },
    { comment: "synsnoop: clock_set a → b", expected: false },
    { comment: "established a → b, clock_set", expected: false },
  ];
  for (const { comment, expected } of cases) {
    assertEquals(beginsMistimed(packetWith(build.comment(comment))), expected);
  }
  assertEquals(beginsMistimed(packetWith()), false);
});

Deno.test("beginsMistimed tells the flags of any handshake, whatever its processes are called", () => {
  const hostile = fc.array(
    fc.constantFrom(", ", "clock_set", ",", " (7)", "ecn", "→", "synsnoop: ", "x", "\n", " "),
    { maxLength: 6 },
  ).map((parts) => parts.join(""));
  fc.assert(fc.property(anyHandshake(), hostile, hostile, (handshake, client, server) => {
    if (handshake.client.process) handshake.client.process.comm = client;
    if (handshake.server.process) handshake.server.process.comm = server;
    const packet = packetWith(build.comment(HANDSHAKE_COMMENT + describeHandshake(handshake)));
    assertEquals(beginsHandshake(packet), true);
    assertEquals(beginsMistimed(packet), handshake.flags.includes("clock_set"));
    assertEquals(beginsCutOff(packet), handshake.flags.includes("trace_ended"));
  }));
});
