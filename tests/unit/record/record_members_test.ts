import { assertEquals, assertMatch } from "@std/assert";
import { Handshake } from "../../../src/match/handshake.ts";
import { FIELDS } from "../../../src/record/fields.ts";
import { RecordedContext } from "../../../src/record/record_context.ts";
import { type Member, RECORD, takeLevel, type Target } from "../../../src/record/record_members.ts";
import { WORKED_RECORD } from "./sample_handshakes.ts";

function newTarget(): Target {
  return { handshake: new Handshake(), context: new RecordedContext(), unknown: [] };
}

/** Paths of the fields below some members. */
function pathsOf(members: readonly Member[]): string[] {
  return members.flatMap(({ path, holds }) => Array.isArray(holds) ? pathsOf(holds) : [path]);
}

Deno.test("the members of a record are its fields, each level's in the order of the table", () => {
  assertEquals(pathsOf(RECORD).toSorted(), FIELDS.map(({ path }) => path).toSorted());
  assertEquals(RECORD.slice(0, 3).map(({ name }) => name), ["v", "event", "time"]);
});

Deno.test("takeLevel takes what a record holds, and notes what nobody knows", () => {
  const target = newTarget();
  assertEquals(takeLevel(RECORD, { ...WORKED_RECORD, later: 1 }, target), undefined);
  assertEquals(target.context.host, WORKED_RECORD.host);
  assertEquals(target.handshake.client.port, WORKED_RECORD.client.port);
  assertEquals(target.unknown, ["later"]);
});

Deno.test("takeLevel says which member is missing or is no value of its field", () => {
  const { time: _, ...timeless } = WORKED_RECORD;
  assertEquals(takeLevel(RECORD, timeless, newTarget()), "time is missing");
  const client = { ...WORKED_RECORD.client, port: -1 };
  assertMatch(
    takeLevel(RECORD, { ...WORKED_RECORD, client }, newTarget())!,
    /^client\.port is no integer from 0 to 65535$/,
  );
});
