import { assertEquals } from "@std/assert";
import { CapturedPacket } from "../../../src/pcap/captured_packet.ts";
import { copyCaptured, isAbsurd } from "../../../src/pcap/leap.ts";

function packetAt(timeNs: number, fields: Partial<CapturedPacket> = {}): CapturedPacket {
  return Object.assign(new CapturedPacket(), { timeNs, ...fields });
}

Deno.test("copyCaptured keeps bytes and options when the buffer is used again", () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, index) => index);
  const packet = packetAt(7, {
    view: new DataView(bytes.buffer, 8),
    start: 4,
    end: 9,
    optionsStart: 12,
    optionsEnd: 15,
    originalLength: 99,
  });
  const copy = copyCaptured(packet);
  bytes.fill(0xff);
  const of = (
    from: number,
    to: number,
  ) => [...new Uint8Array(copy.view.buffer, copy.view.byteOffset + from, to - from)];
  assertEquals(of(copy.start, copy.end), [12, 13, 14, 15, 16]);
  assertEquals(of(copy.optionsStart, copy.optionsEnd), [20, 21, 22]);
  assertEquals([copy.timeNs, copy.originalLength, copy.view.byteLength], [7, 99, 11]);
  const plain = copyCaptured(Object.assign(packet, { optionsStart: 30, optionsEnd: 30 }));
  assertEquals([plain.view.byteLength, plain.optionsStart, plain.optionsEnd], [5, 0, 0]);
});

Deno.test("isAbsurd takes the packet behind for what is nearer to it", () => {
  const epoch = 1_700_000_000;
  const far = (seconds: number) => packetAt(Infinity, { farSeconds: seconds });
  const cases: [waiting: CapturedPacket, next: CapturedPacket, absurd: boolean][] = [
    [packetAt(3_600e9), packetAt(3_601e9), false],
    [packetAt(3_600e9), packetAt(11e9), true],
    [packetAt(-600e9), packetAt(-599e9), false],
    [packetAt(-600e9), packetAt(11e9), true],
    [far(epoch + 2e9), far(epoch + 2e9 + 5), false],
    [far(epoch + 2e9), packetAt(11e9), true],
    [far(0), far(5), false],
    [far(0), packetAt(11e9), true],
    // One without a time tells nothing.
    [packetAt(3_600e9), packetAt(11e9, { timed: false }), false],
  ];
  for (const [waiting, next, absurd] of cases) {
    assertEquals(isAbsurd(waiting, next, 10e9, epoch), absurd);
  }
});
