import { assertEquals } from "@std/assert";
import { addDrop, type Drops } from "../../../src/match/drops.ts";
import { end, Play } from "./traffic.ts";

const P = new Play(end("192.0.2.1", 50000), end("198.51.100.2", 443), 1000, 5000);

Deno.test("addDrop keeps the reason, the packet and the queue of the one dropped last", () => {
  const refused = P.queueDrop(100).record;
  const filtered = P.synDrop(200, { reason: "TCP_FLAGS" }).record;
  const answer = P.synAckDrop(300).record;
  const cases: { records: typeof refused[]; expected: Drops }[] = [
    {
      records: [refused],
      expected: {
        count: 1,
        firstNs: 100,
        lastNs: 100,
        reason: "ACCEPT_QUEUE_FULL",
        packet: "syn",
        queue: { length: 129, limit: 128 },
        serverIsn: undefined,
        refusal: { netns: 4026532000, listener: undefined },
      },
    },
    {
      records: [refused, filtered],
      expected: {
        count: 2,
        firstNs: 100,
        lastNs: 200,
        reason: "TCP_FLAGS",
        packet: "syn",
        queue: undefined,
        serverIsn: undefined,
        refusal: { netns: 4026532000, listener: undefined },
      },
    },
    {
      records: [filtered, refused, answer],
      expected: {
        count: 3,
        firstNs: 100,
        lastNs: 300,
        reason: "NETFILTER_DROP",
        packet: "syn_ack",
        queue: undefined,
        serverIsn: 5000,
        refusal: { netns: 4026532000, listener: undefined },
      },
    },
  ];
  for (const { records, expected } of cases) {
    // Whichever is told of first.
    for (const told of [records, records.toReversed()]) {
      let drops: Drops | undefined;
      for (const record of told) drops = addDrop(drops, record);
      assertEquals(drops, expected);
    }
  }
});

Deno.test("addDrop takes of two at one time the one told of last", () => {
  const first = P.synDrop(100, { reason: "NETFILTER_DROP" }).record;
  const second = P.synDrop(100, { reason: "NO_SOCKET" }).record;
  assertEquals(addDrop(addDrop(undefined, first), second).reason, "NO_SOCKET");
});
