import { assertEquals } from "@std/assert";
import { MS, P, SECOND } from "./matcher_cases.ts";
import { end, Play, run } from "./traffic.ts";

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
