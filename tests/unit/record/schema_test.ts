import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { FIELDS } from "../../../src/record/fields.ts";
import { encodeHandshake } from "../../../src/record/ndjson.ts";
import { jsonSchema, markdownTable } from "../../../src/record/schema.ts";
import { anyHandshake } from "./arbitrary_handshake.ts";
import { CONTEXT, HANDSHAKES, WORKED_EXAMPLE } from "./sample_handshakes.ts";
import { schemaErrors } from "./schema_checker.ts";

const SCHEMA = jsonSchema();

function example(): Record<string, Record<string, unknown>> {
  return JSON.parse(encodeHandshake(WORKED_EXAMPLE, CONTEXT));
}

Deno.test("jsonSchema says which draft it is of and is plain JSON", () => {
  assertEquals(SCHEMA.$schema, "https://json-schema.org/draft/2020-12/schema");
  assertEquals(JSON.parse(JSON.stringify(SCHEMA)), SCHEMA);
});

Deno.test("jsonSchema fits each sample", () => {
  for (const handshake of HANDSHAKES) {
    assertEquals(schemaErrors(SCHEMA, JSON.parse(encodeHandshake(handshake, CONTEXT))), []);
  }
});

Deno.test("jsonSchema fits any handshake", () => {
  fc.assert(fc.property(anyHandshake().filter((it) => it.wire || it.kernel), (handshake) => {
    assertEquals(schemaErrors(SCHEMA, JSON.parse(encodeHandshake(handshake, CONTEXT))), []);
  }));
});

Deno.test("jsonSchema fits a record with fields of a later version", () => {
  const record = example();
  Object.assign(record, { new_field: 1 });
  record.client.new_field = {};
  assertEquals(schemaErrors(SCHEMA, record), []);
});

Deno.test("jsonSchema refuses what is no record", () => {
  const cases: { change: (record: ReturnType<typeof example>) => void; expected: string[] }[] = [
    { change: (record) => delete record.outcome, expected: ["$.outcome is missing"] },
    { change: (record) => delete record.network, expected: ["$.network is missing"] },
    { change: (record) => delete record.client.address, expected: ["$.client.address is missing"] },
    {
      change: (record) => Object.assign(record, { role: "boss" }),
      expected: ["$.role is none of client,server,local,observer"],
    },
    {
      change: (record) => Object.assign(record, { reason: 111 }),
      expected: ["$.reason is not string,null"],
    },
    {
      change: (record) => Object.assign(record, { evidence: ["wire", "hearsay"] }),
      expected: ["$.evidence[1] is none of wire,kernel"],
    },
    { change: (record) => record.client.isn = "1", expected: ["$.client.isn is not integer"] },
    { change: (record) => record.client.isn = null, expected: ["$.client.isn is not integer"] },
    {
      change: (record) => record.client.port = 65_536,
      expected: ["$.client.port is more than 65535"],
    },
    { change: (record) => record.client.isn = -1, expected: ["$.client.isn is less than 0"] },
    {
      change: (record) => record.client.process = { comm: "curl", uid: 0 },
      expected: ["$.client.process.pid is missing"],
    },
    {
      change: (record) => record.network.translated = { client: { address: "a", port: 1 } },
      expected: ["$.network.translated.server is missing"],
    },
    {
      change: (record) => record.rtt.client_ns = 0.5,
      expected: ["$.rtt.client_ns is not integer"],
    },
    {
      change: (record) => record.checks.ack_sequence = 1,
      expected: ["$.checks.ack_sequence is not boolean"],
    },
    {
      change: (record) => Object.assign(record, { times: 5 }),
      expected: ["$.times is not object"],
    },
  ];
  for (const { change, expected } of cases) {
    const record = example();
    change(record);
    assertEquals(schemaErrors(SCHEMA, record), expected);
  }
});

Deno.test("jsonSchema describes each field of the table and no other", () => {
  const described: string[] = [];
  const visit = (schema: Record<string, unknown>, path: string) => {
    const properties = schema.properties as Record<string, Record<string, unknown>> | undefined;
    if (properties === undefined) {
      described.push(path);
      assertMatch(String(schema.description), /^\S.*\S$/, path);
      return;
    }
    for (const [name, inner] of Object.entries(properties)) {
      visit(inner, path === "" ? name : `${path}.${name}`);
    }
  };
  visit(SCHEMA, "");
  assertEquals(described.sort(), FIELDS.map(({ path }) => path).sort());
});

Deno.test("schemaErrors passes over no keyword", () => {
  assertThrows(() => schemaErrors({ pattern: "x" }, "x"), Error, 'unknown keyword "pattern"');
  assertThrows(() => schemaErrors({ additionalProperties: false }, {}), Error, "unknown keyword");
  assertThrows(() => schemaErrors({ type: "number" }, 1), Error, 'unknown type "number"');
});

Deno.test("markdownTable has one row a field, four cells each", () => {
  const lines = markdownTable().split("\n");
  assertEquals(lines.slice(0, 2), ["| field | type | unit | meaning |", "|---|---|---|---|"]);
  assertEquals(lines.pop(), "");
  const rows = lines.slice(2).map((line) => line.split("|").map((cell) => cell.trim()));
  assertEquals(
    rows.map(([before, path, , unit, meaning, after]) => [before, path, unit, meaning, after]),
    FIELDS.map(({ path, unit, meaning }) => ["", `\`${path}\``, unit ?? "", meaning, ""]),
  );
  assertEquals(rows.every((cells) => cells.length === 6), true);
});

Deno.test("markdownTable lists the values of a field that has few", () => {
  const line = markdownTable().split("\n").find((line) => line.includes("`network.type`"));
  assertEquals(
    line,
    "| `network.type` | string: `ipv4`, `ipv6` |  | IP version of the packets |",
  );
});
