import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  FIRST_STATE,
  readState,
  writeState,
} from "../../../../../src/output/report/page/view_state.js";

Deno.test("a state as at first leaves the address as it is", () => {
  assertEquals(writeState(FIRST_STATE), "");
  assertEquals(readState(""), FIRST_STATE);
});

Deno.test("readState finds again what writeState wrote, whatever one typed", () => {
  const moment = fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined });
  const states = fc.record({
    from: moment,
    to: moment,
    filter: fc.string({ unit: "grapheme" }),
    sort: fc.constantFrom("time", "total", "client"),
    isDown: fc.boolean(),
    open: fc.option(fc.nat({ max: 999 }), { nil: undefined }),
    isLocal: fc.boolean(),
  }, { noNullPrototype: true });
  fc.assert(fc.property(states, (state) => {
    const { from, to } = state;
    fc.pre(from === undefined || to === undefined || from < to);
    assertEquals(readState(writeState(state)), state);
  }));
});

Deno.test("readState takes what makes no sense as at first", () => {
  for (
    const hash of [
      "#from=yesterday",
      "#open=-1",
      "#open=1e9",
      "#from=2026-11-24&to=2026-11-23",
      "#%",
    ]
  ) {
    assertEquals(readState(hash), FIRST_STATE, hash);
  }
});
