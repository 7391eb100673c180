import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { chooseFields, neededFields } from "../../../src/record/choose_fields.ts";
import { FIELDS } from "../../../src/record/fields.ts";
import { encodeHandshake, RecordEncoder } from "../../../src/record/ndjson.ts";
import { type DecodedHandshake, LineDecoder } from "../../../src/record/record_decoder.ts";
import { type RowMemory, RowReader, RowWriter } from "../../../src/record/recorded_row.ts";
import { ByteText } from "../../../src/text/byte_text.ts";
import { anyHandshake, anyText } from "./arbitrary_handshake.ts";
import { CONTEXT, HANDSHAKES } from "./sample_handshakes.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const WHOLE = new RecordEncoder();

const memoryOf = (numbers: number, units: number): RowMemory => ({
  rows: new Float64Array(numbers),
  texts: new Uint16Array(units),
});

/** The line of what was decoded, of some fields. */
function lineOf({ handshake, context }: DecodedHandshake, lines = WHOLE): string {
  const text = new ByteText();
  lines.write(text, handshake, context);
  return decoder.decode(text.take());
}

/** Writes rows of some records, and reads them back. */
class Rows {
  readonly writer = new RowWriter();
  readonly reader = new RowReader();
  readonly memory: RowMemory;
  #at = 0;

  constructor(numbers = 1 << 14, units = 1 << 14) {
    this.memory = memoryOf(numbers, units);
    this.writer.begin(this.memory);
  }

  /** Writes what stands in a line. @returns Whether it has a row. */
  write(line: string, decoder = new LineDecoder()): boolean {
    const bytes = encoder.encode(line);
    const decoded = decoder.decode(bytes, 0, bytes.length - 1);
    assert(decoded.kind === "handshake");
    const at = this.#at++;
    return this.writer.write(decoded, at, at, decoder.isHeldBack);
  }

  /** Goes on with reading from the first row. */
  turn(): void {
    this.reader.begin(this.memory, this.writer.written);
    this.writer.begin(this.memory);
    this.#at = 0;
  }
}

Deno.test("RowReader gives back all that a record tells", () => {
  const rows = new Rows();
  const anyLine = fc.oneof(
    fc.constantFrom(...HANDSHAKES).map((handshake) => encodeHandshake(handshake, CONTEXT)),
    fc.tuple(anyHandshake(), anyText(), anyText()).map(([handshake, host, path]) =>
      encodeHandshake(handshake, {
        ...CONTEXT,
        host,
        hostId: undefined,
        interfaceName: (place) => place % 3 === 0 ? undefined : `${path}${place}`,
        cgroupPath: () => path,
        container: (cgroup) => cgroup % 2 === 0 ? undefined : { name: path },
      })
    ),
  );
  // One behind another in the same memory: nothing of those before may stay.
  fc.assert(fc.property(fc.array(anyLine, { maxLength: 20 }), (lines) => {
    for (const line of lines) assert(rows.write(line));
    rows.turn();
    for (const [at, line] of lines.entries()) {
      const record = rows.reader.read(at);
      assert(record !== undefined);
      assertEquals([lineOf(record), rows.reader.end], [line, at]);
      assertEquals([record.version, record.unknown, rows.reader.isHeldBack], [1, [], false]);
    }
    assertEquals(rows.reader.read(lines.length), undefined);
  }));
});

Deno.test("RowReader gives back a part of a record as it was decoded", () => {
  const paths = FIELDS.map(({ path }) => path);
  fc.assert(fc.property(fc.subarray(paths, { minLength: 1 }), (some) => {
    const chosen = chooseFields(some);
    assert(typeof chosen !== "string");
    const part = new LineDecoder({ fields: neededFields(some) });
    const lines = new RecordEncoder(chosen);
    const rows = new Rows();
    const whole = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));
    for (const line of whole) assert(rows.write(line, part));
    rows.turn();
    for (const [at, line] of whole.entries()) {
      const bytes = encoder.encode(line);
      const decoded = part.decode(bytes, 0, bytes.length - 1);
      assert(decoded.kind === "handshake");
      assertEquals(lineOf(rows.reader.read(at)!, lines), lineOf(decoded, lines));
    }
  }));
});

Deno.test("RowReader gives back what a record has that this version does not know", () => {
  const rows = new Rows();
  const [line] = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));
  assert(rows.write(line.replace('"v":1', '"v":7,"colour":"red","size":2')));
  assert(rows.write(line.replace('"flags":[', '"flags":["purple",').replace(",]", "]")));
  rows.turn();
  const { version, unknown } = rows.reader.read(0)!;
  assertEquals([version, [...unknown]], [7, ["colour", "size"]]);
  assertEquals([...rows.reader.read(1)!.unknown], ["flags purple"]);
});

Deno.test("RowReader gives of a record that the filter does not want when it was", () => {
  const rows = new Rows();
  const lines = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));
  const filter = { reads: neededFields(["outcome"]), passes: () => false };
  for (const line of lines) {
    assert(
      rows.write(line, new LineDecoder({ fields: neededFields(["time", "outcome"]), filter })),
    );
  }
  assert(rows.writer.written.numbers < 20 * lines.length);
  rows.turn();
  for (const [at, { epochSeconds, timeNs }] of HANDSHAKES.entries()) {
    const { handshake } = rows.reader.read(at)!;
    assertEquals(handshake.epochSeconds * 1e9 + handshake.timeNs, epochSeconds * 1e9 + timeNs);
    assert(rows.reader.isHeldBack);
  }
});

Deno.test("RowReader leaves out rows that nobody asks for, and has none for other lines", () => {
  const rows = new Rows();
  const lines = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));
  for (const line of lines.slice(0, 4)) rows.write(line);
  rows.turn();
  assertEquals(lineOf(rows.reader.read(2)!), lines[2]);
  assertEquals(rows.reader.read(2.5), undefined);
  assertEquals(lineOf(rows.reader.read(3)!), lines[3]);
  assertEquals(rows.reader.read(4), undefined);
});

Deno.test("RowWriter writes nothing of a record that no row can hold", () => {
  const [line] = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));
  const rows = new Rows();
  const flags = Array.from({ length: 13 }, () => '"ecn"').join();
  for (
    const [name, other] of [
      ["a long text", line.replace('"web1"', `"${"w".repeat(1_025)}"`)],
      ["many flags", line.replace(/"flags":\[.*?\]/, `"flags":[${flags}]`)],
      [
        "many tunnels",
        line.replace(
          /"network":\{(.*?)\}/,
          `"network":{$1,"tunnels":["gre","gre","gre","gre","gre","gre"]}`,
        ),
      ],
    ] as const
  ) {
    assert(other !== line, name);
    const before = rows.writer.written.numbers;
    assert(!rows.write(other), name);
    assertEquals(rows.writer.written.numbers, before);
    assert(!rows.writer.isFull);
    assert(rows.write(line));
  }
});

Deno.test("RowWriter writes as long as there is room for rows and texts", () => {
  const [line] = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));
  const full = new Rows(500);
  let written = 0;
  while (full.write(line)) written++;
  assert(written > 1 && full.writer.isFull);
  full.turn();
  for (let at = 0; at < written; at++) assertEquals(lineOf(full.reader.read(at)!), line);
  assertEquals(full.reader.read(written), undefined);
  const narrow = new Rows(1 << 14, 2_000);
  for (written = 0; !narrow.writer.isFull; written++) {
    assert(narrow.write(line.replace('"web1"', `"${written}${"w".repeat(200)}"`)));
  }
  assert(written > 2 && written < 10);
});

Deno.test("RowWriter forgets the texts of before when they are many, and both sides agree", () => {
  const [line] = HANDSHAKES.map((handshake) => encodeHandshake(handshake, CONTEXT));
  const rows = new Rows();
  let first = 0;
  for (let round = 0; round < 500; round++) {
    const lines = Array.from(
      { length: 20 },
      (_, at) => line.replace('"web1"', `"host ${round} ${at}"`),
    );
    for (const each of lines) assert(rows.write(each));
    first += Number(rows.writer.written.areFirst);
    rows.turn();
    const hosts = lines.map((_, at) => rows.reader.read(at)!.context.host);
    assertEquals(hosts, lines.map((_, at) => `host ${round} ${at}`));
  }
  assertEquals(first, 3);
});
