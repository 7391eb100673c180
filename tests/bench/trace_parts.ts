/**
 * What a handshake takes of the processors by the parts of a trace, at 10,000 a second once V8 has
 * compiled it:
 *
 * ```sh
 * deno run -A tests/bench/trace_parts.ts --output /tmp/a.ndjson    # the flags of `trace`
 * ```
 *
 * The processes' own counts tell how much, the samples of perf(1) where. Needs root, gcc, perf.
 *
 * @module
 */
import { Namespace } from "../netns/namespace.ts";
import { pacedConnections } from "./paced.ts";
import { cpuNs, v8ThreadsNs } from "./process_cost.ts";
import { Bench } from "./row.ts";
import { taskCommand } from "./task_command.ts";
import { startProgram } from "./watchers.ts";

const PORT = 4437;
const RATE = 10_000;
const COMPILED_MS = 12_000;
const MEASURED_MS = 10_000;
/** How long perf takes to begin. */
const BEGIN_MS = 1_000;
/** Field of a network namespace's connections that were accepted (RFC 4022, tcpPassiveOpens). */
const PASSIVE_OPENS = 6;
const V8_FLAGS = "--perf-basic-prof,--interpreted-frames-native-stack";

/** A frame of a sample: what ran, and the file that it is in. */
interface Frame {
  symbol: string;
  file: string;
}

/** Where a frame of the tool's own stands: its function and its file below `src`. */
const OWN_FRAME = /(\S+) file:\/\/\S*\/src\/(\S+?):\d/;

/** A function without a file: the encoder's, which is made as a text. */
const GENERATED = /^JS:\S* :\d/;

/**
 * Which part of a trace a sample is of; what V8 puts into the function that calls it counts as that.
 * @param frames The innermost first.
 */
function partOf(frames: readonly Frame[]): string {
  const inKernel = /kernel|\[unknown\]/.test(frames[0].file);
  const symbols = frames.map(({ symbol }) => symbol);
  let part: string | undefined;
  for (const symbol of symbols.toReversed()) {
    const isReporting = part === "reported" || part === "concluded";
    const [, name, file] = OWN_FRAME.exec(symbol) ?? [];
    if (file === undefined) {
      if (isReporting && GENERATED.test(symbol)) return "summary and sinks";
      continue;
    }
    if (isReporting && /^(output|record|text|pipeline)\//.test(file)) return "summary and sinks";
    if (file.startsWith("linux/capture/wire_source") && name.includes("drain")) return "packets";
    if (file.startsWith("linux/probes/kernel_maps")) part = "kernel records read";
    if (part === "kernel records read" && /^(match|pipeline)\//.test(file)) {
      return "kernel records matched";
    }
    if (/^match\/(attempts|matcher)/.test(file)) part ??= "reported";
    if (file.startsWith("match/conclude") && part === "reported") part = "concluded";
    if (file.startsWith("pipeline/pipeline") && part === undefined) return "write";
  }
  const isBpf = symbols.some((symbol) => symbol.includes("_map_lookup_and_delete_batch"));
  if (isBpf || inKernel && part === "kernel records read") return "kernel records taken: bpf(2)";
  if (part === undefined && symbols.some((symbol) => symbol.includes("vfs_write"))) return "write";
  return part ?? "ticks: clocks, timers, following";
}

/** Samples of the main thread by part, of what `perf script` prints. */
function countParts(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const sample of text.split("\n\n")) {
    const [head, ...lines] = sample.trim().split("\n");
    if (head.startsWith("V8 ") || lines.length === 0) continue;
    const frames = lines.map((line) => {
      const [, symbol, file] = /^\s*[0-9a-f]+ (.*) \((.*)\)$/.exec(line) ?? ["", "", ""];
      return { symbol, file };
    });
    const part = partOf(frames);
    counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  return counts;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const folder = await Deno.makeTempDir();
{
  await using namespace = await Namespace.create();
  const seconds = (COMPILED_MS + BEGIN_MS + MEASURED_MS) / 1e3 + 4;
  const bench = new Bench(folder, "whole");
  const connect = await pacedConnections(bench, namespace, PORT, RATE, RATE * seconds);
  const command = taskCommand("trace").map((word) =>
    word.startsWith("--v8-flags=") ? `${word},${V8_FLAGS}` : word
  );
  const { pid, stop } = await startProgram(
    namespace,
    [...command, "--port", String(PORT), ...Deno.args],
    "stderr",
    /kernel events come from|no kernel events, as asked/,
  );
  const count = () => {
    const tcp = /^Tcp: \d.*$/m.exec(Deno.readTextFileSync(`/proc/${pid}/net/snmp`))![0];
    return {
      accepted: Number(tcp.split(" ")[PASSIVE_OPENS]),
      all: cpuNs(pid),
      v8: v8ThreadsNs(pid),
    };
  };
  const connecting = connect();
  await pause(COMPILED_MS);
  const perf = new Deno.Command("perf", {
    args: ["record", "-F", "1999", "-g", "-p", String(pid), "-o", `${folder}/perf.data`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await pause(BEGIN_MS);
  const before = count();
  await pause(MEASURED_MS);
  const after = count();
  perf.kill("SIGINT");
  await perf.status;
  await connecting;
  const { stdout } = await new Deno.Command("perf", {
    args: ["script", "-i", `${folder}/perf.data`, "-F", "comm,tid,ip,sym,dso"],
    stderr: "null",
  }).output();
  await stop();
  await Deno.remove(`/tmp/perf-${pid}.map`);

  const handshakes = after.accepted - before.accepted;
  const us = (ns: number) => ns / 1e3 / handshakes;
  const v8Us = us(after.v8 - before.v8);
  const mainUs = us(after.all - before.all) - v8Us;
  const parts = countParts(new TextDecoder().decode(stdout));
  const samples = parts.values().reduce((sum, each) => sum + each, 0);
  const line = (value: number, name: string) =>
    console.log(`${value.toFixed(2).padStart(6)}  ${name}`);
  console.log(`µs a handshake, ${handshakes} of them, ${samples} samples:`);
  for (const [part, each] of [...parts].sort((a, b) => b[1] - a[1])) {
    line(mainUs * each / samples, part);
  }
  line(v8Us, "V8's own threads");
  line(mainUs + v8Us, "together");
}
await Deno.remove(folder, { recursive: true });
