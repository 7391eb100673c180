import { assertEquals } from "@std/assert";
import { FrameVerdict, frameVerdictNames } from "../../../src/wire/verdict.ts";

Deno.test("frameVerdictNames has each verdict's name in snake_case at its code", () => {
  const expected = Object.keys(FrameVerdict)
    .map((key) => key.replaceAll(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase());
  assertEquals(frameVerdictNames, expected);
});

Deno.test("FrameVerdict codes are dense from Tcp at 0", () => {
  assertEquals(FrameVerdict.Tcp, 0);
  assertEquals(Object.values(FrameVerdict) as number[], [...frameVerdictNames.keys()]);
});
