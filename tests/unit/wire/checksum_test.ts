import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Checksum, internetChecksum, ipChecksum, tcpChecksum } from "../../../src/wire/checksum.ts";
import { LinkType } from "../../../src/wire/frame.ts";
import {
  buildEthernet,
  buildIpv4,
  buildIpv6,
  buildTcp,
  type ChecksumFaults,
  concat,
  finished,
  linuxSynOptions,
  u32,
} from "./build_frame.ts";
import { decode } from "./decode.ts";
import { guardedView } from "./guarded_view.ts";

const names = Object.keys(Checksum);

/** What both checksums of a packet say. */
function judge(packet: Uint8Array, captured = packet.length): [string, string] {
  const { segment } = decode({ bytes: packet, linkType: LinkType.RAW, captured });
  const view = guardedView(packet.subarray(0, captured), 32);
  return [names[ipChecksum(view, segment)], names[tcpChecksum(view, segment)]];
}

const TCP = buildTcp({ options: linuxSynOptions() });

Deno.test("ipChecksum and tcpChecksum know right, unfinished and wrong ones", () => {
  const v4 = buildIpv4({ payload: TCP });
  const v6 = buildIpv6({ payload: TCP });
  const cases: { packet: Uint8Array; faults?: ChecksumFaults; expected: [string, string] }[] = [
    { packet: v4, faults: {}, expected: ["RIGHT", "RIGHT"] },
    { packet: v6, faults: {}, expected: ["RIGHT", "RIGHT"] },
    { packet: v4, expected: ["UNFINISHED", "UNFINISHED"] },
    { packet: v6, expected: ["RIGHT", "UNFINISHED"] },
    { packet: v4, faults: { ip: 1 }, expected: ["WRONG", "RIGHT"] },
    { packet: v4, faults: { tcp: 1 }, expected: ["RIGHT", "WRONG"] },
    { packet: v6, faults: { tcp: -1 }, expected: ["RIGHT", "WRONG"] },
    { packet: v4, faults: { pseudoLength: TCP.length }, expected: ["RIGHT", "UNFINISHED"] },
    { packet: v6, faults: { pseudoLength: TCP.length }, expected: ["RIGHT", "UNFINISHED"] },
    // With segmentation offload, the adapter adds the length.
    { packet: v4, faults: { pseudoLength: 0 }, expected: ["RIGHT", "UNFINISHED"] },
    { packet: v4, faults: { pseudoLength: 999 }, expected: ["RIGHT", "WRONG"] },
  ];
  for (const { packet, faults, expected } of cases) {
    assertEquals(judge(faults === undefined ? packet : finished(packet, faults)), expected);
  }
});

Deno.test("tcpChecksum covers data of any length, and no padding behind it", () => {
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(buildIpv4, buildIpv6),
    fc.nat({ max: 39 }),
    (payload, build, flip) => {
      const packet = finished(build({ payload: buildTcp({ payload }) }));
      assertEquals(judge(packet)[1], "RIGHT");
      const { segment } = decode({
        bytes: buildEthernet({ payload: concat(packet, new Uint8Array(9).fill(7)) }),
      });
      assertEquals(segment.payloadLength, payload.length);
      if (flip >= payload.length) return;
      const changed = packet.with(
        packet.length - 1 - flip,
        packet[packet.length - 1 - flip] ^ 0x11,
      );
      assertEquals(judge(changed)[1], "WRONG");
    },
  ));
});

Deno.test("tcpChecksum does not judge what was not captured whole", () => {
  const packet = finished(buildIpv4({ payload: buildTcp({ payload: new Uint8Array(9) }) }), {
    tcp: 5,
  });
  assertEquals(judge(packet), ["RIGHT", "WRONG"]);
  for (let captured = 40; captured < packet.length; captured++) {
    assertEquals(judge(packet, captured), ["RIGHT", "UNKNOWN"]);
  }
});

Deno.test("tcpChecksum counts the end of a source route, not the next address on it", () => {
  const route = concat(
    new Uint8Array([131, 11, 4]),
    u32(0x0a000001, 0x0a000009),
    new Uint8Array(1),
  );
  const arrived = finished(buildIpv4({ destination: "10.0.0.9", payload: TCP }));
  const onTheWay = buildIpv4({ options: route, payload: arrived.subarray(20) });
  assertEquals(judge(finishedHeader(onTheWay)), ["RIGHT", "RIGHT"]);
});

/** With a right header checksum, and TCP's as it is. */
function finishedHeader(packet: Uint8Array): Uint8Array {
  const copy = finished(packet);
  copy.set(packet.subarray((packet[0] & 15) * 4), (packet[0] & 15) * 4);
  return copy;
}

Deno.test("internetChecksum makes the example of RFC 1071 and odd lengths right", () => {
  const bytes = new Uint8Array([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
  assertEquals(internetChecksum(new DataView(bytes.buffer), 0, 8), 0xddf2 ^ 0xffff);
  assertEquals(internetChecksum(new DataView(bytes.buffer), 0, 3), 0xf201 ^ 0xffff);
});
