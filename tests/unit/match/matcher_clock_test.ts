import { assertEquals } from "@std/assert";
import { MS, P, SECOND } from "./matcher_cases.ts";
import { end, type Event, Play, run, type Snapshot } from "./traffic.ts";

Deno.test("Matcher.clockSet withholds durations across it, and waiting goes on in the new time", () => {
  const hourNs = 3600 * SECOND;
  // Set back by an hour, then on by one: the SYN-ACK and the ACK carry the new time.
  for (const jumpNs of [-hourNs, hourNs]) {
    const before = hourNs * 2;
    const after = before + jumpNs;
    const set = { jumpNs, nowNs: after + 20 };
    const { records, beforeFlush } = run([
      P.syn(before),
      set,
      P.synAck(after + 10),
      P.ack(after + 30),
      { completeNs: after + 30 + 40 * MS },
    ]);
    assertEquals(beforeFlush, 1);
    const [record] = records;
    assertEquals([record.outcome, record.flags], ["established", ["clock_set"]]);
    assertEquals([record.clientRttNs, record.serverRttNs, record.totalNs], [
      undefined,
      undefined,
      undefined,
    ]);
    assertEquals([record.synNs, record.synAckNs, record.ackNs], [undefined, undefined, undefined]);
    assertEquals([record.synAckAcknowledgesSyn, record.ackSequence], [true, true]);
  }
});

Deno.test("Matcher.clockSet doubts what begins until every source has delivered up to it", () => {
  const other = (port: number) => new Play(end("203.0.113.1", port), P.server, port, 9);
  const [early, late] = [other(1), other(2)];
  const { records } = run([
    { jumpNs: -5 * SECOND, nowNs: 100 * MS },
    early.syn(90 * MS),
    { completeNs: 100 * MS },
    early.synAck(110 * MS),
    { completeNs: 101 * MS },
    late.syn(120 * MS),
    late.synAck(130 * MS),
    late.ack(140 * MS),
    early.ack(150 * MS),
  ]);
  assertEquals(
    records.map(({ client, clientRttNs, flags }) => [client.port, clientRttNs, flags]),
    [[2, 10 * MS, []], [1, undefined, ["clock_set"]]],
  );
});

/** Of a record what the clock tells. */
function times({ clientRttNs, serverRttNs, totalNs, synAckNs, ackNs, flags }: Snapshot) {
  return [clientRttNs, serverRttNs, totalNs, synAckNs, ackNs, flags.join()];
}

const NO_TIMES = [undefined, undefined, undefined, undefined, undefined, "clock_set"];

Deno.test("Matcher gives no durations where packets carry earlier times than what they answer", () => {
  const cases: [name: string, events: Event[], expected: unknown[]][] = [
    ["SYN-ACK", [P.syn(500 * MS), P.synAck(300 * MS), P.ack(301 * MS)], NO_TIMES],
    ["ACK", [P.syn(0), P.synAck(500 * MS), P.ack(210 * MS)], NO_TIMES],
    ["ACK, before the SYN", [P.syn(500 * MS), P.synAck(510 * MS), P.ack(210 * MS)], NO_TIMES],
    ["a nanosecond", [P.syn(1), P.synAck(0), P.ack(2)], NO_TIMES],
    ["none", [P.syn(1), P.synAck(1), P.ack(1)], [0, 0, 0, 0, 0, ""]],
    // As whoever puts packets in the order of their times hands them on.
    ["SYN behind its answer", [P.synAck(1 * MS), P.ack(2 * MS), P.syn(5 * MS)], NO_TIMES],
    ["ACK before its SYN-ACK", [P.syn(0), P.ack(5 * MS), P.synAck(10 * MS)], NO_TIMES],
    // Of the two taps of a link one may be late.
    ["by a tap", [P.syn(0), P.ack(2 * MS), P.synAck(3 * MS)], [
      3 * MS,
      undefined,
      2 * MS,
      3 * MS,
      2 * MS,
      "",
    ]],
    // The packets before these were not captured.
    ["a SYN sent again", [P.synAck(0), P.syn(1 * SECOND), P.ack(1_010 * MS)], [
      undefined,
      1_010 * MS,
      10 * MS,
      -1 * SECOND,
      10 * MS,
      "",
    ]],
    ["a SYN-ACK sent again", [P.syn(0), P.ack(11 * MS), P.synAck(1 * SECOND)], [
      1 * SECOND,
      undefined,
      11 * MS,
      1 * SECOND,
      11 * MS,
      "",
    ]],
  ];
  for (const [name, events, expected] of cases) {
    const { records } = run(events);
    assertEquals(records.length, 1, name);
    assertEquals(records[0].outcome, "established", name);
    assertEquals(times(records[0]), expected, name);
  }
});
