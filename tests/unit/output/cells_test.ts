import { assertEquals } from "@std/assert";
import {
  formatChecks,
  formatEvidence,
  formatFacts,
  formatIsn,
  formatNetworkRtt,
  formatWho,
  joinParts,
} from "../../../src/output/cells.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";

const ENDS = { client: { address: "10.0.0.1" }, server: { address: "10.0.0.2" } };

Deno.test("formatNetworkRtt tells what is unknown from what Karn's rule withholds", () => {
  assertEquals(formatNetworkRtt(makeHandshake(ENDS)), "-");
  const ambiguous = { ambiguous: true, firstSynToSynAckNs: 1_000_000_000 };
  assertEquals(formatNetworkRtt(makeHandshake({ ...ENDS, ...ambiguous })), "ambiguous");
});

Deno.test("formatWho shortens a command and its container so that both can be told", () => {
  const id = "3f9a".repeat(16);
  const cases: [
    comm: string,
    container: { id?: string; name?: string } | undefined,
    who: string,
  ][] = [
    ["curl", undefined, "curl"],
    ["a-command-so-long", undefined, "a-command-so-l…"],
    ["curl", { name: "web" }, "curl@web"],
    ["python3", { name: "shop" }, "python3@shop"],
    ["curl", { name: "shop/web-7d4b9c/nginx" }, "curl@shop/…ginx"],
    ["a-long-command", { name: "shop/web-7d4b9c" }, "a-lon…@shop…b9c"],
    ["nginx", { id }, "nginx@3f9a3f9a3"],
    ["", { name: "web" }, "@web"],
    ["sh", { name: "コンテナの名前" }, "sh@コンテナの…"],
    ["\x1b[2J", { name: "\n" }, "\\u{1b}[2J@\\u{a}"],
  ];
  for (const [comm, container, who] of cases) {
    const process = { pid: 1, comm, uid: 0, cgroup: 1 };
    const { client } = makeHandshake({ ...ENDS, client: { ...ENDS.client, process } });
    const context = { container: () => container };
    assertEquals(formatWho(client, context, { width: 15, ascii: false }), who);
  }
  assertEquals(formatWho(makeHandshake(ENDS).client, {}, { width: 15, ascii: false }), "");
});

Deno.test("formatIsn writes eight hexadecimal digits", () => {
  assertEquals([formatIsn(0), formatIsn(0x4ce45750), formatIsn(undefined)], [
    "0x00000000",
    "0x4ce45750",
    "-",
  ]);
});

Deno.test("formatChecks writes each relation in its place", () => {
  const checks = { synAckAcknowledgesSyn: true, ackSequence: false };
  assertEquals(formatChecks(makeHandshake({ ...ENDS, ...checks }), false), "✓✗-");
  assertEquals(formatChecks(makeHandshake({ ...ENDS, ...checks }), true), "yn-");
});

Deno.test("facts and evidence are words only where there is something to say", () => {
  const plain = makeHandshake({ ...ENDS, wire: true, kernel: true, synCount: 1 });
  assertEquals([joinParts(formatFacts(plain)), formatEvidence(plain)], ["", ""]);
  const odd = makeHandshake({ ...ENDS, wire: true, synCount: 2, synAckCount: 3 });
  assertEquals([joinParts(formatFacts(odd)), formatEvidence(odd)], [
    "2 SYNs, 3 SYN-ACKs",
    "wire only",
  ]);
  assertEquals(formatEvidence(makeHandshake({ ...ENDS, kernel: true })), "kernel only");
});
