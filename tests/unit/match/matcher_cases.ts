import { assertEquals } from "@std/assert";
import type { MatcherCounters, MatcherOptions } from "../../../src/match/options.ts";
import { end, type Event, Play, run, type Snapshot } from "./traffic.ts";

/** A name, what happens, what is reported, what is counted. */
export interface Case {
  name: string;
  events: Event[];
  expected: Partial<Snapshot>[];
  counters?: Partial<MatcherCounters>;
  options?: MatcherOptions;
}

/** The connection of the worked example. */
export const P = new Play(
  end("192.168.100.191", 52312),
  end("172.67.149.132", 443),
  0x4ce45750,
  0xc112f693,
);

export const MS = 1e6;
export const SECOND = 1e9;

/** A record of established handshakes has these verdicts. */
export const ALL_FIT = {
  synAckAcknowledgesSyn: true,
  ackSequence: true,
  ackAcknowledgesSynAck: true,
} as const;

/** The ordinary three packets. */
export function threePackets(play: Play, atNs: number): Event[] {
  return [play.syn(atNs), play.synAck(atNs + 10 * MS), play.ack(atNs + 11 * MS)];
}

export function check(cases: readonly Case[]): void {
  for (const { name, events, expected, counters = {}, options } of cases) {
    const outcome = run(events, options);
    assertEquals(outcome.records.length, expected.length, `${name}: records`);
    for (const [index, record] of outcome.records.entries()) {
      assertEquals(record, merged(record, expected[index]), name);
    }
    assertEquals(
      outcome.counters,
      {
        evicted: 0,
        crowded: 0,
        contradicted: 0,
        lateKernelRecords: 0,
        lateAccepts: 0,
        unexpected: 0,
        ...counters,
      },
      `${name}: counters`,
    );
    assertEquals(outcome.pending, 0, name);
  }
}

/** A record with what is expected of it; of the two ends only the fields that are named. */
export function merged(record: Snapshot, expected: Partial<Snapshot>): Snapshot {
  return {
    ...record,
    ...expected,
    client: { ...record.client, ...expected.client },
    server: { ...record.server, ...expected.server },
  };
}

/** An end of which only the initial sequence number is expected. */
export function isn(value: number | undefined): Snapshot["client"] {
  return { isn: value } as Snapshot["client"];
}
