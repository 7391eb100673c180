/** How long pairs of three hosts take, and whether each is true. */
import { TextLineStream } from "@std/streams";
import { PairTruth, tellsSteps } from "../../capture/check_pairs.ts";
import { generatePairs, type Host, statusOf } from "../../capture/made_pairs.ts";
import { commandCost } from "../command_cost.ts";
import type { Bench, Figure, Row } from "../row.ts";
import { formatNumber } from "../report.ts";
import { HERE, taskCommand } from "../task_command.ts";

/** Records of each host, about: a handshake has one of its server too, but where every SYN was lost. */
const RECORDS = 1_000_000;
const RECORDS_OF_ONE = 1.95;
const SECONDS = 3_600;
const HOSTS: readonly Host[] = [
  { name: "web1", address: "10.0.0.10", aheadNs: 0, driftPpb: 0 },
  {
    name: "api1",
    address: "10.0.1.10",
    aheadNs: 3_217_000,
    driftPpb: 1_700,
    step: { atSeconds: 2_025, byNs: 50e6 },
  },
  { name: "db1", address: "2001:db8::10", aheadNs: -41_530_000, driftPpb: -12_400 },
];
const AIM_SECONDS = 15;
const AIM_MB = 1_300;
/** Bytes of lines that are written at once. */
const PIECE = 1 << 20;

/** Pairs of three hosts with a million records each, of NDJSON, each held against the truth. */
export const pairs: Row = {
  name: "pairs",
  title: "`pairs --memory 1G` of three hosts with a million records each",
  needs: [],
  async measure(bench) {
    const records = bench.either(RECORDS, 5_000);
    const count = Math.round(records * HOSTS.length / RECORDS_OF_ONE);
    const { truth, paths } = writeFleet(bench, count);
    const figures: Figure[] = [];
    const tables = [];
    for (let round = 0; round < bench.either(3, 1); round++) {
      tables.push(await commandCost([...taskCommand("pairs"), ...paths, "--memory", "1G"]));
    }
    figures.push(
      {
        name: "until the tables are there",
        unit: "s",
        values: tables.map(({ seconds }) => seconds),
        aim: { atMost: AIM_SECONDS },
      },
      { name: "CPU time", unit: "s", values: tables.map(({ cpuSeconds }) => cpuSeconds) },
      {
        name: "peak of memory",
        unit: "MB",
        values: tables.map(({ peakMb }) => peakMb),
        aim: { atMost: AIM_MB },
      },
    );
    const child = new Deno.Command(taskCommand("pairs")[0], {
      args: [...taskCommand("pairs").slice(1), ...paths, "--memory", "1G", "--json"],
      ...{ cwd: HERE, stdin: "null", stdout: "piped" },
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(
      new TextLineStream(),
    );
    const faults = await truth.check(lines);
    if (!(await child.status).success) throw new Error("pairs --json failed");
    bench.say(JSON.stringify(faults));
    const share = (name: string, value: number, atLeast = 1 - 1e-6): Figure => ({
      name,
      unit: "ratio",
      values: [value],
      aim: { atLeast },
    });
    figures.push(
      {
        ...share("recall", faults.found / faults.truePairs),
        note: `${formatNumber(faults.found)} of ${formatNumber(faults.truePairs)} pairs were found`,
      },
      share("precision", faults.found / (faults.found + faults.wrong)),
      share("verdicts right or withheld", 1 - faults.wrongVerdicts / count, 1),
      share(
        "losses and round trips right",
        1 - (faults.wrongLosses + faults.wrongRoundTrips) / count,
        1,
      ),
      {
        ...share("clock bounds that hold the truth", 1 - faults.wrongWindows / faults.windows, 1),
        note: `${faults.unknownWindows} of ${faults.windows} minutes of two clocks have none`,
      },
      share(
        "clocks that were set told as such",
        tellsSteps(HOSTS, faults) && faults.changes === 0 ? 1 : 0,
        1,
      ),
    );
    return figures;
  },
};

function writeFleet({ folder }: Bench, count: number) {
  const truth = new PairTruth(HOSTS);
  const files = new Map(HOSTS.map(({ name }) => {
    const path = `${folder}/${name}.ndjson`;
    return [name, { path, file: Deno.openSync(path, { write: true, create: true }), text: "" }];
  }));
  const encoder = new TextEncoder();
  const write = (name: string, line: string, atLeast = PIECE) => {
    const output = files.get(name)!;
    output.text += line;
    if (output.text.length < atLeast) return;
    const bytes = encoder.encode(output.text);
    for (let at = 0; at < bytes.length;) at += output.file.writeSync(bytes.subarray(at));
    output.text = "";
  };
  for (const { fate, clientLine, serverLine } of generatePairs(HOSTS, count, SECONDS)) {
    truth.add(fate);
    write(fate.client, clientLine);
    if (serverLine !== undefined) write(fate.server, serverLine);
  }
  for (const host of HOSTS) {
    write(host.name, statusOf(host, SECONDS), 0);
    files.get(host.name)!.file.close();
  }
  return { truth, paths: [...files.values()].map(({ path }) => path) };
}
