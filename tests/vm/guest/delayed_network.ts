/**
 * A client and a server with a network between them that delays what the server sends, and a tracer
 * at each end: the server's with the kernel's side, which tells of both ends, the client's with the
 * wire alone. The delay is in neither end's own interface: there it would come before the packet is
 * captured, and so be no part of what is seen.
 *
 * @module
 */
import { assert, fail } from "@std/assert";
import type { Mechanism } from "../../../src/kernel/choose_probes.ts";
import type { HandshakeRecord } from "../../../src/record/record.ts";
import { LAB_NETWORKS } from "../../netns/lab/host.ts";
import { Namespace, until } from "../../netns/namespace.ts";
import { Tracer, type TraceResult } from "../../netns/tracer.ts";

/** How long a packet from the server to the client is under way. */
export const DELAY_MS = 20;

/** The addresses of the ends, by IP version. */
export const ADDRESSES = {
  ipv4: { client: "10.77.0.1", server: "10.77.0.2" },
  ipv6: { client: "fd77::1", server: "fd77::2" },
} as const;

/** Servers' ports, one for each test. */
export const PORTS = {
  refusing: 80,
  silent: 81,
  clock: 4440,
  first: 4432,
  many: 4433,
  held: 4434,
  full: 4435,
  cookies: 4436,
  flooded: 4437,
  reset: 4438,
  taken: 4439,
  vrf: 4441,
} as const;

/** What the tracers are to tell of: this network and the lab. */
const OURS = ["--host", ["10.77.0.0/24", "fd77::/64", ...LAB_NETWORKS].join(",")];

/** How often a test is tried that may miss an event. */
export const TRIES = 5;
const NEXT_TRY = 1000;

/** The ports of a test's tries. */
export function portsOf(test: keyof typeof PORTS): number[] {
  return Array.from({ length: TRIES }, (_, attempt) => PORTS[test] + attempt * NEXT_TRY);
}

/** A port without what tells the tries apart. */
export function firstPort(port: number): number {
  return port % NEXT_TRY;
}

/** Where the client's made-up packets come from; the server finds the way back (RFC 2544). */
export const SPOOFED = "198.18.0.1";

/** bpftrace takes minutes to attach where the processor is emulated. */
const READY_MS = 620_000;
/** Asked seldom: asking takes time from what is waited for. */
const ASK_MS = 250;
/** What a handshake takes to be reported, with retransmissions, emulated. */
const REPORT_MS = 60_000;

/** Both ends and the network, with a tracer at each end. It goes with the guest. */
export class DelayedNetwork {
  readonly client: Namespace;
  readonly server: Namespace;
  /** The name of the interface by which an end reaches the other. */
  readonly interfaces: Readonly<Record<"client" | "server", string>>;
  /** The bridge between them, and its interface to the server. */
  readonly #between: Namespace;
  readonly #toServer: string;
  #clientTracer: Tracer | undefined;
  #serverTracer: Tracer | undefined;

  private constructor(
    client: Namespace,
    server: Namespace,
    interfaces: DelayedNetwork["interfaces"],
    between: Namespace,
    toServer: string,
  ) {
    this.#between = between;
    this.#toServer = toServer;
    this.client = client;
    this.server = server;
    this.interfaces = interfaces;
  }

  /** Lays the cables to a server, which may have others. */
  static async create(server: Namespace): Promise<DelayedNetwork> {
    const client = await Namespace.create();
    const between = await Namespace.create();
    const [clientInterface, toClient] = await client.connect(between);
    const [serverInterface, toServer] = await server.connect(between);
    const interfaces = { client: clientInterface, server: serverInterface };
    await between.ip("link", "add", "bridge", "type", "bridge", "mcast_snooping", "0");
    for (const port of [toClient, toServer]) {
      await between.ip("link", "set", port, "master", "bridge");
    }
    await between.ip("link", "set", "bridge", "up");
    for (const { client: here, server: there } of Object.values(ADDRESSES)) {
      const bits = here.includes(":") ? 64 : 24;
      await client.ip("address", "add", `${here}/${bits}`, "dev", interfaces.client, "nodad");
      await server.ip("address", "add", `${there}/${bits}`, "dev", interfaces.server, "nodad");
    }
    await until("the bridge forwards", async () => {
      const ports = await between.run("bridge", "link", "show");
      return (ports.match(/state forwarding/g) ?? []).length === 2;
    });
    const delay = ["netem", "delay", `${DELAY_MS}ms`];
    await between.run("tc", "qdisc", "add", "dev", toClient, "root", ...delay);
    await server.ip("route", "add", SPOOFED, "via", ADDRESSES.ipv4.client);
    return new DelayedNetwork(client, server, interfaces, between, toServer);
  }

  /** Delays what the client sends as well, from now on. */
  async delayThere(ms: number): Promise<void> {
    const delay = ["root", "netem", "delay", `${ms}ms`];
    await this.#between.run("tc", "qdisc", "add", "dev", this.#toServer, ...delay);
  }

  /**
   * Starts the tracers and waits until both deliver from all their sources.
   *
   * @returns Ends those that still run.
   */
  async trace(mechanism: Mechanism): Promise<AsyncDisposable> {
    await using resources = new AsyncDisposableStack();
    const began = performance.now();
    this.#serverTracer = await Tracer.start(this.server, ["--probes", mechanism, ...OURS]);
    resources.adopt(this.#serverTracer, end);
    await this.#attached(this.#serverTracer);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.error(`attached through ${mechanism} after ${seconds} s`);
    this.#clientTracer = await Tracer.start(this.client, ["--probes", "none", ...OURS]);
    resources.adopt(this.#clientTracer, end);
    return resources.move();
  }

  /** The tracer at the server. */
  get serverTracer(): Tracer {
    return this.#serverTracer!;
  }

  async #attached({ stderr }: Tracer): Promise<void> {
    const ready = /kernel events come from/;
    const over = /going on with packets alone|kernel events come as/;
    const saysOne = (...patterns: RegExp[]) =>
      stderr.some((line) => patterns.some((pattern) => pattern.test(line)));
    await askUntil("bpftrace is attached", () => saysOne(ready, over), READY_MS)
      .catch((error) => fail(`${error.message}:\n${stderr.join("\n")}`));
    assert(saysOne(ready), stderr.join("\n"));
  }

  /** Waits until the tracer at an end has reported so many handshakes of a server's port. */
  async reports(
    end: "client" | "server",
    port: number,
    count: number,
  ): Promise<HandshakeRecord[]> {
    const { lines } = end === "client" ? this.#clientTracer! : this.#serverTracer!;
    await askUntil(
      `${count} handshakes with port ${port} reported at the ${end}`,
      () => recordsOf(lines, port).length >= count,
      REPORT_MS,
    );
    return recordsOf(lines, port);
  }

  /** Ends the tracer at an end and takes all it wrote. */
  stop(end: "client" | "server"): Promise<TraceResult> {
    return (end === "client" ? this.#clientTracer! : this.#serverTracer!).stop();
  }

  /** The server's kernel's counters of its TCP (`netstat -s`), by their names. */
  async counters(): Promise<Record<string, number>> {
    const text = await this.server.run("cat", "/proc/net/netstat");
    const [names, values] = text.split("\n").filter((line) => line.startsWith("TcpExt:"))
      .map((line) => line.split(" ").slice(1));
    return Object.fromEntries(names.map((name, index) => [name, Number(values[index])]));
  }
}

async function end(tracer: Tracer): Promise<void> {
  try {
    tracer.signal("SIGKILL");
  } catch (error) {
    // Ended already, as it does where nothing failed.
    if (!(error instanceof TypeError)) throw error;
  }
  await tracer.ended();
}

function recordsOf(lines: readonly string[], port: number): HandshakeRecord[] {
  return lines.map((line) => JSON.parse(line) as HandshakeRecord)
    .filter((record) => record.event === "handshake" && record.server.port === port);
}

async function askUntil(what: string, holds: () => boolean, deadlineMs: number): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > deadline) {
      throw new Error(`Cannot go on: ${what} did not happen within ${deadlineMs / 1000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}
