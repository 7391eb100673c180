/**
 * What a record says whatever the moment: which fields it has, and the values of those that do not
 * change from one connection to the next.
 *
 * @module
 */
import type { HandshakeRecord } from "../../../src/record/record.ts";
import { firstPort } from "./delayed_network.ts";

/** What records of like connections have in common. */
export interface Shape {
  /** Paths of the fields that are there, sorted. */
  readonly fields: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Whether these are there is chance: accept() may come late, a kernel's sample of whole milliseconds is
 * not believed, and the server's process is looked for while its record waits.
 */
const CHANCE = /^(times\.accepted_ns|rtt\.kernel_server_ns|server\.process\..*)$/;

/** The shape of a record. */
export function shapeOf(record: HandshakeRecord): Shape {
  const { role, outcome, reason, evidence, network, client, server, packets, checks, flags } =
    record;
  const constant = ({ address, mss, window, window_scale, sack_permitted }: typeof client) => ({
    ...{ address, mss, window, window_scale, sack_permitted },
  });
  return {
    fields: pathsOf(record).filter((path) => !CHANCE.test(path)).toSorted(),
    values: {
      ...{ role, outcome, reason, evidence, type: network.type, packets, checks, flags },
      ...{ drop: record.drop, reset: record.reset, serverPort: firstPort(server.port) },
      ...{ client: constant(client), server: constant(server) },
      clientComm: client.process?.comm,
    },
  };
}

function pathsOf(value: object, prefix = ""): string[] {
  return Object.entries(value).flatMap(([key, each]) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? pathsOf(each, `${prefix}${key}.`)
      : [`${prefix}${key}`]
  );
}
