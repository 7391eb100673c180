import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Handshake } from "../../../src/match/handshake.ts";
import { FIELDS } from "../../../src/record/fields.ts";
import { encodeHandshake, toRecord } from "../../../src/record/ndjson.ts";
import { decodeLine, isNewer } from "../../../src/record/record_decoder.ts";
import { anyHandshake, anyText } from "./arbitrary_handshake.ts";
import { roundTrip } from "./round_trip.ts";
import {
  CONTEXT,
  EPOCH_SECONDS,
  HANDSHAKES,
  WORKED_EXAMPLE,
  WORKED_RECORD,
} from "./sample_handshakes.ts";

// More than its usual share of time, which covers more than a run usually does: -- --runs=1000000
const RUNS = Number(
  Deno.args.find((arg) => arg.startsWith("--runs="))?.slice("--runs=".length) ?? 10_000,
);

type Json = Record<string, unknown>;

/** The line of the worked example with a value put at a path; undefined takes it away. */
function lineWith(path: string, value: unknown): string {
  const record = structuredClone(WORKED_RECORD) as unknown as Json;
  const names = path.split(".");
  const last = names.pop()!;
  let level = record;
  for (const name of names) level = (level[name] ??= {}) as Json;
  level[last] = value;
  return JSON.stringify(record);
}

function decode(line: string) {
  const decoded = decodeLine(line);
  assert(decoded.kind === "handshake", JSON.stringify(decoded));
  return decoded;
}

function refusal(line: string): string {
  const decoded = decodeLine(line);
  assert(decoded.kind === "refused", JSON.stringify(decoded));
  return `${decoded.fault}: ${decoded.reason}`;
}

Deno.test("decodeLine gives back each sample, so that its line is the same again", () => {
  for (const handshake of HANDSHAKES) roundTrip(encodeHandshake(handshake, CONTEXT));
});

Deno.test(`decodeLine gives back ${RUNS} random handshakes`, () => {
  fc.assert(
    fc.property(anyHandshake(), (handshake) => roundTrip(encodeHandshake(handshake, CONTEXT))),
    { numRuns: RUNS },
  );
});

Deno.test("decodeLine makes the handshake that was encoded", () => {
  const { handshake, context } = decode(encodeHandshake(WORKED_EXAMPLE, CONTEXT));
  // Which numbers its places have is the context's.
  assertEquals(handshake, Object.assign(new Handshake(), WORKED_EXAMPLE, { place: 1 }));
  assertEquals(context.host, "web1");
  assertEquals(context.interfaceName(1), "eth0");
  assertEquals(context.cgroupPath(8231), "/user.slice/user-1000.slice");
});

Deno.test("decodeLine keeps times of any second exact", () => {
  const { handshake } = decode(lineWith("time", "2126-11-23T01:02:03.000000001Z"));
  assertEquals([handshake.epochSeconds, handshake.timeNs], [EPOCH_SECONDS + 3_155_673_600, 1]);
});

Deno.test("decodeLine gives interfaces and tunnels their order, and the unknown ones a place", () => {
  const line = JSON.stringify({
    ...WORKED_RECORD,
    network: { type: "ipv4", interfaces: ["br0", "eth0"], tunnels: ["vxlan", "gre"] },
  });
  const { handshake, context } = decode(line);
  assertEquals(handshake.interfaces.map((at) => context.interfaceName(at)), ["br0", "eth0"]);
  assertEquals(handshake.place, 0);
  assertEquals(handshake.tunnels, ["vxlan", "gre"]);
  const one = decode(lineWith("network.interfaces", ["eth0"]));
  assertEquals(one.handshake.interfaces.map((at) => one.context.interfaceName(at)), [
    "eth0",
    undefined,
  ]);
});

Deno.test("decodeLine tells other kinds of lines by their event", () => {
  for (const event of ["summary", "status", "statistics", "", "\x1b[2J", "__proto__"]) {
    const members = { v: 1, event };
    assertEquals(decodeLine(JSON.stringify(members)), { kind: "event", event, members });
  }
});

Deno.test("decodeLine refuses what is no JSON or no record, and says why", () => {
  const cases: { line: string; expected: string }[] = [
    { line: "", expected: "json: it is no JSON" },
    { line: "hello", expected: "json: it is no JSON" },
    { line: '{"v":1,"event":"handsh', expected: "json: it is no JSON" },
    { line: "7", expected: "record: it is no object" },
    { line: "null", expected: "record: it is no object" },
    { line: "[]", expected: "record: it is no object" },
    { line: "{}", expected: "record: it has no version (v)" },
    { line: '{"v":"1","event":"handshake"}', expected: "record: it has no version (v)" },
    { line: '{"v":0,"event":"handshake"}', expected: "record: it has no version (v)" },
    { line: '{"v":1}', expected: "record: it has no event" },
    { line: '{"v":1,"event":7}', expected: "record: it has no event" },
    { line: '{"v":1,"event":"handshake"}', expected: "record: time is missing" },
  ];
  for (const { line, expected } of cases) assertEquals(refusal(line), expected, line);
});

Deno.test("decodeLine takes null for unknown where a member may be missing, and a missing reason for none", () => {
  const line = JSON.parse(encodeHandshake(HANDSHAKES[0], CONTEXT));
  const { reason: _, drop: __, ...rest } = line;
  const nulls = { ...rest, host_id: null, drop: null, client: { ...line.client, isn: null } };
  const decoded = decodeLine(JSON.stringify(nulls));
  assert(decoded.kind === "handshake", JSON.stringify(decoded));
  const { handshake, context } = decoded;
  assertEquals(
    [handshake.reason, handshake.client.isn, context.hostId, handshake.dropCount],
    [undefined, undefined, undefined, undefined],
  );
});

Deno.test("decodeLine refuses a record whose values are none", () => {
  const cases: { path: string; value: unknown; expected: string }[] = [
    { path: "time", value: "yesterday", expected: "time says nothing that it can mean" },
    { path: "time", value: 5, expected: "time is no string" },
    { path: "client", value: [], expected: "client is no object" },
    { path: "client", value: undefined, expected: "client is missing" },
    { path: "client.address", value: "::g", expected: "client.address says nothing" },
    { path: "client.port", value: 65_536, expected: "client.port is no integer from 0 to 65535" },
    { path: "client.port", value: -1, expected: "client.port is no integer from 0 to 65535" },
    { path: "client.port", value: 1.5, expected: "client.port is no integer from 0 to 65535" },
    { path: "client.port", value: null, expected: "client.port is no integer" },
    { path: "client.process.pid", value: undefined, expected: "client.process.pid is missing" },
    { path: "server.process.pid", value: 7, expected: "server.process.comm is missing" },
    { path: "role", value: "boss", expected: "role has a value that this version does not know" },
    { path: "reason", value: 7, expected: "reason is no string" },
    { path: "flags", value: "ecn", expected: "flags is no list of strings" },
    { path: "flags", value: [7], expected: "flags is no list of strings" },
    { path: "rtt.client_ns", value: 0.5, expected: "rtt.client_ns is no integer" },
    { path: "rtt.ambiguous", value: undefined, expected: "rtt.ambiguous is missing" },
    { path: "drop.count", value: 1, expected: "drop.reason is missing" },
    {
      path: "network.translated.client",
      value: { address: "192.0.2.1", port: 1 },
      expected: "network.translated.server is missing",
    },
    {
      path: "network.interfaces",
      value: Array(9).fill("a"),
      expected: "network.interfaces says nothing",
    },
  ];
  for (const { path, value, expected } of cases) {
    const reason = refusal(lineWith(path, value));
    assert(reason.startsWith(`record: ${expected}`), `${path}: ${reason}`);
  }
});

Deno.test("decodeLine skips what it does not know, and tells it", () => {
  const cases: { path: string; value: unknown; unknown: string[] }[] = [
    { path: "colour", value: "red", unknown: ["colour"] },
    { path: "client.process.parent", value: { pid: 1 }, unknown: ["client.process.parent"] },
    { path: "flags", value: ["tcp_fast_open", "quic"], unknown: ["flags quic"] },
    { path: "network.tunnels", value: ["wormhole"], unknown: ["network.tunnels wormhole"] },
  ];
  for (const { path, value, unknown } of cases) {
    const decoded = decode(lineWith(path, value));
    assertEquals(decoded.unknown, unknown);
    const { flags, ...rest } = toRecord(decoded.handshake, decoded.context);
    assertEquals({ ...rest, flags }, WORKED_RECORD, path);
  }
  const line = lineWith("v", 2);
  assertEquals([decode(line).version, isNewer(decode(line).version)], [2, true]);
  assertEquals(isNewer(1), false);
});

Deno.test("decodeLine takes names that objects have for what they are: unknown ones", () => {
  const line = encodeHandshake(WORKED_EXAMPLE, CONTEXT).replace(
    '"host":',
    '"__proto__":{"outcome":"refused"},"constructor":1,"host":',
  );
  const { handshake, unknown } = decode(line);
  assertEquals(handshake.outcome, "established");
  assertEquals(unknown, ["__proto__", "constructor"]);
  assertEquals(({} as Json).outcome, undefined);
});

Deno.test("decodeLine tells only so many unknown names, and only their begins", () => {
  const names = Array.from({ length: 100 }, (_, at) => "x".repeat(1_000) + at);
  const { unknown } = decode(
    JSON.stringify({ ...WORKED_RECORD, ...Object.fromEntries(names.map((name) => [name, 1])) }),
  );
  assertEquals(unknown.length, 16);
  assert(unknown.every(({ length }) => length === 64));
});

Deno.test("decodeLine takes a queue whole or not at all", () => {
  const drop = { reason: "ACCEPT_QUEUE_FULL", packet: "syn", count: 1 };
  const queueOf = (values: Json) =>
    decode(lineWith("drop", { ...drop, ...values })).handshake.dropQueue;
  assertEquals(queueOf({ queue_length: 6, queue_limit: 5 }), { length: 6, limit: 5 });
  assertEquals(queueOf({ queue_length: 6 }), undefined);
  assertEquals(queueOf({ queue_limit: 5 }), undefined);
});

Deno.test("decodeLine reads every field of the table, and throws for no value of one", () => {
  const values = fc.oneof(
    fc.constantFrom<unknown>(null, true, -1, 0.5, 1e300, "", [], {}, [""], [[]], undefined),
    fc.jsonValue(),
    anyText(),
  );
  const paths = fc.constantFrom(...FIELDS.map(({ path }) => path));
  fc.assert(fc.property(paths, values, (path, value) => {
    const decoded = decodeLine(lineWith(path, value));
    if (decoded.kind === "handshake") encodeHandshake(decoded.handshake, decoded.context);
  }));
});

Deno.test("decodeLine throws for no text", () => {
  fc.assert(fc.property(anyText(), (text) => decodeLine(text).kind !== "handshake"));
  fc.assert(fc.property(fc.json(), (text) => decodeLine(text).kind !== "handshake"));
  // Deeper than any stack.
  assertEquals(refusal("[".repeat(500_000)), "json: it is no JSON");
  const deep = '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000);
  assertEquals(decode(lineWith("x", 1).replace('"x":1', `"x":${deep}`)).unknown, ["x"]);
});
