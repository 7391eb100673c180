/**
 * Connections at a steady rate on a namespace's loopback.
 *
 * @module
 */
import type { Namespace } from "../netns/namespace.ts";
import { lineReader } from "../line_reader.ts";
import type { Bench } from "./row.ts";

/** What a run of them took. */
export interface PacedRun {
  connections: number;
  seconds: number;
  /** Of connect(), µs. */
  medianUs: number;
  p99Us: number;
}

/**
 * Makes a function that makes connections to a port, `rate` a second, each accepted and reset.
 *
 * @param count How many at each call.
 * @param before What the program that connects is run by, with its arguments.
 */
export async function pacedConnections(
  bench: Pick<Bench, "program">,
  namespace: Namespace,
  port: number,
  rate: number,
  count: number,
  before: readonly string[] = [],
): Promise<() => Promise<PacedRun>> {
  const client = await bench.program("paced_connect.c");
  const server = await bench.program("../netns/connect_load.c");
  return async () => {
    const serving = namespace.spawn(
      [server, "127.0.0.1", String(port), String(count), "--serve"],
      { stdout: "piped" },
    );
    const said = lineReader(serving.stdout);
    await said.read();
    const args = ["127.0.0.1", ...[port, rate, count].map(String)];
    const text = await namespace.run(...before, client, ...args);
    await serving.status;
    await said.cancel();
    const [connections, elapsedNs, medianNs, p99Ns] = text.trim().split(/\s+/).map(Number);
    return {
      connections,
      seconds: elapsedNs / 1e9,
      medianUs: medianNs / 1e3,
      p99Us: p99Ns / 1e3,
    };
  };
}
