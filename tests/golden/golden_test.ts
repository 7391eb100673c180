// What the tool writes, byte by byte, against files kept beside this test: a change of any of them
// is a change that its readers see. After one that is meant, write them anew and look at the
// difference: deno test --allow-read --allow-write tests/golden -- --update
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { tellBothEnds } from "../../src/explain/both_ends.ts";
import { formatLessonMarkdown } from "../../src/explain/lesson_markdown.ts";
import { formatLessonSvg } from "../../src/explain/lesson_svg.ts";
import { formatLessonText } from "../../src/explain/lesson_text.ts";
import { tellStory } from "../../src/explain/story.ts";
import { formatHandshake, formatHeading } from "../../src/output/line.ts";
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { recordTypes } from "../../src/record/record_types.ts";
import { jsonSchema, markdownTable } from "../../src/record/schema.ts";
import { statisticsSchema } from "../../src/output/statistics/schema.ts";
import { schemaSql } from "../../src/store/clickhouse/schema.ts";
import { StatisticsFormat } from "../../src/output/statistics/format.ts";
import { encodeStatus } from "../../src/output/status.ts";
import { statusSchema } from "../../src/output/status_schema.ts";
import { summarySchema } from "../../src/output/summary_schema.ts";
import type { TraceState } from "../../src/pipeline/sink.ts";
import { LOSS_PLACES, type Losses } from "../../src/pipeline/losses.ts";
import { Summary } from "../../src/pipeline/summary.ts";
import { TABLE_ROWS_HELD } from "../../src/output/limits.ts";
import { TableFormat } from "../../src/output/table.ts";
import {
  CONTEXT,
  EPOCH_SECONDS,
  HANDSHAKES,
  WORKED_EXAMPLE,
} from "../unit/record/sample_handshakes.ts";
import {
  CONVERSATIONS,
  seenPackets,
  storyOf,
  WORKED_EXAMPLE as CONVERSATION,
} from "../unit/explain/build_conversation.ts";
import { capturedEnd, makeAck, makeSyn, makeSynAck } from "../unit/explain/told_ends.ts";
import { schemaErrors } from "../unit/record/schema_checker.ts";
import { readSample } from "./sample_capture.ts";

const UPDATE = Deno.args.includes("--update");

function pathOf(name: string): string {
  return `${import.meta.dirname}/${name}`;
}

function readGolden(name: string): string {
  return Deno.readTextFileSync(pathOf(name));
}

const summary = new Summary();
for (const handshake of HANDSHAKES) summary.record(handshake);

const ALL_COUNTED: Losses = Object.fromEntries(LOSS_PLACES.map(({ name }) => [name, 0]));
const LOSSES: Losses = {
  ...ALL_COUNTED,
  ring_packets: 12,
  interface_gaps: 2,
  kernel_map_records: 3,
  recursion_misses: undefined,
  unexpected_packets: 1,
};
const UNDECODED = { not_ip: 3, truncated_tcp: 1 };
const END_NS = 60_000_000_001;

const LIVE_STATE: TraceState = {
  summary,
  context: CONTEXT,
  span: { epochSeconds: EPOCH_SECONDS, startNs: 0, endNs: END_NS },
  losses: LOSSES,
  undecoded: UNDECODED,
  delivering: {
    wire: [{ netns: 4_026_531_840, interface: "eth0", up: true }],
    kernel: "fentry",
  },
};

const TEXT = { color: false, ascii: false, header: false };

/** The worked example as `trace` would have seen it on the client, with the kernel's times. */
const TRACED_STORY = tellStory(WORKED_EXAMPLE, {
  packets: seenPackets(CONVERSATION, WORKED_EXAMPLE.timeNs, WORKED_EXAMPLE.place),
  complete: true,
  interfaceName: CONTEXT.interfaceName,
});

const S = 1e9;
const FITTING = { synAckAcknowledgesSyn: true, ackSequence: true, ackAcknowledgesSynAck: true };
/** Of a client whose first SYN is lost, and a server whose first SYN-ACK is; the clocks are 7 ms apart. */
const PAIR_STORY = tellBothEnds(
  capturedEnd(
    "web1.pcapng",
    {
      ...{ outcome: "established", synCount: 3, synAckCount: 1, ...FITTING },
      ...{ synNs: 0, synAckNs: 3 * S + 600_000, ackNs: 3 * S + 610_000, serverRttNs: 10_000 },
    },
    [
      makeSyn(0, 1),
      makeSyn(S, 1_001),
      makeSyn(3 * S, 3_001),
      makeSynAck(3 * S + 600_000, 78),
      makeAck(3 * S + 610_000),
    ],
  ),
  capturedEnd(
    "db1.pcapng",
    {
      ...{ timeNs: S + 7_300_000, outcome: "established", synCount: 2, synAckCount: 2, ...FITTING },
      ...{ synNs: 0, synAckNs: 20_000, ackNs: 2 * S + 610_000 },
    },
    [
      makeSyn(0, 1_001),
      makeSynAck(20_000, 77),
      makeSyn(2 * S, 3_001),
      makeSynAck(2 * S + 20_000, 78),
      makeAck(2 * S + 610_000),
    ],
  ),
  { tier: 1 },
);

const GOLDENS: { name: string; write: () => string }[] = [
  {
    name: "worked_example.ndjson",
    write: () => encodeHandshake(WORKED_EXAMPLE, CONTEXT),
  },
  {
    name: "handshakes.ndjson",
    write: () => HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT)).join(""),
  },
  {
    name: "handshakes.txt",
    write: () => formatHeading() + HANDSHAKES.map((handshake) => formatHandshake(handshake)).join(""),
  },
  {
    name: "handshake.schema.json",
    write: () => JSON.stringify(jsonSchema(), null, 2) + "\n",
  },
  { name: "explain.pair.txt", write: () => formatLessonText(PAIR_STORY, TEXT) },
  { name: "explain.pair.svg", write: () => formatLessonSvg(PAIR_STORY, TEXT) },
  {
    name: "summary.ndjson",
    write: () => summary.encode(CONTEXT, EPOCH_SECONDS, 0, END_NS, LOSSES, UNDECODED),
  },
  {
    name: "status.ndjson",
    write: () => encodeStatus(LIVE_STATE, 13, { intervalMs: 60_000, version: "1.2.3", filters: ["--port 443"] }),
  },
  {
    name: "summary.nothing_lost.txt",
    write: () => summary.format(ALL_COUNTED),
  },
  {
    name: "summary.lost.txt",
    write: () => summary.format(LOSSES, UNDECODED),
  },
  {
    name: "read.table.txt",
    write: () => readSample(new TableFormat({ rowsHeld: TABLE_ROWS_HELD, colour: false, ascii: false })),
  },
  {
    name: "read.statistics.txt",
    write: () => readSample(new StatisticsFormat({ top: 3, json: false, ascii: false })),
  },
  {
    name: "read.statistics.narrow.txt",
    write: () =>
      readSample(new StatisticsFormat({ top: 3, json: false, ascii: false, width: () => 80 })),
  },
  {
    name: "read.statistics.ascii.txt",
    write: () => readSample(new StatisticsFormat({ top: 3, json: false, ascii: true })),
  },
  {
    name: "read.statistics.ndjson",
    write: () => readSample(new StatisticsFormat({ top: 3, json: true, ascii: false })),
  },
  {
    name: "explain.txt",
    write: () => formatLessonText(storyOf(CONVERSATION), TEXT),
  },
  {
    name: "explain.ascii.txt",
    write: () => formatLessonText(storyOf(CONVERSATION), { ...TEXT, ascii: true }),
  },
  {
    name: "explain.header.txt",
    write: () => formatLessonText(storyOf(CONVERSATION), { ...TEXT, header: true }),
  },
  {
    name: "clickhouse.sql",
    write: () =>
      schemaSql({ database: "synsnoop", cluster: "fleet" }).map((sql) => `${sql};\n`).join(""),
  },
  {
    name: "explain.md",
    write: () => formatLessonMarkdown(storyOf(CONVERSATION), { ascii: false, header: false }),
  },
  {
    name: "explain.svg",
    write: () => formatLessonSvg(storyOf(CONVERSATION), { header: false }),
  },
  {
    name: "explain.traced.txt",
    write: () => formatLessonText(TRACED_STORY, TEXT),
  },
  {
    name: "explain.traced.header.svg",
    write: () => formatLessonSvg(TRACED_STORY, { header: true }),
  },
  {
    name: "explain.refused.txt",
    write: () => formatLessonText(storyOf(CONVERSATIONS.refused), TEXT),
  },
  {
    name: "explain.wrong_numbers.txt",
    write: () => formatLessonText(storyOf(CONVERSATIONS.wrongNumbers), TEXT),
  },
  {
    name: "explain.ambiguous.txt",
    write: () => formatLessonText(storyOf(CONVERSATIONS.ambiguous), TEXT),
  },
];

for (const { name, write } of GOLDENS) {
  Deno.test(`golden: ${name}`, () => {
    const text = write();
    if (UPDATE) Deno.writeTextFileSync(pathOf(name), text);
    assertEquals(text.split("\n"), readGolden(name).split("\n"));
  });
}

Deno.test("src/record/record.ts is what the table of fields makes of it", () => {
  const path = pathOf("../../src/record/record.ts");
  if (UPDATE) Deno.writeTextFileSync(path, recordTypes());
  assertEquals(recordTypes().split("\n"), Deno.readTextFileSync(path).split("\n"));
});

Deno.test("golden records fit the golden schema", () => {
  const schema = JSON.parse(readGolden("handshake.schema.json"));
  const lines = (readGolden("worked_example.ndjson") + readGolden("handshakes.ndjson"))
    .trimEnd().split("\n");
  assertEquals(lines.length, 1 + HANDSHAKES.length);
  for (const line of lines) assertEquals(schemaErrors(schema, JSON.parse(line)), []);
});

Deno.test("the golden status line fits its schema", () => {
  assertEquals(schemaErrors(statusSchema(), JSON.parse(readGolden("status.ndjson"))), []);
});

Deno.test("the golden summary fits its schema", () => {
  assertEquals(schemaErrors(summarySchema(), JSON.parse(readGolden("summary.ndjson"))), []);
});

Deno.test("golden statistics fit their schema", () => {
  assertEquals(
    schemaErrors(statisticsSchema(), JSON.parse(readGolden("read.statistics.ndjson"))),
    [],
  );
});

Deno.test("golden text has no character that acts on a terminal", () => {
  for (const { name } of GOLDENS) {
    for (const line of readGolden(name).split("\n")) {
      assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(line), `${name}: ${JSON.stringify(line)}`);
    }
  }
});

/** The text of a document of the repository. */
function readDocument(path: string): string {
  return Deno.readTextFileSync(`${import.meta.dirname}/../../${path}`);
}

Deno.test("the documents show the worked example as explain writes it", () => {
  const golden = readGolden("explain.txt");
  const document = readDocument("src/explain/README.md");
  assert(document.includes(golden), "src/explain/README.md does not hold explain.txt");
  const sections = golden.split(/\n(?=\S)/);
  const ladder = sections[0].slice(sections[0].indexOf("                  client"));
  const sums = sections.find((section) => section.startsWith("Do the numbers fit?"))!;
  for (const part of [ladder.split("\n\n")[0], sums.split("\n\n").slice(0, 2).join("\n\n")]) {
    assertStringIncludes(readDocument("README.md"), part);
  }
});

/** The lines that the record's document has between two marks. */
function listed(mark: string): string[] {
  const [, lines] = readDocument("src/record/README.md").split(new RegExp(`<!-- /?${mark} -->`));
  assert(lines !== undefined, `src/record/README.md has no "<!-- ${mark} -->"`);
  return lines.trim().split("\n");
}

Deno.test("src/record/README.md lists the fields as the table of the encoder does", () => {
  assertEquals(listed("fields"), markdownTable().trim().split("\n"));
});

Deno.test("src/record/README.md lists every place of the summary where something can get lost", () => {
  assertEquals(listed("losses"), [
    "| `losses` | | counts |",
    "| --- | --- | --- |",
    ...LOSS_PLACES.map(({ name, meaning, isLoss }) =>
      `| \`${name}\` | ${isLoss ? "lost" : "set aside"} | ${meaning} |`
    ),
  ]);
});
