import { assertEquals } from "@std/assert";
import { formatHexadecimal } from "../../../src/text/hexadecimal.ts";

Deno.test("formatHexadecimal writes all eight digits", () => {
  const cases: [number, string][] = [
    [0, "0x00000000"],
    [0x4ce45750, "0x4ce45750"],
    [2 ** 32 - 1, "0xffffffff"],
  ];
  for (const [number, expected] of cases) assertEquals(formatHexadecimal(number), expected);
});
