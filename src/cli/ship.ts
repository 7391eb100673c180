import type { ByteWriter } from "../files/stream_output.ts";
import type { PageServer } from "../http/page_server.ts";
import { ownFigures } from "../linux/process_figures.ts";
import { applySchema } from "../store/clickhouse/check_schema.ts";
import { ClickHouseServer } from "../store/clickhouse/client.ts";
import { schemaSql } from "../store/clickhouse/schema.ts";
import { ServerError } from "../store/clickhouse/server_error.ts";
import { describeLag, describeLosses, describeShipped } from "../store/ship/ship_counts.ts";
import { shipFamilies } from "../store/ship/ship_metrics.ts";
import { ShipError, Shipper } from "../store/ship/shipper.ts";
import { StateFile } from "../store/ship/state_file.ts";
import { messageOf } from "../text/message.ts";
import { type Command, print } from "./commands.ts";
import { withConfig } from "./flags/configured.ts";
import { Ending } from "./ending.ts";
import { formatHelp, type Help } from "./help.ts";
import { readConfigText } from "./process/config_text.ts";
import { sayNote } from "./process/terminal.ts";
import { loadServers, PASSWORD_VARIABLE, USER_VARIABLE } from "./flags/server_options.ts";
import { answerShipMetrics } from "./ship_metrics_server.ts";
import { parseShipOptions, SHIP_FLAGS, type ShipOptions } from "./flags/ship_options.ts";
import { ExitStatus } from "./usage.ts";
import { readVersion } from "./version.ts";

const STORE = "/var/lib/synsnoop";
/** How long a try that is under way may take after a signal, milliseconds. */
const LEAVE_MS = 5_000;
/** With --once: how long all servers may be away. */
const PATIENCE_MS = 60_000;
/** How long an insert may take: one that takes longer is made again. */
const INSERT_MS = 120_000;

/** What `ship --help` tells. */
export const SHIP_HELP: Help = {
  summary: "Ship a store into ClickHouse, where a whole fleet is asked at once.",
  usage: [
    ["synsnoop ship DIR --to URL... [flags]", "DIR is what trace --store writes"],
    ["synsnoop ship --apply --to URL... [--cluster NAME]", "make the tables, on each of them"],
    ["synsnoop ship --ddl [--cluster NAME]", "print what makes the tables"],
  ],
  flags: SHIP_FLAGS,
  headings: {
    to: "Where to",
    state: "How",
    metrics: "Metrics",
    config: "More",
  },
  examples: [
    ["synsnoop ship --apply --to http://127.0.0.1:8123", "make the tables on one server"],
    [`synsnoop ship ${STORE} --to http://127.0.0.1:8123`, "ship what is there, and what comes"],
    [`synsnoop ship ${STORE} --to http://127.0.0.1:8123 --once`, "ship what is there"],
    [
      "synsnoop ship --apply --cluster fleet --to http://ch1:8123,http://ch2:8123,http://ch3:8123",
      "make the tables on three servers, spread over all of them",
    ],
    [
      `synsnoop ship ${STORE} --to https://ch1:8443 --ca ca.pem --password-file password`,
      "as a user with a password, over TLS",
    ],
  ],
  paragraphs: [
    "Each record becomes a row with a column for each of its fields, and arrives at least once: what a " +
    "server has not acknowledged is sent again, also after either of both was killed. A record that " +
    "arrived twice is one row, by its host, time, addresses, ports and initial sequence number. Status " +
    "lines and summaries have a table of their own, so that it is known who was watching when.",
    "It needs no right but to read DIR and to write --state. A server that is away, overloaded or full " +
    "is tried again, at most half a minute later; the records wait in the store. Segments that --keep " +
    "or --keep-size remove before that are told as lost.",
    `The user and the password may be in ${USER_VARIABLE} and ${PASSWORD_VARIABLE}; they are ` +
    "refused in an address, because every user of a machine reads its command lines.",
    "ClickHouse 18.16 or later. Rows are spread by the client's initial sequence number, so both ends " +
    "of a handshake are on one server. src/store/ship tells of sizes and limits, and shows the same " +
    "with Vector, Fluent Bit and rsyslog.",
  ],
  statuses: [
    [ExitStatus.Ok, "done, or ended by a signal: what waits is shipped next time"],
    [ExitStatus.Failed, "could not go on, or not ship all that is there with --once"],
    [ExitStatus.Usage, "wrong usage"],
    [ExitStatus.Interrupted, "interrupted twice"],
  ],
};

/** The command `ship`. */
export const command: Command = {
  help: SHIP_HELP,
  run: (args, output) =>
    withConfig(
      args,
      { name: "ship", flags: SHIP_FLAGS },
      readConfigText,
      (all) => ship(all, output),
    ),
};

async function ship(args: readonly string[], output: ByteWriter): Promise<number> {
  const options = parseShipOptions(args);
  const { help, printsDdl, applies, folder, cluster } = options;
  if (help) return await print(output, { text: formatHelp(SHIP_HELP) });
  if (printsDdl) {
    const { database } = options.servers;
    const statements = schemaSql({ database, cluster }).map((sql) => `${sql};\n`);
    return await print(output, { text: statements.join("\n") });
  }
  const servers: ClickHouseServer[] = [];
  try {
    for (const each of loadServers(options.servers)) {
      servers.push(new ClickHouseServer({ ...each, limits: { answerMs: INSERT_MS } }));
    }
    if (applies) await apply(servers, cluster);
    return folder === undefined ? ExitStatus.Ok : await follow(folder, servers, options);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    sayNote(error.message);
    return ExitStatus.Failed;
  } finally {
    for (const server of servers) server[Symbol.dispose]();
  }
}

async function apply(
  servers: readonly ClickHouseServer[],
  cluster: string | undefined,
): Promise<void> {
  for (const server of servers) {
    const isNew = await applySchema(server, cluster);
    const at = `"${server.database}" of ${server.where}`;
    sayNote(isNew ? `made the tables in ${at}` : `the tables in ${at} are there already`);
  }
}

async function follow(
  folder: string,
  servers: readonly ClickHouseServer[],
  { servers: { origins, database }, statePath, once, intervalMs, reportMs, limits, metrics }:
    ShipOptions,
): Promise<number> {
  const [asked, leaving] = [new AbortController(), new AbortController()];
  const shipper = new Shipper({
    folder,
    servers,
    state: new StateFile(statePath, `${origins.toSorted().join()} ${database}`),
    limits,
    intervalMs,
    once: once ? { patienceMs: PATIENCE_MS } : undefined,
    ending: asked.signal,
    leaving: leaving.signal,
    onNote: sayNote,
  });
  const report = () => `${describeShipped(shipper.counts)}; ${describeLag(shipper.lag())}`;
  const ending = Ending.listen({ report });
  const work = shipper.run().then(() => undefined, (error) => error);
  ending.asked.then(() => {
    asked.abort();
    setTimeout(() => leaving.abort(), LEAVE_MS);
  });
  let pages: PageServer | undefined;
  const startMs = performance.timeOrigin;
  const version = await readVersion();
  const families = () =>
    shipFamilies({
      ...{ counts: shipper.counts, lag: shipper.lag(), isUp: shipper.isUp },
      ...{ version, process: ownFigures(), startMs },
    });
  let saidRows = 0;
  const timer = setInterval(() => {
    const { acknowledged } = shipper.counts;
    const lag = shipper.lag();
    // Silence where nothing happens.
    if (acknowledged === saidRows && lag.bytes === 0) return;
    saidRows = acknowledged;
    sayNote(`${describeShipped(shipper.counts)}; ${describeLag(lag)}`);
  }, reportMs);
  try {
    if (metrics !== undefined) {
      pages = await answerShipMetrics(metrics, families, () => shipper.isUp, sayNote);
    }
  } catch (error) {
    ending.fail("listening", error);
  }
  const error: unknown = await work;
  clearInterval(timer);
  pages?.close();
  const hasDone = error === undefined || shipper.counts.rows > 0;
  const sentences = hasDone ? [report(), ...describeLosses(shipper.counts)] : [];
  for (const sentence of sentences) sayNote(sentence);
  if (error instanceof ShipError || error instanceof ServerError) {
    sayNote(messageOf(error));
    return ExitStatus.Failed;
  }
  if (error !== undefined) throw error;
  return ending.failed || once && !shipper.isComplete ? ExitStatus.Failed : ExitStatus.Ok;
}
