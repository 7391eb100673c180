import { assertEquals } from "@std/assert";
import { Matcher } from "../../../src/match/matcher.ts";
import { KeptPackets } from "../../../src/pcap/kept_packets.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { end, EPOCH_SECONDS, type Event, fillSegment, Play, plus } from "./traffic.ts";

const P = new Play(end("192.0.2.1", 50000), end("198.51.100.2", 443), 1000, 5000);
const SECOND = 1e9;

/**
 * Plays packets and keeps each where `Matcher.packet` says.
 *
 * @returns Of each handshake the times of its packets, and the times of those that are of none.
 */
function play(events: readonly Event[], capacity?: number): { kept: number[][]; others: number[] } {
  const result: { kept: number[][]; others: number[] } = { kept: [], others: [] };
  const packets = new KeptPackets(16, 64);
  const matcher = new Matcher(EPOCH_SECONDS, (_, row) => {
    result.kept.push(packets.packetsOf(row).packets.map(({ timeNs }) => timeNs));
  }, { rowKeeper: packets, capacity: capacity ?? 16 });
  const segment = new Segment();
  const view = new DataView(new ArrayBuffer(1));
  for (const event of events) {
    if (!("packet" in event)) throw new Error("Cannot play this event: it is no packet");
    const { timeNs, place } = event;
    const row = matcher.packet(fillSegment(event.packet, segment), timeNs, place);
    if (row < 0) result.others.push(timeNs);
    else {
      packets.keep(row, {
        view,
        start: 0,
        end: 1,
        originalLength: 1,
        linkType: 101,
        timeNs,
        place,
        direction: 0,
      });
    }
  }
  matcher.flush();
  return result;
}

Deno.test("Matcher.packet tells whose each packet is, also one whose numbers do not fit", () => {
  const other = new Play(P.client, end("198.51.100.3", 443), 7, 9);
  assertEquals(
    play([
      P.syn(1),
      other.syn(2),
      P.synAck(3, { acknowledgment: 77 }),
      P.synAck(4),
      P.synAck(5, {}, 2),
      other.refusal(6, { acknowledgment: 77 }),
      other.refusal(7),
      P.ack(8, { acknowledgment: 77 }),
      P.ack(9),
      P.ack(10),
      other.refusal(11),
    ]),
    { kept: [[2, 6, 7], [1, 3, 4, 5, 8, 9]], others: [10, 11] },
  );
});

Deno.test("Matcher gives rows again, and tells who keeps something there", () => {
  const again = P.again(2000, 6000);
  assertEquals(
    play([P.syn(1), P.synAck(2), again.syn(SECOND), again.synAck(SECOND + 2)], 1),
    { kept: [[SECOND, SECOND + 2]], others: [] },
  );
});

Deno.test("Matcher tells that the packets of a simultaneous open are of one handshake", () => {
  const opposite = new Play(P.server, P.client, 5000, 1000);
  assertEquals(
    play([P.syn(1), opposite.syn(2), P.synAck(3), opposite.synAck(4)]).kept.flat(),
    [1, 2, 3, 4],
  );
});

Deno.test("Matcher.packet keeps an ACK with the attempt that holds it, in the VLAN that it came in", () => {
  const packets = [
    P.syn(1, { vlan: 8 }),
    P.syn(2e8, { vlan: 108 }),
    P.synAck(3e8, { vlan: 8 }),
    P.serverReset(4e8),
    P.ack(5e8, { vlan: 8 }),
    P.fromServer(6e8, { acknowledgment: plus(P.x, 51) }),
  ];
  assertEquals(play(packets), { kept: [[1, 3e8, 4e8, 5e8, 6e8], [2e8]], others: [] });
});
