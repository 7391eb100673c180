import { assertEquals, assertInstanceOf } from "@std/assert";
import { ExitStatus, UsageError } from "../../../src/cli/usage.ts";

Deno.test("UsageError is an error by its own name, with the message given", () => {
  const error = new UsageError("Cannot use x: give y");
  assertInstanceOf(error, Error);
  assertEquals(String(error), "UsageError: Cannot use x: give y");
});

Deno.test("ExitStatus keeps the numbers that scripts rely on", () => {
  assertEquals(ExitStatus, {
    Ok: 0,
    Failed: 1,
    Usage: 2,
    NotPermitted: 3,
    WorksWithLess: 4,
    NothingMatched: 4,
    Interrupted: 130,
  });
});
