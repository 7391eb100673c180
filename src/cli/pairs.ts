import { type ByteWriter, StreamOutput } from "../files/stream_output.ts";
import { askPairs } from "../store/clickhouse/ask_pairs.ts";
import { findPairs } from "../store/pairs/find_pairs.ts";
import type { FoundPairs } from "../store/pairs/found_pairs.ts";
import {
  clockLines,
  describeUnjoined,
  type LastOfClocks,
  lastOfClocks,
  pairLine,
  pairTables,
} from "../store/pairs/pair_text.ts";
import { VERDICTS } from "../match/both_ends.ts";
import { toAscii } from "../text/ascii.ts";
import type { Command } from "./commands.ts";
import { FILTERS_HELP } from "./flags/filter_options.ts";
import { askingServer } from "./from_server.ts";
import { formatHelp, type Help } from "./help.ts";
import { PAIRS_FLAGS, parsePairsOptions } from "./flags/pairs_options.ts";
import { outputSurface, printText, sayNote } from "./process/terminal.ts";
import { asking, sayLines } from "./query.ts";
import { ExitStatus } from "./usage.ts";

/** What `pairs --help` tells. */
export const PAIRS_HELP: Help = {
  summary: "Join both ends of each handshake that two hosts saw: where on the way did it fail?",
  usage: [
    ["synsnoop pairs DIR|FILE... [flags]", "stores or records of several hosts"],
    ["synsnoop pairs --from URL [flags]", "of what synsnoop ship handed to ClickHouse"],
  ],
  flags: PAIRS_FLAGS,
  headings: {
    json: "How it is told",
    from: "Of a fleet",
    port: "Which handshakes",
    help: "More",
  },
  examples: [
    ["synsnoop pairs web1.ndjson db1.ndjson", "the way between two hosts, and their clocks"],
    ["synsnoop pairs /srv/stores --since 1h --json >pairs.ndjson", "a line for each handshake"],
  ],
  paragraphs: [
    "An end belongs to another by addresses, ports and the client's initial sequence number (tier " +
    "1), by both initial sequence numbers where a NAT is between (2), or by the client's number and " +
    "the server's address and port, where one end knows no answer and the match is the only one (3).",
    ...Object.entries(VERDICTS).map(([verdict, meaning]) => `${verdict}: ${meaning}.`),
    "The network's round trip is the client's less what the server took, and needs no clock. How " +
    "far the second clock is ahead is bounded by causality alone, a minute at a time. A packet's " +
    "wait is what it took beyond the least of its minute. Where a way takes longer since some time, it is " +
    "said which, since when and by how much; a delay that was always there cannot be told from the " +
    "clocks.",
    "syn_lost and refused_on_the_way of one end alone are claimed only where status lines show that " +
    "the server's host was tracing without a filter.",
    "--from has ClickHouse join them, from version 18.16 on: nothing but the answer comes here. The " +
    "server takes --memory for each of its questions. A server of its cluster that does not answer is " +
    "an error, never a smaller number.",
    FILTERS_HELP,
  ],
  statuses: [
    [ExitStatus.Ok, "done"],
    [
      ExitStatus.Failed,
      "something could not be read (the pairs are of what could), or is of one host alone",
    ],
    [ExitStatus.Usage, "wrong usage"],
    [ExitStatus.Interrupted, "interrupted"],
  ],
};

/** The command `pairs`. */
export const command: Command = { help: PAIRS_HELP, run: pairs };

/**
 * The command `pairs`.
 *
 * @param args What follows the command's name. @param stdout Where the answer and help go.
 * @returns The exit status.
 * @throws {UsageError} One line for the user.
 */
export async function pairs(args: readonly string[], stdout: ByteWriter): Promise<number> {
  const options = parsePairsOptions(args);
  if (options.help) {
    return await printText(stdout, formatHelp(PAIRS_HELP)) ? ExitStatus.Ok : ExitStatus.Failed;
  }
  const tell = async (found: FoundPairs) => {
    const isWhole = sayLines(found.lines);
    for (const note of found.notes) sayNote(note);
    const isWritten = options.json
      ? await writeLines(found, stdout)
      : await writeTables(found, stdout);
    return isWritten && isWhole;
  };
  const { from } = options;
  return from === undefined
    ? await asking(options, async (asked) => await findPairs(asked, tell))
    : await askingServer(from, async (server, signal) => {
      return await tell(await askPairs({ ...options, server, signal }));
    });
}

/** Writes a line for each. @returns Whether all were written. */
async function writeLines(found: FoundPairs, stdout: ByteWriter): Promise<boolean> {
  let isWritten = true;
  const output = new StreamOutput(stdout, (reason) => isWritten = reason === undefined);
  for await (const rows of found.pairs()) {
    output.write(rows.map(pairLine).join(""), 0);
    await output.flush();
    if (!isWritten) return false;
  }
  for await (const clocks of found.clocks()) {
    output.write(clockLines(clocks), 0);
    await output.flush();
  }
  return isWritten;
}

async function writeTables(found: FoundPairs, stdout: ByteWriter): Promise<boolean> {
  const clocks: LastOfClocks[] = [];
  for await (const each of found.clocks()) clocks.push(lastOfClocks(each));
  const paths = await found.paths();
  for (const note of describeUnjoined(paths)) sayNote(note);
  const tables = pairTables(paths, clocks);
  return await printText(stdout, outputSurface().utf8 ? tables : toAscii(tables));
}
