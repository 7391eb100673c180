import { assertEquals } from "@std/assert";
import { copyPacket } from "../../../src/explain/seen_packet.ts";
import { decodePacket, FrameVerdict } from "../../../src/wire/frame.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { buildIpv4, buildTcp, tcpOption, u16 } from "../wire/build_frame.ts";

Deno.test("copyPacket keeps the header and numbers when the buffer is used again", () => {
  const tcp = buildTcp({
    sequence: 7,
    options: tcpOption(2, u16(1460)),
    payload: new Uint8Array(9),
  });
  const packet = buildIpv4({ payload: tcp });
  // Not at the beginning of its buffer, as in a ring.
  const buffer = new Uint8Array(5 + packet.length);
  buffer.set(packet, 5);
  const view = new DataView(buffer.buffer, 3);
  const segment = new Segment();
  const end = 2 + packet.length;
  assertEquals(decodePacket(view, 2, end, packet.length, segment), FrameVerdict.Tcp);
  const copy = copyPacket(segment, view, 11, 3);
  buffer.fill(0);
  segment.source.fill(0);
  assertEquals(copy.header, tcp.subarray(0, 24));
  assertEquals([copy.sequence, copy.payloadLength, copy.timeNs, copy.place], [7, 9, 11, 3]);
});
