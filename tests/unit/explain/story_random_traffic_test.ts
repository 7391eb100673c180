// Of random traffic the story must say of each packet what the matcher made of it: which packets fit,
// and whose numbers the relations are.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Handshake } from "../../../src/match/handshake.ts";
import { Matcher } from "../../../src/match/matcher.ts";
import type { SeenPacket } from "../../../src/explain/seen_packet.ts";
import type { PacketStep } from "../../../src/explain/step.ts";
import { type Story, tellStory } from "../../../src/explain/story.ts";
import { IcmpError } from "../../../src/wire/icmp.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { arbitraryTrace, type Trace } from "../match/arbitrary_traffic.ts";
import { EPOCH_SECONDS, type Event, fillIcmpError, fillSegment } from "../match/traffic.ts";
import { buildTcp } from "../wire/build_frame.ts";

type PacketEvent = Extract<Event, { packet: unknown }>;

/** Random traces; more find more: `-- --runs=300000`. */
const RUNS = Number(/^--runs=(\d+)$/.exec(Deno.args[0] ?? "")?.[1] ?? 500);

let marks = 0;

/** Of packets that tell nothing each has another. */
function markOf({ identification, checksum }: PacketEvent["packet"]): number {
  return checksum === undefined ? -++marks : identification ?? 0;
}

function seenPacket({ packet, timeNs, place }: PacketEvent): SeenPacket {
  const { from, flags, sequence, acknowledgment = 0, payloadLength = 0 } = packet;
  return {
    timeNs,
    place: place,
    source: from.address,
    sourcePort: from.port,
    flags,
    sequence,
    acknowledgment,
    payloadLength,
    mark: markOf(packet),
    tunnels: 0,
    header: buildTcp({ flags, sequence, acknowledgment }),
  };
}

/** Plays a trace and checks each story. */
function play(
  { events, capacity, rememberNs }: Trace,
  check: (handshake: Handshake, story: Story) => void,
): void {
  const rows = new Map<number, SeenPacket[]>();
  const packetsOf = (row: number) => rows.get(row) ?? [];
  const matcher = new Matcher(EPOCH_SECONDS, (handshake, row) => {
    const context = { complete: true, interfaceName: () => undefined };
    check(handshake, tellStory(handshake, { ...context, packets: packetsOf(row) }));
  }, {
    capacity,
    rememberNs,
    rowKeeper: {
      begin: (row) => void rows.set(row, []),
      join: (row, into) => {
        rows.set(into, [...packetsOf(into), ...packetsOf(row)]);
        rows.set(row, []);
      },
    },
  });
  const segment = new Segment();
  const error = new IcmpError();
  for (const event of events) {
    if ("packet" in event) {
      const { packet, timeNs, place } = event;
      const row = matcher.packet(fillSegment(packet, segment), timeNs, place);
      if (row >= 0) packetsOf(row).push(seenPacket(event));
    } else if ("record" in event) matcher.kernelRecord(event.record);
    else if ("jumpNs" in event) matcher.clockSet(event.jumpNs, event.nowNs);
    else if ("icmp" in event) matcher.icmpError(fillIcmpError(event.icmp, error), event.timeNs);
    else if ("fellSilentNs" in event) matcher.kernelFellSilent(event.fellSilentNs);
    else matcher.advance(event.completeNs);
  }
  matcher.flush();
}

/**
 * Whether the story can know what the matcher knew: not where a packet came before the SYN, who sent it
 * is open (a loop, a translation to the reverse), or another place has another order.
 */
function isPlain(
  { flags, translated, interfaces }: Handshake,
  packets: readonly PacketStep[],
): boolean {
  const isLate = packets.some(({ timeNs }) => timeNs !== undefined && timeNs < 0) ||
    packets.findIndex(({ part, from }) => part === "SYN" && from === "client") > 0;
  const places = new Set([...interfaces, ...packets.map(({ packet }) => packet.place)]);
  return !isLate && places.size <= 1 && translated === undefined &&
    !flags.includes("self_connect") && !flags.includes("clock_set");
}

Deno.test("tellStory says of random traffic what the matcher made of it", () => {
  let checked = 0;
  fc.assert(
    fc.property(arbitraryTrace, (trace) =>
      play(trace, (handshake, { steps, relations }) => {
        const packets = steps.filter((step) => step.kind === "packet");
        if (!isPlain(handshake, packets)) return;
        checked++;
        const has = (part: string, from: string) =>
          packets.some((step) => step.part === part && step.from === from && step.fits);
        const { ackSequence, ackAcknowledgesSynAck, ackNs, synAckCount, rstCount } = handshake;
        const isSplit = packets.some(({ from, remarks }) =>
          from === "server" && remarks.join().includes("the other way round")
        );
        const hasThird = ackSequence === true && ackAcknowledgesSynAck !== false &&
          ackNs !== undefined;
        // The client answered a SYN of the server with another number than the record has.
        const hasOtherIsn = packets.some(({ part, from, fits }) =>
          part === "SYN-ACK" && from === "client" && !fits
        );
        if (!hasOtherIsn) assertEquals(has("ACK", "client") || isSplit, hasThird);
        if (!handshake.flags.includes("simultaneous_open")) {
          assertEquals(has("SYN-ACK", "server"), synAckCount > 0);
          // Of a simultaneous open one may have been of the other attempt, before the two were one.
          assertEquals(packets.filter(({ part, fits }) => part === "RST" && fits).length, rstCount);
        }
        for (const { verdict, sum, comment } of relations) {
          assertEquals(sum !== undefined, verdict !== undefined);
          if (verdict === undefined) continue;
          const result = Number(sum?.slice(-10));
          const isShown = packets.some(({ packet }) =>
            packet.sequence === result || packet.acknowledgment === result
          );
          assert(verdict ? isShown : comment.startsWith("But "), comment);
        }
      })),
    { numRuns: RUNS },
  );
  assert(checked > 200, `only ${checked} stories were checked`);
});
