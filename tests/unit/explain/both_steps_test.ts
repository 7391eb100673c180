import { assertEquals, assertStringIncludes } from "@std/assert";
import { bothSteps } from "../../../src/explain/both_steps.ts";
import type { Step } from "../../../src/explain/step.ts";
import { TcpFlag } from "../../../src/wire/segment.ts";
import type { Said } from "./build_conversation.ts";
import { capturedEnd, makeAck, makeSyn, makeSynAck, recordedEnd } from "./told_ends.ts";

const { SYN, ACK, RST } = TcpFlag;
const S = 1e9;

/** Each step in short: its part, both times, and what became of it. */
function told(steps: readonly Step[]) {
  return steps.map((step) => [
    step.kind === "kernel" ? step.text : step.part,
    step.timeNs,
    step.serverNs,
    ...step.kind !== "kernel" && step.isLost ? ["lost"] : [],
  ]);
}

Deno.test("bothSteps finds which of several packets was lost, in either direction", () => {
  const client = capturedEnd("a", {
    ...{ outcome: "established", synCount: 2, synAckCount: 1, synNs: 0, ackNs: 2.1 * S },
  }, [makeSyn(0, 1), makeSyn(S, 1_001), makeSynAck(2 * S, 2), makeAck(2.1 * S)]);
  const server = capturedEnd("b", {
    ...{ outcome: "established", synCount: 1, synAckCount: 2, synNs: 0, ackNs: 1.2 * S },
  }, [makeSyn(0, 1_001), makeSynAck(10, 1), makeSynAck(1.1 * S, 2), makeAck(1.2 * S)]);
  assertEquals(told(bothSteps(client, server)), [
    ["SYN", 0, undefined, "lost"],
    ["SYN", S, 0],
    ["SYN-ACK", undefined, 10, "lost"],
    ["SYN-ACK", 2 * S, 1.1 * S],
    ["ACK", 2.1 * S, 1.2 * S],
  ]);
});

Deno.test("bothSteps claims no loss of what was sent after the other end was done", () => {
  const client = capturedEnd("a", {
    ...{ outcome: "established", synCount: 1, synAckCount: 1, synNs: 0, ackNs: 200 },
  }, [makeSyn(0, 1), makeSynAck(100, 1), makeAck(200)]);
  const server = capturedEnd("b", {
    ...{ outcome: "half_open", synCount: 1, synAckCount: 2, synNs: 0 },
  }, [makeSyn(0, 1), makeSynAck(10, 1), makeSynAck(S, 2)]);
  const steps = bothSteps(client, server);
  assertEquals(told(steps), [
    ["SYN", 0, 0],
    ["SYN-ACK", 100, 10],
    ["ACK", 200, undefined, "lost"],
    ["SYN-ACK", undefined, S],
  ]);
  assertStringIncludes(JSON.stringify(steps[3]), "Whether it came is not known");
});

Deno.test("bothSteps does not say which of equal packets came", () => {
  const equal = (atNs: number): Said => ({ atNs, by: "client", flags: SYN, sequence: 1_000 });
  const client = capturedEnd("a", { outcome: "timeout", synCount: 2, synNs: 0 }, [
    equal(0),
    equal(S),
  ]);
  const server = capturedEnd("b", { outcome: "dropped", synCount: 1, synNs: 0 }, [equal(0)]);
  const steps = bothSteps(client, server);
  assertEquals(told(steps), [["SYN", 0, undefined], ["SYN", S, undefined]]);
  assertStringIncludes(JSON.stringify(steps[0]), "Of 2 equal packets 1 came; which,");
});

Deno.test("bothSteps tells a RST that the server's host did not send", () => {
  const reset: Said = {
    atNs: 50,
    by: "server",
    flags: RST | ACK,
    sequence: 0,
    acknowledgment: 1_001,
  };
  const client = capturedEnd("a", { outcome: "refused", synCount: 1, rstCount: 1, synNs: 0 }, [
    makeSyn(0, 1),
    reset,
  ]);
  const server = capturedEnd("b", { outcome: "half_open", synCount: 1, synAckCount: 1, synNs: 0 }, [
    makeSyn(0, 1),
    makeSynAck(10, 1),
  ]);
  const steps = bothSteps(client, server);
  assertEquals(told(steps), [
    ["SYN", 0, 0],
    ["SYN-ACK", undefined, 10],
    ["RST", 50, undefined],
  ]);
  assertStringIncludes(JSON.stringify(steps[2]), "The server's host did not send it");
});

Deno.test("bothSteps counts what records tell, and says how many of it were lost", () => {
  const client = recordedEnd("a", { outcome: "timeout", synCount: 7, synNs: 0 });
  const server = recordedEnd("b", {
    ...{ outcome: "half_open", synCount: 5, synAckCount: 6, synNs: 0, synAckNs: 10 },
  });
  const steps = bothSteps(client, server);
  assertEquals(told(steps), [["SYN", 0, 0], ["SYN-ACK", undefined, 10, "lost"]]);
  const text = JSON.stringify(steps);
  assertStringIncludes(text, "7 were sent and 5 came: 2 lost on the way.");
  assertStringIncludes(text, "All 6 of them were lost.");
});

Deno.test("bothSteps claims nothing of an end that saw no packets", () => {
  const client = recordedEnd("a", { outcome: "established", synCount: 1, synNs: 0, ackNs: 20 });
  const server = recordedEnd("b", {
    ...{ outcome: "half_open", wire: false, kernel: true, synReceivedNs: 5 },
  });
  assertEquals(told(bothSteps(client, server)), [
    ["SYN", 0, undefined],
    ["the listener takes the SYN", undefined, 5],
    ["ACK", 20, undefined],
  ]);
});
