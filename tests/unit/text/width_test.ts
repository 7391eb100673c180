import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { clip, clipMiddle, widthOf } from "../../../src/text/width.ts";

Deno.test("widthOf counts two places for what may take them", () => {
  assertEquals(["", "abc", "naïve µ", "✓✗…→", "├─█▁►", "日本", "\u{1f600}"].map(widthOf), [
    0,
    3,
    7,
    4,
    5,
    4,
    2,
  ]);
});

Deno.test("clip leaves what fits, and marks what it cuts off", () => {
  assertEquals(clip("ACCEPT_QUEUE_FULL", 17), "ACCEPT_QUEUE_FULL");
  assertEquals(clip("ACCEPT_QUEUE_FULL", 15), "ACCEPT_QUEUE_F…");
  assertEquals(clip("ACCEPT_QUEUE_FULL", 15, true), "ACCEPT_QUEUE_F~");
  assertEquals(clip("12.3 ms, mptcp", 9), "12.3 ms,…");
  assertEquals(clip("日本語", 5), "日本…");
  assertEquals(clip("日本語", 4), "日…");
});

Deno.test("clip keeps within the width, of any text", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1 }), (text, width) => {
    assert(widthOf(clip(text, width)) <= width);
  }));
});

Deno.test("clipMiddle leaves out what is between begin and end", () => {
  assertEquals(clipMiddle("[2001:db8::1]:443", 21), "[2001:db8::1]:443");
  assertEquals(clipMiddle("[2001:db8:ffff:ffff::2]:80", 21), "[2001:db8:…fff::2]:80");
  assertEquals(clipMiddle("[2001:db8:ffff:ffff::2]:80", 21, true), "[2001:db8:~fff::2]:80");
  assertEquals(clipMiddle("abcdef", 4), "ab…f");
});
