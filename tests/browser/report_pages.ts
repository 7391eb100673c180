/**
 * Pages of reports to look at.
 *
 * @module
 */
import type { Handshake } from "../../src/match/handshake.ts";
import { composePage } from "../../src/output/report/compose_page.ts";
import { ReportSink } from "../../src/output/report/report_sink.ts";
import { StatisticsFormat } from "../../src/output/statistics/format.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { RecordSource } from "../../src/pipeline/record_source.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { CONTEXT, makeHandshake, WORKED_EXAMPLE } from "../unit/record/sample_handshakes.ts";
import { THROWING } from "../unit/pipeline/stand_ins.ts";

/** 2026-11-23T08:00:00Z. */
export const BEGIN_SECONDS = 1_795_420_800;

/** Names that would do something where they were read as markup, or not be seen for what they are. */
export const HOSTILE_NAMES = [
  "<img src=x onerr",
  "</script><b>",
  "\u202egnp.exe",
  "'\"><svg/onload",
  "{{7*7}}<!--",
];

/** A handshake of a client of `web1`, or what the server `db1` tells of it. */
function handshakeAt(second: number, role: "client" | "server"): Handshake {
  const [outcome, reason] = second % 10 === 3
    ? ["refused", "ECONNREFUSED"] as const
    : second % 50 === 7
    ? ["timeout", "ETIMEDOUT"] as const
    : ["established", undefined] as const;
  const isEstablished = outcome === "established";
  const rttNs = 200_000 + second * 1_000;
  const comm = HOSTILE_NAMES[second % HOSTILE_NAMES.length];
  const process = { pid: 100 + second, comm, uid: 0 };
  return makeHandshake({
    epochSeconds: BEGIN_SECONDS + second,
    timeNs: second * 1_001,
    role,
    outcome,
    reason: role === "client" ? reason : undefined,
    wire: true,
    kernel: true,
    place: 2,
    client: {
      address: "10.0.0.1",
      port: 40_000 + second,
      isn: Math.imul(second + 1, 0x9e3779b1) >>> 0,
      process: role === "client" ? process : undefined,
    },
    server: {
      address: "10.0.0.2",
      port: second % 2 === 0 ? 443 : 5432,
      isn: isEstablished ? 7 + second : undefined,
      process: role === "server" ? process : undefined,
    },
    synCount: second % 20 === 5 ? 2 : 1,
    synAckCount: isEstablished ? 1 : 0,
    rstCount: outcome === "refused" ? 1 : 0,
    synNs: 0,
    ...isEstablished && {
      synAckNs: rttNs,
      ackNs: rttNs + 9_000,
      clientRttNs: role === "client" ? rttNs : 12_000,
      serverRttNs: role === "client" ? 9_000 : rttNs + 5_000,
      totalNs: rttNs + 9_000,
      synAckAcknowledgesSyn: true,
      ackSequence: true,
      ackAcknowledgesSynAck: true,
    },
  });
}

/** Makes a page of lines of NDJSON. @returns Its HTML, and what `--stats --json` says of the same lines. */
export async function makePage(lines: readonly string[]) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const sink = new ReportSink({
    version: "1.2.3",
    filters: [],
    write: async (data) => {
      resolve(await composePage(data));
      return true;
    },
  });
  const statistics = new StatisticsFormat({ top: 10, json: true, ascii: false });
  let told = "";
  const pipeline = new Pipeline({
    sinks: [sink, {
      label: "statistics",
      take: (handshake) => statistics.take(handshake),
      flush: () => {},
      end: (state) => void (told = statistics.end(state)),
    }],
    supervisor: THROWING,
  });
  const source = new RecordSource({ interfaces: [], host: "reader", countsOnce: true, pipeline });
  pipeline.begin(source);
  const reader = source.beginFile();
  reader.feed(new TextEncoder().encode(lines.join("")));
  reader.end();
  await pipeline.end();
  return { html: await promise, statistics: JSON.parse(told) };
}

/** Ten minutes: both ends of each handshake, with names that somebody chose. */
export function tenMinutes(): string[] {
  const context = (host: string) => ({ ...CONTEXT, host, hostId: `${host}-id` });
  return Array.from({ length: 600 }, (_, second) => [
    encodeHandshake(handshakeAt(second, "client"), context("web1")),
    encodeHandshake(handshakeAt(second, "server"), context("db<1>")),
  ]).flat();
}

/** The worked example and what goes wrong, with lines that are torn and a clock that is apart. */
export function oddities(): string[] {
  const later = { ...WORKED_EXAMPLE, epochSeconds: WORKED_EXAMPLE.epochSeconds + 5 };
  return [
    encodeHandshake(WORKED_EXAMPLE, { ...CONTEXT, host: "web1", hostId: "1" }),
    '{"v":1,"event":"status","host":"web1","sources":{"kernel":"none","wire":[]}}\n',
    '{"torn\n',
    encodeHandshake(later, { ...CONTEXT, host: "db1", hostId: "2" }),
  ];
}

/** The first and the last moment that a record can have, and one between. */
export function extremes(): string[] {
  const [line] = oddities();
  const times = ["1970-01-01T00:00:00.000000000Z", "+275760-09-13T00:00:00.000000000Z"];
  return [line, ...times.map((time) => line.replace(/"time":"[^"]*"/, `"time":"${time}"`))];
}
