import { assertEquals } from "@std/assert";
import { formatMagic } from "../../../src/pcap/capture_parser.ts";

Deno.test("formatMagic writes eight hexadecimal digits", () => {
  assertEquals([0, 0xa1b2c3d4, 0xffffffff].map(formatMagic), [
    "0x00000000",
    "0xa1b2c3d4",
    "0xffffffff",
  ]);
});
