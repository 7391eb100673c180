import { assert, assertEquals } from "@std/assert";
import { chooseFields, fieldNames, neededFields } from "../../../src/record/choose_fields.ts";
import { FIELDS } from "../../../src/record/fields.ts";

function paths(names: readonly string[]): string[] | string {
  const chosen = chooseFields(names);
  return typeof chosen === "string" ? chosen : chosen.map(({ path }) => path);
}

Deno.test("chooseFields takes fields and whole levels, in the order of the names", () => {
  assertEquals(paths(["outcome", "time", "packets"]), [
    "outcome",
    "time",
    "packets.syn",
    "packets.syn_ack",
    "packets.rst",
  ]);
  assertEquals(paths(["packets.rst", "packets"]), [
    "packets.rst",
    "packets.syn",
    "packets.syn_ack",
  ]);
});

Deno.test("chooseFields names the first that is none", () => {
  assertEquals(paths(["time", "rtt.client", "nothing"]), "rtt.client");
  assertEquals(paths([""]), "");
});

Deno.test("fieldNames has every field and every level, each once", () => {
  const names = fieldNames();
  for (const { path } of FIELDS) assert(names.includes(path));
  for (const level of ["network.translated", "client.process", "rtt"]) {
    assert(names.includes(level));
    assert(chooseFields([level]).length > 1);
  }
  assertEquals(new Set(names).size, names.length);
});

Deno.test("neededFields adds what nothing can be told without", () => {
  assertEquals([...neededFields(["client.process.cgroup_path", "v"])].sort(), [
    "client.process.cgroup",
    "client.process.cgroup_path",
    "server.process.cgroup",
    "server.process.cgroup_path",
    "v",
  ]);
  assertEquals([...neededFields(["reset"])], ["reset.reason"]);
  assertEquals([...neededFields([])], []);
});

Deno.test("what a field needs are fields", () => {
  for (const { needs = [] } of FIELDS) {
    for (const path of needs) assert(FIELDS.some((field) => field.path === path), path);
  }
});
