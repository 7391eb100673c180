import { assertEquals } from "@std/assert";
import {
  array,
  head,
  integer,
  losses,
  object,
  required,
  string,
} from "../../../src/output/schema_parts.ts";
import { schemaErrors } from "../record/schema_checker.ts";

Deno.test("object requires its members unless told which", () => {
  const members = { count: integer("Number"), names: array("All", string("One", ["a", "b"])) };
  assertEquals(schemaErrors(object(members), { count: 1, names: ["a", "b"], more: 1 }), []);
  assertEquals(schemaErrors(object(members), { count: 1.5, names: ["c"] }).length, 2);
  assertEquals(schemaErrors(object(members), { count: 1 }), ["$.names is missing"]);
  assertEquals(schemaErrors(object(members, ["count"]), { count: 1 }), []);
});

Deno.test("required leaves out what a host may not have, and what else is told", () => {
  const members = { ...head("status", "When"), losses: losses(), sources: object({}) };
  assertEquals(required(members, ["sources"]), ["v", "event", "time", "host", "losses"]);
});
