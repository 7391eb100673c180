/**
 * A client and a server with a network between them that delays what the server sends, and a tracer
 * at each end. The delay is in neither end's own interface: there it would come before the packet is
 * captured, and so be no part of what is seen.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { HandshakeRecord } from "../../../src/report/record.ts";
import { Namespace, until } from "../../netns/namespace.ts";
import { Tracer } from "../../netns/tracer.ts";

/** How long a packet from the server to the client is under way. */
export const DELAY_MS = 20;

/** The addresses of the ends, by IP version. */
export const ADDRESSES = {
  ipv4: { client: "10.77.0.1", server: "10.77.0.2" },
  ipv6: { client: "fd77::1", server: "fd77::2" },
} as const;

/** Servers' ports, one for each test. */
export const PORTS = { refusing: 80, silent: 81, first: 4432, many: 4433, held: 4434 } as const;

/** bpftrace takes up to a minute to attach where the processor is emulated. */
const READY_MS = 300_000;
const ASK_MS = 250;
/** What a handshake takes to be reported, with retransmissions, emulated. */
const REPORT_MS = 60_000;

/** Both ends and the network, with a tracer at each end. */
export class DelayedNetwork implements AsyncDisposable {
  readonly client: Namespace;
  readonly server: Namespace;
  /** The name of each end's one interface, by which it reaches the other. */
  readonly interfaceName: string;
  readonly #resources: AsyncDisposableStack;
  #clientTracer: Tracer | undefined;
  #serverTracer: Tracer | undefined;

  private constructor(
    client: Namespace,
    server: Namespace,
    interfaceName: string,
    resources: AsyncDisposableStack,
  ) {
    this.client = client;
    this.server = server;
    this.interfaceName = interfaceName;
    this.#resources = resources;
  }

  /** Lays the cables. */
  static async create(): Promise<DelayedNetwork> {
    await using resources = new AsyncDisposableStack();
    const client = resources.use(await Namespace.create());
    const server = resources.use(await Namespace.create());
    const between = resources.use(await Namespace.create());
    const [interfaceName, toClient] = await client.connect(between);
    const [, toServer] = await server.connect(between);
    await between.ip("link", "add", "bridge", "type", "bridge", "mcast_snooping", "0");
    for (const port of [toClient, toServer]) {
      await between.ip("link", "set", port, "master", "bridge");
    }
    await between.ip("link", "set", "bridge", "up");
    for (const { client: here, server: there } of Object.values(ADDRESSES)) {
      const bits = here.includes(":") ? 64 : 24;
      await client.ip("address", "add", `${here}/${bits}`, "dev", interfaceName, "nodad");
      await server.ip("address", "add", `${there}/${bits}`, "dev", interfaceName, "nodad");
    }
    await until("the bridge forwards", async () => {
      const ports = await between.run("bridge", "link", "show");
      return (ports.match(/state forwarding/g) ?? []).length === 2;
    });
    const delay = ["netem", "delay", `${DELAY_MS}ms`];
    await between.run("tc", "qdisc", "add", "dev", toClient, "root", ...delay);
    return new DelayedNetwork(client, server, interfaceName, resources.move());
  }

  /** Starts the tracers and waits until both deliver from both sources. */
  async trace(): Promise<void> {
    // One after the other, and the first at rest: the one processor is emulated, and bpftrace would
    // not attach before the tracer gives it up.
    const first = this.#clientTracer = await startTracer(this.client);
    first.signal("SIGSTOP");
    this.#serverTracer = await startTracer(this.server);
    first.signal("SIGCONT");
  }

  /**
   * Waits until both tracers have reported so many handshakes with a server's port.
   *
   * @returns What each of them reported.
   */
  async reports(
    port: number,
    count: number,
  ): Promise<Record<"client" | "server", HandshakeRecord[]>> {
    const recordsOf = (tracer: Tracer | undefined) =>
      tracer!.lines.map((line) => JSON.parse(line) as HandshakeRecord)
        .filter(({ server }) => server.port === port);
    const both = () => ({
      client: recordsOf(this.#clientTracer),
      server: recordsOf(this.#serverTracer),
    });
    await until(
      `${count} handshakes with port ${port} reported by both tracers`,
      () => Object.values(both()).every(({ length }) => length >= count),
      REPORT_MS,
    );
    return both();
  }

  /** Ends the tracers and takes the network down. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

async function startTracer(namespace: Namespace): Promise<Tracer> {
  const ports = Object.values(PORTS).join(",");
  const tracer = await Tracer.start(namespace, ["--probes", "tracepoint", "--port", ports]);
  const ready = /kernel events come from bpftrace's map/;
  const over = /bpftrace (ended|was not)|kernel events come as/;
  const deadline = performance.now() + READY_MS;
  // Asked seldom: asking takes time from bpftrace.
  while (!tracer.stderr.some((line) => ready.test(line) || over.test(line))) {
    if (performance.now() > deadline) break;
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
  assert(tracer.stderr.some((line) => ready.test(line)), tracer.stderr.join("\n"));
  return tracer;
}
