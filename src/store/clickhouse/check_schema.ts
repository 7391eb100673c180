/**
 * Whether a server has the tables that this version knows, and how they get there.
 *
 * @module
 */
import type { ClickHouseServer } from "./client.ts";
import {
  clickHouseText,
  SCHEMA_VERSION,
  type SchemaPlace,
  schemaSql,
  tableNames,
  TABLES,
  VERSION_TABLE,
} from "./schema.ts";
import { ServerError } from "./server_error.ts";

/** The oldest server whose SQL and types these are. */
const OLDEST = [18, 16] as const;

/** What a server has of the tables. */
export type SchemaState =
  | { kind: "same" }
  /** Nothing of them. */
  | { kind: "absent" }
  /** Tables of those names that are none of this version; nothing is changed. One sentence. */
  | { kind: "other"; sentence: string };

/**
 * Looks at the tables of a server and changes nothing.
 *
 * @throws {ServerError} It does not answer, or is too old.
 */
export async function checkSchema(
  server: ClickHouseServer,
  signal?: AbortSignal,
): Promise<SchemaState> {
  await server.open(signal);
  if (!server.isAtLeast(...OLDEST)) {
    throw new ServerError(
      "version",
      `ClickHouse at ${server.where} is ${server.version}: synsnoop needs ${
        OLDEST.join(".")
      } or later`,
    );
  }
  const found = await columnsOf(server);
  if (found.size === 0) return { kind: "absent" };
  const at = `database "${server.database}" of ${server.where}`;
  const other = (what: string): SchemaState => ({
    kind: "other",
    sentence: `The ${at} ${what}; nothing was changed`,
  });
  if (!found.has(VERSION_TABLE)) {
    return other(
      `has a table "${
        [...found.keys()].sort()[0]
      }" that synsnoop did not make: give another --database`,
    );
  }
  const { values } = await server.ask(`SELECT max(version), count() FROM ${VERSION_TABLE}`);
  const [version, rows] = values[0].map(Number);
  if (rows > 0 && version !== SCHEMA_VERSION) {
    return other(
      `has tables of version ${version}, and this synsnoop knows version ${SCHEMA_VERSION}: ` +
        (version > SCHEMA_VERSION ? "take a later synsnoop" : "give another --database"),
    );
  }
  // An earlier one was interrupted.
  if (!TABLES.every(({ name }) => found.has(name))) return { kind: "absent" };
  for (const { name, columns } of TABLES) {
    const types = found.get(name)!;
    const wrong = columns.find((column) => types.get(column.name) !== column.sqlType);
    if (wrong === undefined) continue;
    const type = types.get(wrong.name) ?? "nothing";
    return other(
      `has a table "${name}" of another version: its column ${wrong.name} is ${type}, not ` +
        `${wrong.sqlType}; give another --database`,
    );
  }
  return { kind: "same" };
}

/** The columns and types of each table of ours that is there. */
async function columnsOf(server: ClickHouseServer): Promise<Map<string, Map<string, string>>> {
  const names = [VERSION_TABLE, ...tableNames({ cluster: "any" })];
  const { values } = await server.ask(
    "SELECT table, name, type FROM system.columns " +
      `WHERE database = ${clickHouseText(server.database)} ` +
      `AND table IN (${names.map(clickHouseText).join(", ")})`,
  ).catch((error) => {
    if (error instanceof ServerError && error.fault === "no-database") return { values: [] };
    throw error;
  });
  const tables = new Map<string, Map<string, string>>();
  for (const [table, name, type] of values.map((row) => row.map(String))) {
    const columns = tables.get(table) ?? new Map();
    tables.set(table, columns.set(name, type));
  }
  return tables;
}

/**
 * Makes the tables on a server, where there are none.
 *
 * @returns Whether they were made now. @throws {ServerError} They cannot be, or others are there.
 */
export async function applySchema(
  server: ClickHouseServer,
  cluster: string | undefined,
): Promise<boolean> {
  const state = await checkSchema(server);
  if (state.kind === "other") throw new ServerError("version", state.sentence);
  if (state.kind === "same") return false;
  const place: SchemaPlace = { database: server.database, cluster };
  const [database, ...tables] = schemaSql(place);
  await server.run(database, { hasDatabase: false });
  for (const sql of tables) await server.run(sql);
  return true;
}
