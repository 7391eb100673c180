import { assertEquals, assertStrictEquals } from "@std/assert";
import { readNegotiatedOptions } from "../../../src/kernel/negotiated_options.ts";
import { NO_OPTIONS } from "./build_record.ts";

Deno.test("readNegotiatedOptions reads each bit, and both shift counts", () => {
  const cases = [
    { bits: 0, expected: {} },
    { bits: 0x01, expected: { timestamps: true } },
    { bits: 0x02, expected: { sackPermitted: true } },
    { bits: 0x10, expected: { windowScale: true } },
    { bits: 0x20, expected: { synData: true } },
    { bits: 0x40, expected: { synDataAcknowledged: true } },
    { bits: 0x0700, expected: { peerWindowScale: 7 } },
    { bits: 0xe000, expected: { ownWindowScale: 14 } },
  ];
  for (const { bits, expected } of cases) {
    assertEquals(readNegotiatedOptions(bits), { ...NO_OPTIONS, ...expected });
  }
});

Deno.test("readNegotiatedOptions gives one object for the same options, whatever else the bits tell", () => {
  assertStrictEquals(readNegotiatedOptions(0x7713), readNegotiatedOptions(0xffff_771f & ~0x0c));
});
