/** Random stories: any handshake with any packets, every name hostile. */
import fc from "fast-check";
import type { Handshake } from "../../../src/match/handshake.ts";
import type { SeenPacket } from "../../../src/explain/seen_packet.ts";
import { type Story, tellStory } from "../../../src/explain/story.ts";
import { anyHandshake, anyText } from "../record/arbitrary_handshake.ts";
import { buildTcp } from "../wire/build_frame.ts";

const u32 = fc.nat({ max: 0xffffffff });

function anyPacket(handshake: Handshake): fc.Arbitrary<SeenPacket> {
  const near = (isn: number | undefined) =>
    fc.oneof(fc.integer({ min: 0, max: 3 }).map((more) => ((isn ?? 0) + more) >>> 0), u32);
  return fc.record({
    sender: fc.constantFrom(handshake.client, handshake.server),
    delayNs: fc.integer({ min: -5, max: 2 ** 40 }),
    place: fc.nat({ max: 4 }),
    flags: fc.oneof(fc.constantFrom(0x02, 0x12, 0x10, 0x04, 0x14), fc.nat({ max: 0x1ff })),
    sequence: fc.oneof(near(handshake.client.isn), near(handshake.server.isn)),
    acknowledgment: fc.oneof(near(handshake.client.isn), near(handshake.server.isn)),
    payloadLength: fc.nat({ max: 3 }),
    options: fc.uint8Array({ maxLength: 40 }),
    mark: fc.integer(),
    tunnels: fc.nat({ max: 1 }),
  }).map(({ sender, delayNs, options, ...rest }) => ({
    ...rest,
    timeNs: handshake.timeNs + delayNs,
    source: sender.address,
    sourcePort: sender.port,
    header: buildTcp({ ...rest, options }),
  }));
}

/** Any story that can be told. */
export function anyStory(): fc.Arbitrary<Story> {
  return anyHandshake().chain((handshake) =>
    fc.record({
      packets: fc.array(anyPacket(handshake), { maxLength: 8 }),
      complete: fc.boolean(),
      name: fc.option(anyText(), { nil: undefined }),
    }).map(({ packets, complete, name }) =>
      tellStory(handshake, { packets, complete, interfaceName: () => name })
    )
  );
}
