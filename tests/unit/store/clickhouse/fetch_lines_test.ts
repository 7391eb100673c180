import { assertEquals } from "@std/assert";
import { lineWriter } from "../../../../src/store/clickhouse/fetch_lines.ts";
import {
  type Column,
  HANDSHAKE_COLUMNS,
  STATUS_COLUMNS,
} from "../../../../src/store/query/columns.ts";

function columns(...names: string[]): Column[] {
  return names.map((name) =>
    [...HANDSHAKE_COLUMNS, ...STATUS_COLUMNS].find((column) => column.name === name)!
  );
}

Deno.test("lineWriter writes a row as the line that it was", () => {
  const write = lineWriter(
    columns(
      "time",
      "client_address",
      "client_isn",
      "client_process_comm",
      "rtt_ambiguous",
      "evidence",
    ),
  );
  const hex = ["wire", 'a,"b"'].map((text) => new TextEncoder().encode(text).toHex()).join(",");
  assertEquals(
    write(["1795395723000000001", "10.0.0.1", 4_294_967_295, 'x"\n\\', 0, hex.toUpperCase()]),
    '{"time":"2026-11-23T01:02:03.000000001Z","client":{"address":"10.0.0.1","isn":4294967295,' +
      '"process":{"comm":"x\\"\\n\\\\"}},"rtt":{"ambiguous":false},"evidence":["wire","a,\\"b\\""]}\n',
  );
});

Deno.test("lineWriter leaves out what is unknown, and what was no JSON", () => {
  const write = lineWriter(columns("v", "since", "filters", "sources", "losses", "handshakes"));
  assertEquals(
    write([1, null, "", '{"wire":[]}', "{", "18446744073709551615"]),
    '{"v":1,"filters":[],"sources":{"wire":[]},"handshakes":18446744073709551615}\n',
  );
});
