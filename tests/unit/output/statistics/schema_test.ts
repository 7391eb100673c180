import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Handshake, OUTCOMES } from "../../../../src/match/handshake.ts";
import { encodeStatistics } from "../../../../src/output/statistics/json.ts";
import { statisticsSchema } from "../../../../src/output/statistics/schema.ts";
import { Statistics } from "../../../../src/output/statistics/statistics.ts";
import { LOSS_PLACES } from "../../../../src/pipeline/losses.ts";
import { Summary } from "../../../../src/pipeline/summary.ts";
import { frameVerdictNames } from "../../../../src/wire/verdict.ts";
import { anyHandshake } from "../../record/arbitrary_handshake.ts";
import {
  CONTEXT,
  EPOCH_SECONDS,
  HANDSHAKES,
  makeHandshake,
} from "../../record/sample_handshakes.ts";
import { schemaErrors } from "../../record/schema_checker.ts";

const SCHEMA = statisticsSchema();

function lineOf(handshakes: readonly Handshake[]): Record<string, unknown> {
  const statistics = new Statistics();
  const summary = new Summary();
  for (const handshake of handshakes) {
    const container = (id: number) => ({ name: `c${id}` });
    statistics.record(handshake, { cgroupPath: (id) => `/${id}`, container });
    summary.record(handshake);
  }
  return JSON.parse(encodeStatistics(statistics, {
    summary,
    context: CONTEXT,
    span: { epochSeconds: EPOCH_SECONDS, startNs: 0, endNs: 1_000 },
    losses: Object.fromEntries(LOSS_PLACES.map(({ name }) => [name, 1])),
    undecoded: Object.fromEntries(frameVerdictNames.slice(1).map((reason) => [reason, 1])),
  }, 2));
}

/** Every member of a value and of what is in it, as a path without positions in arrays. */
function pathsOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, path));
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, `${path}.${name}`));
}

/** Every value that a schema describes, and whether it says what it means. */
function describedIn(schema: Record<string, unknown>, path = ""): Map<string, boolean> {
  const { properties, items, description } = schema;
  if (items) return describedIn(items as typeof schema, path);
  if (!properties) return new Map([[path, typeof description === "string"]]);
  return new Map(
    Object.entries(properties as Record<string, typeof schema>)
      .flatMap(([name, inner]) => [...describedIn(inner, `${path}.${name}`)]),
  );
}

Deno.test("statisticsSchema fits the statistics of any handshakes", () => {
  assertEquals(schemaErrors(SCHEMA, lineOf([])), []);
  fc.assert(fc.property(fc.array(anyHandshake(), { maxLength: 12 }), (handshakes) => {
    assertEquals(schemaErrors(SCHEMA, lineOf(handshakes)), []);
  }));
});

/** Of three of each kind, one that ended so and was measured for each outcome. */
const EVERY_FAILURE = [1, 2, 3].flatMap((which) =>
  OUTCOMES.map((outcome) =>
    makeHandshake({
      client: { address: `10.0.1.${which}` },
      server: {
        address: `10.0.2.${which}`,
        process: { pid: 1, comm: `server ${which}`, uid: 0, cgroup: which },
      },
      outcome,
      reason: `REASON_${which}`,
      clientRttNs: 1_000,
    })
  )
);

Deno.test("statisticsSchema describes each member of a line, and nothing that never comes", () => {
  const described = describedIn(SCHEMA);
  assert([...described.values()].every((isDescribed) => isDescribed));
  const written = new Set(pathsOf(lineOf([...HANDSHAKES, ...EVERY_FAILURE])));
  assertEquals([...written].filter((path) => !described.has(path)), []);
  assertEquals([...described.keys()].filter((path) => !written.has(path)), []);
});

Deno.test("statisticsSchema refuses what is no statistics", () => {
  const line = lineOf(HANDSHAKES);
  assertEquals(schemaErrors(SCHEMA, { ...line, event: "summary" }), [
    "$.event is none of statistics",
  ]);
  delete line.clients;
  assertEquals(schemaErrors(SCHEMA, line), ["$.clients is missing"]);
});
