import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { describeLoss, LOSS_PLACES, type Losses } from "../../../src/pipeline/losses.ts";
import { Summary } from "../../../src/pipeline/summary.ts";
import {
  EPOCH_SECONDS,
  HANDSHAKES,
  HOSTILE_COMM,
  makeHandshake,
} from "../record/sample_handshakes.ts";

const NOTHING = "lost: nothing at any place that was counted";
const ALL_ZERO: Losses = Object.fromEntries(LOSS_PLACES.map(({ name }) => [name, 0]));

function summaryOf(handshakes = HANDSHAKES): Summary {
  const summary = new Summary();
  for (const handshake of handshakes) summary.record(handshake);
  return summary;
}

function encode(summary: Summary, losses: Losses, host = "web1") {
  const line = summary.encode({ host }, EPOCH_SECONDS, 0, 60_000_000_001, losses);
  assertEquals(line.indexOf("\n"), line.length - 1);
  return { line, record: JSON.parse(line) };
}

function lossLines(losses: Losses): string[] {
  const lines = summaryOf().format(losses).trimEnd().split("\n");
  return lines.slice(lines.findLastIndex((line) => line.includes(" RTT ")) + 1);
}

Deno.test("Summary encodes counts, quantiles and losses as the last line", () => {
  const { line, record } = encode(summaryOf(), { ...ALL_ZERO, ring_packets: 3 });
  assert(line.startsWith('{"v":1,"event":"summary","time":"2026-11-23T01:03:03.000000001Z",'));
  assertEquals(record, {
    v: 1,
    event: "summary",
    time: "2026-11-23T01:03:03.000000001Z",
    host: "web1",
    duration_ns: 60_000_000_001,
    handshakes: 15,
    filtered: 0,
    outcomes: {
      aborted: 1,
      dropped: 1,
      established: 6,
      half_open: 1,
      refused: 2,
      timeout: 1,
      unanswered: 2,
      unreachable: 1,
    },
    by_evidence: { both: 9, wire_only: 3, kernel_only: 3 },
    rtt: {
      // 0, 999, 18,000, 21,000, 10,231,000 and 12,345,678; 0, 7,000, 41,000 and 9,000,000: the end
      // of the bucket, at most the largest value.
      client: { count: 6, p50_ns: 18_175, p90_ns: 12_345_678, p99_ns: 12_345_678 },
      server: { count: 4, p50_ns: 7_039, p90_ns: 9_000_000, p99_ns: 9_000_000 },
      kernel_client: { count: 0 },
      kernel_server: { count: 1, p50_ns: 318_000, p90_ns: 318_000, p99_ns: 318_000 },
    },
    losses: { ...ALL_ZERO, ring_packets: 3 },
    discarded: {},
    undecoded: {},
  });
});

Deno.test("Summary of nothing is complete", () => {
  const summary = new Summary();
  assertEquals(summary.handshakes, 0);
  const { record } = encode(summary, ALL_ZERO);
  assertEquals(record.handshakes, 0);
  assertEquals(record.outcomes, {});
  const [client, server, kernel_client, kernel_server] = Array(4).fill({ count: 0 });
  assertEquals(record.rtt, { client, server, kernel_client, kernel_server });
  assertEquals(
    summary.format(ALL_ZERO),
    "0 handshakes\nevidence: 0 wire and kernel, 0 wire only, 0 kernel only\n" +
      `client RTT: none\nserver RTT: none\n${NOTHING}\n`,
  );
});

Deno.test("Summary leaves a place that was not counted out of the record", () => {
  const { record } = encode(summaryOf(), { ring_packets: 0, kernel_lines: undefined });
  assertEquals(record.losses, { ring_packets: 0 });
});

Deno.test("Summary tells why packets were not decoded", () => {
  const undecoded = { not_ip: 2, truncated_tcp: 1 };
  const line = summaryOf().encode({ host: "web1" }, EPOCH_SECONDS, 0, 1, ALL_ZERO, undecoded);
  assertEquals(JSON.parse(line).undecoded, undecoded);
  const lines = summaryOf().format(ALL_ZERO, undecoded).trimEnd().split("\n");
  assertEquals(lines.at(-1), "not decoded: 2 not_ip, 1 truncated_tcp");
});

Deno.test("Summary escapes the host's name", () => {
  const { line, record } = encode(summaryOf([]), {}, HOSTILE_COMM);
  assertEquals(record.host, HOSTILE_COMM);
  assert(/^[\x20-\x7e]*\n$/.test(line));
});

Deno.test("Summary writes outcomes for a person, the most frequent first", () => {
  const ends = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };
  const handshakes = (["refused", "established", "established"] as const).map((outcome, index) =>
    makeHandshake({
      ...ends,
      outcome,
      wire: true,
      kernel: index === 0,
      clientRttNs: 100 * (index + 1),
    })
  );
  const summary = summaryOf(handshakes);
  assertEquals(summary.handshakes, 3);
  assertEquals(summary.format(ALL_ZERO).split("\n").slice(0, 4), [
    "3 handshakes: 2 established, 1 refused",
    "evidence: 1 wire and kernel, 2 wire only, 0 kernel only",
    "client RTT: p50 201 ns, p90 300 ns, p99 300 ns (3 measured)",
    "server RTT: none",
  ]);
});

Deno.test("Summary tells the kernel's RTTs where no packets were captured", () => {
  const ends = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };
  const seen = { ...ends, outcome: "established", kernel: true, kernelClientRttNs: 5_000 } as const;
  const summary = summaryOf([
    makeHandshake({ ...seen, wire: false }),
    makeHandshake({ ...seen, wire: true, clientRttNs: 4_000 }),
  ]);
  assertEquals(summary.format(ALL_ZERO).split("\n").slice(2, 5), [
    "client RTT: p50 4.00 µs, p90 4.00 µs, p99 4.00 µs (1 measured)",
    "server RTT: none",
    "client RTT by the kernel, without packets: p50 5.00 µs, p90 5.00 µs, p99 5.00 µs (1 measured)",
  ]);
});

Deno.test("Summary counts apart what a filter kept back", () => {
  const summary = summaryOf(HANDSHAKES.slice(0, 1));
  summary.recordFiltered();
  summary.recordFiltered();
  assertEquals(summary.handshakes, 1);
  const { record } = encode(summary, ALL_ZERO);
  assertEquals([record.handshakes, record.filtered], [1, 2]);
  assertEquals(
    summary.format(ALL_ZERO).split("\n")[0],
    "1 handshake: 1 established (2 more kept back by filters)",
  );
});

Deno.test("Summary says that nothing was lost where every count is zero", () => {
  assertEquals(lossLines(ALL_ZERO), [NOTHING]);
});

Deno.test("Summary names what was lost, with its number and its meaning", () => {
  for (const { name, meaning, isLoss } of LOSS_PLACES) {
    const lines = lossLines({ ...ALL_ZERO, [name]: 7 });
    if (isLoss) assertEquals(lines, [`lost: 7 ${meaning}`]);
    else assertEquals(lines, [NOTHING, `set aside: 7 ${meaning}`]);
  }
});

Deno.test("Summary says of one what was lost in the singular", () => {
  assertEquals(lossLines({ unread_lines: 1, repeated_records: 1, kernel_away_ms: 1 }), [
    "lost: 1 ms without kernel events, while bpftrace was not attached",
    "lost: 1 line of NDJSON that is no record",
    "set aside: 1 record of a handshake that another host's record told before",
  ]);
  const unlike = LOSS_PLACES.filter((place) => describeLoss(place, 1) !== `1 ${place.meaning}`);
  assertEquals(unlike.length, LOSS_PLACES.length - 1, "all but milliseconds read otherwise");
});

Deno.test("Summary names each place where losses could not be counted", () => {
  for (const { name, isLoss } of LOSS_PLACES) {
    const lines = lossLines({ ...ALL_ZERO, [name]: undefined });
    assertEquals(lines, isLoss ? [NOTHING, `not counted: ${name}`] : [NOTHING]);
  }
});

Deno.test("Summary is silent on a place that this trace did not have", () => {
  assertEquals(lossLines({ ring_packets: 0 }), [NOTHING]);
  assertEquals(lossLines({ ring_packets: 2, kernel_lines: undefined }), [
    "lost: 2 packets dropped because the capture ring was full",
    "not counted: kernel_lines",
  ]);
});

Deno.test("Summary claims that nothing was lost only where every count is zero", () => {
  const counts = fc.record(Object.fromEntries(
    LOSS_PLACES.map(({ name }) => [name, fc.constantFrom(undefined, 0, 0, 1, 99)]),
  ));
  fc.assert(fc.property(counts, (losses) => {
    const text = summaryOf([]).format(losses);
    const lost = LOSS_PLACES.filter(({ name, isLoss }) => isLoss && (losses[name] ?? 0) > 0);
    assertEquals(text.includes(NOTHING), lost.length === 0);
    for (const place of lost) {
      assertStringIncludes(text, `lost: ${describeLoss(place, losses[place.name]!)}\n`);
    }
  }));
});

Deno.test("Summary tells what the receiving host throws away apart from what is not decoded", () => {
  const reasons = { not_ip: 2, bad_tcp_checksum: 3, ethertype_0x88e5_macsec: 1, lone_fragment: 4 };
  const { undecoded, discarded } = summaryOf().members(0, 1, ALL_ZERO, reasons);
  assertEquals(undecoded, { not_ip: 2, ethertype_0x88e5_macsec: 1 });
  assertEquals(discarded, { bad_tcp_checksum: 3, lone_fragment: 4 });
  const lines = summaryOf().format(ALL_ZERO, reasons).trimEnd().split("\n");
  assertEquals(lines.slice(-2), [
    "not decoded: 2 not_ip, 1 ethertype_0x88e5_macsec",
    "thrown away: 3 bad_tcp_checksum, 4 lone_fragment",
  ]);
});
