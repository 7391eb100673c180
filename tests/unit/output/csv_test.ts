import { assertEquals } from "@std/assert";
import { CsvFormat } from "../../../src/output/csv.ts";
import { chooseFields } from "../../../src/record/choose_fields.ts";
import type { Field } from "../../../src/record/field.ts";
import { FIELDS } from "../../../src/record/fields.ts";
import { HANDSHAKES, makeHandshake, taken } from "../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

function csv(...names: string[]): CsvFormat {
  return new CsvFormat(chooseFields(names) as Field[]);
}

/** Reads RFC 4180. */
function parse(text: string): string[][] {
  const rows: string[][] = [[]];
  for (
    const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r]*))(,|\r\n)/g)
  ) {
    rows[rows.length - 1].push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") rows.push([]);
  }
  return rows.slice(0, -1);
}

Deno.test("CsvFormat writes headings once, then a line a handshake", () => {
  const format = csv("outcome", "client.port", "rtt.client_ns", "evidence", "reason");
  const first = taken(format, HANDSHAKES[0]);
  assertEquals(
    first,
    "outcome,client.port,rtt.client_ns,evidence,reason\r\nestablished,52312,10231000,wire kernel,\r\n",
  );
  assertEquals(taken(format, HANDSHAKES[3]), "refused,36828,,wire kernel,ECONNREFUSED\r\n");
  assertEquals(format.end(), "");
  assertEquals(csv("outcome").end(), "outcome\r\n");
});

Deno.test("CsvFormat quotes what needs it, and hands no formula to a spreadsheet", () => {
  for (
    const [comm, cell] of [
      ["curl", "curl"],
      ["a,b", '"a,b"'],
      ['say "x"', '"say ""x"""'],
      ["a\nb", "a\\u{a}b"],
      ["=1+2", "'=1+2"],
      ["@SUM(A1)", "'@SUM(A1)"],
      ["-1", "'-1"],
      ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
    ]
  ) {
    const process = { pid: 7, comm, uid: 0, cgroup: 1 };
    const handshake = makeHandshake({ ...ENDS, client: { ...ENDS.client, process } });
    assertEquals(
      taken(csv("client.process.comm"), handshake),
      `client.process.comm\r\n${cell}\r\n`,
    );
  }
});

Deno.test("CsvFormat has as many cells in each line as headings, of every field", () => {
  const format = new CsvFormat(FIELDS);
  const rows = parse(HANDSHAKES.map((handshake) => taken(format, handshake)).join(""));
  assertEquals(rows.length, HANDSHAKES.length + 1);
  assertEquals(rows[0], FIELDS.map(({ path }) => path));
  for (const row of rows) assertEquals(row.length, FIELDS.length);
});
