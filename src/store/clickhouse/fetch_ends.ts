/**
 * Both ends of handshakes, fetched from a server to be joined here.
 *
 * @module
 */
import { NEEDED_COLUMNS } from "../pairs/matches_sql.ts";
import { fetchLines, type FetchOptions } from "./fetch_lines.ts";

/** The records of ends: one that has no number of the client's belongs to no other. */
const IS_END = "role IN ('client', 'server') AND client_isn IS NOT NULL";

/**
 * Fetches them for as long as something is done with them.
 *
 * @param use Given the file that has them, which is removed then. @throws {ServerError} Not all came.
 */
export async function withEnds<T>(
  options: Omit<FetchOptions, "columns" | "condition">,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "synsnoop-ends-" });
  try {
    const path = `${folder}/ends.ndjson`;
    await fetchLines(path, { ...options, columns: NEEDED_COLUMNS, condition: IS_END });
    return await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
