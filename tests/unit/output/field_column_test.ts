import { assertEquals } from "@std/assert";
import { fieldColumn } from "../../../src/output/field_column.ts";
import { FIELDS } from "../../../src/record/fields.ts";
import {
  CONTEXT,
  HANDSHAKES,
  HOSTILE_COMM,
  makeHandshake,
  WORKED_EXAMPLE,
} from "../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

function columnOf(path: string) {
  return fieldColumn(FIELDS.find((field) => field.path === path)!);
}

Deno.test("fieldColumn writes values for people, durations with their unit", () => {
  const cells = ["client.address", "client.port", "rtt.client_ns", "times.connect_ns", "flags"]
    .map((path) => columnOf(path).cell(WORKED_EXAMPLE, CONTEXT));
  assertEquals(cells, ["192.168.100.191", "52312", "10.2 ms", "-52.0 µs", "tcp_fast_open"]);
});

Deno.test("fieldColumn writes a dash for what is unknown, none or empty", () => {
  const bare = makeHandshake(ENDS);
  for (const path of ["client.isn", "reason", "flags", "drop.reason"]) {
    assertEquals(columnOf(path).cell(bare, CONTEXT), "-", path);
  }
});

Deno.test("fieldColumn lets no byte of another program act", () => {
  const process = { pid: 7, comm: HOSTILE_COMM, uid: 0, cgroup: 1 };
  const hostile = makeHandshake({ ...ENDS, client: { ...ENDS.client, process } });
  const cell = columnOf("client.process.comm").cell(hostile, CONTEXT);
  assertEquals(cell, String.raw`\u{1b}[2J\u{a}{"v":1}\u{9b}1m\u{202e}\u{2028}`);
});

Deno.test("fieldColumn has room for its heading and for what most handshakes have", () => {
  for (const field of FIELDS) {
    const column = fieldColumn(field);
    assertEquals(column.width >= field.path.length, true, field.path);
    if (/comm|cgroup_path|container|interfaces|tunnels|flags|address|reason/.test(field.path)) {
      continue;
    }
    for (const handshake of HANDSHAKES) {
      const { length } = column.cell(handshake, CONTEXT);
      assertEquals(length <= column.width, true, `${field.path}: ${length}`);
    }
  }
});
