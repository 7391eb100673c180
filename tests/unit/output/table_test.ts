import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Handshake } from "../../../src/match/handshake.ts";
import { TABLE_ROWS_HELD } from "../../../src/output/limits.ts";
import { TableFormat } from "../../../src/output/table.ts";
import { formatAddress } from "../../../src/wire/address.ts";
import { anyHandshake } from "../record/arbitrary_handshake.ts";
import {
  HANDSHAKES,
  HOSTILE_COMM,
  makeHandshake,
  taken,
  WORKED_EXAMPLE,
} from "../record/sample_handshakes.ts";

const HEADINGS =
  /^(?:TIME \(UTC\)|OUTCOME|CLIENT|SERVER|CLIENT RTT|SERVER RTT|TOTAL|SYN|SYN-ACK|NOTES)$/;
const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

function tableOf(
  handshakes: readonly Handshake[],
  options: Partial<ConstructorParameters<typeof TableFormat>[0]> = {},
): string {
  const table = new TableFormat({
    rowsHeld: TABLE_ROWS_HELD,
    colour: false,
    ascii: false,
    ...options,
  });
  return handshakes.map((handshake) => taken(table, handshake)).join("") + table.end();
}

/** The cells of a line: between them are two spaces at least, in them is one at most. */
function cellsOf(line: string): string[] {
  return line.trimStart().split(/ {2,}/);
}

Deno.test("TableFormat writes the worked example", () => {
  assertEquals(
    tableOf([WORKED_EXAMPLE]),
    "TIME (UTC)                  OUTCOME      CLIENT                 SERVER              " +
      "CLIENT RTT  SERVER RTT    TOTAL  SYN  SYN-ACK  NOTES\n" +
      "2026-11-23 01:02:03.123456  established  192.168.100.191:52312  172.67.149.132:443  " +
      "   10.2 ms     41.0 µs  10.3 ms    1        1  tcp_fast_open, curl/4711 -> ?\n",
  );
});

const CASES: { name: string; handshake: Handshake; expected: string[] }[] = [
  {
    name: "what is unknown",
    handshake: makeHandshake({ ...ENDS, timeNs: 1 }),
    expected: ["unanswered", "10.0.0.1:0", "10.0.0.2:0", "-", "-", "-", "0", "0"],
  },
  {
    name: "a withheld RTT, and packets again",
    handshake: makeHandshake({
      ...ENDS,
      outcome: "established",
      ambiguous: true,
      firstSynToSynAckNs: 1e6,
      serverRttNs: 2e3,
      totalNs: 1.5e9,
      synCount: 2,
      synAckCount: 12,
    }),
    expected: [
      "established",
      "10.0.0.1:0",
      "10.0.0.2:0",
      "ambiguous",
      "2.00 µs",
      "1.50 s",
      "2",
      "12",
    ],
  },
  {
    name: "reason, drop, flags and processes, hostile ones escaped",
    handshake: makeHandshake({
      client: {
        address: "2001:db8:ffff:ffff:ffff:ffff:ffff:1",
        port: 65_535,
        process: { pid: 7, comm: HOSTILE_COMM, uid: 0, cgroup: 1 },
      },
      server: { address: "::1", port: 80 },
      outcome: "dropped",
      reason: "NETFILTER_DROP",
      resetReason: "NOT_SPECIFIED",
      dropCount: 2,
      dropReason: "NETFILTER_DROP",
      synCount: 1,
      flags: ["ecn", "mptcp"],
    }),
    expected: [
      "dropped",
      "[2001:db8:ffff:ffff:ffff:ffff:ffff:1]:65535",
      "[::1]:80",
      "-",
      "-",
      "-",
      "1",
      "0",
      "NETFILTER_DROP, reset: NOT_SPECIFIED, 2 dropped, ecn, mptcp, " +
      String.raw`\u{1b}[2J\u{a}{"v":1}\u{9b}1m\u{202e}\u{2028}/7 -> ?`,
    ],
  },
];

for (const { name, handshake, expected } of CASES) {
  Deno.test(`TableFormat shows ${name}`, () => {
    const [, row] = tableOf([handshake]).trimEnd().split("\n");
    assertEquals(cellsOf(row).slice(1), expected);
  });
}

Deno.test("TableFormat writes its headings where there is no handshake", () => {
  const [headings, ...rest] = tableOf([]).split("\n");
  for (const heading of cellsOf(headings)) assertMatch(heading, HEADINGS);
  assertEquals(rest, [""]);
});

Deno.test("TableFormat aligns any handshakes: each column takes the same places in each row", () => {
  fc.assert(fc.property(fc.array(anyHandshake(), { minLength: 1, maxLength: 20 }), (handshakes) => {
    const lines = tableOf(handshakes).trimEnd().split("\n");
    assertEquals(lines.length, handshakes.length + 1);
    const notesAt = lines[0].indexOf("NOTES");
    // Two places in a row that are blank in every line are between columns; the notes may have some.
    const aligned = lines.map((line) => line.slice(0, notesAt).padEnd(notesAt));
    const isBlank = Array.from(aligned[0], (_, at) => aligned.every((line) => line[at] === " "));
    const gaps = isBlank.filter((blank, at) => blank && isBlank[at - 1] && !isBlank[at + 1]);
    assertEquals(gaps.length, 9);
    // One place a character: ASCII, and the µ of a duration.
    for (const line of aligned) assertMatch(line, /^[ -~µ]*$/);
    for (const line of lines) assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(line));
  }));
});

Deno.test("TableFormat holds rows until it knows their widths, and writes each once", () => {
  const table = new TableFormat({ rowsHeld: 3, colour: false, ascii: false });
  const pieces = HANDSHAKES.map((handshake) => taken(table, handshake));
  const lines = pieces.map((piece) => piece.split("\n").length - 1);
  assertEquals(lines, [0, 0, 4, ...HANDSHAKES.slice(3).map(() => 1)]);
  assertEquals(table.end(), "");
  // Wider than what was held, the row is whole nevertheless.
  const wide = HANDSHAKES.findIndex(({ client }) => formatAddress(client.address).length > 33);
  assertStringIncludes(pieces[wide], "  [2001:db8:ffff:ffff:ffff:ffff:ffff:1]:65535  ");
  assertEquals(pieces.join("").split("\n").length - 1, HANDSHAKES.length + 1);
});

Deno.test("TableFormat that holds no row has room for IPv4 at once", () => {
  const table = new TableFormat({ rowsHeld: 1, colour: false, ascii: false });
  const short = taken(table, makeHandshake(ENDS));
  const long = taken(
    table,
    makeHandshake({
      client: { address: "255.255.255.255", port: 65_535 },
      server: { address: "255.255.255.255", port: 65_535 },
      outcome: "established",
      clientRttNs: 999_000,
      serverRttNs: 999_000,
      totalNs: 999_000,
      synCount: 999,
      synAckCount: 9_999_999,
    }),
  );
  const ends = (text: string) => text.trimEnd().split("\n").at(-1)!.length;
  assertEquals(ends(short), ends(long));
});

Deno.test("TableFormat colours words of its own, and nothing else changes", () => {
  const plain = tableOf(HANDSHAKES);
  const coloured = tableOf(HANDSHAKES, { colour: true });
  assertStringIncludes(coloured, "\x1b[32mestablished\x1b[39m");
  assertStringIncludes(coloured, "\x1b[31mrefused    \x1b[39m");
  assertStringIncludes(coloured, "\x1b[33mhalf_open  \x1b[39m");
  // deno-lint-ignore no-control-regex
  assertEquals(coloured.replaceAll(/\x1b\[\d+m/g, ""), plain);
});

Deno.test("TableFormat writes ASCII alone where asked to, aligned", () => {
  const options = { rowsHeld: TABLE_ROWS_HELD, colour: false };
  const write = (ascii: boolean) => {
    const table = new TableFormat({ ...options, ascii });
    return HANDSHAKES.map((handshake) => taken(table, handshake)).join("") + table.end();
  };
  const ascii = write(true);
  assert(/^[\n -~]*$/.test(ascii));
  const names = ascii.indexOf("NOTES");
  const cut = (text: string) => text.split("\n").map((line) => line.slice(0, names));
  assertEquals(cut(ascii), cut(write(false).replaceAll("µs", "us")));
});
