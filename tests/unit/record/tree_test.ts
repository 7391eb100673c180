import { assertEquals } from "@std/assert";
import type { Field } from "../../../src/record/field.ts";
import { FIELDS } from "../../../src/record/fields.ts";
import { buildTree, isAlways, type Level } from "../../../src/record/tree.ts";

function field(path: string): Field {
  return { path, type: "integer", meaning: path, since: 1, get: () => 1 };
}

type Outline = string | [string, Outline[]];

function outline(level: Level): Outline[] {
  return level.members.map((member) =>
    "members" in member ? [member.name, outline(member)] : member.name
  );
}

function leafPaths(level: Level, prefix = ""): [path: string, field: Field][] {
  return level.members.flatMap((member) =>
    "members" in member
      ? leafPaths(member, `${prefix}${member.name}.`)
      : [[prefix + member.name, member.field] as [string, Field]]
  );
}

Deno.test("buildTree orders dotted paths into levels", () => {
  const cases: { paths: string[]; expected: Outline[] }[] = [
    { paths: [], expected: [] },
    { paths: ["v"], expected: ["v"] },
    { paths: ["a.b.c"], expected: [["a", [["b", ["c"]]]]] },
    {
      paths: ["v", "client.port", "client.process.pid", "client.process.uid", "flags"],
      expected: ["v", ["client", ["port", ["process", ["pid", "uid"]]]], "flags"],
    },
    // A level that comes back goes on where it began.
    { paths: ["a.x", "b", "a.y"], expected: [["a", ["x", "y"]], "b"] },
    // Levels of one name in different places are different levels.
    {
      paths: ["client.process.pid", "server.process.pid"],
      expected: [["client", [["process", ["pid"]]]], ["server", [["process", ["pid"]]]]],
    },
  ];
  for (const { paths, expected } of cases) {
    assertEquals(outline(buildTree(paths.map(field))), expected);
  }
});

Deno.test("buildTree keeps every field of the record at its path", () => {
  assertEquals(
    leafPaths(buildTree(FIELDS)),
    FIELDS.map((each) => [each.path, each]),
  );
});

Deno.test("isAlways tells what is there wherever a level is", () => {
  const root = buildTree([
    { ...field("v"), always: true },
    field("a.x"),
    { ...field("a.b.pid"), always: "a.b" },
    { ...field("a.b.c.y"), always: "a.b.c" },
    { ...field("t.client.port"), always: "t" },
  ]);
  const told: Record<string, boolean> = {};
  const visit = (level: Level) => {
    for (const member of level.members) {
      const path = level.path === "" ? member.name : `${level.path}.${member.name}`;
      told[path] = isAlways(member, level.path);
      if ("members" in member) visit(member);
    }
  };
  visit(root);
  assertEquals(told, {
    v: true,
    a: false,
    "a.x": false,
    "a.b": false,
    "a.b.pid": true,
    "a.b.c": false,
    "a.b.c.y": true,
    t: false,
    "t.client": true,
    "t.client.port": true,
  });
});
