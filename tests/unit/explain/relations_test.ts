import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { makeRelations } from "../../../src/explain/relations.ts";
import { TcpFlag } from "../../../src/wire/segment.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";
import { CLIENT, CONVERSATIONS, type Said, SERVER, storyOf } from "./build_conversation.ts";

const { SYN, ACK } = TcpFlag;
const MODULUS = 2n ** 32n;
const u32 = fc.nat({ max: 0xffffffff });
/** Also numbers whose successors wrap. */
const isn = fc.oneof(u32, fc.integer({ min: 0xfffffc00, max: 0xffffffff }));

function add(number: number, bytes: number): number {
  return Number((BigInt(number) + BigInt(bytes)) % MODULUS);
}

function lastNumber(sum: string | undefined): number | undefined {
  return sum === undefined ? undefined : Number(sum.slice(-10));
}

Deno.test("makeRelations computes the numbers that the packets carry, whatever the ISNs and data", () => {
  const data = fc.nat({ max: 900 });
  fc.assert(
    fc.property(isn, isn, data, data, data, (client, server, sent, acceptable, early) => {
      const accepted = Math.min(sent, acceptable);
      // Without TCP Fast Open nothing comes before the ACK.
      const earlyHere = sent > 0 ? early : 0;
      const packets: Said[] = [
        { atNs: 0, by: "client", flags: SYN, sequence: client, payload: new Uint8Array(sent) },
        {
          atNs: 1,
          by: "server",
          flags: SYN | ACK,
          sequence: server,
          acknowledgment: add(client, 1 + accepted),
        },
        {
          atNs: 2,
          by: "client",
          flags: ACK,
          sequence: add(client, 1 + accepted),
          acknowledgment: add(server, 1 + earlyHere),
        },
      ];
      const { relations } = storyOf({ packets });
      assertEquals(relations.map(({ verdict }) => verdict), [true, true, true]);
      assertEquals(relations.map(({ sum }) => lastNumber(sum)), [
        packets[1].acknowledgment,
        packets[2].sequence,
        packets[2].acknowledgment,
      ]);
      const wraps = BigInt(client) + 1n + BigInt(accepted) >= MODULUS;
      assertEquals(relations[0].sum?.includes("modulo 2^32"), wraps);
    }),
    { numRuns: 60 },
  );
});

Deno.test("makeRelations shows the right number beside a wrong one", () => {
  const wrong = fc.integer({ min: 1, max: 0xfffffffe });
  fc.assert(
    fc.property(isn, isn, wrong, wrong, wrong, (client, server, inAck, inSeq, inAckAck) => {
      const syn: Said = { atNs: 0, by: "client", flags: SYN, sequence: client };
      const [good, bad] = [0, inAck].map((error): Said => ({
        atNs: error === 0 ? 2 : 1,
        by: "server",
        flags: SYN | ACK,
        sequence: server,
        acknowledgment: add(client, 1 + error),
      }));
      const [first] = storyOf({ packets: [syn, bad] }).relations;
      assertEquals([first.verdict, lastNumber(first.sum)], [false, add(client, 1)]);
      const hex = add(client, 1 + inAck).toString(16).padStart(8, "0");
      assertStringIncludes(first.comment, `But the SYN-ACK's Ack is 0x${hex}.`);
      const ack: Said = {
        atNs: 3,
        by: "client",
        flags: ACK,
        sequence: add(client, 1 + inSeq),
        acknowledgment: add(server, 1 + inAckAck),
      };
      const { relations } = storyOf({ packets: [syn, good, ack] });
      assertEquals(relations.map(({ verdict }) => verdict), [true, false, false]);
      assertEquals(relations.slice(1).map(({ sum }) => lastNumber(sum)), [
        add(client, 1),
        add(server, 1),
      ]);
    }),
    { numRuns: 40 },
  );
});

Deno.test("makeRelations tells a right number from a wrong one in one packet", () => {
  const { relations } = storyOf(CONVERSATIONS.wrongNumbers);
  assertEquals(relations.map(({ verdict }) => verdict), [true, true, false]);
  assertStringIncludes(relations[2].comment, "0x5e5e0bad");
});

Deno.test("makeRelations says which data made a sum longer", () => {
  const { relations } = storyOf(CONVERSATIONS.fastOpen);
  assertEquals(relations.map(({ sum }) => sum), [
    "0xfffffff0 + 1 + 500 = 0x1000001e5, modulo 2^32: 0x000001e5",
    "0xfffffff0 + 1 + 500 = 0x1000001e5, modulo 2^32: 0x000001e5",
    "0x00001388 + 1 + 100 = 0x000013ed",
  ]);
  assertStringIncludes(relations[0].comment, "500 of the 500 bytes");
});

Deno.test("makeRelations of a refused SYN is why the RST is believed", () => {
  const { relations } = storyOf(CONVERSATIONS.refused);
  assertEquals(relations.map(({ sum, verdict }) => [sum, verdict]), [
    ["0x1a2b3c4d + 1 = 0x1a2b3c4e", true],
  ]);
});

Deno.test("makeRelations of a simultaneous open are two answers", () => {
  const { relations } = storyOf(CONVERSATIONS.simultaneous);
  assertEquals(relations.map(({ sum, verdict }) => [sum, verdict]), [
    ["0x000003e8 + 1 = 0x000003e9", true],
    ["0x00001388 + 1 = 0x00001389", true],
  ]);
});

Deno.test("makeRelations names the packet that is missing", () => {
  const { relations: [first, second] } = storyOf(CONVERSATIONS.oneSided);
  assertEquals([first.verdict, first.sum], [undefined, undefined]);
  assertStringIncludes(first.claim, "no SYN was captured");
  assertEquals([second.verdict, second.sum], [true, "0x000003e8 + 1 = 0x000003e9"]);
});

Deno.test("makeRelations of packets that were no longer kept has verdicts without sums", () => {
  const handshake = makeHandshake({
    client: { ...CLIENT, isn: 1 },
    server: { ...SERVER, isn: 2 },
    synAckAcknowledgesSyn: true,
    ackSequence: true,
    ackAcknowledgesSynAck: false,
  });
  const relations = makeRelations(handshake, []);
  assertEquals(relations.map(({ verdict, sum }) => [verdict, sum]), [
    [true, undefined],
    [true, undefined],
    [false, undefined],
  ]);
});

Deno.test("makeRelations says of another segment in the window why it completes, of others that it does not", () => {
  const packets: Said[] = [
    { atNs: 0, by: "client", flags: SYN, sequence: 1000 },
    {
      atNs: 20,
      by: "server",
      flags: SYN | ACK,
      sequence: 5000,
      acknowledgment: 1001,
      window: 9000,
    },
  ];
  const commentOf = (sequence: number, payloadLength = 0) => {
    const later: Said = {
      ...{ atNs: 30, by: "client", flags: ACK, sequence, acknowledgment: 5001 },
      payload: new Uint8Array(payloadLength),
    };
    const { relations, steps } = storyOf({ packets: [...packets, later] });
    const step = steps.filter((each) => each.kind === "packet")[2];
    return [relations[1].verdict, relations[1].comment, step.remarks.join(" ")] as const;
  };
  const [verdict, comment, remark] = commentOf(1101);
  assertEquals(verdict, false);
  for (const text of [comment, remark]) assertStringIncludes(text, "in its place");
  const [crossing, across, begins] = commentOf(990, 12);
  assertEquals(crossing, false);
  for (const text of [across, begins]) assertStringIncludes(text, "reaches past where that begins");
  for (const [sequence, length] of [[20_000, 0], [990, 11], [1000, 1], [1000, 0]]) {
    const [wrong, other, old] = commentOf(sequence, length);
    assertEquals(wrong, false);
    for (const text of [other, old]) assertStringIncludes(text, "It completes nothing");
  }
});
