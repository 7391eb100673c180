import { assertEquals, assertMatch } from "@std/assert";
import { FIELDS, LEVELS } from "../../../src/record/fields.ts";
import { recordTypes } from "../../../src/record/record_types.ts";

const TYPES = recordTypes();

/** The paths of all members, with whether each may be absent and how its type begins. */
function members(source: string): Map<string, { optional: boolean; type: string }> {
  const found = new Map<string, { optional: boolean; type: string }>();
  const levels: string[] = [];
  for (const line of source.slice(source.indexOf("export")).split("\n").slice(1)) {
    if (line.trim() === "};") levels.pop();
    const [, name, mark, type] = /^ +(\w+)(\??):(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    levels.push(name);
    found.set(levels.join("."), { optional: mark === "?", type: type.trim() });
    if (!type.endsWith("{")) levels.pop();
  }
  return found;
}

Deno.test("recordTypes has a member for each field and each level", () => {
  const paths = [...members(TYPES).keys()];
  assertEquals(paths.sort(), [...FIELDS.map(({ path }) => path), ...Object.keys(LEVELS)].sort());
});

Deno.test("recordTypes says which members may be absent", () => {
  const found = members(TYPES);
  const cases = {
    v: false,
    reason: false,
    network: false,
    "network.vlan": true,
    "network.translated": true,
    "network.translated.client": false,
    "network.translated.client.address": false,
    "client.isn": true,
    "client.process": true,
    "client.process.pid": false,
    "client.process.thread": true,
    "client.process.thread.tid": false,
    "client.process.thread.comm": true,
    rtt: false,
    times: true,
    drop: true,
    "drop.reason": false,
    "drop.queue_limit": true,
  };
  for (const [path, optional] of Object.entries(cases)) {
    assertEquals(found.get(path)?.optional, optional, path);
  }
});

Deno.test("recordTypes gives each member its type", () => {
  const found = members(TYPES);
  const cases = {
    v: "number;",
    reason: "string | null;",
    evidence: '("wire" | "kernel")[];',
    "network.interfaces": "string[];",
    "checks.ack_sequence": "boolean;",
  };
  for (const [path, type] of Object.entries(cases)) assertEquals(found.get(path)?.type, type, path);
  assertMatch(TYPES, /\n {2}outcome:\n {4}\| "established"\n/);
  assertMatch(TYPES, /\n {2}flags: \(\n {4}\| "tcp_fast_open"\n(?: {4}\| .*\n)+ {2}\)\[\];\n/);
});

Deno.test("recordTypes documents each member in lines that fit", () => {
  const lines = TYPES.split("\n");
  for (const [at, line] of lines.entries()) {
    assertEquals(line.length <= 100, true, line);
    if (/^ +\w+\??:/.test(line)) assertMatch(lines[at - 1], /\*\/$/, line);
  }
});
