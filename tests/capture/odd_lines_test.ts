// What query takes for a record is what read takes, line by line.
// Covers src/store/query/sound_lines.ts
// Covers src/store/query/sound_sql.ts
import { assert, assertEquals, assertGreater } from "@std/assert";
import { decodeLine } from "../../src/record/record_decoder.ts";
import { RecordReader } from "../../src/record/record_reader.ts";
import { ask } from "../../src/store/query/ask.ts";
import { judgeLines } from "../../src/store/query/sound_lines.ts";
import { seal } from "../../src/store/seal.ts";
import { flattenLine } from "../../src/store/ship/flatten.ts";
import { Folder } from "../folder.ts";
import { GOOD_LINES, lineBytes, ODD_LINES } from "./odd_lines.ts";

const QUIET = { memoryBytes: 512e6, onFetch: () => {}, onBegin: () => {}, onProgress: () => {} };
const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const HOST = "5f1c7c3aa9d04c5b8e0d5c1f0a7b6e21";

/** What the reader of records says of some bytes. */
function readBytes(...parts: Uint8Array<ArrayBuffer>[]) {
  const reader = new RecordReader(() => {});
  for (const part of parts) reader.feed(part);
  reader.end();
  return { records: reader.handshakes, told: reader.describeRefused() };
}

async function query(inputs: readonly string[]) {
  const asked = { sql: "SELECT count(*) FROM records" };
  const { rows, lines } = await ask({ ...QUIET, inputs, filter: {}, asked });
  return { records: Number(rows[0][0]), refused: lines.refused };
}

const GOOD = new TextEncoder().encode(GOOD_LINES.slice(0, 2).join(""));

Deno.test("query takes the lines of files that read takes, and tells the others as read does", async (t) => {
  using folder = new Folder();
  const kinds = Object.entries(ODD_LINES).map(([name, odd], at) => {
    const line = lineBytes(odd);
    const file = folder.write(`${at}.ndjson`, Uint8Array.from([...GOOD, ...line, ...GOOD]));
    return { name, file, ...readBytes(GOOD, line, GOOD) };
  });
  assertGreater(kinds.length, 60);
  // All at once: DuckDB is opened for each question.
  const { records, refused } = await query(kinds.map(({ file }) => file));
  const told = new Map(refused.map(({ file, told }) => [file, told]));
  const isRight = records === kinds.reduce((sum, kind) => sum + kind.records, 0);
  for (const kind of kinds) {
    await t.step(kind.name, async () => {
      assertEquals(told.get(kind.file), kind.told);
      if (!isRight) assertEquals((await query([kind.file])).records, kind.records);
    });
  }
  await t.step("all together", () => assert(isRight));
});

Deno.test("query takes a file that begins with a byte order mark", async () => {
  using folder = new Folder();
  const file = folder.write("marked.ndjson", Uint8Array.from([0xef, 0xbb, 0xbf, ...GOOD]));
  assertEquals(await query([file]), { records: 2, refused: [] });
});

Deno.test("sealed hours and their Parquet twins have what read takes of them", async (t) => {
  using folder = new Folder();
  let records = 0;
  const refused: { file: string; told: string }[] = [];
  for (const [at, odd] of Object.values(ODD_LINES).entries()) {
    const line = lineBytes(odd);
    const path = folder.write(
      `2026-11-23T01.${HOST}.${at + 1}-1.ndjson`,
      Uint8Array.from([...GOOD, ...line]),
    );
    await seal(path, "1-1");
    const read = readBytes(GOOD, line);
    records += read.records;
    if (read.told !== undefined) refused.push({ file: `${path}.zst`, told: read.told });
  }
  const byName = <T extends { file: string }>(some: readonly T[]) =>
    some.toSorted((one, other) => one.file < other.file ? -1 : 1);
  for (const when of ["when they are made", "when they are there"]) {
    await t.step(when, async () => {
      const answer = await query([folder.path]);
      assertEquals(byName(answer.refused), byName(refused));
      assertEquals(answer.records, records);
    });
  }
});

/** Bytes that are read at once, and more: so that lines stand in several pieces. */
const MANY_BYTES = 300_000;

Deno.test("a line that is refused is found wherever in a file it stands", async (t) => {
  using folder = new Folder();
  const all = GOOD_LINES.join("");
  const many = new TextEncoder().encode(all.repeat(Math.ceil(MANY_BYTES / all.length)));
  const judge = async (...parts: Uint8Array<ArrayBuffer>[]) => {
    const bytes = await new Blob(parts).bytes();
    return await judgeLines(folder.write("lines", bytes));
  };
  await t.step("and none among those that this version writes", async () => {
    assertEquals(await judge(many), "ours");
    assertEquals(await judge(many.subarray(0, -1)), "taken");
    assertEquals(await judge(new Uint8Array(0)), "ours");
  });
  for (const [name, odd] of Object.entries(ODD_LINES)) {
    await t.step(name, async () => {
      const line = lineBytes(odd);
      const { told } = readBytes(GOOD, line);
      for (const parts of [[line, many], [many, line], [many, line.subarray(0, -1)]]) {
        assertEquals(await judge(...parts) === "refused", told !== undefined);
      }
    });
  }
});

Deno.test("a file is looked at no longer than somebody asks", async () => {
  using folder = new Folder();
  assertEquals(await judgeLines(folder.write("lines", GOOD), () => true), "refused");
});

Deno.test("an address in another form is the one that read makes of it", async () => {
  using folder = new Folder();
  for (const text of ["2001:0db8::1", "2001:db8:0:0:0:0:0:1", "2001:DB8::1"]) {
    const line = GOOD_LINES[0].replace(/"address":"[^"]*"/g, `"address":"${text}"`);
    const sql = "SELECT client_address, server_address FROM records";
    const inputs = [folder.write("lines", line)];
    const { rows } = await ask({ ...QUIET, inputs, filter: {}, asked: { sql } });
    assertEquals(rows, [["2001:db8::1", "2001:db8::1"]]);
  }
});

Deno.test("ship takes of records those that read takes, but for times that ClickHouse has not", async (t) => {
  for (const [name, { line }] of Object.entries(ODD_LINES)) {
    if (typeof line !== "string" || line.length > 1e5 || line.startsWith("\ufeff")) continue;
    const { kind } = decodeLine(line);
    if (kind === "event" || line.trim() === "") continue;
    await t.step(name, () => {
      const isOfOtherTime = /year/.test(name);
      assertEquals(flattenLine(line).kind, kind === "refused" || isOfOtherTime ? "refused" : "row");
    });
  }
});

Deno.test("query says of a file what read says", async () => {
  using folder = new Folder();
  const lines = Object.values(ODD_LINES).map(lineBytes).filter(({ length }) => length < 1e5);
  const file = folder.write("\ufefflines", Uint8Array.from(lines.flatMap((line) => [...line])));
  const run = async (...args: string[]) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, ...args],
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { out: decoder.decode(stdout), said: decoder.decode(stderr) };
  };
  const read = await run("read", file, "--json");
  const asked = await run(
    "query",
    file,
    "--sql",
    "SELECT count(*) AS records FROM records",
    "--json",
  );
  const records = read.out.split("\n").filter((line) => line.includes('"event":"handshake"'));
  assertEquals(JSON.parse(asked.out), { records: records.length });
  const sentence = /Cannot read all of .*/;
  assertEquals(sentence.exec(asked.said)?.[0], sentence.exec(read.said)?.[0]);
  assert(sentence.test(read.said));
});
