import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Statistics } from "../../../../src/output/statistics/statistics.ts";
import { formatStatistics } from "../../../../src/output/statistics/text.ts";
import { OUTCOMES } from "../../../../src/match/handshake.ts";
import { widthOf } from "../../../../src/text/width.ts";
import { EPOCH_SECONDS, HANDSHAKES, makeHandshake } from "../../record/sample_handshakes.ts";

const SPAN = { epochSeconds: EPOCH_SECONDS, startNs: 0, endNs: 2_500_000_000 };

function statisticsOf(handshakes: Iterable<typeof HANDSHAKES[number]>, namesMax?: number) {
  const statistics = new Statistics(namesMax);
  for (const handshake of handshakes) statistics.record(handshake);
  return statistics;
}

function format(handshakes: Iterable<typeof HANDSHAKES[number]>, top = 10, ascii = false): string {
  return formatStatistics(statisticsOf(handshakes), SPAN, { top, ascii, width: Infinity });
}

/** Handshakes of clients 10.0.0.1 and on to one server, so many of each. */
function handshakesOf(...counts: number[]): typeof HANDSHAKES[number][] {
  return counts.flatMap((count, at) =>
    Array.from({ length: count }, () =>
      makeHandshake({
        client: { address: `10.0.0.${at + 1}` },
        server: { address: "10.1.0.1", port: 443 },
        outcome: "established",
        clientRttNs: 1_000 * (at + 1),
        synCount: 1,
        synAckCount: 1,
      }))
  );
}

/** The lines from a heading to the next empty line. */
function part(text: string, heading: string): string[] {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => line.startsWith(heading));
  return lines.slice(from, lines.indexOf("", from));
}

Deno.test("formatStatistics says of nothing that there is nothing", () => {
  assertEquals(format([]), "0 handshakes\n");
});

Deno.test("formatStatistics begins with how many, and when", () => {
  assertMatch(
    format(handshakesOf(1)),
    /^1 handshake in 2.50 s, from 2026-11-23 01:02:03.000000 to 2026-11-23 01:02:05.500000 UTC\n/,
  );
});

Deno.test("formatStatistics has a line of all others", () => {
  const text = format(handshakesOf(2, 5, 1, 1), 2);
  assertEquals(part(text, "CLIENT "), [
    "CLIENT      HANDSHAKES  ESTABLISHED  CLIENT RTT P50      P90      P99  REPEATED  FAILURES",
    "10.0.0.2             5      100.0 %         2.00 µs  2.00 µs  2.00 µs     0.0 %",
    "10.0.0.1             2      100.0 %         1.00 µs  1.00 µs  1.00 µs     0.0 %",
    "(2 others)           2      100.0 %         3.01 µs  4.00 µs  4.00 µs     0.0 %",
  ]);
  assertStringIncludes(format(handshakesOf(2, 1), 1), "\n(1 other) ");
  assertEquals(format(handshakesOf(2, 1), 2).includes("other"), false);
});

Deno.test("formatStatistics tells how each failed, and of processes where they are known", () => {
  assertEquals(/PROCESS|CGROUP|REASON/.test(format(handshakesOf(1))), false);
  const outcomes = ["timeout", "refused", "refused", "established"] as const;
  const text = format(outcomes.map((outcome) =>
    makeHandshake({
      client: { address: "10.0.0.1", process: { pid: 1, comm: "a\x1b[2J", uid: 0 } },
      server: { address: "10.1.0.1", port: 443 },
      outcome,
      reason: outcome === "refused" ? "ECONNREFUSED" : undefined,
    })
  ));
  const [heading, row, ...rest] = part(text, "PROCESS ");
  assertMatch(heading, / FAILURES$/);
  assertMatch(row, /^a\\u\{1b\}\[2J +4 +25\.0 % .* 2 refused, 1 timeout$/);
  assertEquals(rest, []);
  assertMatch(part(text, "REASON ")[1], /^ECONNREFUSED +2 +0\.0 % .* 2 refused$/);
  // No path of a cgroup is known.
  assertEquals(text.includes("CGROUP"), false);
});

Deno.test("formatStatistics says where not every name could be counted", () => {
  const handshakes = [...handshakesOf(3), ...handshakesOf(0, 1, 1, 2)];
  const text = formatStatistics(statisticsOf(handshakes, 3), SPAN, {
    top: 2,
    ascii: false,
    width: Infinity,
  });
  const [, first, second, others, note, ...rest] = part(text, "CLIENT ");
  assertMatch(first, /^10.0.0.1 +3 /);
  assertMatch(second, /^10.0.0.4 +>=2 /);
  assertMatch(others, /^\(others\) +2 /);
  assertEquals(
    note,
    "There are more than 3 clients. " +
      "A row with >= may have up to 1 more, which are among the others.",
  );
  assertEquals(rest, []);
  const whole = formatStatistics(statisticsOf(handshakes, 3), SPAN, {
    top: 1,
    ascii: false,
    width: Infinity,
  });
  assertEquals(
    part(whole, "CLIENT ").at(-1),
    "There are more than 3 clients. Those named are counted whole.",
  );
});

Deno.test("formatStatistics says of a leg that was never measured so", () => {
  assertStringIncludes(
    format(handshakesOf(1)),
    "\n\nserver RTT (SYN-ACK to ACK)\nnever measured\n",
  );
});

Deno.test("formatStatistics fits 80 columns, whatever it is of", () => {
  const names = ["a", "Ⅷ".repeat(9), "a".repeat(200), "日本".repeat(30)];
  const handshakes = names.flatMap((comm, at) =>
    OUTCOMES.flatMap((outcome) =>
      Array.from({ length: 10 ** at }, (_, nth) =>
        makeHandshake({
          client: {
            address: `2001:db8:1:2:3:4:5:${(nth % 5).toString(16)}`,
            process: { pid: 1, comm, uid: 0, cgroup: at },
          },
          server: { address: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", port: 65_535 },
          outcome,
          synCount: 2,
          clientRttNs: 3_000_000_000,
        }))
    )
  );
  for (const [columns, ascii] of [[80, false], [80, true], [100, false]] as const) {
    const span = { ...SPAN, endNs: 1e15 };
    const statistics = statisticsOf(handshakes, 2);
    const text = formatStatistics(statistics, span, { top: 10, ascii, width: columns });
    assertEquals(text.split("\n").filter((line) => widthOf(line) > columns), []);
  }
});

Deno.test("formatStatistics writes ASCII alone where it is asked to", () => {
  const text = format(HANDSHAKES, 10, true);
  assertMatch(text, /^[\n -~]*$/);
  assertMatch(text, /\d us /);
  assertMatch(text, / #+\n/);
  assert(!/#/.test(format(HANDSHAKES)));
});
