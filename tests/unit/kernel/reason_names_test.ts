import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { dropReasonName, parseReasonNames, reasonName } from "../../../src/kernel/reason_names.ts";
import { FORMATS } from "./recorded_formats.ts";

/** One name of each kernel that has another number, or none, on the next. */
const DROPS: Record<string, Record<string, number | undefined>> = {
  "6.1": { NOT_SPECIFIED: 1, NO_SOCKET: 2, NETFILTER_DROP: 7, PKT_TOO_BIG: 64, MAX: 65 },
  "6.12": { NOT_SPECIFIED: 2, NO_SOCKET: 3, NETFILTER_DROP: 11, LOCAL_MAC: 99, MAX: 100 },
  "6.18": { NOT_SPECIFIED: 2, NO_SOCKET: 3, NETFILTER_DROP: 12, RECURSION_LIMIT: 127, MAX: 128 },
};

for (const [kernel, expected] of Object.entries(DROPS)) {
  Deno.test(`parseReasonNames reads why Linux ${kernel} drops packets`, () => {
    const names = parseReasonNames(FORMATS[kernel].drop);
    assertEquals(names.size, 16);
    const numbers = new Map([...names].map(([number, name]) => [name, number]));
    for (const [name, number] of Object.entries(expected)) assertEquals(numbers.get(name), number);
  });
}

Deno.test("parseReasonNames reads why a kernel answers with a RST, not the state before it", () => {
  // Before 6.10 there is a state in words and no reason.
  assertEquals(parseReasonNames(FORMATS["6.1"].reset), new Map());
  for (const kernel of ["6.12", "6.18"]) {
    const names = parseReasonNames(FORMATS[kernel].reset);
    assertEquals(names.size, 16);
    assertEquals([names.get(0), names.get(1)], ["NOT_SPECIFIED", "NO_SOCKET"]);
    assertEquals(names.get(2), "TCP_INVALID_ACK_SEQUENCE");
  }
});

const BEGIN = "__print_symbolic(REC->reason,";
const ODD: { text: string; expected: [number, string][] }[] = [
  { text: "", expected: [] },
  { text: BEGIN, expected: [] },
  { text: `${BEGIN} { 1, "A" }`, expected: [[1, "A"]] },
  { text: `${BEGIN}{0x1f,"A"},{2,"B"})`, expected: [[31, "A"], [2, "B"]] },
  // The name of an enumerator that the kernel did not resolve is no number.
  { text: `${BEGIN} { SKB_DROP_REASON_X, "X" }, { 2, "B" })`, expected: [[2, "B"]] },
  { text: `${BEGIN} { -1, "A" }, { 1e3, "C" }, { 2, "B" })`, expected: [[2, "B"]] },
  // A symbol is what a reader may print and count by, nothing else.
  { text: `${BEGIN} { 1, "a b" }, { 2, "\x1b[2J" }, { 3, "" }, { 4, "D" })`, expected: [[4, "D"]] },
  { text: `${BEGIN} { 1, "A" }, { 2, "B" `, expected: [[1, "A"]] },
  { text: `${BEGIN} { 1, "A" }) : "x", { 2, "B" }`, expected: [[1, "A"]] },
  { text: `${BEGIN} { 1, "A" }, { 1, "B" })`, expected: [[1, "B"]] },
  { text: `__print_symbolic(REC->state, { 1, "A" })`, expected: [] },
];

for (const { text, expected } of ODD) {
  Deno.test(`parseReasonNames takes what is sound of ${JSON.stringify(text)}`, () => {
    assertEquals([...parseReasonNames(text)], expected);
  });
}

Deno.test("parseReasonNames throws on no text and gives nothing but numbers and symbols", () => {
  const piece = fc.constantFrom(
    ...[BEGIN, "{", "}", ",", '"', " ", "1", "0x2", "NO_SOCKET", '{ 3, "A" }', ")", "\n", "é"],
  );
  const texts = fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }).map((all) =>
    BEGIN + all.join("")
  );
  fc.assert(fc.property(texts, (text) => {
    for (const [number, name] of parseReasonNames(text)) {
      assert(Number.isSafeInteger(number) && number >= 0);
      assert(/^[A-Z][A-Z0-9_]*$/.test(name));
    }
  }));
});

Deno.test("parseReasonNames is quick with text that repeats its beginnings", () => {
  const text = BEGIN + "{ 1,".repeat(100_000);
  assertEquals(parseReasonNames(text).size, 0);
  assertEquals(parseReasonNames(BEGIN + " ".repeat(100_000)).size, 0);
});

Deno.test("reasonName gives the symbol, or the number where there is none", () => {
  const names = parseReasonNames(FORMATS["6.18"].drop);
  assertEquals(reasonName(names, 12), "NETFILTER_DROP");
  // A subsystem's: its number is in the high half (enum skb_drop_reason_subsys).
  assertEquals(reasonName(names, 0x10001), "REASON_65537");
  assertEquals(reasonName(new Map(), 2), "REASON_2");
});

Deno.test("dropReasonName leaves out the copies that were dropped", () => {
  const names = new Map([[12, "NETFILTER_DROP"], [104, "QUEUE_PURGE"], [106, "PACKET_SOCK_ERROR"]]);
  assertEquals([12, 104, 106, 107].map((number) => dropReasonName(names, number)), [
    "NETFILTER_DROP",
    undefined,
    undefined,
    "REASON_107",
  ]);
});
