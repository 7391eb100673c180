/**
 * What is tested in a guest, whatever its kernel: run there by `deno test`, with the folder of the
 * compiled helpers, the kernel's release, how bpftrace's version begins and whether the
 * kernel tells why it resets as arguments.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Mechanism, MECHANISMS } from "../../../src/kernel/choose_probes.ts";
import type { HandshakeRecord } from "../../../src/record/record.ts";
import { buildHosts } from "../../netns/lab/lab.ts";
import { check } from "../../netns/lab/scenario.ts";
import { ROUTED } from "../../netns/lab/topology.ts";
import { MAIN } from "../../netns/tracer.ts";
import { testClockSet } from "./clock_set.ts";
import { DelayedNetwork, PORTS, TRIES } from "./delayed_network.ts";
import {
  raiseFirewall,
  shortenTimeouts,
  testCookies,
  testFailureBeforeSyn,
  testFlood,
  testFullAcceptQueue,
  testRefusedAndTimedOut,
  testResetBeforeAccept,
} from "./failures.ts";
import { perform, scenariosFor } from "./lab_scenarios.ts";
import { connectAndServe } from "./peers.ts";
import { testDelay, testOpenConnection } from "./round_trips.ts";
import { type Shape, shapeOf } from "./shape.ts";
import { testVrf } from "./vrf.ts";

const [, kernel, bpftrace, resets] = Deno.args;
const resetReasons = resets === "reset-reasons";
/** What only function probes see. */
const FUNCTION_PROBES_ONLY = ["times.syn_received_ns", "times.syn_sent_ns"];
/** What only the tracepoint sees. */
const TRACEPOINT_ONLY = ["times.connect_ns"];

// Both networks are laid once and go with the guest. One tracer stands in both, for to attach its
// probes takes longer than all that follows: the client's end of the lab is the server's of the other.
const hosts = await buildHosts(new AsyncDisposableStack());
await ROUTED.prepare!(hosts);
const network = await DelayedNetwork.create(hosts.client.namespace);
await shortenTimeouts(network);
await raiseFirewall(network);
// Each end must know the other's hardware address: else the first SYN waits for it, unseen.
await connectAndServe(network, PORTS.first, 1);

/** Of the same connections, by mechanism: what their records hold. */
const shapes = new Map<Mechanism, Shape[]>();

Deno.test("doctor finds everything", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", MAIN, "doctor", "--json"],
    stdin: "null",
    stderr: "inherit",
  }).output();
  const { facts, plan, result } = JSON.parse(new TextDecoder().decode(stdout));
  assertEquals(facts.release, kernel);
  assert(facts.bpftrace.version.startsWith(`bpftrace v${bpftrace}`), facts.bpftrace.version);
  assertEquals(facts.btf, true);
  assertEquals(facts.tracefs, "mounted");
  assertEquals(facts.setStateTracepoint, true);
  assertEquals(facts.dropTracepoint, "reason");
  assertEquals(facts.resetTracepoint, resetReasons ? "reason" : "no reason");
  assertEquals(facts.capture, { filter: "ebpf" });
  assertEquals(facts.foreignMaps, { open: true });
  assertEquals(
    plan,
    "a trace uses packets and kernel events through fentry probes, else kprobes, else the " +
      `tracepoint, with the reasons of drops${resetReasons ? " and resets" : ""}`,
  );
  assertEquals([result, code], ["works", 0]);
});

for (const mechanism of MECHANISMS) {
  Deno.test(`trace through ${mechanism}`, async (context) => {
    await using _tracers = await network.trace(mechanism);
    // What runs for the first time is translated by the emulator, which takes tens of milliseconds.
    await connectAndServe(network, PORTS.first, 1);
    await network.reports("server", PORTS.first, 2);
    await network.reports("client", PORTS.first, 2);
    const records: HandshakeRecord[] = [];
    await context.step("shows the network's delay to each end as its own round trip", async () => {
      records.push(...await tried((attempt) => testDelay(network, mechanism, attempt)));
    });
    await context.step("tells refused and timed out apart, each with its cause", async () => {
      records.push(
        ...await tried((attempt) => testRefusedAndTimedOut(network, resetReasons, attempt)),
      );
    });
    // No more needed there, and the one processor is.
    await network.stop("client");
    const scenarios = scenariosFor(mechanism);
    const first = await perform(hosts, network.serverTracer, scenarios);
    for (const scenario of scenarios) {
      await context.step(scenario.name, () =>
        tried(async (attempt) =>
          check(
            scenario,
            attempt === 0 ? first : await perform(hosts, network.serverTracer, [scenario]),
          )
        ));
    }
    await context.step(
      "withholds durations where the clock was set, and measures on",
      () => tried((attempt) => testClockSet(network, hosts, attempt)),
    );
    await context.step(
      "agrees with ss on the round trip of an open connection",
      () => tried((attempt) => testOpenConnection(network, attempt)),
    );
    await context.step(
      "tells a full accept queue as often as the kernel counts it",
      () => tried((attempt) => testFullAcceptQueue(network, mechanism, attempt)),
    );
    await context.step(
      "tells a handshake within a VRF once",
      () => tried((attempt) => testVrf(network, attempt)),
    );
    await context.step(
      "names the process whose connect() failed before its SYN",
      () => tried((attempt) => testFailureBeforeSyn(network, attempt)),
    );
    await context.step(
      "tells when accept() returned what its client had reset before",
      () => tried((attempt) => testResetBeforeAccept(network, mechanism, attempt)),
    );
    await context.step(
      "tells SYN cookies as often as the kernel counts them",
      () => tried((attempt) => testCookies(network, mechanism, attempt)),
    );
    await context.step(
      "tells what becomes of a flood as the kernel counts it, and loses nothing",
      () => testFlood(network, mechanism, resetReasons),
    );
    shapes.set(mechanism, records.map(shapeOf));
  });
}

Deno.test("every mechanism gives the same records", () => {
  const [fentry, kprobe] = MECHANISMS.map((mechanism) => kinds(shapes.get(mechanism)!));
  assertEquals(kprobe, fentry);
  const without = (mechanism: Mechanism, paths: readonly string[]) =>
    kinds(shapes.get(mechanism)!.map((shape) => ({
      ...shape,
      fields: shape.fields.filter((field) => !paths.includes(field)),
    })));
  assertEquals(without("tracepoint", TRACEPOINT_ONLY), without("fentry", FUNCTION_PROBES_ONLY));
});

/**
 * Runs a test, again where it fails. The kernel skips a program that would interrupt another on the
 * same processor (trace_call_bpf), and emulated ones run for so long that some events are missed.
 */
async function tried<T>(test: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < TRIES - 1; attempt++) {
    try {
      return await test(attempt);
    } catch (error) {
      console.error(`Tried again after: ${error}`);
    }
  }
  return await test(TRIES - 1);
}

/** The different shapes, each once, in an order that does not depend on that of the records. */
function kinds(shapes: readonly Shape[]): string[] {
  return [...new Set(shapes.map((shape) => JSON.stringify(shape)))].toSorted();
}
