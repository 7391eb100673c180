import { assertEquals } from "@std/assert";
import { formatJson, formatMarkdown, formatNumber, type Report } from "../bench/report.ts";
import { type Figure, median, reachesAim } from "../bench/row.ts";
import { lossFigures, lostIn, parseOutcome } from "../bench/outcome.ts";

Deno.test("median is the middle, or the mean of the two in the middle", () => {
  assertEquals([[3], [9, 1, 4], [4, 1, 3, 2]].map(median), [3, 4, 2.5]);
  assertEquals(median([]), NaN);
});

Deno.test("reachesAim holds the median against the aim", () => {
  const cases: { figure: Partial<Figure>; expected: boolean | undefined }[] = [
    { figure: { values: [1, 5, 6], aim: { atLeast: 5 } }, expected: true },
    { figure: { values: [1, 4, 6], aim: { atLeast: 5 } }, expected: false },
    { figure: { values: [1, 5, 6], aim: { atMost: 5 } }, expected: true },
    { figure: { values: [1, 6, 6], aim: { atMost: 5 } }, expected: false },
    { figure: { values: [], aim: { atMost: 5 } }, expected: undefined },
    { figure: { values: [1] }, expected: undefined },
  ];
  for (const { figure, expected } of cases) {
    assertEquals(reachesAim({ name: "x", unit: "s", values: [], ...figure }), expected);
  }
});

Deno.test("formatNumber keeps about three digits", () => {
  const numbers = [0, 5, 250_000, 0.0123, 0.951, 1.234, 12.34, 123.4, 1_234.5];
  assertEquals(
    numbers.map(formatNumber),
    ["0", "5", "250,000", "0.012", "0.95", "1.23", "12.3", "123", "1,235"],
  );
});

const RUN = { version: "1a2b3c4", date: "2026-11-23", load: 0.1 };

const REPORT: Report = {
  machine: {
    kernel: "6.18",
    cpu: "Some CPU",
    cores: 2,
    deno: "2.9.6",
    hookedPrograms: 0,
    tools: { tcpdump: "tcpdump 4.99" },
  },
  length: "whole",
  answers: [
    {
      ...RUN,
      name: "rate",
      title: "Rate",
      seconds: 90,
      figures: [
        {
          name: "traced / untraced",
          unit: "ratio",
          values: [0.9, 0.8, 0.7],
          aim: { atLeast: 0.9 },
        },
        { name: "lost", unit: "", values: [0], aim: { atMost: 0 } },
        { name: "peer", unit: "ratio", values: [], note: "peer is not installed" },
      ],
    },
    {
      ...{ version: "9f8e7d6", date: "2026-11-24", load: 1.25 },
      name: "http",
      title: "HTTP",
      seconds: 0,
      figures: [{ name: "rate", unit: "requests/s", values: [1_500] }],
      failure: "wrk said\n a|b",
    },
  ],
};

Deno.test("formatMarkdown tells median, spread, N, aim, and what was not measured", () => {
  assertEquals(
    formatMarkdown(REPORT),
    `Linux 6.18, 2 cores of Some CPU, Deno 2.9.6, tcpdump 4.99; version 1a2b3c4, 2026-11-23, in 1.5 minutes.

| measured | median | lowest to highest | N | aim | reached |
| --- | --- | --- | --- | --- | --- |
| **Rate** (\`rate\`) | | | | | |
| traced / untraced | 0.80 | 0.70 to 0.90 | 3 | ≥ 0.90 | **no** |
| lost | 0 |  | 1 | ≤ 0 | yes |
| peer: peer is not installed | – | – | 0 |  | – |
| **HTTP** (\`http\`, version 9f8e7d6, 2026-11-24, load 1.3) | | | | | |
| rate | 1,500 requests/s |  | 1 |  |  |
| not measured: wrk said a\\|b | | | | | |
`,
  );
});

Deno.test("formatMarkdown says that other programs ran, and that a run was short", () => {
  const machine = { ...REPORT.machine, hookedPrograms: 2 };
  const answers = [{ ...REPORT.answers[0], load: 3.25 }];
  const [, , busy, , short] = formatMarkdown({ machine, length: "quick", answers }).split("\n");
  assertEquals(
    busy,
    "The machine was not idle: load 3.3, 2 BPF programs of others hooked into its kernel.",
  );
  assertEquals(short, "One short run each: these numbers only show that the rows work.");
});

Deno.test("formatJson keeps every value and adds what follows from them", () => {
  const { answers } = JSON.parse(formatJson(REPORT));
  assertEquals(answers[0].figures[0], {
    ...REPORT.answers[0].figures[0],
    median: 0.8,
    lowest: 0.7,
    highest: 0.9,
    reached: false,
  });
  assertEquals(answers[0].figures[2].values, []);
});

Deno.test("parseOutcome reads a trace's last words", () => {
  const outcome = parseOutcome([
    "synsnoop: kernel events come from the tracepoint",
    "1203 handshakes: 1200 established, 3 refused (7 more kept back by filters)",
    "evidence: 1190 wire and kernel, 10 wire only, 3 kernel only",
    "client RTT: none",
    "lost: 12 packets dropped because the capture ring was full",
    "lost: 3 half-open handshakes given up because the table was full",
    "set aside: 4 packets that could not be decoded",
  ]);
  assertEquals([outcome.handshakes, outcome.established, outcome.both], [1203, 1200, 1190]);
  assertEquals(lostIn(outcome), 15);
  assertEquals(lossFigures(outcome).map(({ name, values }) => [name, values]), [
    ["lost, as it says: packets dropped because the capture ring was full", [12]],
    ["lost, as it says: half-open handshakes given up because the table was full", [3]],
  ]);
});

Deno.test("parseOutcome reads what tcpdump and dumpcap lost", () => {
  const words = [
    "7 packets received by filter",
    "5 packets dropped by kernel",
    "1 packet dropped by interface",
    "Packets received/dropped on interface 'veth0': 8/30 (pcap:30/dumpcap:0/flushed:0) (21.1%)",
  ];
  assertEquals(words.map((line) => lostIn(parseOutcome([line]))), [0, 5, 1, 30]);
  const nothing = [
    "0 packets dropped by kernel",
    "Packets received/dropped on interface 'lo': 8/0 (pcap:0/dumpcap:0/flushed:0) (100.0%)",
  ];
  const [{ name, values }] = lossFigures(parseOutcome(nothing));
  assertEquals([name, values], ["lost, as it says: nothing at any place", [0]]);
});

Deno.test("parseOutcome knows nothing of a program that says nothing", () => {
  const outcome = parseOutcome(["listening on lo", "12 packets captured"]);
  assertEquals([outcome.handshakes, outcome.established, lostIn(outcome)], [
    undefined,
    undefined,
    0,
  ]);
  assertEquals(parseOutcome(["0 handshakes", "lost: nothing at any place"]).established, 0);
});
