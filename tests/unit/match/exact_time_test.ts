import { assertThrows } from "@std/assert";
import { Matcher } from "../../../src/match/matcher.ts";
import { IcmpError } from "../../../src/wire/icmp.ts";
import { Segment, TcpFlag } from "../../../src/wire/segment.ts";

const INEXACT = [0.5, 1e9 + 0.25, NaN, Infinity, -Infinity];

Deno.test("Matcher refuses an axis that begins within a second", () => {
  for (const seconds of INEXACT) {
    assertThrows(() => new Matcher(seconds, () => {}), RangeError, "Cannot begin an axis at");
    const matcher = new Matcher(0, () => {});
    assertThrows(() => matcher.epochSeconds = seconds, RangeError, "whole seconds of Unix time");
  }
});

Deno.test("Matcher refuses times of packets that would round", () => {
  const matcher = new Matcher(1_700_000_000, () => {});
  const segment = new Segment();
  segment.flags = TcpFlag.SYN;
  for (const timeNs of INEXACT) {
    assertThrows(() => matcher.packet(segment, timeNs, 1), RangeError, "Cannot take a packet at");
    assertThrows(() => matcher.icmpError(new IcmpError(), timeNs), RangeError, "whole nanoseconds");
  }
  // A trace that lasts for more than 104 days goes on.
  for (const timeNs of [-1, 0, 2 ** 53 + 2]) matcher.packet(segment, timeNs, 1);
});
