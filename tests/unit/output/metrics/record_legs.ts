/** The legs of a record by the definition of the network's round trip, written apart from the code. */
import type { HandshakeRecord } from "../../../../src/record/record.ts";

/** Nanoseconds; undefined where they are not known. */
export function networkRttOf({ role, rtt }: HandshakeRecord): number | undefined {
  const { client_ns: client, server_ns: server } = rtt;
  if (role === "client") return client;
  if (role === "server") return server;
  return client === undefined || server === undefined ? undefined : client + server;
}
