import { assertEquals, assertInstanceOf } from "@std/assert";
import { broken, InputError } from "../../../src/files/input_error.ts";

Deno.test("InputError is an error by its own name, broken one of damaged data", () => {
  const error = broken("unexpected end of file");
  assertInstanceOf(error, InputError);
  assertEquals(`${error}`, "InputError: its compressed data is broken: unexpected end of file");
});
