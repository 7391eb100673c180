import type { HandshakeFilter } from "../../pipeline/filter.ts";
import { PAIR_QUESTIONS, type PairQuestion } from "../../store/pairs/pair_questions.ts";
import { type Ask, type Key, KEYS, type Question, QUESTIONS } from "../../store/query/questions.ts";
import { MEMORY_MIN_BYTES } from "../../store/query/duckdb.ts";
import { FILTER_FLAGS, parseFilter } from "./filter_options.ts";
import { type Flag, type ParsedFlags, parseFlags } from "./flags.ts";
import { FROM_FLAGS, parseFrom } from "../from_server.ts";
import { askNearest } from "./nearest.ts";
import type { ServerChoice } from "./server_options.ts";
import { STANDARD_INPUT } from "./read_options.ts";
import { UsageError } from "../usage.ts";
import { parseChoice, parseDuration, parseInteger, parseSize } from "./values.ts";

/** How an answer is written. */
export const ANSWER_FORMATS = ["table", "json", "csv"] as const;

const LIMIT = 20;
/** Rows of `over-time`: a day in minutes. */
const TIME_LIMIT = 1_440;
const LIMIT_MAX = 1_000_000;
const BUCKET_SECONDS = 60;
const MEMORY_BYTES = 512e6;

/** The flag that bounds the database. */
export const MEMORY_FLAG: Flag = {
  name: "memory",
  value: "SIZE",
  meaning: "memory that asking takes, roughly (default 512M)",
};

/** The flags of `query`. */
export const QUERY_FLAGS: readonly Flag[] = [
  {
    name: "by",
    value: "KEY",
    many: true,
    completes: Object.keys(KEYS),
    meaning: `what a row is made of: ${Object.keys(KEYS).join(", ")}`,
  },
  { name: "bucket", value: "TIME", meaning: "the span of a row of over-time (default 60s)" },
  {
    name: "limit",
    value: "N",
    meaning: `rows at most (default ${LIMIT}; over-time: ${TIME_LIMIT})`,
  },
  {
    name: "sql",
    value: "SELECT",
    meaning: "ask this instead, of the views handshakes, records and status",
  },
  { name: "explain-sql", meaning: "print what would be run, and run nothing" },
  { name: "json", meaning: "NDJSON: an object a row" },
  { name: "csv", meaning: "comma-separated values" },
  MEMORY_FLAG,
  ...FROM_FLAGS,
  ...FILTER_FLAGS,
  { name: "help", meaning: "show this" },
];

/** What `query` was asked. */
export interface QueryOptions {
  help: boolean;
  inputs: readonly string[];
  /** The server that is asked in their place. */
  from: ServerChoice | undefined;
  /** The question, or the SQL that was given. */
  question: Question | PairQuestion | { sql: string };
  ask: Ask;
  filter: HandshakeFilter;
  explainsSql: boolean;
  format: typeof ANSWER_FORMATS[number];
  memoryBytes: number;
}

/**
 * Reads the command line of `query`.
 *
 * @throws {UsageError} One line for the user.
 */
export function parseQueryOptions(args: readonly string[]): QueryOptions {
  const parsed = parseFlags(args, QUERY_FLAGS);
  const { switches, values, operands } = parsed;
  const help = switches.has("help");
  const one = <T>(flag: string, parse: (flag: string, text: string) => T): T | undefined =>
    values.get(flag)?.map((text) => parse(flag, text))[0];
  const sql = values.get("sql")?.[0];
  const from = parseFrom(parsed);
  const { question, inputs } = help
    ? { question: { sql: "" }, inputs: [] }
    : chooseQuestion(operands, sql, from !== undefined);
  const by = values.get("by")?.map((text) => parseChoice("by", text, Object.keys(KEYS) as Key[]));
  refuseUnused(question, parsed);
  const hasBuckets = "answer" in question && question.hasBuckets === true;
  refuseStandardInput(inputs);
  return {
    help,
    inputs,
    from,
    question,
    ask: {
      by,
      bucketSeconds: Math.ceil((one("bucket", parseDuration) ?? BUCKET_SECONDS * 1e3) / 1e3),
      limit: one("limit", (flag, text) => parseInteger(flag, text, 1, LIMIT_MAX)) ??
        (hasBuckets ? TIME_LIMIT : LIMIT),
    },
    filter: parseFilter(parsed),
    explainsSql: switches.has("explain-sql"),
    format: parseAnswerFormat(parsed),
    memoryBytes: parseMemory(parsed),
  };
}

function chooseQuestion(
  operands: readonly string[],
  sql: string | undefined,
  isFromServer: boolean,
): Pick<QueryOptions, "question" | "inputs"> {
  const names = [...Object.keys(QUESTIONS), ...Object.keys(PAIR_QUESTIONS)];
  const last = operands.at(-1);
  const surplus = isFromServer ? operands[sql === undefined ? operands.length - 2 : 0] : undefined;
  if (surplus !== undefined) {
    throw new UsageError(`Cannot ask "${surplus}" with --from: give a store or a server`);
  }
  if (sql !== undefined) {
    if (last === undefined && !isFromServer) {
      throw new UsageError("Cannot ask nothing: give a store or FILEs");
    }
    return { question: { sql }, inputs: operands };
  }
  if (last === undefined) {
    throw new UsageError(
      `Cannot ask nothing: give ${isFromServer ? "" : "a store or FILEs, and "}` +
        `a question: ${names.join(", ")}`,
    );
  }
  if (!names.includes(last)) {
    const meant = askNearest(last, names);
    const isInput = !isFromServer &&
      (/[./]/.test(last) || meant === undefined && operands.length === 1);
    throw new UsageError(
      isInput
        ? `Cannot ask nothing of "${last}": give a question behind it: ${listOf(names)}, or --sql`
        : `Cannot ask "${last}": ${meant ?? `ask ${listOf(names)}, or give --sql`}`,
    );
  }
  if (operands.length === 1 && !isFromServer) {
    throw new UsageError(`Cannot ask ${last} of nothing: give a store or FILEs before it`);
  }
  return { question: QUESTIONS[last] ?? PAIR_QUESTIONS[last], inputs: operands.slice(0, -1) };
}

/** Refuses what can be read once alone. @throws {UsageError} One line for the user. */
export function refuseStandardInput(inputs: readonly string[]): void {
  if (!inputs.includes(STANDARD_INPUT)) return;
  throw new UsageError(
    "Cannot ask standard input: it is read here and there; write it into a FILE first " +
      "(read --stats - counts it as it comes)",
  );
}

function listOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** Refuses what the question has no use for, instead of leaving it out in silence. */
function refuseUnused(question: QueryOptions["question"], { values }: ParsedFlags): void {
  const isSql = "sql" in question;
  const useless = [
    ["by", !("answer" in question) || question.by === undefined],
    ["bucket", !("answer" in question) || !question.hasBuckets],
    ["limit", isSql],
  ] as const;
  const flag = useless.find(([name, isUseless]) => isUseless && values.has(name))?.[0];
  if (flag === undefined) return;
  throw new UsageError(
    `Cannot use --${flag} ${isSql ? "with --sql: say it in SQL" : "with this question"}`,
  );
}

function parseAnswerFormat({ switches }: ParsedFlags): QueryOptions["format"] {
  const [one = "table", other] = (["json", "csv"] as const).filter((each) => switches.has(each));
  if (other !== undefined) throw new UsageError(`Cannot use --${one} with --${other}: give one`);
  return one;
}

/** Reads {@linkcode MEMORY_FLAG}. @returns Bytes. @throws {UsageError} It is too little. */
export function parseMemory({ values }: ParsedFlags): number {
  const [text] = values.get(MEMORY_FLAG.name) ?? [];
  if (text === undefined) return MEMORY_BYTES;
  const bytes = parseSize(MEMORY_FLAG.name, text);
  if (bytes >= MEMORY_MIN_BYTES) return bytes;
  throw new UsageError(
    `Cannot use --${MEMORY_FLAG.name} "${text}": give at least ${MEMORY_MIN_BYTES / 1e6}M`,
  );
}
