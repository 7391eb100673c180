import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Handshake } from "../../../src/match/handshake.ts";
import { type Story, tellStory } from "../../../src/explain/story.ts";
import {
  HOSTILE_COMM,
  makeHandshake,
  WORKED_EXAMPLE as HANDSHAKE,
} from "../record/sample_handshakes.ts";
import {
  CLIENT,
  CONVERSATIONS,
  seenPackets,
  SERVER,
  storyOf,
  WORKED_EXAMPLE,
} from "./build_conversation.ts";

const CONTEXT = { complete: true, interfaceName: () => "eth0" };

Deno.test("tellStory puts packets and the kernel's times on one ladder", () => {
  const packets = seenPackets(WORKED_EXAMPLE, HANDSHAKE.timeNs, 2);
  const story = tellStory(HANDSHAKE, { ...CONTEXT, packets });
  assertEquals(story.steps.map((step) => [step.kind, step.timeNs]), [
    ["kernel", -52_000],
    ["packet", 0],
    ["packet", 10_231_000],
    ["kernel", 10_250_000],
    ["packet", 10_272_000],
  ]);
  assertEquals([story.client, story.server, story.unit.symbol], [
    "192.168.100.191:52312",
    "172.67.149.132:443",
    "ms",
  ]);
  assertEquals(story.windowShifts, { client: 7, server: 13 });
});

Deno.test("tellStory keeps nothing of the handshake and of the packets' list", () => {
  const packets = seenPackets(WORKED_EXAMPLE, HANDSHAKE.timeNs, 2);
  const handshake = makeHandshake({
    ...HANDSHAKE,
    client: { ...HANDSHAKE.client, address: "192.168.100.191" },
    server: { ...HANDSHAKE.server, address: "172.67.149.132" },
    flags: [],
  });
  const story = tellStory(handshake, { ...CONTEXT, packets });
  const before = structuredClone(story);
  packets.length = 0;
  handshake.client.address.fill(1);
  handshake.client.port = 1;
  handshake.flags.push("mptcp");
  assertEquals(story, before);
});

Deno.test("tellStory mentions copies at other places, and what was captured there alone", () => {
  const story = storyOf(CONVERSATIONS.twoPlaces);
  assertEquals(story.steps.map(({ timeNs }) => timeNs), [0, 100, 150]);
  assertStringIncludes(story.remarks.join(" "), "also captured on docker0 (2)");
  const [syn, synCopy, synAck, synAckCopy] = CONVERSATIONS.twoPlaces.packets;
  const ack = { ...CONVERSATIONS.twoPlaces.packets[4], on: 1 };
  const elsewhere = storyOf({
    ...CONVERSATIONS.twoPlaces,
    packets: [syn, synCopy, synAck, synAckCopy, ack],
  });
  const last = elsewhere.steps.at(-1);
  assert(last?.kind === "packet");
  assertEquals(last.remarks, ["Captured on docker0 only."]);
});

Deno.test("tellStory says by which addresses a translated handshake went on", () => {
  const story = storyOf(CONVERSATIONS.translated);
  assertEquals(story.client, "192.0.2.1:40000");
  const nat = story.facts.find(({ name }) => name === "NAT");
  assertStringIncludes(nat!.text, "203.0.113.9:61000 to 198.51.100.2:443");
  assertStringIncludes(story.remarks.join(" "), "also captured on eth0 (2)");
});

Deno.test("tellStory puts a drop and the kernel's RST where they belong in time, else behind their packets", () => {
  const dropped = {
    client: { ...CLIENT, isn: 0x1a2b3c4d },
    server: SERVER,
    role: "server",
    outcome: "dropped",
    reason: "NETFILTER_DROP",
    wire: true,
    kernel: true,
    dropCount: 1,
    dropReason: "NETFILTER_DROP",
    dropPacket: "syn",
  } as const;
  const packets = seenPackets(CONVERSATIONS.ambiguous).slice(0, 2);
  const tell = (parts: Partial<Pick<Handshake, "droppedNs" | "resetReason" | "resetSentNs">>) =>
    tellStory(makeHandshake({ ...dropped, ...parts }), { ...CONTEXT, packets });
  const kinds = ({ steps }: Story) => steps.map(({ kind }) => kind);
  const [, { timeNs: secondNs }] = tell({}).steps;
  const timed = tell({
    droppedNs: secondNs! - 1,
    resetReason: "NO_SOCKET",
    resetSentNs: secondNs! + 1,
  });
  assertEquals(kinds(timed), ["packet", "kernel", "packet", "kernel"]);
  assertEquals(timed.steps[1].timeNs, secondNs! - 1);
  const story = tell({});
  assertEquals(kinds(story), ["packet", "packet", "kernel"]);
  const reason = story.facts.find(({ name }) => name === "reason");
  assertEquals(reason?.text, "NETFILTER_DROP (a firewall rule of this host dropped it)");
});

Deno.test("tellStory of a handshake whose clock was set has steps in order and no times", () => {
  const handshake = makeHandshake({ client: CLIENT, server: SERVER, flags: ["clock_set"] });
  const packets = seenPackets(CONVERSATIONS.simultaneous);
  const { steps } = tellStory(handshake, { ...CONTEXT, packets });
  assertEquals(steps.map(({ timeNs }) => timeNs), [undefined, undefined, undefined, undefined]);
});

Deno.test("tellStory says when packets are missing, and when none was captured", () => {
  const handshake = makeHandshake({ client: CLIENT, server: SERVER, wire: true });
  const incomplete = tellStory(handshake, { ...CONTEXT, packets: [], complete: false });
  assertStringIncludes(incomplete.remarks.join(" "), "more packets than could be kept");
  const kernelOnly = makeHandshake({ client: CLIENT, server: SERVER, kernel: true });
  const { remarks, steps } = tellStory(kernelOnly, { ...CONTEXT, packets: [] });
  assertEquals(steps, []);
  assertStringIncludes(remarks.join(" "), "No packet of it was captured");
});

Deno.test("tellStory names the containers of both ends", () => {
  const process = { pid: 7, comm: "curl", uid: 0 };
  const handshake = makeHandshake({
    client: { ...CLIENT, process: { ...process, cgroup: 1 } },
    server: { ...SERVER, process: { ...process, cgroup: 2 } },
  });
  const container = (cgroup: number) => cgroup === 1 ? "web" : undefined;
  const { facts } = tellStory(handshake, { ...CONTEXT, packets: [], container });
  const textOf = (name: string) =>
    facts.find((fact) => fact.name === name)!.text.split(", curl")[1];
  assertEquals(textOf("client"), " (process 7, user 0, container web)");
  assertEquals(textOf("server"), " (process 7, user 0)");
});

Deno.test("tellStory escapes names that others chose", () => {
  const process = { pid: 1, comm: HOSTILE_COMM, uid: 0, cgroup: 1 };
  const handshake = makeHandshake({
    client: { ...CLIENT, process },
    server: { ...SERVER, process },
    place: 3,
    wire: true,
    reason: HOSTILE_COMM,
    resetReason: HOSTILE_COMM,
    dropReason: HOSTILE_COMM,
    dropCount: 1,
  });
  const context = {
    complete: true,
    interfaceName: () => HOSTILE_COMM,
    container: () => HOSTILE_COMM,
  };
  const packets = seenPackets(CONVERSATIONS.twoPlaces);
  const text = JSON.stringify(tellStory(handshake, { ...context, packets }));
  // In JSON each backslash is two; what JSON itself escapes would be one.
  assert(!/(?<!\\)\\(?![\\"])/.test(text.replaceAll("\\\\", "")), text);
  assertStringIncludes(text, "\\\\u{1b}[2J");
});

Deno.test("tellStory says what stands at 0 on the ladder", () => {
  const untold = { client: CLIENT, server: SERVER, synNs: undefined, synAckNs: undefined };
  const byKernel = makeHandshake({ ...untold, kernel: true });
  const stories = [
    storyOf(WORKED_EXAMPLE),
    storyOf(CONVERSATIONS.oneSided),
    tellStory(byKernel, { ...CONTEXT, packets: [] }),
    tellStory(makeHandshake({ ...untold, wire: true }), { ...CONTEXT, packets: [] }),
  ];
  assertEquals(stories.map(({ facts }) => facts[0].text.split(", ")[1]), [
    "the first SYN: 0 on the ladder",
    "the first SYN-ACK: 0 on the ladder",
    "the first event: 0 on the ladder",
    undefined,
  ]);
});
