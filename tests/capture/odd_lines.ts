/**
 * Lines that are no records, or are records in another form than this version's, by what is odd with them.
 *
 * @module
 */
import { encodeHandshake } from "../../src/record/ndjson.ts";
import { FIELDS } from "../../src/record/fields.ts";
import { isAlways } from "../../src/record/tree.ts";
import { CONTEXT, HANDSHAKES } from "../unit/record/sample_handshakes.ts";

const encoder = new TextEncoder();

/** Lines of records as this version writes them, with their newlines. */
export const GOOD_LINES: readonly string[] = HANDSHAKES.map((it) => encodeHandshake(it, CONTEXT));

/** A line whose levels are all there. */
const FULL: Members = GOOD_LINES.map((line): Members => JSON.parse(line))
  .reduce((all, each) => merge(each, all), {});

type Members = { [name: string]: unknown };

function merge(one: Members, other: Members): Members {
  const all = { ...other, ...one };
  for (const name in all) {
    if (isMembers(one[name]) && isMembers(other[name])) all[name] = merge(one[name], other[name]);
  }
  return all;
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The full line with another value at a path; undefined: without it. */
function having(path: string, value: unknown): string {
  const line = structuredClone(FULL);
  const names = path.split(".");
  const last = names.pop()!;
  const level = names.reduce((level, name) => level[name] as Members, line);
  if (value === undefined) delete level[last];
  else level[last] = value;
  return JSON.stringify(line);
}

/** The full line with some of its text replaced. */
function with_(text: string | RegExp, other: string): string {
  const line = JSON.stringify(FULL);
  const replaced = line.replace(text, other);
  if (replaced === line) throw new Error(`no ${text} in the line`);
  return replaced;
}

/** Bytes that are no UTF-8 in place of a text. */
function bytes(text: string, ...instead: number[]): Uint8Array {
  const [before, after] = text.split("\0");
  return Uint8Array.from([...encoder.encode(before), ...instead, ...encoder.encode(after)]);
}

/** What a line may be instead. */
export interface OddLine {
  /** Without its newline. */
  line: string | Uint8Array;
}

const ALWAYS = FIELDS.filter(({ always, path }) => {
  const names = path.split(".");
  const level = names.slice(0, -1).join(".");
  return always !== undefined &&
    isAlways({ name: names.at(-1)!, field: FIELDS.find((it) => it.path === path)! }, level);
});

/** Fields of each form. */
const SOME = FIELDS.filter(({ path }) =>
  [
    ...["v", "event", "time", "host", "tracer", "role", "outcome", "reason", "evidence", "flags"],
    ...[
      "network.type",
      "network.interface",
      "network.interfaces",
      "network.vlan",
      "network.tunnels",
    ],
    ...[
      "network.translated.client.address",
      "network.community_id",
      "client.address",
      "client.port",
    ],
    ...["client.isn", "client.window_scale", "client.sack_permitted", "client.process.pid"],
    ...["client.process.comm", "client.process.cgroup", "client.process.container.id"],
    ...["server.address", "server.process.kernel", "rtt.client_ns", "rtt.ambiguous", "packets.syn"],
    ...["times.syn_ns", "drop.reason", "drop.packet", "drop.count", "reset.reason"],
    "checks.ack_sequence",
  ].includes(path)
);

/** All of them, by their names. */
export const ODD_LINES: Readonly<Record<string, OddLine>> = Object.fromEntries([
  ...ALWAYS.map(({ path }) => [`without ${path}`, { line: having(path, undefined) }]),
  ...SOME.map(({ path }) => [`${path} is null`, { line: having(path, null) }]),
  ...SOME.map(({ path }) => [`${path} is an object`, { line: having(path, { a: 1 }) }]),
  ...SOME.filter(({ type }) => type === "integer").flatMap(({ path, range }) => [
    [`${path} is a word`, { line: having(path, "many") }],
    [`${path} is below its range`, { line: having(path, range![0] < 0 ? -1e19 : -1) }],
    [`${path} is above its range`, { line: having(path, 1e20) }],
    [`${path} is a number in quotes`, { line: having(path, "1") }],
    [`${path} is a fraction`, { line: having(path, 1.5) }],
    [`${path} is true`, { line: having(path, true) }],
  ]),
  ...SOME.filter(({ type }) => type === "boolean").flatMap(({ path }) => [
    [`${path} is a word`, { line: having(path, "perhaps") }],
    [`${path} is a number`, { line: having(path, 1) }],
    [`${path} is a list`, { line: having(path, [true]) }],
  ]),
  ...SOME.filter(({ type, values }) => type === "string" && values === undefined).map((
    { path },
  ) => [`${path} is a number`, { line: having(path, 7) }]),
  ...SOME.filter(({ values }) => values !== undefined).map((
    { path, type },
  ) => [`${path} is a word of later`, {
    line: having(path, type === "strings" ? ["later"] : "later"),
  }]),
  ...SOME.filter(({ type }) => type === "strings").flatMap(({ path }) => [
    [`${path} is a word`, { line: having(path, "wire") }],
    [`${path} has a number`, { line: having(path, [1]) }],
    [`${path} has a null`, { line: having(path, [null]) }],
    [`${path} is empty`, { line: having(path, []) }],
  ]),
  ...["network", "client", "client.process", "rtt", "packets", "times", "drop", "reset", "checks"]
    .flatMap((level) => [
      [`${level} is null`, { line: having(level, null) }],
      [`${level} is a number`, { line: having(level, 7) }],
      [`${level} is a list`, { line: having(level, []) }],
      [`without ${level}`, { line: having(level, undefined) }],
    ]),
  ...["client.process", "drop", "reset", "rtt", "packets", "network", "client"]
    .map((level) => [`${level} says nothing`, { line: having(level, {}) }]),
  ...Object.entries({
    "of the 23rd": "2026-11-23",
    "without its zone": "2026-11-23T01:02:03.123456789",
    "of another zone": "2026-11-23T01:02:03.123456789+01:00",
    "in milliseconds": "2026-11-23T01:02:03.123Z",
    "of a 13th month": "2026-13-23T01:02:03.123456789Z",
    "of the 30th of February": "2026-02-30T01:02:03.123456789Z",
    "of the year 1600": "1600-11-23T01:02:03.123456789Z",
    "of the year 12000": "+012000-11-23T01:02:03.123456789Z",
    "at 24 o'clock": "2026-11-23T24:00:00.000000000Z",
    "with a leap second": "2026-11-23T23:59:60.000000000Z",
    "with a blank": "2026-11-23T01:02:03.12345678 Z",
    "yesterday": "yesterday",
    "empty": "",
  }).map(([name, time]) => [`a time ${name}`, { line: having("time", time) }]),
  ...[
    "example.org",
    "",
    "1.2.3",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4/8",
    "::ffff:1.2.3.4",
    "2001:DB8::1",
    "2001:db8:0:0:0:0:0:1",
    "2001:0db8::1",
    "1:2:3:4:5:6:7::",
    "1:2:3:4:5:6::7:8",
    "1::2::3",
    "fe80::1%eth0",
    "::",
    ":",
    "12345::",
  ].flatMap((address) =>
    ["client.address", "server.address"]
      .map((path) => [`${path} ${address}`, { line: having(path, address) }])
  ),
  ...Object.entries({
    "torn": JSON.stringify(FULL).slice(0, 200),
    "its last brace torn off": JSON.stringify(FULL).slice(0, -1),
    "a comma before a brace": with_(/\}$/, ",}"),
    "NaN in it": with_('"v":1', '"v":1,"new":NaN'),
    "an unknown member": with_('"v":1', '"v":1,"new":{"a":[1,"b",null]}'),
    "of a newer version": with_('"v":1', '"v":2'),
    "of version 0": with_('"v":1', '"v":0'),
    "a member twice": with_('"v":1', '"v":1,"host":"a"'),
    "a level twice": with_('"v":1', '"v":1,"client":{}'),
    "an unknown member twice": with_('"v":1', '"v":1,"new":1,"new":2'),
    "nested deep": with_('"v":1', `"v":1,"new":${"[".repeat(9_000)}${"]".repeat(9_000)}`),
    "a huge number": with_('"v":1', '"v":1,"new":1e999'),
    "its members in another order": JSON.stringify(
      Object.fromEntries(Object.entries(FULL).toReversed()),
    ),
    "blanks in it": JSON.stringify(FULL, null, 1).replaceAll("\n", " "),
    "carriage return": `${JSON.stringify(FULL)}\r`,
    "a mark before it": `\ufeff${JSON.stringify(FULL)}`,
    "a blank before it": ` \t${JSON.stringify(FULL)}`,
    "a form feed before it": `\f${JSON.stringify(FULL)}`,
    "two records": JSON.stringify(FULL).repeat(2),
    "a list of records": `[${JSON.stringify(FULL)}]`,
    "an escape that is none": with_('"host":"', '"host":"\\q'),
    "an escaped NUL": with_('"host":"', '"host":"\\u0000'),
    "half a pair": with_('"host":"', '"host":"\\ud83d'),
    "a pair in a name": with_('"v":1', '"v":1,"\\ud83d\\ude00":1'),
    "a control character": with_('"host":"', '"host":"\u0001'),
    "an escaped name": with_('"host"', '"\\u0068ost"'),
    "its names in capitals": with_('"host"', '"Host"'),
    "a line longer than 1 MiB": with_('"v":1', `"v":1,"new":"${"x".repeat(1 << 20)}"`),
    "text": "Nov 23 01:02:03 web1 sshd[711]: Connection closed",
    "a number": "17",
    "null": "null",
    "a text of JSON": '"handshake"',
    "a list": "[]",
    "an object": "{}",
    "another program's": '{"ts":1795395723,"level":"info","msg":"GET /","port":443}',
    "another program's event": '{"v":"2","event":"handshake","time":"now"}',
    "an event that is a number": '{"v":1,"event":7}',
    "a kind of later": '{"v":1,"event":"weather","sky":"blue"}',
    "a kind without a version": '{"event":"status"}',
    "a status line":
      '{"v":1,"event":"status","time":"2026-11-23T01:02:03.123456789Z","host":"web1","handshakes":7}',
    "a status line of other types":
      '{"v":1,"event":"status","time":7,"handshakes":"many","filters":"none"}',
    "a status line with half a pair": '{"v":1,"event":"status","host":"\\ud83d"}',
    "a summary":
      '{"v":1,"event":"summary","time":"2026-11-23T01:02:03.123456789Z","losses":{"ring":0}}',
    "nothing": "",
    "blanks": " \t\r",
    "a NUL": "\0",
    "a form feed": "\f",
  }).map(([name, line]) => [name, { line }]),
  ["no UTF-8", { line: bytes(with_('"host":"', '"host":"\0'), 0xff) }],
  ["half a pair in UTF-8", { line: bytes(with_('"host":"', '"host":"\0'), 0xed, 0xa0, 0x80) }],
  ["no UTF-8 in what is unknown", { line: bytes(with_('"v":1', '"v":1,"new":"\0"'), 0xc0) }],
]);

/** A line's bytes, with its newline. */
export function lineBytes({ line }: OddLine): Uint8Array<ArrayBuffer> {
  const text = typeof line === "string" ? encoder.encode(line) : line;
  return Uint8Array.from([...text, 0x0a]);
}
