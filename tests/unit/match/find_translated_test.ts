import { assertEquals } from "@std/assert";
import { end, type Event, Play, run } from "./traffic.ts";

/** A client behind a host that translates, and a server; and as the other side has them. */
const CLIENT = end("10.0.0.2", 50000);
const SERVER = end("203.0.113.9", 80);
const INSIDE = new Play(CLIENT, SERVER, 1000, 5000);
const SNAT = new Play(end("198.51.100.1", 61000), SERVER, 1000, 5000);
const DNAT = new Play(CLIENT, end("172.17.0.2", 8080), 1000, 5000);
const BOTH = new Play(end("172.17.0.1", 61000), end("172.17.0.2", 8080), 1000, 5000);
const OPTIONS = { window: 64240, windowScale: 7, timestamps: [77, 0] as [number, number] };
const MS = 1e6;
/** The two sides of the host. */
const [LAN, WAN] = [3, 4];

/** The three packets, each at both places, as the host sends them on. */
function packets(far: Play): Event[] {
  return [
    INSIDE.syn(0, OPTIONS, LAN),
    far.syn(10, OPTIONS, WAN),
    far.synAck(20 * MS, {}, WAN),
    INSIDE.synAck(20 * MS + 10, {}, LAN),
    INSIDE.ack(21 * MS, {}, LAN),
    far.ack(21 * MS + 10, {}, WAN),
  ];
}

Deno.test("Matcher makes one record of a handshake that is translated on the way", () => {
  const cases = [
    { far: SNAT, translated: "198.51.100.1 61000 > 203.0.113.9 80" },
    { far: DNAT, translated: "10.0.0.2 50000 > 172.17.0.2 8080" },
    { far: BOTH, translated: "172.17.0.1 61000 > 172.17.0.2 8080" },
  ];
  for (const { far, translated } of cases) {
    const { records, counters } = run(packets(far));
    assertEquals(records.length, 1);
    const [record] = records;
    assertEquals([record.client.address, record.server.address], ["10.0.0.2", "203.0.113.9"]);
    assertEquals(record.translated, translated);
    assertEquals(record.interfaces, [LAN, WAN]);
    assertEquals([record.outcome, record.place], ["established", LAN]);
    // All times are those of the first side.
    assertEquals([record.clientRttNs, record.serverRttNs], [20 * MS + 10, MS - 10]);
    assertEquals([record.synCount, record.synAckCount], [1, 1]);
    assertEquals(counters.unexpected, 0);
  }
});

Deno.test("Matcher knows a SYN sent again and translated, and one that did not come through", () => {
  const again = { ...OPTIONS, timestamps: [1077, 0] as [number, number] };
  const { records } = run([
    INSIDE.syn(0, OPTIONS, LAN),
    INSIDE.syn(1000 * MS, again, LAN),
    SNAT.syn(1000 * MS + 10, again, WAN),
    SNAT.refusal(1001 * MS, {}, WAN),
    INSIDE.refusal(1001 * MS + 10, {}, LAN),
  ]);
  assertEquals(records.map(({ outcome, synCount, rstCount }) => [outcome, synCount, rstCount]), [
    ["refused", 2, 1],
  ]);
});

Deno.test("Matcher keeps SYNs apart that have one number and are not one packet", () => {
  const other = new Play(CLIENT, end("203.0.113.10", 80), 1000, 5000);
  const cases: { name: string; second: Event }[] = [
    { name: "at the same place", second: other.syn(10, OPTIONS, LAN) },
    { name: "at an unknown place", second: other.syn(10, OPTIONS, 0) },
    { name: "long after", second: other.syn(1001 * MS, OPTIONS, WAN) },
    { name: "another window", second: other.syn(10, { ...OPTIONS, window: 1 }, WAN) },
    { name: "another scale", second: other.syn(10, { ...OPTIONS, windowScale: 8 }, WAN) },
    { name: "another timestamp", second: other.syn(10, { ...OPTIONS, timestamps: [78, 0] }, WAN) },
    { name: "a higher MSS", second: other.syn(10, { ...OPTIONS, mss: 1500 }, WAN) },
    { name: "more options", second: other.syn(10, { ...OPTIONS, sackPermitted: true }, WAN) },
    { name: "other data", second: other.syn(10, { ...OPTIONS, payloadLength: 1 }, WAN) },
    {
      name: "another number of IPv4",
      second: other.syn(10, { ...OPTIONS, identification: 8 }, WAN),
    },
    { name: "no timestamp", second: other.syn(10, { ...OPTIONS, timestamps: undefined }, WAN) },
  ];
  for (const { name, second } of cases) {
    const first = INSIDE.syn(0, { ...OPTIONS, mss: 1460, identification: 7 }, LAN);
    const { records } = run([first, second]);
    assertEquals(records.map(({ translated }) => translated), [undefined, undefined], name);
  }
  const plain = { ...OPTIONS, timestamps: undefined, identification: 9 };
  for (const [afterMs, count] of [[50, 1], [51, 2]]) {
    const { records } = run([INSIDE.syn(0, plain, LAN), SNAT.syn(afterMs * MS, plain, WAN)]);
    assertEquals(records.length, count, "without timestamps");
  }
  const answered = run([
    INSIDE.syn(0, OPTIONS, LAN),
    INSIDE.synAck(1, {}, LAN),
    other.syn(10, OPTIONS, WAN),
  ]);
  assertEquals(answered.records.length, 2, "one was answered");
});

Deno.test("Matcher joins the kernel's side of a translated handshake, before and after packets", () => {
  const three = [INSIDE.syn(0, OPTIONS, LAN), INSIDE.synAck(MS), INSIDE.ack(2 * MS)];
  for (const far of [SNAT, DNAT, BOTH]) {
    const half = far.serverKernel(2 * MS);
    for (const events of [[half, ...three], [...three, half]]) {
      const { records, counters } = run(events);
      assertEquals(records.length, 1);
      const [{ client, server, translated, role, wire, kernel }] = records;
      assertEquals([client.address, server.address], ["10.0.0.2", "203.0.113.9"]);
      assertEquals(translated?.startsWith("10.0.0.2"), far === DNAT);
      assertEquals([role, wire, kernel], ["server", true, true]);
      assertEquals(counters.lateKernelRecords, 0);
    }
  }
});

Deno.test("Matcher joins both kernel sides of a handshake translated between them", () => {
  const both = [INSIDE.clientKernel(MS), DNAT.serverKernel(2 * MS)];
  for (const events of [both, both.toReversed()]) {
    const { records } = run(events);
    assertEquals(records.map(({ role, outcome }) => [role, outcome]), [["local", "established"]]);
    assertEquals(records[0].translated !== undefined, true);
  }
  // Packets that come after both tell which tuple is theirs.
  for (const seen of [INSIDE, DNAT]) {
    const { records } = run([...both, seen.syn(0, OPTIONS, LAN)]);
    assertEquals(records.length, 1);
    const [{ server, translated }] = records;
    assertEquals(server.port, seen.server.port);
    assertEquals(translated?.endsWith(` ${seen === INSIDE ? 8080 : 80}`), true);
  }
});

Deno.test("Matcher takes no kernel record for another's whose number only is the same", () => {
  const three = [INSIDE.syn(0, OPTIONS, LAN), INSIDE.synAck(MS), INSIDE.ack(2 * MS)];
  const otherNumber = BOTH.again(1000, 5001).serverKernel(2 * MS);
  assertEquals(run([...three, otherNumber]).records.length, 2, "another server's number");
  // Of one that failed nothing but the client's number is known: one end must be the same.
  const failed = { newState: 7, error: 111, irs: undefined };
  const unanswered = [BOTH.syn(0, OPTIONS, LAN)];
  assertEquals(run([...unanswered, INSIDE.clientKernel(MS, failed)]).records.length, 2);
  assertEquals(run([SNAT.syn(0, OPTIONS, WAN), INSIDE.clientKernel(MS, failed)]).records.length, 1);
  const before = INSIDE.clientKernel(MS, { ...failed, connectNs: 500 * MS, endNs: 900 * MS });
  assertEquals(run([SNAT.syn(0, OPTIONS, WAN), before]).records.length, 2, "begun later");
});

Deno.test("Matcher knows the SYN that the kernel dropped or refused behind the translation", () => {
  const syn = INSIDE.syn(0, OPTIONS, LAN);
  const cases = [
    { told: DNAT.synDrop(MS, { reason: "NETFILTER_DROP" }), outcome: "dropped" },
    { told: DNAT.synReset(MS), outcome: "refused" },
  ] as const;
  const done = [{ completeNs: 41 * MS }, { completeNs: 200e9 }];
  for (const { told, outcome } of cases) {
    for (const events of [[syn, told], [told, syn], [syn, told, ...done], [told, syn, ...done]]) {
      const { records, pending } = run(events);
      assertEquals(records.map((record) => record.outcome), [outcome]);
      assertEquals(records[0].translated, "10.0.0.2 50000 > 172.17.0.2 8080");
      assertEquals([records[0].server.port, pending], [80, 0]);
    }
  }
  const late = run([syn, DNAT.synDrop(201 * MS, { reason: "NETFILTER_DROP" })]);
  assertEquals(late.records.length, 2, "of another SYN");
  const answered = run([syn, INSIDE.synAck(MS), DNAT.synReset(2 * MS)]);
  assertEquals(answered.records.length, 2, "one was answered");
});

Deno.test("Matcher makes one record of a refusal behind a translation, whoever tells of it first", () => {
  const [SYN, RST] = [DNAT.syn(0.05 * MS, OPTIONS, LAN), DNAT.refusal(0.07 * MS, {}, LAN)];
  const told = [
    DNAT.synReset(0.065 * MS),
    DNAT.synDrop(0.08 * MS, { reason: "NO_SOCKET" }),
    INSIDE.clientKernel(0.2 * MS, { newState: 7, error: 111, irs: undefined, connectNs: 0 }),
  ];
  for (const events of permutations<Event>([SYN, RST, ...told])) {
    // What is captured comes in its order.
    if (events.indexOf(SYN) > events.indexOf(RST)) continue;
    for (const end of [[], [{ completeNs: 41 * MS }, { completeNs: 200e9 }]]) {
      const { records, pending, counters } = run([...events, ...end]);
      assertEquals(records.length, 1);
      const [{ outcome, wire, kernel, reason, synCount, rstCount, server, translated }] = records;
      assertEquals([outcome, wire, kernel, reason], ["refused", true, true, "ECONNREFUSED"]);
      assertEquals([synCount, rstCount, pending], [1, 1, 0]);
      assertEquals([server.port, translated], [8080, "10.0.0.2 50000 > 203.0.113.9 80"]);
      assertEquals(counters.lateKernelRecords, 0);
    }
  }
});

/** Every order of some things. */
function permutations<T>(things: readonly T[]): T[][] {
  if (things.length < 2) return [[...things]];
  return things.flatMap((first, at) =>
    permutations(things.toSpliced(at, 1)).map((rest) => [first, ...rest])
  );
}

Deno.test("Matcher does not take a scanner's SYNs to two ports for one that is translated", () => {
  // One number and one source port for all, as port scanners have; the kernel tells before the ring.
  const second = new Play(CLIENT, end("203.0.113.9", 81), 1000, 5000);
  for (const told of [second.synReset(MS), second.synDrop(MS, { reason: "NETFILTER_DROP" })]) {
    const { records } = run([
      INSIDE.syn(0, OPTIONS, LAN),
      told,
      second.syn(MS, OPTIONS, LAN),
      second.refusal(2 * MS, {}, LAN),
      { completeNs: 200e9 },
    ]);
    assertEquals(records.map(({ server, translated }) => [server.port, translated]), [
      [81, undefined],
      [80, undefined],
    ]);
  }
});

Deno.test("Matcher takes a host that translates for neither end of the handshake", () => {
  const isRouter = {
    isLocalAddress: (words: Uint32Array, at: number) => words[at + 3] === SERVER.address[3],
  };
  const through = run([INSIDE.syn(0, OPTIONS, LAN), DNAT.syn(10, OPTIONS, WAN)], isRouter);
  assertEquals(through.records.map(({ role }) => role), ["observer"]);
  assertEquals(run([INSIDE.syn(0, OPTIONS, LAN)], isRouter).records[0].role, "server");
});

Deno.test("Matcher looks at few of many SYNs with one number", () => {
  const flood = Array.from(
    { length: 9 },
    (_, index) =>
      new Play(end("192.0.2.1", 1 + index), SERVER, 1000, 5000).syn(index, OPTIONS, LAN),
  );
  const { records } = run([INSIDE.syn(0, OPTIONS, LAN), ...flood, SNAT.syn(10, OPTIONS, WAN)]);
  assertEquals(records.length, 11, "it is none of those that have its number");
  assertEquals(records.filter(({ translated }) => translated), []);
});
