import { assert, assertEquals } from "@std/assert";
import { Matcher } from "../../../src/match/matcher.ts";
import { Segment } from "../../../src/wire/segment.ts";
import { MS, P, SECOND, threePackets } from "./matcher_cases.ts";
import {
  end,
  EPOCH_SECONDS,
  type Event,
  fillSegment,
  Play,
  run,
  type Snapshot,
} from "./traffic.ts";

Deno.test("Matcher.advance reports each list at its nanosecond, not before", () => {
  const limits = { joinNs: 40, doubtNs: 90, unansweredNs: 700, halfOpenNs: 400 };
  const cases: { name: string; events: Event[]; dueNs: number }[] = [
    { name: "joinNs after the ACK", events: [P.syn(0), P.synAck(5), P.ack(9)], dueNs: 9 + 40 },
    { name: "doubtNs after a RST", events: [P.syn(0), P.refusal(5)], dueNs: 5 + 90 },
    {
      name: "joinNs after a RST of which the kernel told too",
      events: [P.syn(0), P.synReset(4), P.refusal(5)],
      dueNs: 4 + 40,
    },
    { name: "doubtNs after an ACK without a SYN-ACK", events: [P.syn(0), P.ack(5)], dueNs: 5 + 90 },
    { name: "joinNs after the kernel", events: [P.clientKernel(7)], dueNs: 7 + 40 },
    {
      name: "joinNs after the first end, whatever follows",
      events: [P.syn(0), P.synAck(5), P.ack(9), P.clientKernel(12)],
      dueNs: 9 + 40,
    },
    { name: "unansweredNs after the SYN", events: [P.syn(3)], dueNs: 3 + 700 },
    { name: "unansweredNs after the last SYN", events: [P.syn(3), P.syn(9)], dueNs: 9 + 700 },
    {
      name: "unansweredNs whatever comes in answer that does not fit",
      events: [P.syn(3), P.synAck(9, { acknowledgment: P.x })],
      dueNs: 3 + 700,
    },
    { name: "halfOpenNs after the SYN-ACK", events: [P.syn(0), P.synAck(5)], dueNs: 5 + 400 },
    { name: "unansweredNs after a dropped SYN", events: [P.synDrop(3)], dueNs: 3 + 700 },
    {
      name: "unansweredNs after the last SYN that was dropped",
      events: [P.syn(3), P.synDrop(9)],
      dueNs: 9 + 700,
    },
    {
      name: "the same, told before the SYN",
      events: [P.synDrop(9), P.syn(3)],
      dueNs: 9 + 700,
    },
    {
      name: "halfOpenNs after a dropped SYN-ACK",
      events: [P.syn(3), P.synAckDrop(9)],
      dueNs: 9 + 400,
    },
    {
      name: "halfOpenNs after the last SYN-ACK that was dropped",
      events: [P.synAckDrop(9), P.synAckDrop(12), P.syn(3)],
      dueNs: 12 + 400,
    },
    {
      name: "joinNs after the end, whatever drop is told of then",
      events: [P.syn(0), P.synAck(5), P.ack(9), P.synDrop(12), P.accept(13), P.ackReset(14)],
      dueNs: 9 + 40,
    },
    {
      name: "halfOpenNs after the last SYN-ACK",
      events: [P.syn(0), P.synAck(5), P.synAck(9)],
      dueNs: 9 + 400,
    },
  ];
  for (const { name, events, dueNs } of cases) {
    assertEquals(run([...events, { completeNs: dueNs - 1 }], limits).beforeFlush, 0, name);
    assertEquals(run([...events, { completeNs: dueNs }], limits).beforeFlush, 1, name);
  }
});

Deno.test("Matcher.advance forgets a report rememberNs after it, so that the tuple is free", () => {
  const limits = { joinNs: 40, unansweredNs: 700, halfOpenNs: 400, rememberNs: 600 };
  const cases: { name: string; events: Event[]; reportNs: number }[] = [
    { name: "established", events: [P.syn(0), P.synAck(5), P.ack(9)], reportNs: 49 },
    { name: "unanswered", events: [P.syn(0)], reportNs: 700 },
    { name: "half open", events: [P.syn(0), P.synAck(5)], reportNs: 405 },
    {
      name: "told by all sources",
      events: [P.syn(0), P.synAck(5), P.clientKernel(6), P.serverKernel(7), P.ack(9)],
      reportNs: 46,
    },
  ];
  for (const { name, events, reportNs } of cases) {
    const until = (completeNs: number) =>
      run([...events, { completeNs: reportNs }, { completeNs }, P.syn(completeNs)], limits).records;
    assertEquals(until(reportNs + 599).length, 1, name);
    assertEquals(until(reportNs + 600).length, 2, name);
  }
});

Deno.test("Matcher gives up the half-open handshake longest untouched when it is full", () => {
  const play = (port: number) => new Play(end("203.0.113.1", port), P.server, port, 9);
  const options = { capacity: 3 };
  const ports = (records: Snapshot[]) => records.map(({ client }) => client.port);
  const cases: { name: string; events: Event[]; reported: number[]; evicted: number }[] = [
    {
      name: "the oldest SYN",
      events: [1, 2, 3, 4].map((port) => play(port).syn(port)),
      reported: [2, 3, 4],
      evicted: 1,
    },
    {
      name: "not one whose SYN was repeated",
      events: [play(1).syn(1), play(2).syn(2), play(3).syn(3), play(1).syn(4), play(4).syn(5)],
      reported: [3, 1, 4],
      evicted: 1,
    },
    {
      name: "an older SYN-ACK before a younger SYN",
      events: [
        play(1).syn(1),
        play(1).synAck(2),
        play(2).syn(3),
        play(3).syn(4),
        play(4).syn(5),
      ],
      reported: [2, 3, 4],
      evicted: 1,
    },
    {
      name: "no established one: it is reported first, in place of waiting",
      events: [1, 2, 3, 4].flatMap((port) => threePackets(play(port), port * SECOND)),
      reported: [1, 2, 3, 4],
      evicted: 0,
    },
    {
      name: "a half-open one and no established one",
      events: [
        ...threePackets(play(1), 0),
        play(2).syn(SECOND),
        ...threePackets(play(3), 2 * SECOND),
        play(4).syn(3 * SECOND),
      ],
      reported: [1, 3, 4],
      evicted: 1,
    },
    {
      name: "nothing while something reported can be forgotten",
      events: [
        ...threePackets(play(1), 0),
        { completeNs: SECOND },
        play(2).syn(2 * SECOND),
        play(3).syn(2 * SECOND),
        play(4).syn(2 * SECOND),
      ],
      reported: [1, 2, 3, 4],
      evicted: 0,
    },
  ];
  for (const { name, events, reported, evicted } of cases) {
    const outcome = run(events, options);
    assertEquals(ports(outcome.records), reported, name);
    assertEquals(outcome.counters.evicted, evicted, name);
  }
});

Deno.test("Matcher works with room for one to five", () => {
  for (let capacity = 1; capacity <= 5; capacity++) {
    const events: Event[] = [];
    for (let port = 1; port <= 20; port++) {
      const play = new Play(end("203.0.113.1", port), P.server, port, 9);
      events.push(...threePackets(play, port * SECOND), play.clientKernel(port * SECOND + 12 * MS));
    }
    const { records, counters } = run(events, { capacity });
    assertEquals(records.map(({ client }) => client.port), [...Array(20).keys()].map((i) => i + 1));
    assert(records.every(({ wire, kernel }) => wire && kernel));
    assertEquals(counters, {
      evicted: 0,
      crowded: 0,
      contradicted: 0,
      lateKernelRecords: 0,
      lateAccepts: 0,
      unexpected: 0,
    });
  }
});

Deno.test("Matcher counts what is begun and not reported, and whose end is known of these", () => {
  const matcher = new Matcher(EPOCH_SECONDS, () => {});
  const segment = new Segment();
  const send = (event: Event) => {
    if ("packet" in event) {
      matcher.packet(fillSegment(event.packet, segment), event.timeNs, event.place);
    }
  };
  const pending = [matcher.pending];
  const concluded = [matcher.concluded];
  const look = () => {
    pending.push(matcher.pending);
    concluded.push(matcher.concluded);
  };
  for (const event of [P.syn(0), P.synAck(5), P.ack(9), P.again(1, 2).syn(10)]) {
    send(event);
    look();
  }
  matcher.advance(9 + 40 * MS);
  look();
  matcher.flush();
  look();
  assertEquals(pending, [0, 1, 1, 1, 2, 1, 0]);
  assertEquals(concluded, [0, 0, 0, 1, 1, 0, 0]);
});
