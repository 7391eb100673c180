import { countOf } from "../text/count.ts";
import { InputError } from "../files/input_error.ts";
import type { ByteWriter } from "../files/stream_output.ts";
import { askPairs, describeServerPairs } from "../store/clickhouse/ask_pairs.ts";
import { askServer, describeServerSql } from "../store/clickhouse/ask_server.ts";
import { CLICKHOUSE } from "../store/clickhouse/dialect.ts";
import { ask, describeSql } from "../store/query/ask.ts";
import { describePairsSql, findPairs } from "../store/pairs/find_pairs.ts";
import type { FoundPairs } from "../store/pairs/found_pairs.ts";
import { PAIR_QUESTIONS, type PairQuestion } from "../store/pairs/pair_questions.ts";
import type { AskedLines, RecordsOptions } from "../store/query/records.ts";
import { type Answer, formatCsv, formatJson, formatTable } from "../store/query/answer_text.ts";
import { DUCKDB } from "../store/query/dialect.ts";
import { LIBRARY_SIZE_MB, SqlError } from "../store/query/duckdb.ts";
import { QUESTIONS } from "../store/query/questions.ts";
import { toAscii } from "../text/ascii.ts";
import type { Command } from "./commands.ts";
import { Ending } from "./ending.ts";
import { FILTERS_HELP } from "./flags/filter_options.ts";
import { askingServer, sayFetch } from "./from_server.ts";
import { formatHelp, type Help } from "./help.ts";
import { ProgressLine } from "./process/progress_line.ts";
import { outputSurface, printText, sayNote } from "./process/terminal.ts";
import { parseQueryOptions, QUERY_FLAGS, type QueryOptions } from "./flags/query_options.ts";
import { ExitStatus } from "./usage.ts";

const STORE = "/var/lib/synsnoop";

/** What `query --help` tells. */
export const QUERY_HELP: Help = {
  summary: "Ask what happened, of a store or of files of records.",
  usage: [
    ["synsnoop query DIR|FILE... QUESTION [flags]", "DIR is what trace --store wrote"],
    ["synsnoop query --from URL QUESTION [flags]", "of what synsnoop ship handed to ClickHouse"],
  ],
  flags: QUERY_FLAGS,
  headings: {
    by: "What is asked",
    from: "Of a fleet",
    port: "Which handshakes",
    help: "More",
  },
  examples: [
    [`synsnoop query ${STORE} servers --since 1h`, "who was connected to in the last hour"],
    [`synsnoop query ${STORE} failures --since 1d`, "what failed, and why"],
    [`synsnoop query ${STORE} failures --by process,reason`, "the same by who it happened to"],
    [
      `synsnoop query ${STORE} over-time --bucket 5m --server-port 443`,
      "HTTPS, five minutes a row",
    ],
    [`synsnoop query ${STORE} slow --limit 5 --not-host 10.0.0.0/8`, "the slowest, and far away"],
    [`synsnoop query ${STORE} retransmissions --by interface`, "where SYNs are lost"],
    [`synsnoop query ${STORE} losses`, "what the tracers lost"],
    [`synsnoop query ${STORE} isn --json`, "facts of initial sequence numbers"],
    ["synsnoop query web1.ndjson db1.ndjson paths", "losses and delays between two hosts"],
    [
      "synsnoop query --from http://clickhouse:8123 failures --since 1h",
      "of a whole fleet, where synsnoop ship keeps it",
    ],
    ["synsnoop query web1.ndjson db1.ndjson.zst clients --csv", "of two hosts, for a spreadsheet"],
    [
      `synsnoop query ${STORE} --sql "SELECT outcome, count(*) FROM handshakes GROUP BY 1"`,
      "anything else",
    ],
  ],
  paragraphs: [
    ...[...Object.entries(QUESTIONS), ...Object.entries(PAIR_QUESTIONS)]
      .map(([name, { meaning }]) => `${name}: ${meaning}`),
    "Failures are all that did not become established. The network's round trip and this host's " +
    "time are taken from each record by its role. A handshake that two hosts, or two tracers, saw " +
    "counts once.",
    FILTERS_HELP,
    "The first question makes a Parquet file of each hour that is over, beside it where that may " +
    "be written, and one that says which handshakes several told; later ones read those. DuckDB answers, in memory and in this process: it is " +
    `fetched once, ${LIBRARY_SIZE_MB} MB, when the first question is asked.`,
    "--from asks ClickHouse, from version 18.16 on, and changes nothing there. A server of its cluster " +
    "that does not answer is an error, never a smaller number. The server takes --memory for a " +
    "question. --sql is ClickHouse's own there, and times are nanoseconds since 1970.",
    "--sql runs one SELECT, which can read nothing but those records. A column is a field of the " +
    "record, with underscores for the dots: client_process_comm. Beside them stand network_rtt_ns " +
    "and host_time_ns.",
  ],
  statuses: [
    [ExitStatus.Ok, "done"],
    [ExitStatus.Failed, "something could not be read (the answer is of what could), or was no SQL"],
    [ExitStatus.Usage, "wrong usage"],
    [ExitStatus.Interrupted, "interrupted"],
  ],
};

/** The command `query`. */
export const command: Command = { help: QUERY_HELP, run: query };

/**
 * The command `query`.
 *
 * @param args What follows the command's name. @param stdout Where the answer and help go.
 * @returns The exit status.
 * @throws {UsageError} One line for the user.
 */
export async function query(args: readonly string[], stdout: ByteWriter): Promise<number> {
  const options = parseQueryOptions(args);
  const print = async (text: string) =>
    await printText(stdout, text) ? ExitStatus.Ok : ExitStatus.Failed;
  if (options.help) return await print(formatHelp(QUERY_HELP));
  const { question, filter, from, memoryBytes } = options;
  if ("answerOf" in question) return await queryPairs(question, options, print);
  const asked = "sql" in question
    ? question
    : question.answer(from === undefined ? DUCKDB : CLICKHOUSE, options.ask);
  if (options.explainsSql) {
    return await print(
      from === undefined
        ? describeSql(filter, asked)
        : describeServerSql(from.database, filter, asked),
    );
  }
  const tell = async ({ lines, ...answer }: Answer & { lines: AskedLines }) => {
    const isWhole = sayLines(lines);
    if (answer.rows.length === 0 && lines.records > 0) {
      sayNote(
        `nothing of that kind among ${countOf(lines.records, "record")}`,
      );
    }
    return await printText(stdout, format(answer, options.format)) && isWhole;
  };
  if (from !== undefined) {
    return await askingServer(
      from,
      async (server, signal) =>
        await tell(await askServer({ server, filter, asked, memoryBytes, signal })),
    );
  }
  return await asking(
    options,
    async (records) => await tell(await ask({ ...records, asked })),
  );
}

/** Asks what needs both ends of handshakes. */
async function queryPairs(
  question: PairQuestion,
  options: QueryOptions,
  print: (text: string) => Promise<number>,
): Promise<number> {
  const { from, filter } = options;
  if (options.explainsSql) {
    return await print(
      from === undefined ? describePairsSql() : describeServerPairs(from.database, filter),
    );
  }
  const tell = async (found: FoundPairs) => {
    const answer = await question.answerOf(found, options.ask.limit);
    const isWhole = sayLines(found.lines);
    for (const note of found.notes) sayNote(note);
    return await print(format(answer, options.format)) === ExitStatus.Ok && isWhole;
  };
  return from === undefined
    ? await asking(options, async (records) => await findPairs(records, tell))
    : await askingServer(from, async (server, signal) => {
      return await tell(await askPairs({ ...options, server, signal }));
    });
}

/**
 * Does something with records that a database reads: says what it waits for, and how it fails.
 *
 * @param work Hands on whether all was read and written. @returns The exit status.
 */
export async function asking(
  { inputs, filter, memoryBytes }: Pick<QueryOptions, "inputs" | "filter" | "memoryBytes">,
  work: (options: RecordsOptions) => Promise<boolean>,
): Promise<number> {
  const progress = new ProgressLine();
  const ending = Ending.listen({ report: () => "the question is not answered yet" });
  let isInterrupted = false;
  try {
    const isDone = await work({
      inputs,
      filter,
      memoryBytes,
      onFetch: sayFetch,
      onBegin: (interrupt) =>
        ending.asked.then(() => {
          isInterrupted = true;
          interrupt();
        }),
      onProgress: (at, count) => {
        if (at < count) progress.show(`reading ${at + 1} of ${count}`);
        else progress.clear();
      },
    });
    return isDone ? ExitStatus.Ok : ExitStatus.Failed;
  } catch (error) {
    if (isInterrupted) return ExitStatus.Interrupted;
    if (error instanceof InputError) sayNote(error.message);
    else if (error instanceof SqlError) sayNote(`Cannot answer: ${error.message}`);
    else throw error;
    return ExitStatus.Failed;
  } finally {
    progress.clear();
  }
}

function format(answer: Answer, kind: QueryOptions["format"]): string {
  if (kind === "json") return formatJson(answer);
  if (kind === "csv") return formatCsv(answer);
  const table = formatTable(answer);
  return outputSurface().utf8 ? table : toAscii(table);
}

/** Says what of the lines could not be asked. @returns Whether all of them could be read. */
export function sayLines({ refused, newerVersion, records }: AskedLines): boolean {
  for (const { file, told } of refused) sayNote(`Cannot read all of "${file}": ${told}`);
  if (newerVersion !== undefined) {
    sayNote(
      `records of version ${newerVersion} are there: what this version does not know is left out`,
    );
  }
  if (records === 0) sayNote("no handshake is there that was asked for");
  return refused.length === 0;
}
