import { assertEquals } from "@std/assert";
import { countPackets, PacketStream } from "../../../src/files/packet_stream.ts";
import { PcapngBuilder } from "../pcap/build_capture.ts";
import { concat } from "../wire/build_frame.ts";

const build = new PcapngBuilder();
const SECTION = concat(build.section(), build.interface({ resolution: 9 }));
const packet = (number: number) =>
  build.packet({ interfaceNumber: 0, ticks: BigInt(number), data: new Uint8Array(100) });
const join = (...parts: Uint8Array[]) => new Uint8Array(concat(...parts));

/** A stream that takes so many bytes and then nothing. */
function takes(bytes: number) {
  let left = bytes;
  return {
    patienceMs: 0,
    write: ({ length }: Uint8Array) => {
      const count = Math.min(left, length);
      left -= count;
      return count > 0 ? Promise.resolve(count) : new Promise<number>(() => {});
    },
  };
}

Deno.test("countPackets counts packets that end behind an offset, and no other block", () => {
  const [one, two] = [packet(1), packet(2)];
  const blocks = join(SECTION, one, two);
  const endOfOne = SECTION.length + one.length;
  const cases: [from: number, expected: number][] = [
    [0, 2],
    [SECTION.length, 2],
    [endOfOne - 1, 2],
    [endOfOne, 1],
    [blocks.length - 1, 1],
    [blocks.length, 0],
  ];
  for (const [from, expected] of cases) assertEquals(countPackets(blocks, from), expected);
});

Deno.test("PacketStream counts at the end what a stalled reader did not take whole", async () => {
  const whole = SECTION.length + packet(1).length;
  const stream = new PacketStream(takes(whole + 50), { reopen: undefined, onFault: () => {} });
  stream.append(join(SECTION, packet(1), packet(2)), 2);
  stream.append(join(packet(3)), 1);
  stream.hasten();
  await stream.flush();
  assertEquals([stream.lost, stream.append(join(packet(4)), 1), stream.lost], [2, false, 3]);
});

Deno.test("PacketStream takes no more than waits at most", () => {
  const options = { reopen: undefined, onFault: () => {}, waitingMax: SECTION.length };
  const stream = new PacketStream(takes(0), options);
  assertEquals(stream.append(join(SECTION), 0), true);
  assertEquals([stream.append(join(packet(1)), 1), stream.lost], [false, 1]);
});

Deno.test("PacketStream tells once that the reader of a pipe has gone, and counts from there", async () => {
  const faults: (string | undefined)[] = [];
  const stream = new PacketStream(
    { write: () => Promise.reject(new Deno.errors.BrokenPipe()) },
    { reopen: undefined, onFault: (reason) => faults.push(reason) },
  );
  stream.append(join(SECTION, packet(1)), 1);
  await stream.flush();
  assertEquals(stream.append(join(packet(2)), 1), false);
  assertEquals([stream.lost, faults, stream.isStale], [2, [undefined], false]);
});
