import { assert, assertEquals, assertMatch } from "@std/assert";
import { boundClocks } from "../../../../src/cli/bound_clocks.ts";
import type { Handshake } from "../../../../src/match/handshake.ts";
import type { PageData } from "../../../../src/output/report/page_data.ts";
import { ReportSink } from "../../../../src/output/report/report_sink.ts";
import { StatisticsFormat } from "../../../../src/output/statistics/format.ts";
import { TextSink } from "../../../../src/output/text_sink.ts";
import { encodeHandshake } from "../../../../src/record/ndjson.ts";
import { toBytes } from "../../../../src/files/stream_output.ts";
import { CAPTURE } from "../../../golden/sample_capture.ts";
import type { HandshakeFilter } from "../../../../src/pipeline/filter.ts";
import { Pipeline } from "../../../../src/pipeline/pipeline.ts";
import { RecordSource } from "../../../../src/pipeline/record_source.ts";
import { readInto } from "../../pipeline/read_files.ts";
import { THROWING } from "../../pipeline/stand_ins.ts";
import { CONTEXT, HANDSHAKES, makeHandshake } from "../../record/sample_handshakes.ts";
import { unpack } from "../../../../src/output/report/page/unpack.js";

const lineOf = (handshake: Handshake, host = "web1") =>
  encodeHandshake(handshake, { ...CONTEXT, host, hostId: `${host}-id` });

/** Two sinks, and what came of them: the data of the page, and what `--stats` says. */
function twoSinks(isPart = false) {
  const pages: PageData[] = [];
  const sink = new ReportSink({
    version: "1",
    filters: [],
    boundClocks,
    isPart: () => isPart,
    write: (data) => {
      pages.push(data);
      return Promise.resolve(true);
    },
  });
  let text = "";
  const statistics = new TextSink(
    {
      write: (lines) => text += new TextDecoder().decode(toBytes(lines)),
      flush: async () => {},
      lost: 0,
    },
    new StatisticsFormat({ top: 1_000, json: true, ascii: false }),
    "statistics",
  );
  const told = () => ({ pages, page: pages[0], statistics: JSON.parse(text) });
  return { sinks: [sink, statistics], told };
}

function reportOnCapture(file: Uint8Array, filter: HandshakeFilter = {}, isPart = false) {
  const { sinks, told } = twoSinks(isPart);
  readInto(sinks, [file], { filter });
  return told();
}

/** @param files The lines of each. */
function reportOnRecords(...files: readonly string[][]) {
  const { sinks, told } = twoSinks();
  const pipeline = new Pipeline({ sinks, supervisor: THROWING });
  const source = new RecordSource({ interfaces: [], host: "reader", countsOnce: true, pipeline });
  pipeline.begin(source);
  for (const lines of files) {
    const reader = source.beginFile();
    reader.feed(new TextEncoder().encode(lines.join("")));
    reader.end();
  }
  for (const sink of sinks) sink.end(pipeline.state());
  return told();
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);

/** Holds every sum of a page against what `--stats` says. */
function assertSums({ kinds, legs, rankings, handshakes }: PageData, statistics: {
  handshakes: number;
  outcomes: Record<string, number>;
  rtt: Record<string, { count: number }>;
}): void {
  assertEquals(handshakes, statistics.handshakes);
  for (const [outcome, count] of Object.entries(statistics.outcomes)) {
    const own = kinds.filter((kind) => kind.outcome === outcome);
    assertEquals(sum(own.map((kind) => kind.handshakes)), count, outcome);
    assertEquals(sum(own.flatMap(({ series }) => unpack(series))), count, outcome);
  }
  const cells = legs.flatMap((leg) => leg.cells.map(([, ...counts]) => sum(unpack(counts))));
  assertEquals(sum(cells), statistics.rtt.client.count + statistics.rtt.server.count);
  assertEquals(sum(legs.map(({ measured }) => measured)), sum(cells));
  for (const { title, rows } of rankings.slice(0, 2)) {
    assertEquals(sum(rows.map((row) => row.handshakes)), statistics.handshakes, title);
  }
}

Deno.test("ReportSink counts of records what --stats does", () => {
  const { page, statistics } = reportOnRecords(HANDSHAKES.map((each) => lineOf(each)));
  assertSums(page, statistics);
  assertEquals(page.rows.length, HANDSHAKES.length);
});

Deno.test("ReportSink counts of captures what --stats does, and has their packets on the ladders", () => {
  const { page, statistics } = reportOnCapture(CAPTURE);
  assertSums(page, statistics);
  const { texts, rows } = page;
  const labels = rows.flatMap(({ views }) => views.flatMap(({ ladder }) => ladder))
    .map(([, , , , , , label]) => texts[label]);
  assert(labels.some((label) => label.startsWith("[SYN, ACK] Seq=0x")));
  assert(labels.filter((label) => label.startsWith("[SYN] Seq=0x")).length >= rows.length);
});

Deno.test("ReportSink counts once what two hosts saw, and shows it from both ends", () => {
  const handshakes = HANDSHAKES.filter(({ client }) => client.isn !== undefined);
  const files = ["web1", "db1"].map((host) => handshakes.map((each) => lineOf(each, host)));
  const { page, statistics } = reportOnRecords(...files);
  assertSums(page, statistics);
  assertEquals(page.handshakes, handshakes.length);
  const tellers = page.rows.map(({ views }) => views.map(({ teller }) => page.texts[teller]));
  assert(tellers.every((names) => names[0].startsWith("web1") && names[1].startsWith("db1")));
});

Deno.test("ReportSink shows what two ends tell together on one ladder", () => {
  const ends = {
    client: { address: "10.0.0.1", port: 7, isn: 7 },
    server: { address: "10.0.0.2", port: 80 },
  };
  const silent = makeHandshake({
    ...ends,
    ...{ role: "client", outcome: "timeout", wire: true, synCount: 7, synNs: 0 },
  });
  const answering = makeHandshake({
    ...{ ...ends, server: { ...ends.server, isn: 9 } },
    ...{ role: "server", outcome: "half_open", wire: true, synCount: 7, synAckCount: 6 },
    ...{ synNs: 0, synAckNs: 5_000 },
  });
  const { page } = reportOnRecords([lineOf(silent, "web1")], [lineOf(answering, "db1")]);
  const [{ views }] = page.rows;
  const textsOf = (numbers: readonly number[]) => numbers.map((at) => page.texts[at]);
  assertEquals(textsOf(views.map(({ teller }) => teller)), [
    "web1 and db1 together",
    "web1, the client",
    "db1, the server",
  ]);
  const [both, alone] = views;
  assertEquals(page.texts[both.title], "TCP handshake of two hosts: answer_lost");
  assertEquals(both.ladder.map(([kind]) => kind), [1, 2]);
  assertEquals([both.serverTimeWidth > 0, alone.serverTimeWidth], [true, 0]);
  assertEquals(textsOf(both.ladder.map(([, , , , serverTime]) => serverTime)), [
    "0.000 µs",
    "5.000 µs",
  ]);
});

/** What both ends of a handshake through a NAT tell: the server's clock is 7 ms ahead. */
function translatedEnds(at: number): [client: Handshake, server: Handshake] {
  const isns = { client: { isn: 1_000 + at }, server: { isn: 9_000 + at } };
  const plain = { outcome: "established", wire: true, synCount: 1, synAckCount: 1 } as const;
  return [
    makeHandshake({
      ...{ ...plain, role: "client", timeNs: at * 1_000_000 },
      ...{ synNs: 0, synAckNs: 510_000 + at, ackNs: 520_000, clientRttNs: 510_000 + at },
      client: { address: "10.0.0.1", port: 7, ...isns.client },
      server: { address: "10.0.0.2", port: 80, ...isns.server },
    }),
    makeHandshake({
      ...{ ...plain, role: "server", timeNs: at * 1_000_000 + 7_300_000 },
      ...{ synNs: 0, synAckNs: 10_000, ackNs: 520_000, clientRttNs: 10_000 },
      client: { address: "192.0.2.1", port: 40_000, ...isns.client },
      server: { address: "10.0.9.9", port: 8_080, ...isns.server },
    }),
  ];
}

Deno.test("ReportSink joins two ends through a NAT, and bounds their clocks", () => {
  const ends = Array.from({ length: 20 }, (_, at) => translatedEnds(at));
  const { page } = reportOnRecords(
    ends.map(([client]) => lineOf(client, "web1")),
    ends.map(([, server]) => lineOf(server, "db1")),
  );
  // A NAT leaves the initial sequence numbers, by which both are one row.
  assertEquals(page.rows.length, 20);
  for (const { views } of page.rows) {
    const textOf = (number: number) => page.texts[number];
    const [both] = views;
    assertEquals(textOf(both.teller), "web1 and db1 together");
    const joined = textOf(both.facts[both.facts.findIndex((at) => textOf(at) === "joined") + 1]);
    assertMatch(joined, /^by both initial sequence numbers.*NAT/);
    const [, , there] = both.trips.find(([name]) => textOf(name) === "way there")!;
    assertMatch(textOf(there), /give or take \d/);
  }
});

Deno.test("ReportSink counts the other end of a row as in the table, whatever its kind", () => {
  const [client, server] = translatedEnds(1);
  const [other, last] = [translatedEnds(2)[0], translatedEnds(3)[0]];
  const { page } = reportOnRecords(
    [
      lineOf({ ...client, outcome: "unanswered" }, "web1"),
      lineOf(other, "web1"),
    ],
    [
      // A kind that no row has, and one that comes after it.
      lineOf({ ...server, outcome: "half_open" }, "db1"),
      lineOf({ ...last, outcome: "refused", role: "client" }, "db1"),
    ],
  );
  assertEquals(page.rows.length, 3);
  assertEquals(page.kinds.map(({ outcome, kept }) => [outcome, kept]), [
    ...[["unanswered", 1], ["established", 1], ["half_open", 1], ["refused", 1]],
  ]);
  assertEquals(
    page.tableNote,
    "3 of 4 handshakes. 1 more is the other end of one of these, of which a NAT changed the addresses.",
  );
});

Deno.test("ReportSink says nothing of both ends where two may be the other one", () => {
  const [client, server] = translatedEnds(1);
  const { page } = reportOnRecords(
    [lineOf(client, "web1")],
    [lineOf(server, "db1")],
    [lineOf(server, "db2")],
  );
  const texts = page.rows.flatMap(({ views }) => views.map(({ teller }) => page.texts[teller]));
  assertEquals(texts.filter((text) => text.includes("together")), []);
});

Deno.test("ReportSink says that both ends count where something rewrites the client's number", () => {
  const endsOf = (at: number) => {
    const [client, server] = translatedEnds(at);
    const rewritten = { ...client.client, isn: 77_000 + at };
    return [client, { ...server, client: rewritten, server: { ...client.server, isn: 5 } }];
  };
  const ends = Array.from({ length: 3 }, (_, at) => endsOf(at));
  const { page } = reportOnRecords(
    ends.map(([client]) => lineOf(client, "web1")),
    ends.map(([, server]) => lineOf(server, "db1")),
  );
  assertEquals([page.handshakes, page.missing.length], [6, 1]);
  assertMatch(page.missing[0], /^web1 and db1 tell different initial sequence numbers/);
});

Deno.test("ReportSink says first what was lost, and that clocks are apart", () => {
  const ends = { client: { address: "10.0.0.1", isn: 7 }, server: { address: "10.0.0.2" } };
  const [handshake, later] = [100, 109].map((epochSeconds) =>
    makeHandshake({ ...ends, epochSeconds })
  );
  const status = '{"v":1,"event":"status","host":"web1","losses":{"ring_packets":7},' +
    '"sources":{"kernel":"none","wire":[]},"sample":10}\n';
  const { page } = reportOnRecords([
    status,
    "torn\n",
    lineOf(handshake),
    lineOf(later, "db1"),
  ]);
  assertEquals(page.missing, [
    "Lost: 7 packets dropped because the capture ring was full.",
    "Lost: 1 line of NDJSON that is no record.",
    "web1: in 1 of 1 status line the kernel told nothing: processes and reasons are missing there.",
    "web1: one of 10 handshakes was reported.",
    "The clock of db1 is about 9.00 s ahead of the one of web1, by a handshake that both saw: times " +
    "are shown as each host told them.",
  ]);
  assertEquals(reportOnCapture(CAPTURE).page.missing, []);
  assertEquals(reportOnCapture(CAPTURE, {}, true).page.missing, [
    "Reading was interrupted: this is a part of what was given.",
  ]);
});

Deno.test("ReportSink writes no page where no handshake matches", () => {
  assertEquals(reportOnCapture(CAPTURE, { comms: ["nobody"] }).pages, []);
});

Deno.test("ReportSink escapes what could not be printed, whoever chose it", () => {
  const process = { pid: 1, comm: "\u202egnp\x1b[2J", uid: 0 };
  const handshake = makeHandshake({
    outcome: "refused",
    reason: "\x07<b>",
    client: { address: "10.0.0.1", process },
    server: { address: "10.0.0.2", process },
  });
  const { page } = reportOnRecords([lineOf(handshake, "\x9bhost")]);
  const text = JSON.stringify(page);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\x00-\x1f\x7f-\x9f\u202e]|\\u00/.exec(text), null);
  assertEquals(page.rankings.map(({ rows }) => rows[0].name).at(2), "\\u{202e}gnp\\u{1b}[2J");
  assertEquals(page.kinds[0].reason, "\\u{7}<b>");
});

Deno.test("ReportSink holds and shows little of names that are longer than anybody reads", () => {
  const long = "x".repeat(100_000);
  const handshakes = Array.from({ length: 50 }, (_, port) => {
    const process = { pid: port + 1, comm: `${port}${long}`, uid: 0 };
    return makeHandshake({
      outcome: "dropped",
      reason: `${port} ${long}`,
      dropReason: `${port} ${long}`,
      dropCount: 1,
      dropPacket: "syn",
      client: { address: "10.0.0.1", port, process },
      server: { address: "10.0.0.2", process },
    });
  });
  const { page } = reportOnRecords(handshakes.map((each, at) => lineOf(each, `${at}${long}`)));
  assertEquals(page.rows.length, 50);
  assert(JSON.stringify(page).length < 300_000, String(JSON.stringify(page).length));
});
