/**
 * ClickHouse's SQL: what questions are made of, so that version 18.16 answers them as well as present
 * ones do.
 *
 * @module
 */
import type { Network } from "../../pipeline/filter.ts";
import type { Dialect } from "../query/dialect.ts";
import { clickHouseText } from "./schema.ts";

const SHARES = 1_000;
/** Added to nanoseconds of less than 95 years either way, has them be of as many digits. */
const LEAST_SHIFT = "4000000000000000000";
const WORD_BITS = 32;
/** `"name":12`, whatever is in the name; and the two parts of it. */
const MEMBER = String.raw`"(?:[^"\\]|\\.)*":[0-9]+`;
const [MEMBER_NAME, MEMBER_NUMBER] = ['^"(.*)":', ":([0-9]+)$"];
/** Texts that are addresses as records have them: of anything else present versions make an error. */
const OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV4 = String.raw`^${OCTET}(\.${OCTET}){3}$`;
const IPV6 = "^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}$";
const GROUPS = "([0-9a-f]{1,4}(:[0-9a-f]{1,4}){0,5})?";
/** One that leaves out zeros: so many colons are in it at most. */
const SHORT_IPV6 = `^${GROUPS}::${GROUPS}$`;
const COLONS_MAX = 7;
/** How the 16 bytes of an IPv4 address begin, and how many bits that is. */
const [MAPPED, IPV4_MAPPED_BITS] = ["FFFF".padStart(24, "0"), 96];

/** ClickHouse's. */
export const CLICKHOUSE: Dialect = {
  countIf: (condition) => `countIf(${condition})`,
  // quantileExact takes another value where a share ends between two.
  quantiles: (shares, value) =>
    shares.map((share) => {
      const rest = Math.round((1 - share) * SHARES);
      return `if(count(${value}) = 0, NULL, arraySort(groupArray(${value}))[` +
        `count(${value}) - intDiv(count(${value}) * ${rest}, ${SHARES})])`;
    }),
  ofGreatest: (value, greatest) => `argMax(${value}, ${greatest})`,
  bucket: (time, seconds) => `intDiv(${time}, ${seconds * 1e9}) * ${seconds * 1e9}`,
  ns: (time) => time,
  quotient: (value, by) => `intDiv(${value}, ${by})`,
  withBefore: ({ columns, from, keys, order, values }) => {
    const named = columns.map(nameOf);
    // What all rows of a group share need not be in each of them.
    const shared = named.filter(([sql]) => keys.includes(sql));
    const own = named.filter(([sql]) => !keys.includes(sql));
    const place = (name: string) => own.findIndex(([, each]) => each === name) + 1;
    const now = own.map(([, name]) => `now.${place(name)} AS ${name}`);
    const before = values.map((name) =>
      `if(nth = 1, NULL, before.${place(name)}) AS ${name}_before`
    );
    return `SELECT ${[...shared.map(([, name]) => name), ...now, ...before].join(", ")}
FROM (
  SELECT ${shared.map(([sql, name]) => `${sql} AS ${name}, `).join("")}arraySort(row -> row.${
      place(order)
    }, groupArray((${own.map(([sql]) => sql).join(", ")}))) AS those
  FROM ${from} GROUP BY ${keys.join(", ")}
) ARRAY JOIN those AS now, ${BEFORE} AS before, arrayEnumerate(those) AS nth`;
  },
  withLeast: ({ columns, from, keys, values }) => {
    const named = columns.map(nameOf);
    const now = named.map(([, name], at) => `now.${at + 1} AS ${name}`);
    const least = values.map((name) => `min(${name}) AS ${name}_least`);
    return `SELECT ${[...now, ...values.map((name) => `${name}_least`)].join(", ")}
FROM (
  SELECT groupArray((${named.map(([, name]) => name).join(", ")})) AS those, ${least.join(", ")}
  FROM (SELECT ${
      named.map(([sql, name]) => `${sql} AS ${name}`).join(", ")
    } FROM ${from}) AS each_row
  GROUP BY ${keys.join(", ")}
) AS of_keys ARRAY JOIN those AS now`;
  },
  each: (values) => `arrayJoin([${values.join(", ")}])`,
  alternatives: (from, ways) => {
    const names = Object.keys(ways[0]);
    const told = ways.map((way) => `(${names.map((name) => way[name]).join(", ")})`);
    return `SELECT ${names.map((name, at) => `way.${at + 1} AS ${name}`).join(", ")} ` +
      `FROM (SELECT arrayJoin([${told.join(", ")}]) AS way FROM ${from}) AS ways_of_each`;
  },
  // Both as one text of digits, whose order is theirs: no version compares pairs of numbers here.
  leastWith: (value, least) => {
    const both = `min(concat(toString(${least} + ${LEAST_SHIFT}), toString(${value})))`;
    const digits = LEAST_SHIFT.length;
    return [
      `toInt64(substring(${both}, ${digits + 1}))`,
      `toInt64(substring(${both}, 1, ${digits})) - ${LEAST_SHIFT}`,
    ];
  },
  rounded: (value) => `toInt64(round(${value}))`,
  join: (...parts) => `concat(${parts.join(", ")})`,
  asText: (value) => `toString(${value})`,
  asInteger: (value) => `toInt64(${value})`,
  // It takes them modulo 2^64.
  ifItFits: (sum) => `(${sum})`,
  asUnsigned: (value) => `toUInt64(${value})`,
  xor: (one, other) => `bitXor(${one}, ${other})`,
  lowBits: (value) => `bitAnd(${value}, ${2 ** WORD_BITS - 1})`,
  shiftRight: (value, bits) => `bitShiftRight(${value}, ${bits})`,
  has: (list, text) => `has(${list}, ${clickHouseText(text)})`,
  startsWith: (text, begin) => `startsWith(${text}, ${clickHouseText(begin)})`,
  inNetwork: (address, network) => {
    const [first, last] = bounds(network);
    // As 16 bytes, that of IPv4 within ::ffff:0:0/96.
    const isIpv6 = `(${isLike(address, IPV6)} OR (${isLike(address, SHORT_IPV6)} AND ` +
      `length(replaceRegexpAll(${address}, '[^:]', '')) <= ${COLONS_MAX}))`;
    const bytes = `hex(IPv6StringToNum(multiIf(${isLike(address, IPV4)}, ` +
      `concat('::ffff:', ${address}), ${isIpv6}, ${address}, '::')))`;
    const isAddress = `(${isLike(address, IPV4)} OR ${isIpv6})`;
    // `::/0` means IPv6, as everywhere.
    const isOther = network.bits < IPV4_MAPPED_BITS ? ` AND ${bytes} NOT LIKE '${MAPPED}%'` : "";
    return `(${isAddress} AND ${bytes} BETWEEN '${first}' AND '${last}'${isOther})`;
  },
  text: clickHouseText,
  // It has no WITH for tables: so the table is made again wherever it is asked.
  withTables: (tables, use) => ({ sql: use((name) => `(${tables[name]}) AS ${name}`) }),
  members: ({ rows, json, name, number }) =>
    `SELECT *, extract(member, ${clickHouseText(MEMBER_NAME)}) AS ${name}, ` +
    `toInt64(extract(member, ${clickHouseText(MEMBER_NUMBER)})) AS ${number}
FROM (SELECT *, arrayJoin(extractAll(ifNull(${json}, ''), ${clickHouseText(MEMBER)})) AS member ` +
    `FROM (${rows}) AS told) AS members`,
};

/** `SQL AS NAME`, or a name alone. */
function nameOf(column: string): [sql: string, name: string] {
  const at = column.lastIndexOf(" AS ");
  return at < 0 ? [column, column] : [column.slice(0, at), column.slice(at + 4)];
}

/** Of the rows of an array the one before each; for the first itself. */
export const BEFORE = "arrayConcat(arraySlice(those, 1, 1), arrayPopBack(those))";

function isLike(text: string, pattern: string): string {
  return `match(${text}, ${clickHouseText(pattern)})`;
}

/** The first and the last address of a network, as 32 hexadecimal digits each. */
function bounds({ words, bits }: Network): [first: string, last: string] {
  const hex = (word: (at: number) => number) =>
    Array.from({ length: 4 }, (_, at) => (word(at) >>> 0).toString(16).padStart(8, "0")).join("")
      .toUpperCase();
  const mask = (at: number) => {
    const own = Math.min(WORD_BITS, Math.max(0, bits - at * WORD_BITS));
    return own === 0 ? 0 : -1 << (WORD_BITS - own);
  };
  return [hex((at) => words[at] & mask(at)), hex((at) => words[at] | ~mask(at))];
}
