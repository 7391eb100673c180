/**
 * Tables of ClickHouse with lines in them, as they are shipped.
 *
 * @module
 */
import { applySchema } from "../../src/store/clickhouse/check_schema.ts";
import { ClickHouseServer } from "../../src/store/clickhouse/client.ts";
import { flattenLine } from "../../src/store/ship/flatten.ts";
import { type ClickHouseFleet, CLUSTER } from "../clickhouse_fleet.ts";

/** The usual database of a server. */
export function serverAt(origin: string): ClickHouseServer {
  return new ClickHouseServer({ origin, database: "synsnoop" });
}

/** Makes the tables on all servers of a fleet. @returns The first of them. */
export async function makeTables(
  fleet: ClickHouseFleet,
  servers: number,
): Promise<ClickHouseServer> {
  for (let at = 0; at < servers; at++) {
    using server = serverAt(fleet.url(at));
    await applySchema(server, servers > 1 ? CLUSTER : undefined);
  }
  return serverAt(fleet.url());
}

/** Inserts lines, and half of them again, as after a crash. @throws {Error} One is none of ours. */
export async function insertLines(server: ClickHouseServer, lines: string): Promise<void> {
  const rows = lines.split("\n").filter((line) => line !== "").map((line) => {
    const row = flattenLine(line);
    if (row.kind !== "row") throw new Error(`Cannot insert ${line}`);
    return row;
  });
  // What is acknowledged is then stored, whatever server of a cluster it belongs to.
  const settings = { insert_distributed_sync: 1 };
  for (const table of ["handshakes", "status"] as const) {
    const texts = rows.flatMap((row) => row.table === table ? row.json : []);
    if (texts.length === 0) continue;
    for (const some of [texts, texts.slice(texts.length / 2)]) {
      await server.insert(table, new TextEncoder().encode(some.join("")), { settings });
    }
  }
}
