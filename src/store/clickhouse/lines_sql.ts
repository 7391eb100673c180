/**
 * What lets a present ClickHouse take raw lines of NDJSON, for those who bring them by other means than
 * `ship`: it flattens them itself, into the same tables.
 *
 * @module
 */
import { clickHouseName, clickHouseText, type TableColumn, TABLES } from "./schema.ts";

/** The table that lines are inserted into; it holds nothing itself. */
const LINES = "lines";
/** Which lines are of which table, by their `event`. */
const EVENTS = { handshakes: ["handshake"], status: ["status", "summary"] } as const;

/**
 * The statements, beside those of `schemaSql`. They need ClickHouse 21.11 or later, for `LineAsString`
 * and times of nanoseconds.
 *
 * @param database The database that has the tables.
 */
export function linesSql(database: string): string[] {
  const at = `${clickHouseName(database)}.`;
  return [
    `CREATE TABLE IF NOT EXISTS ${at}${LINES} (line String) ENGINE = Null`,
    ...TABLES.map(({ name, columns }) => {
      const selected = columns.map((column) =>
        `  ${extractSql(column)} AS ${clickHouseName(column.name)}`
      );
      const events = EVENTS[name].map(clickHouseText).join(", ");
      return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${at}${LINES}_to_${name} TO ${at}${name} AS SELECT\n` +
        `${selected.join(",\n")}\nFROM ${at}${LINES}\n` +
        `WHERE JSONExtractString(line, 'event') IN (${events})`;
    }),
  ];
}

function extractSql({ path, type, sqlType, isNullable }: TableColumn): string {
  const place = ["line", ...path.split(".").map(clickHouseText)].join(", ");
  const extract = (as: string) => `JSONExtract(${place}, ${clickHouseText(as)})`;
  const nullable = (as: string) => isNullable ? `Nullable(${as})` : as;
  switch (type) {
    case "time":
      return `toUnixTimestamp64Nano(parseDateTime64BestEffort${isNullable ? "OrNull" : ""}(${
        extract(nullable("String"))
      }, 9, 'UTC'))`;
    case "boolean":
      return `CAST(${extract(nullable("Bool"))}, ${clickHouseText(sqlType)})`;
    case "json":
      return `nullIf(JSONExtractRaw(${place}), '')`;
    default:
      return extract(sqlType);
  }
}
