import { assertEquals } from "@std/assert";
import { NumberFacts } from "../../../../src/output/report/number_facts.ts";
import { makeHandshake } from "../../record/sample_handshakes.ts";

function factsOf(isns: readonly (number | undefined)[]): NumberFacts {
  const facts = new NumberFacts();
  for (const isn of isns) {
    const client = { address: "10.0.0.1", isn };
    facts.take(makeHandshake({ client, server: { address: "10.0.0.2" } }));
  }
  return facts;
}

Deno.test("NumberFacts tells even numbers from those that somebody chose", () => {
  const even = Array.from({ length: 4_000 }, (_, at) => Math.imul(at, 0x9e3779b1) >>> 0);
  assertEquals(factsOf(even).spread("client").isEven, true);
  const chosen = even.map((isn, at) => at % 4 === 0 ? 0xf0000007 : isn);
  const { known, isEven, densest } = factsOf([...chosen, undefined]).spread("client");
  assertEquals([known, isEven, densest.from], [4_000, false, 0xf0000000]);
  assertEquals(Math.round(densest.share * 100), 30);
});

Deno.test("NumberFacts says nothing of numbers that are few or unknown", () => {
  const facts = factsOf([1, 2, 3]);
  assertEquals([facts.spread("client").known, facts.spread("client").isEven], [3, undefined]);
  assertEquals(facts.spread("server"), {
    known: 0,
    isEven: undefined,
    densest: { from: 0, share: 0 },
  });
});

Deno.test("NumberFacts counts which relations held, and flags", () => {
  const facts = new NumberFacts();
  const ends = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };
  facts.take(makeHandshake({
    ...ends,
    synAckAcknowledgesSyn: true,
    ackSequence: false,
    flags: ["syn_cookie", "ecn"],
  }));
  facts.take(makeHandshake({ ...ends, synAckAcknowledgesSyn: true, flags: ["ecn"] }));
  assertEquals(facts.checks.map(({ held, failed }) => [held, failed]), [[2, 0], [0, 1], [0, 0]]);
  assertEquals(facts.flags(), [["ecn", 2], ["syn_cookie", 1]]);
});
