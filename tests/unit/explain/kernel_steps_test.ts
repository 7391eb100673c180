import { assertEquals, assertStringIncludes } from "@std/assert";
import { dropStep, icmpStep, kernelSteps, resetStep } from "../../../src/explain/kernel_steps.ts";
import { makeHandshake } from "../record/sample_handshakes.ts";
import { CLIENT, SERVER } from "./build_conversation.ts";

const ENDS = { client: CLIENT, server: SERVER };

Deno.test("kernelSteps puts each time of the kernel at its end", () => {
  const handshake = makeHandshake({
    ...ENDS,
    role: "local",
    connectNs: -50,
    synSentNs: -20,
    synReceivedNs: 5,
    establishedNs: 30,
    serverEstablishedNs: 40,
    acceptedNs: 60,
  });
  assertEquals(kernelSteps(handshake).map(({ timeNs, at }) => [timeNs, at]), [
    [-50, "client"],
    [-20, "client"],
    [5, "server"],
    [30, "client"],
    [40, "server"],
    [60, "server"],
  ]);
});

const ESTABLISHED: { name: string; parts: object; at: string }[] = [
  { name: "of a client", parts: { role: "client" }, at: "client" },
  { name: "of a server", parts: { role: "server", synReceivedNs: undefined }, at: "server" },
  { name: "of both, the server's alone known", parts: { role: "local" }, at: "server" },
  { name: "of both, the client's known", parts: { role: "local", connectNs: 0 }, at: "client" },
];

for (const { name, parts, at } of ESTABLISHED) {
  Deno.test(`kernelSteps knows whose socket became ESTABLISHED: ${name}`, () => {
    const steps = kernelSteps(makeHandshake({ ...ENDS, ...parts, establishedNs: 9 }));
    assertEquals(steps.at(-1)?.at, at);
  });
}

Deno.test("dropStep says what was dropped, how often and why, at the end that is here", () => {
  const handshake = makeHandshake({
    ...ENDS,
    role: "server",
    dropCount: 3,
    dropReason: "ACCEPT_QUEUE_FULL",
    dropPacket: "syn",
    dropQueue: { length: 129, limit: 128 },
  });
  const step = dropStep(handshake);
  assertEquals([step?.timeNs, step?.at, step?.tone], [undefined, "server", "bad"]);
  assertStringIncludes(
    step!.text,
    "3 packets, the last a SYN: ACCEPT_QUEUE_FULL (queue 129 of 128)",
  );
  assertEquals(dropStep(makeHandshake(ENDS)), undefined);
  const once = {
    role: "observer",
    dropCount: 1,
    dropReason: "\x1b",
    dropPacket: "syn_ack",
  } as const;
  const other = dropStep(makeHandshake({ ...ENDS, ...once }));
  assertEquals(other?.at, undefined);
  assertStringIncludes(other!.text, "a SYN-ACK: \\u{1b}");
});

Deno.test("resetStep says why this host's kernel sent a RST", () => {
  const step = resetStep(makeHandshake({ ...ENDS, role: "client", resetReason: "NO_SOCKET" }));
  assertEquals(step?.at, "client");
  assertStringIncludes(step!.text, "nobody listens");
  assertEquals(resetStep(makeHandshake(ENDS)), undefined);
});

Deno.test("icmpStep tells who answered the SYN with an ICMP error, and what that means", () => {
  const reporter = new Uint32Array([0, 0, 0xffff, 0xcb007109]);
  const byRouter = { symbol: "ICMP_HOST_UNREACH", reporter };
  const router = makeHandshake({ ...ENDS, icmp: byRouter, icmpNs: 7 });
  assertEquals(icmpStep(router), {
    kind: "kernel",
    timeNs: 7,
    at: undefined,
    tone: "bad",
    text: "203.0.113.9 answers the SYN: ICMP_HOST_UNREACH (the last router did not find the host)",
  });
  const server = makeHandshake({
    ...ENDS,
    icmp: { symbol: "ICMP_PORT_UNREACH", reporter: router.server.address.slice() },
  });
  assertEquals(icmpStep(server)?.at, "server");
  assertEquals(icmpStep(makeHandshake(ENDS)), undefined);
});
