import { assert, assertEquals } from "@std/assert";
import { FIELDS } from "../../../../src/record/fields.ts";
import { HANDSHAKE_COLUMNS, STATUS_COLUMNS } from "../../../../src/store/query/columns.ts";

Deno.test("each field of the record is a column, and no two have one name", () => {
  const names = [...HANDSHAKE_COLUMNS, ...STATUS_COLUMNS].map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  for (const { path } of FIELDS) assert(names.includes(path.replaceAll(".", "_")), path);
});

Deno.test("a column has room for all that its field can hold", () => {
  const typeOf = (path: string) => HANDSHAKE_COLUMNS.find((column) => column.path === path)?.type;
  assertEquals({
    time: typeOf("time"),
    flags: typeOf("flags"),
    port: typeOf("client.port"),
    isn: typeOf("client.isn"),
    cgroup: typeOf("client.process.cgroup"),
    scale: typeOf("client.window_scale"),
    rtt: typeOf("rtt.client_ns"),
    check: typeOf("checks.ack_sequence"),
  }, {
    time: "time",
    flags: "texts",
    port: "uint16",
    isn: "uint32",
    cgroup: "uint64",
    scale: "uint8",
    rtt: "int64",
    check: "boolean",
  });
});
