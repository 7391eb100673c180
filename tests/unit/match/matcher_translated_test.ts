/**
 * Whether two SYNs with one initial sequence number are one packet, before and behind a translation (NAT), or of two
 * flows whose client has one number for all: packet generators and scanners do.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { MS, SECOND } from "./matcher_cases.ts";
import { end, type Event, type Packet, Play, run, type Snapshot } from "./traffic.ts";

const SERVER = end("203.0.113.9", 80);
const NEAR = new Play(end("10.0.0.2", 50000), SERVER, 1000, 5000);
const FAR = new Play(end("198.51.100.1", 61000), SERVER, 1000, 5000);
/** A generator's other flow: from its other interface's address, and answered by another number. */
const OTHER = new Play(end("198.51.100.1", 61000), SERVER, 1000, 7000);
const SYN = { window: 64240, windowScale: 7, mss: 1460, identification: 1 };
const [A, B, C] = [1, 2, 3];

function told({ records }: { records: Snapshot[] }) {
  return records.map(({ client, outcome, translated, interfaces, clientRttNs, serverRttNs }) => ({
    client: client.address,
    outcome,
    translated: translated !== undefined,
    interfaces,
    clientRttNs,
    serverRttNs,
  })).sort((one, other) => one.client < other.client ? -1 : 1);
}

const [FIRST, SECOND_CLIENT] = ["10.0.0.2", "198.51.100.1"];
/** A handshake at one place: its packets, and what is told of it. */
function whole(play: Play, place: number, atNs: number, waitNs: number, syn = SYN): Event[] {
  return [
    play.syn(atNs, syn, place),
    play.synAck(atNs + waitNs, {}, place),
    play.ack(atNs + waitNs + 1000, {}, place),
  ];
}

function inOrder(...events: Event[][]): Event[] {
  const timeOf = (event: Event) => "timeNs" in event ? event.timeNs : Infinity;
  return events.flat().sort((one, other) => timeOf(one) - timeOf(other));
}

Deno.test("Matcher keeps two flows with one number apart whose servers answer with their own", () => {
  for (const [slowNs, fastNs] of [[100 * MS, 1 * MS], [1 * MS, 100 * MS], [MS, MS]]) {
    const events = inOrder(whole(NEAR, A, 0, slowNs), whole(OTHER, B, 20_000, fastNs));
    const flow = { outcome: "established" as const, translated: false, serverRttNs: 1000 };
    // Also where the one is reported before the other is answered.
    const early = { completeNs: 60 * MS };
    for (const fed of [events, [...events.slice(0, 4), early, ...events.slice(4), early]]) {
      assertEquals(told(run(fed)), [
        { ...flow, client: FIRST, interfaces: [A], clientRttNs: slowNs },
        { ...flow, client: SECOND_CLIENT, interfaces: [B], clientRttNs: fastNs },
      ]);
    }
  }
});

Deno.test("Matcher keeps two flows apart whose answers come by one place, though all their numbers are one", () => {
  const same = OTHER.again(1000, 5000);
  const events = [
    NEAR.syn(0, SYN, A),
    same.syn(10, SYN, B),
    same.synAck(MS, {}, C),
    NEAR.synAck(MS + 20, {}, C),
    NEAR.ack(MS + 30, {}, A),
    same.ack(MS + 40, {}, B),
  ];
  assertEquals(told(run(events)).map(({ outcome, translated }) => [outcome, translated]), [
    ["established", false],
    ["established", false],
  ]);
});

Deno.test("Matcher keeps two flows apart of which the second waited longer, or was answered by another packet", () => {
  const same = OTHER.again(1000, 5000);
  const later = inOrder(whole(NEAR, A, 0, MS), whole(same, B, 10, MS + 1));
  assertEquals(run(later).records.length, 2);
  const [syn, synAck, ack] = whole(same, B, 10, MS - 20) as [Event, { packet: Packet }, Event];
  synAck.packet.identification = 7;
  const [first, answer, third] = whole(NEAR, A, 0, MS) as [Event, { packet: Packet }, Event];
  answer.packet.identification = 8;
  assertEquals(run([first, syn, synAck as Event, answer as Event, third, ack]).records.length, 2);
  answer.packet.identification = 7;
  assertEquals(run([first, syn, synAck as Event, answer as Event, third, ack]).records.length, 1);
});

Deno.test("Matcher keeps two flows apart that end in ways in which one handshake does not", () => {
  const first = [NEAR.syn(0, SYN, A), OTHER.syn(10, SYN, B)];
  const cases: { name: string; then: Event[]; outcomes: string[] }[] = [
    {
      name: "one is answered and acknowledged, the other is not",
      then: [NEAR.synAck(MS, {}, A), NEAR.ack(2 * MS, {}, A)],
      outcomes: ["established", "unanswered"],
    },
    {
      name: "the other one",
      then: [OTHER.synAck(MS, {}, B), OTHER.ack(2 * MS, {}, B)],
      outcomes: ["unanswered", "established"],
    },
    {
      name: "one is refused, the other established",
      then: [NEAR.refusal(MS, {}, A), OTHER.synAck(2 * MS, {}, B), OTHER.ack(3 * MS, {}, B)],
      outcomes: ["refused", "established"],
    },
    {
      name: "one is refused, the other is not",
      then: [NEAR.refusal(MS, {}, A)],
      outcomes: ["refused", "unanswered"],
    },
    {
      name: "the first is refused first",
      then: [NEAR.refusal(MS, {}, A), OTHER.refusal(2 * MS, {}, B)],
      outcomes: ["refused", "refused"],
    },
    {
      name: "an unseen answer of one is acknowledged",
      then: [NEAR.ack(MS, {}, A)],
      outcomes: ["established", "unanswered"],
    },
  ];
  for (const { name, then, outcomes } of cases) {
    const result = told(run([...first, ...then]));
    assertEquals(result.map(({ outcome, translated }) => [outcome, translated]), [
      [outcomes[0], false],
      [outcomes[1], false],
    ], name);
  }
});

Deno.test("Matcher takes SYNs alone for one only where something in them changes by itself", () => {
  const stamped = { ...SYN, identification: 0, timestamps: [77, 0] as const };
  const numbered = { ...SYN, identification: 54321 };
  const plain = { ...SYN, identification: 0 };
  const both = (near: Play, far: Play, fields: Partial<Packet>, ...more: Event[]) =>
    run([near.syn(0, fields, A), far.syn(10, fields, B), ...more]).records.length;
  assertEquals([both(NEAR, FAR, stamped), both(NEAR, FAR, numbered), both(NEAR, FAR, plain)], [
    1,
    1,
    2,
  ]);
  const elsewhere = new Play(FAR.client, end("192.0.2.80", 8080), 1000, 1);
  assertEquals(both(NEAR, elsewhere, numbered), 2, "neither end is the same");
  const third = new Play(end("192.0.2.3", 50000), SERVER, 1000, 1);
  assertEquals(both(NEAR, FAR, numbered, third.syn(20, numbered, C)), 3, "a third has that number");
  const other = { ...numbered, identification: 54322 };
  assertEquals(run([NEAR.syn(0, numbered, A), FAR.syn(10, other, B)]).records.length, 2);
});

Deno.test("Matcher tells one translated handshake of which one side saw more than the other", () => {
  const first = [NEAR.syn(0, SYN, A), FAR.syn(10, SYN, B)];
  const cases: { name: string; then: Event[]; expected: Partial<Snapshot> }[] = [
    {
      name: "the answer is not seen behind it",
      then: [NEAR.synAck(MS, {}, A), NEAR.ack(MS + 100, {}, A), FAR.ack(MS + 110, {}, B)],
      expected: { outcome: "established", clientRttNs: MS, serverRttNs: 100 },
    },
    {
      name: "the answer is not seen before it",
      then: [FAR.synAck(MS, {}, B), NEAR.ack(MS + 100, {}, A), FAR.ack(MS + 110, {}, B)],
      expected: { outcome: "established", clientRttNs: MS - 10, serverRttNs: 110 },
    },
    {
      name: "the ACK is not seen before it",
      then: [FAR.synAck(MS, {}, B), NEAR.synAck(MS + 10, {}, A), FAR.ack(MS + 110, {}, B)],
      expected: { outcome: "established", clientRttNs: MS - 10, serverRttNs: 110 },
    },
    {
      name: "the answer does not come through",
      then: [FAR.synAck(MS, {}, B)],
      expected: { outcome: "half_open", clientRttNs: MS - 10 },
    },
    {
      name: "a RST does not come through",
      then: [FAR.refusal(MS, {}, B)],
      expected: { outcome: "refused", rstCount: 1 },
    },
    {
      name: "no answer is seen",
      then: [NEAR.ack(MS, {}, A), FAR.ack(MS + 10, {}, B)],
      expected: { outcome: "established", flags: ["one_sided"], totalNs: MS },
    },
    {
      name: "the kernel of the server tells by the other tuple",
      then: [NEAR.synAck(MS, {}, A), NEAR.ack(MS + 100, {}, A), FAR.serverKernel(MS + 120)],
      expected: { outcome: "established", clientRttNs: MS, serverRttNs: 100, role: "server" },
    },
  ];
  for (const { name, then, expected } of cases) {
    const steps = [...first, ...then];
    const timed = [...steps, { completeNs: 50 * MS }, { completeNs: 300 * SECOND }];
    for (const events of [steps, timed]) {
      const { records, pending } = run(events);
      assertEquals([records.length, pending], [1, 0], name);
      assertEquals(records[0], { ...records[0], ...expected }, name);
      assertEquals([records[0].client.address, records[0].interfaces], [FIRST, [A, B]], name);
      assertEquals(records[0].translated, "198.51.100.1 61000 > 203.0.113.9 80", name);
    }
  }
});

/** A flow of a generator: where it goes, how soon it is answered, how it ends. */
const flow = fc.record({
  place: fc.constantFrom(A, B),
  atNs: fc.integer({ min: 0, max: 30 * MS }),
  waitNs: fc.constantFrom(1000, MS, 20 * MS, 300 * MS),
  end: fc.constantFrom("established", "refused", "half_open", "unanswered"),
});

Deno.test("Matcher tells each flow of a generator that has one number for all, as it ended", () => {
  fc.assert(
    fc.property(
      fc.array(flow, { minLength: 2, maxLength: 12 }),
      fc.boolean(),
      (flows, isOneServer) => {
        const plays = flows.map(({ place, atNs, waitNs, end: how }, index) => {
          const client = end(place === A ? "10.0.0.2" : "198.51.100.1", 1024 + index);
          const server = isOneServer ? SERVER : end(`203.0.113.${index + 1}`, 80);
          const play = new Play(client, server, 0, 1_000_000 * (index + 1));
          const events = [play.syn(atNs, { ...SYN, identification: 0 }, place)];
          const answered = how === "established" || how === "half_open";
          if (answered) events.push(play.synAck(atNs + waitNs, {}, place));
          if (how === "established") events.push(play.ack(atNs + waitNs + 10, {}, place));
          if (how === "refused") events.push(play.refusal(atNs + waitNs, {}, place));
          return { how, waitNs, port: client.port, events };
        });
        const { records } = run([
          ...inOrder(...plays.map(({ events }) => events)),
          { completeNs: 400 * SECOND },
        ]);
        const found = records.map(({ client, outcome, clientRttNs, translated }) =>
          `${client.port} ${outcome} ${clientRttNs} ${translated}`
        );
        const truth = plays.map(({ port, how, waitNs }) =>
          `${port} ${how} ${
            how === "established" || how === "half_open" ? waitNs : undefined
          } undefined`
        );
        assertEquals(found.sort(), truth.sort());
      },
    ),
    { numRuns: 300 },
  );
});
