/**
 * The tables of a fleet's ClickHouse, made from the table of the record's fields: flat columns, of types
 * that version 18.16 has as well as present ones.
 *
 * @module
 */
import { FIELDS } from "../../record/fields.ts";
import {
  type Column,
  type ColumnType,
  COMMON,
  HANDSHAKE_COLUMNS,
  STATUS_COLUMNS,
} from "../query/columns.ts";

/** Version of these tables: another one has a column, type or identity that this one has not. */
export const SCHEMA_VERSION = 1;
/** The database where nobody names another. */
export const USUAL_DATABASE = "synsnoop";
/** The table that holds {@linkcode SCHEMA_VERSION}. */
export const VERSION_TABLE = "schema_version";
/** Follows the name of a table in a cluster, for the part of it that each server holds. */
const PART = "_part";

/** Types as ClickHouse names them. Times are nanoseconds of Unix time: DateTime64 came later. */
const CLICKHOUSE_TYPES: Readonly<Record<ColumnType, string>> = {
  text: "String",
  texts: "Array(String)",
  boolean: "UInt8",
  time: "Int64",
  // As text: the type JSON came later.
  json: "String",
  uint8: "UInt8",
  uint16: "UInt16",
  uint32: "UInt32",
  uint64: "UInt64",
  int64: "Int64",
};

/** A column of a table. */
export interface TableColumn extends Column {
  /** Whether a line may lack it; lists are empty then, others NULL. */
  isNullable: boolean;
  /** Its type as ClickHouse writes it. */
  sqlType: string;
}

/** A table of the schema. */
export interface Table {
  name: "handshakes" | "status";
  columns: readonly TableColumn[];
  /** What two rows have in common that are one: ReplacingMergeTree keeps one of them. */
  identity: readonly string[];
  /** What says which server of a cluster holds a row. */
  shardingKey: string;
}

/** Which host told a line: its id, or its name where it has none. */
export const HOST_KEY = "ifNull(host_id, host)";

const ALWAYS = new Set(FIELDS.filter(({ always }) => always === true).map(({ path }) => path));

function toTableColumn(column: Column): TableColumn {
  const isNullable = !ALWAYS.has(column.path) && column.type !== "texts" ||
    FIELDS.some(({ path, nullable }) => path === column.path && nullable === true);
  const type = CLICKHOUSE_TYPES[column.type];
  return { ...column, isNullable, sqlType: isNullable ? `Nullable(${type})` : type };
}

/** The handshakes, and what tracers told of themselves: status lines and summaries. */
export const TABLES: readonly Table[] = [
  {
    name: "handshakes",
    columns: HANDSHAKE_COLUMNS.map(toTableColumn),
    // By time first: what is asked is mostly of a time, and neighbours compress well.
    identity: [
      ...["time", HOST_KEY, "client_address", "client_port", "server_address", "server_port"],
      ...["ifNull(toUInt64(client_isn), 4294967296)", "ifNull(tracer, '')"],
    ],
    // Both ends of a handshake meet on one server, also where a NAT is between them.
    shardingKey: "ifNull(client_isn, 0)",
  },
  {
    name: "status",
    columns: [
      ...HANDSHAKE_COLUMNS.filter(({ name }) => COMMON.includes(name)),
      ...STATUS_COLUMNS,
    ].map(toTableColumn),
    identity: ["time", HOST_KEY, "ifNull(tracer, '')", "event"],
    shardingKey: `cityHash64(${HOST_KEY})`,
  },
];

/** Where the tables are, and on how many servers. */
export interface SchemaPlace {
  database: string;
  /** The cluster, as the servers' configuration names it; undefined: one server alone. */
  cluster: string | undefined;
}

/** 2105-12-31 as days since 1970: to old servers all later ones are one date, of several partitions. */
const DAY_MAX = 49_672;
/** Days since 1970, which ClickHouse shows as a date in whatever zone the server is. */
const DAY_SQL = `toDate(toUInt16(least(intDiv(time, 86400000000000), ${DAY_MAX})))`;

/**
 * The statements that make the tables on one server; those that are there stay as they are. The version
 * comes first: who was interrupted goes on where that fits.
 */
export function schemaSql({ database, cluster }: SchemaPlace): string[] {
  const at = `${clickHouseName(database)}.`;
  return [
    `CREATE DATABASE IF NOT EXISTS ${clickHouseName(database)}`,
    `CREATE TABLE IF NOT EXISTS ${at}${VERSION_TABLE} (version UInt32)\n` +
    "ENGINE = ReplacingMergeTree ORDER BY version",
    `INSERT INTO ${at}${VERSION_TABLE} (version) VALUES (${SCHEMA_VERSION})`,
    ...TABLES.flatMap((table) => {
      const { name, columns, identity, shardingKey } = table;
      const part = cluster === undefined ? name : name + PART;
      const lines = columns.map((column) =>
        `  ${clickHouseName(column.name)} ${column.sqlType} COMMENT ${
          clickHouseText(describe(column))
        }`
      );
      const partSql = `CREATE TABLE IF NOT EXISTS ${at}${part} (\n${lines.join(",\n")}\n)\n` +
        `ENGINE = ReplacingMergeTree PARTITION BY ${DAY_SQL}\nORDER BY (${identity.join(", ")})`;
      if (cluster === undefined) return [partSql];
      return [
        partSql,
        `CREATE TABLE IF NOT EXISTS ${at}${name} AS ${at}${part}\n` +
        `ENGINE = Distributed(${clickHouseName(cluster)}, ${clickHouseName(database)}, ` +
        `${clickHouseName(part)}, ${shardingKey})`,
      ];
    }),
  ];
}

function describe({ type, meaning, unit }: TableColumn): string {
  const shown = type === "time" ? "ns of Unix time" : unit;
  return shown === undefined ? meaning : `${meaning} (${shown})`;
}

/** The tables that {@linkcode schemaSql} makes, but for that of the version. */
export function tableNames({ cluster }: Pick<SchemaPlace, "cluster">): string[] {
  return TABLES.flatMap(({ name }) => cluster === undefined ? [name] : [name + PART, name]);
}

/** A name as ClickHouse's SQL writes it. */
export function clickHouseName(name: string): string {
  return `\`${name.replaceAll(/[\\`]/g, "\\$&")}\``;
}

/** A text as ClickHouse's SQL writes it. */
export function clickHouseText(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&").replaceAll("\0", "\\0")}'`;
}
